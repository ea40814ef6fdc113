//! Text to phonemes: espeak-ng, one caller at a time.

use std::sync::{Mutex, PoisonError};

use crate::SpeechError;

/// espeak-ng keeps its voice and its place in the text in global variables, and its bindings guard
/// only the first use: two threads at once fail, or read each other's words.
static ESPEAK: Mutex<()> = Mutex::new(());

/// Phonemes of a text as the named espeak-ng voice says them.
pub(crate) fn of(text: &str, voice: &str) -> Result<String, SpeechError> {
    // The guard holds no data that a panic could have left half written.
    let _one_at_a_time = ESPEAK.lock().unwrap_or_else(PoisonError::into_inner);
    let sentences = espeak_rs::text_to_phonemes(text, voice, None)
        .map_err(|error| SpeechError::inference("phonemes", error))?;
    Ok(sentences.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const VOICE: &str = "en-us";
    const TEXTS: [&str; 4] = [
        "Do you have a pacemaker, or anything else with a battery?",
        "Your scan is on Tuesday, the third of March, at half past ten in the morning.",
        "Please stay on the line.",
        "Have you ever had a reaction to contrast dye? Itching, or trouble with breathing?",
    ];

    #[test]
    fn voices_on_several_threads_do_not_disturb_each_other() {
        let expected = TEXTS.map(|text| of(text, VOICE).unwrap());
        std::thread::scope(|scope| {
            for (text, expected) in TEXTS.iter().zip(&expected) {
                scope.spawn(move || {
                    for _ in 0..200 {
                        assert_eq!(&of(text, VOICE).unwrap(), expected);
                    }
                });
            }
        });
    }
}
