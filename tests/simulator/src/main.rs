//! `radline-simulator --calls 10000 --seed 1`: simulates calls and prints what came of them.
#![expect(clippy::print_stdout, reason = "a command-line tool talks to its terminal")]

use std::process::ExitCode;
use std::thread;

use clap::Parser;
use radline_simulator::{Report, simulate};

/// Calls in virtual time, with invariants after every step.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many calls.
    #[arg(long, default_value_t = 1000)]
    calls: u64,
    /// The first call's seed; each further call has the next one.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only the call with this seed, as a violation names it, with its transcript.
    #[arg(long)]
    call: Option<u64>,
}

/// Violations that are printed whole.
const PRINTED_MAX: usize = 5;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(seed) = arguments.call {
        let (report, transcript) = simulate(seed);
        println!("{}\n", transcript.join("\n"));
        return conclude(&report);
    }
    let threads = thread::available_parallelism().map_or(1, usize::from) as u64;
    let workers: Vec<_> = (0..threads)
        .map(|worker| {
            let (seed, calls) = (arguments.seed * 1_000_000, arguments.calls);
            thread::spawn(move || {
                let mut report = Report::default();
                for call in (worker..calls).step_by(threads as usize) {
                    report.add(simulate(seed + call).0);
                }
                report
            })
        })
        .collect();
    let mut report = Report::default();
    for worker in workers {
        match worker.join() {
            Ok(part) => report.add(part),
            // The thread has said why; no figure of this run may be believed.
            Err(_) => return ExitCode::FAILURE,
        }
    }
    report.violations.sort_by_key(|violation| violation.seed);
    conclude(&report)
}

fn conclude(report: &Report) -> ExitCode {
    for violation in report.violations.iter().take(PRINTED_MAX) {
        println!("{violation}");
    }
    println!("{report}");
    if report.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
