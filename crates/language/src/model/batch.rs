//! Utterances of several calls that are read together.
//!
//! Whoever comes joins between two steps and leaves when their line is written, so that nobody waits for
//! another call's line to end. A step reads what is new in all of them with one pass over the weights,
//! which is most of the work.

use std::time::Duration;

use super::decoder::{KeyValues, Turn};
use super::grammar::Sentence;
use super::labels::{self, Labels};
use super::turn_reader::{Asked, Reading, TurnReader};
use super::{Deadline, ModelError};

/// Most tokens of a line.
const LINE_MAX: usize = 64;

/// Utterances that are being read.
pub struct Batch<'a> {
    reader: &'a TurnReader,
    lines: Vec<Line>,
}

/// A line in the making.
struct Line {
    /// Whose it is.
    owner: u64,
    keys: KeyValues,
    sentence: Sentence,
    /// What the decoder has not read yet.
    unread: Vec<u32>,
    written: Vec<u32>,
    confidence: f32,
    /// How likely each act was.
    acts: Vec<f32>,
    /// How likely danger was.
    danger: Option<f32>,
    /// The act and its topic are still being written.
    head: bool,
    deadline: Deadline,
}

/// What became of a line in a step.
enum Step {
    GoesOn,
    IsWritten,
}

impl<'a> Batch<'a> {
    /// Nothing is being read yet.
    pub const fn new(reader: &'a TurnReader) -> Self {
        Self { reader, lines: Vec::new() }
    }

    /// Utterances that are being read.
    pub const fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether nothing is being read.
    pub const fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Begins to read what was said in answer to a question; gives up after `limit`. An utterance of
    /// the same owner that is being read is dropped.
    ///
    /// # Errors
    /// The words cannot be read.
    pub fn begin(
        &mut self,
        owner: u64,
        asked: Asked,
        said: &str,
        limit: Duration,
    ) -> Result<(), ModelError> {
        self.withdraw(owner);
        let said = labels::answer(said);
        let mut unread = self.reader.tokens(&asked.unread)?;
        unread.extend(self.reader.tokens(&said)?);
        self.lines.push(Line {
            owner,
            keys: asked.keys,
            sentence: self.reader.sentence(&said)?,
            unread,
            written: Vec::new(),
            confidence: 1.0,
            acts: Vec::new(),
            danger: None,
            head: true,
            deadline: Deadline::after(limit),
        });
        Ok(())
    }

    /// Drops an owner's utterance, at once.
    pub fn withdraw(&mut self, owner: u64) {
        self.lines.retain(|line| line.owner != owner);
    }

    /// Goes on with all of them by one step. Returns those that are over, with their owners.
    pub fn step(&mut self) -> Vec<(u64, Result<Reading, ModelError>)> {
        let mut over: Vec<(u64, Result<Reading, ModelError>)> = Vec::new();
        self.lines.retain(|line| {
            let late = line.deadline.has_passed();
            over.extend(late.then_some((line.owner, Err(ModelError::Deadline))));
            !late
        });
        if self.lines.is_empty() {
            return over;
        }
        let unread: Vec<Vec<u32>> =
            self.lines.iter_mut().map(|line| std::mem::take(&mut line.unread)).collect();
        let turns = self.lines.iter_mut().zip(&unread);
        let mut turns: Vec<Turn<'_>> =
            turns.map(|(line, tokens)| Turn { tokens, keys: &mut line.keys }).collect();
        let states = match self.reader.forward(&mut turns) {
            Ok(states) => states,
            Err(error) => {
                let reason = error.to_string();
                let failed = |line: Line| (line.owner, Err(ModelError::Inference(reason.clone())));
                over.extend(self.lines.drain(..).map(failed));
                return over;
            }
        };
        let reader = self.reader;
        let mut states = states.into_iter();
        self.lines.retain_mut(|line| {
            let state = states.next().unwrap_or_default();
            let end = match line.step(reader, &state) {
                Ok(Step::GoesOn) => return true,
                Ok(Step::IsWritten) => line.reading(reader),
                Err(error) => Err(error),
            };
            over.push((line.owner, end));
            false
        });
        over
    }
}

impl Line {
    /// Writes what comes next.
    fn step(&mut self, reader: &TurnReader, state: &[f32]) -> Result<Step, ModelError> {
        let next = self.sentence.next(|tokens| reader.logits(state, tokens));
        let Some(next) = next.map_err(ModelError::Inference)? else {
            return Ok(Step::IsWritten);
        };
        if self.written.is_empty() {
            (self.acts, self.danger) = reader.acts(&next.choice);
        }
        let (likely, tokens) = (next.likely(), next.tokens);
        self.head = self.head && !reader.text(&tokens)?.contains(';');
        self.confidence *= if self.head { likely } else { 1.0 };
        self.written.extend(&tokens);
        self.unread = tokens;
        Ok(if self.written.len() < LINE_MAX { Step::GoesOn } else { Step::IsWritten })
    }

    fn reading(&self, reader: &TurnReader) -> Result<Reading, ModelError> {
        let labels = Labels::read(&reader.text(&self.written)?);
        let (acts, danger) = (self.acts.clone(), self.danger);
        Ok(Reading { labels, confidence: self.confidence, acts, danger })
    }
}
