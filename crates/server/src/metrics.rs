//! What operators see. Labels are names from code, never anything of a caller.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use radline_call::{CallEvent, EventKind, LineFigures};

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Reason {
    reason: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Stage {
    stage: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Because {
    because: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Class {
    class: String,
}

/// The server's metrics.
pub struct Metrics {
    registry: Registry,
    /// Calls in progress.
    pub calls_active: Gauge,
    calls: Family<Reason, Counter>,
    stages: Family<Stage, Histogram>,
    red_flags: Family<Class, Counter>,
    problems: Counter,
    barge_ins: Counter,
    spoke_on: Family<Because, Counter>,
    line: Family<Stage, Histogram>,
    /// Events that could not be written.
    pub events_lost: Counter,
}

impl Metrics {
    /// Fresh metrics.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("radline");
        let stages: Family<Stage, Histogram> = Family::new_with_constructor(stage_histogram);
        let metrics = Self {
            calls_active: Gauge::default(),
            calls: Family::default(),
            stages,
            red_flags: Family::default(),
            problems: Counter::default(),
            barge_ins: Counter::default(),
            spoke_on: Family::default(),
            line: Family::new_with_constructor(stage_histogram),
            events_lost: Counter::default(),
            registry: Registry::default(),
        };
        registry.register("calls_active", "Calls in progress", metrics.calls_active.clone());
        registry.register("calls", "Calls ended, by reason", metrics.calls.clone());
        registry.register_with_unit(
            "turn",
            "Time from the end of the caller's speech, by stage",
            Unit::Seconds,
            metrics.stages.clone(),
        );
        registry.register("red_flags", "Red flags raised, by class", metrics.red_flags.clone());
        registry.register("problems", "Parts of calls that did not work", metrics.problems.clone());
        registry.register("barge_ins", "Interruptions by callers", metrics.barge_ins.clone());
        registry.register(
            "spoke_on",
            "Sounds over the agent's voice after which it went on, by what they were",
            metrics.spoke_on.clone(),
        );
        registry.register_with_unit(
            "line",
            "Measured at the line: voice to voice, yield; dead air and overlap of a call",
            Unit::Seconds,
            metrics.line.clone(),
        );
        registry.register("events_lost", "Call events not written", metrics.events_lost.clone());
        Self { registry, ..metrics }
    }

    /// Counts what an event tells.
    pub fn count(&self, event: &CallEvent) {
        match &event.kind {
            EventKind::TurnTimed(timing) => {
                let stages = [
                    ("waiting", timing.waited_ms),
                    ("transcription", timing.transcription_ms),
                    ("understanding", timing.understanding_ms),
                    ("wording", timing.wording_ms),
                    ("first_audio", timing.first_audio_ms),
                    ("voice_to_voice", timing.voice_to_voice_ms),
                ];
                for (stage, ms) in stages {
                    let stage = Stage { stage: stage.to_owned() };
                    self.stages.get_or_create(&stage).observe(ms as f64 / 1000.0);
                }
            }
            EventKind::RedFlagRaised { class } => {
                let class = Class { class: class.key().to_owned() };
                self.red_flags.get_or_create(&class).inc();
            }
            EventKind::Problem { .. } => {
                self.problems.inc();
            }
            EventKind::BargeIn { .. } => {
                self.barge_ins.inc();
            }
            EventKind::SpokeOn { because, .. } => {
                let because = Because { because: because.key().to_owned() };
                self.spoke_on.get_or_create(&because).inc();
            }
            EventKind::LineMeasured(figures) => self.measure_line(figures),
            EventKind::Ended { reason } => {
                let reason = Reason { reason: reason.key().to_owned() };
                self.calls.get_or_create(&reason).inc();
            }
            _ => {}
        }
    }

    fn measure_line(&self, figures: &LineFigures) {
        let observe = |what: &str, ms: u64| {
            let what = Stage { stage: what.to_owned() };
            self.line.get_or_create(&what).observe(ms as f64 / 1000.0);
        };
        figures.voice_to_voice_ms.iter().for_each(|ms| observe("voice_to_voice", *ms));
        figures.yield_ms.iter().for_each(|ms| observe("yield", *ms));
        observe("dead_air", figures.dead_air_ms);
        observe("overlap", figures.overlap_ms);
    }

    /// The text that Prometheus reads.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        if encode(&mut text, &self.registry).is_err() {
            text.clear();
        }
        text
    }
}

/// 50 ms to 6.4 s, doubling.
fn stage_histogram() -> Histogram {
    Histogram::new(exponential_buckets(0.05, 2.0, 8))
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}
