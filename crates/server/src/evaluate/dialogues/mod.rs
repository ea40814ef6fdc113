//! `radline evaluate dialogues`: invented callers against the engine, in text, each with a clinic
//! of their own that is thrown away afterwards.

mod judge;
mod keys;
mod persona;
mod player;
mod world;

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use radline_call::EndReason;
use radline_phi::Phi;
use serde_json::{Value, json};

use self::judge::Verdict;
use self::persona::Persona;
use self::player::Player;
use self::world::World;
use super::score::Share;
use crate::cli::Callers;
use crate::clock::Clock;
use crate::site::Site;
use crate::text_call::{LazyReader, TextCall};

/// A call with more turns than this has failed.
const TURNS_MAX: usize = 40;

/// What is played.
#[derive(Clone)]
pub struct Plays<'a> {
    /// The callers.
    pub data: &'a Path,
    /// The site pack.
    pub site: &'a Path,
    /// The language model, or the parsers alone.
    pub model: Arc<LazyReader>,
    /// The first seed.
    pub seed: u64,
    /// Plays of each caller, each with a seed of its own.
    pub plays: u64,
}

/// One caller, played once.
struct Played {
    seed: u64,
    outcome: String,
    /// Who spoke, and what.
    transcript: Vec<(&'static str, String)>,
    right: bool,
    must_say: Vec<(String, Verdict)>,
    must_not_say: Vec<(String, Verdict)>,
}

impl Played {
    fn passed(&self) -> bool {
        self.right
            && self.must_say.iter().all(|(_, verdict)| *verdict != Verdict::Missing)
            && self.must_not_say.iter().all(|(_, verdict)| *verdict != Verdict::Said)
    }
}

/// Who reads what the callers say: as the options have it, as in a call, or nobody beside the parsers.
///
/// # Errors
/// A model that was asked for is missing or damaged.
pub fn readers(options: &Callers) -> Result<LazyReader> {
    if options.parsers {
        return Ok(LazyReader::default());
    }
    let base = super::base(&options.readers)?;
    if !base.is_file() && !options.model {
        tracing::warn!(
            "no language model is there, the parsers are alone: `radline models fetch` brings it"
        );
        return Ok(LazyReader::default());
    }
    let classifier = super::classifier(&options.readers.sight)?;
    let adapter = options.readers.adapter.as_deref();
    Ok(LazyReader::of(classifier, super::tuned(&base, adapter)?))
}

/// Plays every caller and prints the report: a table, or one JSON object. `errors` gets a line of
/// JSON, with the transcript, for every play that failed.
#[expect(clippy::print_stdout, reason = "the report is the command's output")]
pub async fn run(what: Plays<'_>, json: bool, errors: Option<&Path>) -> Result<()> {
    let personas = persona::load(what.data)?;
    let site = Arc::new(Site::load(what.site)?);
    let (mut callers, mut plays, mut outcomes) =
        (Share::default(), Share::default(), Share::default());
    let (mut reports, mut failures) = (Vec::new(), Vec::new());
    for persona in &personas {
        let mut all = true;
        for seed in what.seed..what.seed + what.plays {
            let played = play(persona, &site, &what.model, seed)
                .await
                .with_context(|| persona.id.clone())?;
            plays.add(played.passed());
            outcomes.add(played.right);
            all &= played.passed();
            let report = described(persona, &played);
            if !played.passed() {
                failures.push(report.to_string());
            }
            if !json {
                let mark = if played.passed() { "passed" } else { "FAILED" };
                println!(
                    "{} seed {}: {mark}, {} (expected {})",
                    persona.id, played.seed, played.outcome, persona.expected.outcome
                );
            }
            reports.push(report);
        }
        callers.add(all);
    }
    if let Some(file) = errors {
        std::fs::write(file, failures.join("\n")).with_context(|| file.display().to_string())?;
    }
    if json {
        println!(
            "{}",
            json!({
                "records": personas.len(),
                "callers_passed": callers.value(),
                "plays_passed": plays.value(),
                "outcome_accuracy": outcomes.value(),
                "plays": reports,
            })
        );
    } else {
        println!("callers passed in every play: {callers}");
        println!("plays passed:                 {plays}");
        println!("outcome right:                {outcomes}");
        println!("What must and must not be said is judged by words here; read the transcripts.");
    }
    Ok(())
}

async fn play(
    persona: &Persona,
    site: &Arc<Site>,
    model: &Arc<LazyReader>,
    seed: u64,
) -> Result<Played> {
    let clock = Clock::from(site.timezone.clone(), world::NOW);
    let world = World::of(persona, site, clock.moment()).await?;
    let called = world.called(persona).await?;
    let store = world.store.clone();
    let model = Arc::clone(model);
    let mut call = TextCall::begin(Arc::clone(site), clock, store, model, called).await?;
    let mut player = Player::new(persona, seed);
    let mut transcript: Vec<(&'static str, String)> = Vec::new();
    let mut emergency = false;
    for _ in 0..TURNS_MAX {
        let replies = call.replies();
        let sentences: Vec<&str> = replies.iter().map(|(words, _)| *words).collect();
        emergency |= replies.iter().any(|(_, source)| source.contains(" emergency."));
        transcript.push(("agent", sentences.join(" ")));
        if call.ended().is_some() {
            break;
        }
        let Some(words) = player.answer(&sentences, &world) else {
            call.hang_up().await?;
            break;
        };
        transcript.push(("caller", words.clone()));
        call.say(Phi::new(words)).await?;
    }
    let ended_well = call.ended() == Some(EndReason::Finished) && !player.gave_up();
    let outcome = world::outcome(&world, persona, emergency, ended_well).await?;
    let booked = world.store.appointments().await?;
    let unwanted = booked
        .iter()
        .any(|one| one.call.is_some() && one.status != "cancelled" && !player.wanted(one.start));
    call.close().await?;
    let agent: Vec<&str> = transcript
        .iter()
        .filter(|(who, _)| *who == "agent")
        .map(|(_, words)| words.as_str())
        .collect();
    let judged = |items: &[String], judge: fn(&str, &[&str]) -> Verdict| {
        items.iter().map(|item| (item.clone(), judge(item, &agent))).collect()
    };
    Ok(Played {
        seed,
        right: outcome == persona.expected.outcome && !unwanted,
        outcome,
        must_say: judged(&persona.expected.must_say, judge::must),
        must_not_say: judged(&persona.expected.must_not_say, judge::must_not),
        transcript,
    })
}

fn described(persona: &Persona, played: &Played) -> Value {
    let items = |items: &[(String, Verdict)]| {
        let pairs = items.iter().map(|(item, verdict)| json!({"item": item, "verdict": verdict}));
        Value::Array(pairs.collect())
    };
    let turns = played.transcript.iter().map(|(who, words)| format!("{who}: {words}"));
    json!({
        "id": persona.id,
        "scenario": persona.scenario,
        "seed": played.seed,
        "passed": played.passed(),
        "outcome": played.outcome,
        "expected_outcome": persona.expected.outcome,
        "must_say": items(&played.must_say),
        "must_not_say": items(&played.must_not_say),
        "turns": played.transcript.len(),
        "transcript": turns.collect::<Vec<_>>(),
    })
}
