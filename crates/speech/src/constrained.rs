//! A second reading of an utterance, in which only certain pieces may be written: letters, digits
//! and dates, where something was asked that is spelled or numbered.
//!
//! It costs the decoder only; what the encoder made of the audio is still there from the first
//! reading. Its score is the model's own, not one among what was allowed, so it can be compared
//! with the first reading's: a caller who says something else is not forced into the mould.

use std::collections::BTreeMap;

use whisper_rs::{WhisperContext, WhisperState};

use crate::SpeechError;

/// Longest piece, tokens.
const PIECE_TOKENS_MAX: usize = 16;
/// Longer readings are taken as they are: each other way costs as much as the first.
const DEVIATING_TOKENS_MAX: usize = 20;
/// The first piece decides whether a word is written or spelled, so more is tried there: choices
/// this near, nats …
const FIRST_CLOSE: f32 = 6.0;
/// … and at most so many of them.
const FIRST_MAX: usize = 4;
/// A reading may end at most this long before the audio does, s; an earlier end has lost the rest.
const EARLY_END_MAX: f32 = 0.9;
/// Length of a step between two time marks, s.
const TIME_STEP: f32 = 0.02;

/// A place in what may be written. A reading begins at the first of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Place {
    /// What may stand here, and the place behind it.
    pub(crate) pieces: Vec<(String, usize)>,
    /// Whether a reading may end here.
    pub(crate) whole: bool,
}

/// The pieces that may be written, as trees of tokens, one for each place.
#[derive(Debug, Clone)]
pub(crate) struct Pieces {
    /// The roots of the trees come first, in the order of their places.
    nodes: Vec<Node>,
    /// Ends a reading.
    full_stop: i32,
    end_of_text: i32,
    /// The first time mark.
    times: i32,
    /// What the decoder is told before the text.
    prompt: Vec<i32>,
}

#[derive(Debug, Clone, Default)]
struct Node {
    next: BTreeMap<i32, usize>,
    /// The root that follows, where a piece ends here.
    then: Option<usize>,
    /// Of a root: whether a reading may end before it.
    whole: bool,
}

/// The first reading, which may write anything: what a constrained one is compared with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Free<'a> {
    pub(crate) text: &'a str,
    /// Sum of its tokens' log probabilities, nats.
    pub(crate) score: f32,
    /// Length of the audio, s.
    pub(crate) seconds: f32,
    /// Most tokens that any reading may have.
    pub(crate) tokens_max: usize,
}

/// What a constrained reading found.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Reading {
    pub(crate) tokens: Vec<i32>,
    /// Sum of the tokens' log probabilities, the end's included, among all that the model knows.
    pub(crate) score: f32,
    /// Where the choice was close: position, and what was second.
    close: Vec<(usize, i32, f32)>,
}

impl Pieces {
    /// From texts, any of which may follow any. What the model's vocabulary cannot write is left out.
    pub(crate) fn new<'a>(
        context: &WhisperContext,
        texts: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let pieces = texts.into_iter().map(|text| (text.to_owned(), 0)).collect();
        Self::in_places(context, &[Place { pieces, whole: true }])
    }

    /// From places, where what was written tells what may follow. A piece that two rows of one place
    /// hold leads where the first of them says.
    pub(crate) fn in_places(context: &WhisperContext, places: &[Place]) -> Self {
        let start = context.token_sot();
        let mut prompt = vec![start];
        if context.is_multilingual() {
            // The first language token is English.
            prompt.extend([start + 1, context.token_transcribe()]);
        }
        prompt.push(context.token_beg());
        let full_stop = context.tokenize(".", 1).ok().and_then(|tokens| tokens.first().copied());
        let mut pieces = Self {
            nodes: places
                .iter()
                .map(|place| Node { whole: place.whole, ..Node::default() })
                .collect(),
            full_stop: full_stop.unwrap_or(context.token_eot()),
            end_of_text: context.token_eot(),
            times: context.token_beg(),
            prompt,
        };
        for (root, place) in places.iter().enumerate() {
            for (text, then) in &place.pieces {
                if let Ok(tokens) = context.tokenize(text, PIECE_TOKENS_MAX) {
                    pieces.add(root, &tokens, *then);
                }
            }
        }
        pieces
    }

    fn add(&mut self, root: usize, tokens: &[i32], then: usize) {
        let mut at = root;
        for token in tokens {
            let fresh = self.nodes.len();
            at = *self.nodes[at].next.entry(*token).or_insert(fresh);
            if at == fresh {
                self.nodes.push(Node::default());
            }
        }
        if at != root {
            self.nodes[at].then.get_or_insert(then);
        }
    }

    /// Whether a reading may end at this node.
    fn may_end(&self, at: usize) -> bool {
        self.nodes[at].then.is_some_and(|root| self.nodes[root].whole)
    }

    /// The tokens that may follow, each with the node it leads to.
    fn allowed(&self, at: usize) -> impl Iterator<Item = (i32, usize)> {
        let node = &self.nodes[at];
        let behind = node.then.map(|root| &self.nodes[root]);
        let next = node.next.iter().chain(behind.into_iter().flat_map(|root| &root.next));
        next.map(|(token, place)| (*token, *place))
    }

    fn step(&self, at: usize, token: i32) -> Option<usize> {
        self.allowed(at).find(|(other, _)| *other == token).map(|(_, place)| place)
    }
}

