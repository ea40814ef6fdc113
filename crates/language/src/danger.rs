//! Danger as the lexicon, the classifier and the language model see it together.

use radline_dialogue::{
    Expectation, Question, RAISED_PERMILLE, RedFlag, RedFlags, Suspicion, words,
};
use radline_phi::Phi;

use crate::model::classifier::{Impression, NEVER_QUITE_RULED_OUT};
use crate::model::turn_reader::Reading;

/// The language model is asked where the classifier takes danger for so likely, thousandths.
const ASKED_PERMILLE: u16 = 20;
/// The classifier's part in what both say.
const CLASSIFIER_COUNTS: f32 = 0.5;

/// Whether danger is named, so that nothing else is waited for. In answer to a yes or no everything is read: the words
/// may tell of the past, and then the answer counts.
pub fn is_named(red_flags: &RedFlags, words: &Phi<String>, question: &Question) -> bool {
    question.expectation != Expectation::YesNo && red_flags.named(words.expose(), false).is_some()
}

/// Whether words are taken for danger before the language model is asked. What is only read between the words, the
/// model reads too; where no classifier has seen them, the small reader beside the lexicon is believed.
pub fn alarms(
    red_flags: &RedFlags,
    words: &Phi<String>,
    question: &Question,
    seen: Option<&Impression>,
) -> bool {
    let unseen = seen.is_none() && question.expectation != Expectation::YesNo;
    is_named(red_flags, words, question) || unseen && red_flags.find(words.expose()).is_some()
}

/// Whether the language model should read the words because there may be danger in them.
pub(crate) fn is_for_model(seen: &Impression) -> bool {
    seen.suspicion().permille >= ASKED_PERMILLE
}

/// Questions that ask to have the preparation said back.
const SAYS_BACK: &[&str] = &["in your own words", "how will you get ready", "do before the exam"];

/// The danger that the classifier and the language model see together, each as surely as it is. Where the model
/// did not read the words, or does not tell how likely danger is, the classifier's word stands.
pub fn weighed(
    seen: Option<&Impression>,
    read: Option<&Reading>,
    question: &Question,
) -> Option<Suspicion> {
    let suspicion = match seen {
        Some(seen) => together(seen, read),
        None => alone(read?)?,
    };
    // Whoever says back how to get ready speaks of blood, fasting and being driven home: there, what is only read
    // between the words is left to the second reader.
    let asked = words::split(question.asked.expose());
    let said_back = SAYS_BACK.iter().any(|phrase| words::contains(&asked, phrase));
    let most = if said_back { RAISED_PERMILLE - 1 } else { 1000 };
    Some(Suspicion { permille: suspicion.permille.min(most), ..suspicion })
}

/// What the language model takes for danger where no classifier has seen the words.
fn alone(reading: &Reading) -> Option<Suspicion> {
    let permille = (reading.danger? * 1000.0) as u16;
    Some(Suspicion { class: named(reading)?, permille, seconded: false })
}

/// The danger that the language model names.
fn named(reading: &Reading) -> Option<RedFlag> {
    RedFlag::ALL.into_iter().find(|class| class.key() == reading.labels.danger)
}

fn together(seen: &Impression, read: Option<&Reading>) -> Suspicion {
    let first = seen.suspicion();
    let Some((reading, likely)) = read.and_then(|read| Some((read, read.danger?))) else {
        return first;
    };
    let odds = |likely: f32| {
        let likely = likely.clamp(NEVER_QUITE_RULED_OUT, 1.0 - NEVER_QUITE_RULED_OUT);
        (likely / (1.0 - likely)).ln()
    };
    let both = CLASSIFIER_COUNTS * odds(seen.danger.0) + (1.0 - CLASSIFIER_COUNTS) * odds(likely);
    let permille = (1000.0 / (1.0 + (-both).exp())) as u16;
    // Which danger it is, the model knows better. But what is asked about with more care needs to be surer, and where
    // the two disagree on that, nothing may be lost over it.
    let named = named(reading).filter(|class| !class.is_delicate() || first.class.is_delicate());
    Suspicion { class: named.unwrap_or(first.class), permille, seconded: true }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::labels::Labels;

    fn seen(likely: f32) -> Impression {
        let danger = (likely, RedFlag::SelfHarm);
        Impression { acts: Vec::new(), danger, distress: Vec::new() }
    }

    fn read(line: &str, danger: Option<f32>) -> Reading {
        Reading { labels: Labels::read(line), confidence: 0.9, acts: Vec::new(), danger }
    }

    #[test]
    fn neither_reader_outweighs_the_other_by_much() {
        let open = Question::of(Expectation::Open);
        let permille = |seen: &Impression, read: &Reading| {
            weighed(Some(seen), Some(read), &open).expect("seen").permille
        };
        // As sure as each other on opposite sides.
        let torn = permille(&seen(0.9), &read("provide", Some(0.1)));
        assert!((400..=600).contains(&torn), "{torn}");
        assert!(permille(&seen(0.9), &read("provide", Some(0.001))) < 200);
        assert!(permille(&seen(0.3), &read("danger life_threat", Some(0.95))) > 600);
    }

    #[test]
    fn the_model_names_the_class_and_its_silence_changes_nothing() {
        let open = Question::of(Expectation::Open);
        let named = weighed(Some(&seen(0.8)), Some(&read("danger abuse", Some(0.9))), &open);
        assert_eq!(named.map(|named| named.class), Some(RedFlag::Abuse));
        let told_nothing = weighed(Some(&seen(0.8)), Some(&read("provide", None)), &open);
        assert_eq!(told_nothing, Some(seen(0.8).suspicion()));
        assert_eq!(weighed(Some(&seen(0.8)), None, &open), Some(seen(0.8).suspicion()));
        // Without a classifier the model is heard alone.
        let alone = weighed(None, Some(&read("danger life_threat", Some(0.9))), &open);
        assert_eq!(alone.map(|alone| alone.class), Some(RedFlag::LifeThreat));
        assert_eq!(weighed(None, None, &open), None);
    }

    #[test]
    fn what_is_said_back_raises_no_flag_that_only_these_two_see() {
        let asked = Phi::new("Could you say that back to me in your own words?".to_owned());
        let back = Question { asked, ..Question::of(Expectation::Story) };
        let both = read("danger life_threat", Some(0.99));
        let weighed = weighed(Some(&seen(0.99)), Some(&both), &back).expect("seen");
        assert!(weighed.permille < RAISED_PERMILLE);
    }

    #[test]
    fn named_danger_waits_for_nobody_but_in_a_yes_or_no() {
        let red_flags = RedFlags::english();
        let said = Phi::new("my chest feels crushed and I can't breathe right now".to_owned());
        assert!(is_named(&red_flags, &said, &Question::of(Expectation::Open)));
        assert!(!is_named(&red_flags, &said, &Question::of(Expectation::YesNo)));
    }
}
