//! The sentences that the adapter for wording is trained on: nothing is learned that may not be said.

use std::path::Path;

use radline_dialogue::Feeling;
use radline_language::phrasing::Felt;
use radline_training::record::{Wording, load_folder};

/// Sentences of both sites.
const WAITING: &[&str] = &[
    "Waiting for {what} is hard.",
    "It makes sense that {what} weighs on you.",
    "Not knowing {what} is often the hardest part.",
    "Waiting to hear about {what} is hard.",
    "It is no wonder that {what} weighs on you.",
];
const EXAM: &[&str] = &[
    "Many people are uneasy about {what}, and it is good that you say so.",
    "Thank you for telling me that {what} worries you.",
    "It is all right to be nervous about {what}.",
    "Plenty of people feel uneasy about {what}, and it helps that you say so.",
    "It is all right to feel nervous about {what}.",
];
const GENERAL: &[&str] = &[
    "It sounds like {what} is a lot to carry.",
    "I hear how hard {what} is for you.",
    "Thank you for telling me about {what}.",
    "I can hear how difficult {what} is for you.",
];

#[test]
fn what_is_learned_may_be_said() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../training/wording"));
    let records: Vec<Wording> = load_folder(folder).expect("sentences");
    let mut wrong = Vec::new();
    for record in &records {
        let frames = match record.feels {
            Feeling::Waiting => WAITING,
            Feeling::Exam => EXAM,
            Feeling::Anger => &[],
            Feeling::General => GENERAL,
        };
        let frames = frames.iter().map(|frame| (*frame).to_owned()).collect();
        let felt =
            Felt { feeling: record.feels, said: record.said.clone().into(), frames, sure: 0.0 };
        for line in &record.lines {
            if let Err(block) = felt.verify(line) {
                wrong.push(format!("{line}: {block}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), records.len(), wrong.join("\n"));
}