/// The decoder, with what it has read last, so that readings share their beginnings.
pub(crate) struct Decoder<'a> {
    state: &'a mut WhisperState,
    pieces: &'a Pieces,
    threads: usize,
    limits: Limits,
    read: Vec<i32>,
}

/// What a reading must be like to be one of the whole utterance.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Length of the audio, s.
    pub(crate) seconds: f32,
    /// Fewest tokens.
    pub(crate) tokens_min: usize,
    /// Most tokens.
    pub(crate) tokens_max: usize,
    /// A choice between two pieces is close when the second is this near, nats.
    pub(crate) close: f32,
    /// Other ways that are tried where it was close.
    pub(crate) deviations: usize,
}

impl<'a> Decoder<'a> {
    /// For what the state's encoder has heard last.
    pub(crate) const fn new(
        state: &'a mut WhisperState,
        pieces: &'a Pieces,
        threads: usize,
        limits: Limits,
    ) -> Self {
        Self { state, pieces, threads, limits, read: Vec::new() }
    }

    /// The best of the straight reading and of those that choose otherwise where it was close.
    pub(crate) fn best(&mut self) -> Result<Reading, SpeechError> {
        let mut best = self.greedy(&[], f32::NEG_INFINITY)?;
        if best.tokens.len() > DEVIATING_TOKENS_MAX {
            return Ok(best);
        }
        let mut close = best.close.clone();
        close.sort_by(|a, b| a.2.total_cmp(&b.2));
        let straight = best.tokens.clone();
        for (position, second, _) in close.into_iter().take(self.limits.deviations) {
            let mut start = straight[..position].to_vec();
            start.push(second);
            let other = self.greedy(&start, best.score)?;
            if other.score > best.score {
                best = other;
            }
        }
        Ok(if best.score == f32::NEG_INFINITY { Reading::lost() } else { best })
    }

    /// The score of a text that is given.
    pub(crate) fn score(&mut self, tokens: &[i32]) -> Result<f32, SpeechError> {
        let mut score = 0.0;
        for at in 0..tokens.len() {
            score += self.log_probability(&tokens[..at], tokens[at])?;
        }
        let pieces = self.pieces;
        Ok(score + end_score(self.logits_after(tokens)?, pieces))
    }

    fn log_probability(&mut self, before: &[i32], token: i32) -> Result<f32, SpeechError> {
        let logits = self.logits_after(before)?;
        Ok(logits[token as usize] - log_sum(logits.iter().copied()))
    }

