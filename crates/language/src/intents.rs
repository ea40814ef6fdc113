//! What a caller wants, read by a model that learned from examples. It is asked where the parsers
//! found no wish; what it reads counts only once the caller has confirmed it.

use std::sync::OnceLock;

use radline_dialogue::linear::{LinearModel, features};
use radline_dialogue::{Command, Intent, words};

/// What the model tells apart, in the order of its file.
pub const INTENTS: [&str; 7] = [
    "book",
    "reschedule",
    "cancel",
    "results_question",
    "request_person",
    "clinic_question",
    "report_symptom",
];
/// A wish is offered for confirmation from this probability on.
const OFFERED: f32 = 0.5;
/// Fewer words hold no wish of which more could be made than the parsers did.
const WORDS_MIN: usize = 4;

fn models() -> &'static [LinearModel] {
    static MODELS: OnceLock<Vec<LinearModel>> = OnceLock::new();
    MODELS.get_or_init(|| {
        LinearModel::all_from_bytes(include_bytes!("../data/intents.en.model"))
            .expect("a test reads the compiled-in model")
    })
}

/// The likeliest wish in the words, with its probability.
pub fn likeliest(text: &str) -> (&'static str, f32) {
    let slots = features(text);
    let scores = models().iter().map(|model| model.of_features(&slots));
    let best = INTENTS.into_iter().zip(scores).max_by(|a, b| a.1.total_cmp(&b.1));
    best.unwrap_or((INTENTS[0], 0.0))
}

/// The wish that the model reads in the words; nothing when it is not sure enough.
pub fn read(text: &str) -> Option<Command> {
    if words::split(text).len() < WORDS_MIN {
        return None;
    }
    let (intent, probability) = likeliest(text);
    if probability < OFFERED {
        return None;
    }
    Some(match intent {
        "book" => Command::Want(Intent::Book),
        "reschedule" => Command::Want(Intent::Reschedule),
        "cancel" => Command::Want(Intent::Cancel),
        "results_question" => Command::Want(Intent::Results),
        "request_person" => Command::RequestPerson,
        // A question of which the topic is not known is better met by a person than by a guess, and
        // most that sounds like a symptom is a story.
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_in_words_that_no_list_has() {
        assert_eq!(models().len(), INTENTS.len());
        assert_eq!(likeliest("i'd be after getting a slot for the scan of my knee").0, "book");
        assert_eq!(likeliest("scrap it, i won't be there on the fourth").0, "cancel");
    }
}
