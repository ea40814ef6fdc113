//! Walks through the demonstration site's statechart.

use std::path::Path;

use radline_dialogue::{RedFlag, Scenario};
use radline_training::record::{NO_FLAG, Record, load_folder};
use radline_training::walks::{WalkedTurn, Walks};
use rand::SeedableRng;
use rand::rngs::StdRng;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

fn scenario() -> Scenario {
    let folder = Path::new(ROOT).join("deploy/sites/demo-hospital/scenarios");
    Scenario::load(&folder).expect("the demonstration scenario is sound")
}

fn utterances() -> Vec<Record> {
    ["utterances", "turns"]
        .iter()
        .flat_map(|folder| {
            let folder = Path::new(ROOT).join("training").join(folder);
            load_folder::<Record>(&folder).expect("utterances")
        })
        .collect()
}

fn walk(scenario: &Scenario, records: &[Record], seed: u64) -> Vec<WalkedTurn> {
    let walks = Walks::new(scenario, records.iter());
    let mut random = StdRng::seed_from_u64(seed);
    (0..120).flat_map(|call| walks.call(call, &mut random)).collect()
}

#[test]
fn a_walk_is_the_same_from_the_same_seed() {
    let (scenario, records) = (scenario(), utterances());
    let words = |seed| -> Vec<String> {
        walk(&scenario, &records, seed).into_iter().map(|turn| turn.record.said).collect()
    };
    assert_eq!(words(1), words(1));
    assert_ne!(words(1), words(2));
}

#[test]
fn every_turn_stands_behind_a_question_of_the_site() {
    let (scenario, records) = (scenario(), utterances());
    let turns = walk(&scenario, &records, 3);
    assert!(turns.len() > 400, "{}", turns.len());
    for turn in &turns {
        assert!(scenario.states.contains_key(&turn.state), "{}", turn.state);
        let record = &turn.record;
        assert!(!record.asked.is_empty() && !record.asked.contains('{'), "{}", record.asked);
        assert!(!record.said.is_empty() && !record.intent.is_empty());
        let known = RedFlag::ALL.map(RedFlag::key).contains(&record.red_flag.as_str());
        assert!(known || record.red_flag == NO_FLAG, "{}", record.red_flag);
    }
    // Answers to a safety question are about it, or plain.
    let asked = |turn: &&WalkedTurn| turn.record.asked.contains("pacemaker");
    for turn in turns.iter().filter(asked) {
        let act = turn.record.intent.as_str();
        assert_ne!(act, "provide", "{}", turn.record.said);
    }
}