    /// Reads on from a beginning, always taking the likeliest piece. Scores only fall as a reading
    /// grows: one that is below `floor` already is given up.
    fn greedy(&mut self, start: &[i32], floor: f32) -> Result<Reading, SpeechError> {
        let (pieces, limits) = (self.pieces, self.limits);
        let (mut reading, mut at) = (Reading::default(), 0);
        for token in start {
            let Some(place) = pieces.step(at, *token) else { return Ok(Reading::lost()) };
            reading.score += self.log_probability(&reading.tokens, *token)?;
            reading.tokens.push(*token);
            at = place;
        }
        while reading.tokens.len() < limits.tokens_max && reading.score > floor {
            let may_end = pieces.may_end(at) && reading.tokens.len() >= limits.tokens_min;
            let logits = self.logits_after(&reading.tokens)?;
            let mut options: Vec<(f32, i32, usize)> = pieces
                .allowed(at)
                .map(|(token, place)| (logits[token as usize], token, place))
                .collect();
            options.sort_by(|a, b| b.0.total_cmp(&a.0));
            let likeliest = options.first().map_or(f32::NEG_INFINITY, |option| option.0);
            if may_end && ends(logits, pieces, likeliest, limits.seconds) {
                reading.score += end_score(logits, pieces);
                return Ok(reading);
            }
            let Some(&(logit, token, place)) = options.first() else { break };
            let first = reading.tokens.is_empty();
            let (near, most) = if first { (FIRST_CLOSE, FIRST_MAX) } else { (limits.close, 1) };
            let others = options.iter().skip(1).take(most);
            for other in others.filter(|other| logit - other.0 < near) {
                reading.close.push((reading.tokens.len(), other.1, logit - other.0));
            }
            reading.score += logit - log_sum(logits.iter().copied());
            reading.tokens.push(token);
            at = place;
        }
        // It goes round and round and never came to an end, or has fallen below the floor.
        Ok(Reading { score: f32::NEG_INFINITY, ..reading })
    }

    fn logits_after(&mut self, tokens: &[i32]) -> Result<&[f32], SpeechError> {
        let fail = |error| SpeechError::inference("transcription", error);
        let all: Vec<i32> = self.pieces.prompt.iter().chain(tokens).copied().collect();
        let shared = all.iter().zip(&self.read).take_while(|(a, b)| a == b).count();
        // The logits are those of the token that was read last.
        let from =
            if shared == all.len() && self.read.len() > shared { shared - 1 } else { shared };
        self.read.truncate(from);
        // One at a time: whisper.cpp writes the logits of several tokens where nobody looks.
        for token in &all[from..] {
            self.state.decode(&[*token], self.read.len(), self.threads).map_err(fail)?;
            self.read.push(*token);
        }
        self.state.get_logits().map_err(fail)
    }
}

impl Reading {
    /// Nothing that could be believed.
    fn lost() -> Self {
        Self { score: f32::NEG_INFINITY, ..Self::default() }
    }

    /// Whether it is less likely than the free reading by no more than `margin`, nats.
    pub(crate) fn is_believed(&self, free: Free<'_>, margin: f32) -> bool {
        !self.tokens.is_empty() && self.score >= free.score - margin
    }

    /// Mean probability of the tokens, 0.0 to 1.0 (geometric). There is at least one.
    pub(crate) fn confidence(&self) -> f32 {
        (self.score / self.tokens.len() as f32).exp()
    }
}

/// Whether the reading ends here rather than with another piece: a full stop, the end of the text,
/// or a time mark near the end of the audio.
fn ends(logits: &[f32], pieces: &Pieces, best_piece: f32, seconds: f32) -> bool {
    let at = |token: i32| logits[token as usize];
    let times = &logits[pieces.times as usize..];
    let likeliest = times.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
    let mark = likeliest.map_or(0.0, |(index, _)| index as f32 * TIME_STEP);
    if mark + EARLY_END_MAX < seconds {
        return false;
    }
    let marked = log_sum(times.iter().copied());
    at(pieces.full_stop).max(at(pieces.end_of_text)).max(marked) > best_piece
}

/// Log probability that the text ends here, in whatever way.
fn end_score(logits: &[f32], pieces: &Pieces) -> f32 {
    let times = logits[pieces.times as usize..].iter().copied();
    let ends = [pieces.full_stop, pieces.end_of_text].map(|token| logits[token as usize]);
    log_sum(times.chain(ends)) - log_sum(logits.iter().copied())
}

fn log_sum(logits: impl Iterator<Item = f32> + Clone) -> f32 {
    let largest = logits.clone().fold(f32::MIN, f32::max);
    largest + logits.map(|logit| (logit - largest).exp()).sum::<f32>().ln()
}
