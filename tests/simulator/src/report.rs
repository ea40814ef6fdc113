//! What came of simulated calls.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// An invariant that was broken, with everything to find out why.
#[derive(Debug, Clone)]
pub struct Violation {
    /// Brings the call back.
    pub seed: u64,
    /// When in the call.
    pub at: Duration,
    /// Which invariant, and how.
    pub what: String,
    /// The call so far, in invented words.
    pub transcript: Vec<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "seed {}: {:.2} s: {}", self.seed, self.at.as_secs_f64(), self.what)?;
        for line in &self.transcript {
            writeln!(formatter, "    {line}")?;
        }
        Ok(())
    }
}

/// Figures over calls.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Calls.
    pub calls: usize,
    /// Turns that counted.
    pub turns: usize,
    /// Attempts to understand a turn.
    pub attempts: usize,
    /// Turns that were reopened because the caller went on.
    pub reopened: usize,
    /// Times that the agent yielded.
    pub barge_ins: usize,
    /// Times that the agent went on after a sound, by what the sound was.
    pub spoke_on: BTreeMap<String, usize>,
    /// Appointments made.
    pub booked: usize,
    /// How calls ended.
    pub ended: BTreeMap<String, usize>,
    /// From the end of the caller's speech to the agent's first frame, inside the engine, ms.
    pub voice_to_voice_ms: Vec<u64>,
    /// From the caller's first sound to the agent's silence, ms.
    pub yield_ms: Vec<u64>,
    /// Work done before a turn was over, ms a turn.
    pub won_ms: Vec<u64>,
    /// Invariants that were broken.
    pub violations: Vec<Violation>,
}

impl Report {
    /// Adds another report to this one.
    pub fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.turns += other.turns;
        self.attempts += other.attempts;
        self.reopened += other.reopened;
        self.barge_ins += other.barge_ins;
        self.booked += other.booked;
        for (kind, count) in other.spoke_on {
            *self.spoke_on.entry(kind).or_default() += count;
        }
        for (kind, count) in other.ended {
            *self.ended.entry(kind).or_default() += count;
        }
        self.voice_to_voice_ms.extend(other.voice_to_voice_ms);
        self.yield_ms.extend(other.yield_ms);
        self.won_ms.extend(other.won_ms);
        self.violations.extend(other.violations);
    }
}

/// The value below which this share of the values lies.
fn quantile(values: &[u64], share: f64) -> u64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let index = (share * (sorted.len().max(1) - 1) as f64).round() as usize;
    sorted.get(index).copied().unwrap_or_default()
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = |counts: &BTreeMap<String, usize>| {
            counts.iter().map(|(kind, count)| format!("{kind} {count}")).collect::<Vec<_>>()
        };
        let quantiles = |values: &[u64]| {
            format!("p50 {} ms, p95 {} ms", quantile(values, 0.5), quantile(values, 0.95))
        };
        writeln!(formatter, "calls            {}", self.calls)?;
        writeln!(formatter, "ended            {}", counts(&self.ended).join(", "))?;
        writeln!(formatter, "booked           {}", self.booked)?;
        writeln!(formatter, "turns            {} ({} attempts)", self.turns, self.attempts)?;
        writeln!(formatter, "reopened         {}", self.reopened)?;
        writeln!(formatter, "yielded          {}", self.barge_ins)?;
        writeln!(formatter, "spoke on         {}", counts(&self.spoke_on).join(", "))?;
        writeln!(formatter, "voice to voice   {}", quantiles(&self.voice_to_voice_ms))?;
        writeln!(formatter, "yield time       {}", quantiles(&self.yield_ms))?;
        writeln!(formatter, "won by speculation, a turn: {}", quantiles(&self.won_ms))?;
        write!(formatter, "violations       {}", self.violations.len())
    }
}
