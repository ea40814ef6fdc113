//! A few hundred simulated calls in every test run; `cargo xtask simulate` makes many more.

use radline_simulator::{Report, simulate};

#[test]
fn no_invariant_is_broken() {
    let mut report = Report::default();
    for seed in 1..=300 {
        report.add(simulate(seed).0);
    }
    let first = report.violations.first().map(ToString::to_string);
    assert!(first.is_none(), "{}", first.unwrap_or_default());
    // The calls must be worth simulating: every kind of turn has to occur in them.
    assert!(report.turns > 1500 && report.booked > 30, "{report}");
    assert!(report.reopened > 30 && report.barge_ins > 100, "{report}");
    assert!(report.spoke_on.len() >= 3, "{report}");
    assert!(report.ended.len() >= 2, "{report}");
}

#[test]
fn a_seed_brings_its_call_back() {
    let (first, second) = (simulate(7).1, simulate(7).1);
    assert_eq!(first, second);
    assert_ne!(first, simulate(8).1);
}
