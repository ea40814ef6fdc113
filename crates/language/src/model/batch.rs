//! Utterances of several calls that are read together, and feelings that are answered.
//!
//! Whoever comes joins between two steps and leaves when their line is written, so that nobody waits for
//! another call's line to end. A step reads what is new in all of them with one pass over the weights,
//! which is most of the work; those for another adapter take another pass over the same weights.

use std::time::Duration;

use super::decoder::{KeyValues, Turn};
use super::grammar::Sentence;
use super::labels::{self, Labels};
use super::turn_reader::{Asked, Reading, TurnReader};
use super::{Deadline, ModelError};
use crate::phrasing::{Felt, NOTHING};
use crate::verifier::Block;

/// Most tokens of a line.
const LINE_MAX: usize = 64;

/// Utterances that are being read.
pub struct Batch<'a> {
    reader: &'a TurnReader,
    lines: Vec<Line>,
}

/// What a line is for, and so which adapter writes it.
#[derive(Debug, Clone)]
pub(super) enum Purpose {
    /// Labels of what was said.
    Labels,
    /// A sentence to what was felt.
    Acknowledgement(Felt),
}

/// What became of a line.
#[derive(Debug, Clone, PartialEq)]
pub enum Written {
    /// Labels.
    Labels(Reading),
    /// A sentence that may be spoken; nothing where none fits.
    Acknowledgement(Option<String>),
}

/// A line in the making.
struct Line {
    /// Whose it is.
    owner: u64,
    purpose: Purpose,
    keys: KeyValues,
    sentence: Sentence,
    /// What the decoder has not read yet.
    unread: Vec<u32>,
    written: Vec<u32>,
    confidence: f32,
    /// How likely the least likely choice was.
    least: f32,
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
        let sentence = self.reader.sentence(&said)?;
        let line = Line::new(owner, Purpose::Labels, sentence, unread, limit);
        self.lines.push(Line { keys: asked.keys, ..line });
        Ok(())
    }

    /// Begins to word an answer to a feeling, as [`Self::begin`] begins to read.
    ///
    /// # Errors
    /// The words cannot be read, or there is no adapter for it.
    pub fn acknowledge(
        &mut self,
        owner: u64,
        felt: Felt,
        limit: Duration,
    ) -> Result<(), ModelError> {
        self.withdraw(owner);
        let unread = self.reader.tokens(&felt.prompt())?;
        let sentence = self.reader.acknowledgement(&felt)?;
        self.lines.push(Line::new(owner, Purpose::Acknowledgement(felt), sentence, unread, limit));
        Ok(())
    }

    /// Drops an owner's utterance, at once.
    pub fn withdraw(&mut self, owner: u64) {
        self.lines.retain(|line| line.owner != owner);
    }

    /// Goes on with all of them by one step. Returns those that are over, with their owners.
    pub fn step(&mut self) -> Vec<(u64, Result<Written, ModelError>)> {
        let mut over: Vec<(u64, Result<Written, ModelError>)> = Vec::new();
        self.lines.retain(|line| {
            let late = line.deadline.has_passed();
            over.extend(late.then_some((line.owner, Err(ModelError::Deadline))));
            !late
        });
        let (labels, sentences): (Vec<Line>, Vec<Line>) =
            self.lines.drain(..).partition(|line| matches!(line.purpose, Purpose::Labels));
        for lines in [labels, sentences] {
            over.extend(self.step_with(lines));
        }
        over
    }

    /// Goes on with lines that one adapter writes; returns those that are over.
    fn step_with(&mut self, mut lines: Vec<Line>) -> Vec<(u64, Result<Written, ModelError>)> {
        let Some(purpose) = lines.first().map(|line| line.purpose.clone()) else {
            return Vec::new();
        };
        let unread: Vec<Vec<u32>> =
            lines.iter_mut().map(|line| std::mem::take(&mut line.unread)).collect();
        let turns = lines.iter_mut().zip(&unread);
        let mut turns: Vec<Turn<'_>> =
            turns.map(|(line, tokens)| Turn { tokens, keys: &mut line.keys }).collect();
        let states = match self.reader.forward(&mut turns, &purpose) {
            Ok(states) => states,
            Err(error) => {
                let reason = error.to_string();
                let failed = |line: Line| (line.owner, Err(ModelError::Inference(reason.clone())));
                return lines.into_iter().map(failed).collect();
            }
        };
        let mut over = Vec::new();
        for (mut line, state) in lines.into_iter().zip(states) {
            match line.step(self.reader, &state) {
                Ok(Step::GoesOn) => self.lines.push(line),
                Ok(Step::IsWritten) => over.push((line.owner, line.end(self.reader))),
                Err(error) => over.push((line.owner, Err(error))),
            }
        }
        over
    }
}

impl Line {
    fn new(
        owner: u64,
        purpose: Purpose,
        sentence: Sentence,
        unread: Vec<u32>,
        limit: Duration,
    ) -> Self {
        Self {
            owner,
            purpose,
            keys: KeyValues::default(),
            sentence,
            unread,
            written: Vec::new(),
            confidence: 1.0,
            least: 1.0,
            acts: Vec::new(),
            danger: None,
            head: true,
            deadline: Deadline::after(limit),
        }
    }

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
        self.least = self.least.min(likely);
        self.written.extend(&tokens);
        self.unread = tokens;
        Ok(if self.written.len() < LINE_MAX { Step::GoesOn } else { Step::IsWritten })
    }

    /// What was written.
    fn end(self, reader: &TurnReader) -> Result<Written, ModelError> {
        let text = reader.text(&self.written)?;
        Ok(match self.purpose {
            Purpose::Labels => {
                let (labels, confidence) = (Labels::read(&text), self.confidence);
                let Self { acts, danger, .. } = self;
                Written::Labels(Reading { labels, confidence, acts, danger })
            }
            Purpose::Acknowledgement(_) if text == NOTHING => Written::Acknowledgement(None),
            // Whatever the grammar let through is looked at once more.
            Purpose::Acknowledgement(felt) => {
                felt.verify(&text)?;
                if self.least < felt.sure || !felt.is_usual(&text) {
                    return Err(Block::Unsure.into());
                }
                Written::Acknowledgement(Some(text))
            }
        })
    }
}
