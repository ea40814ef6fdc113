//! The second reader: every turn that counts is read once more, when there is time, with more context and
//! by slower means. Nobody waits for it.
//!
//! Three ways to see what the first reading missed: a more careful transcription of the same audio; the
//! words together with those of the turn before ("My chest." – "It's like a stone on it."); and the
//! language model's opinion of words that are too unlikely to raise a flag by themselves.

use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use jiff::civil::Date;
use radline_call::{Reread, SecondReading};
use radline_dialogue::{Command, Expectation, Question, RedFlag, RedFlags};
use radline_language::understanding;
use radline_phi::Phi;
use radline_speech::{Asked, Transcriber};

use super::queue::{Priority, Queue};
use super::reading::{READING_LIMIT, Reader};

/// Turns that wait. When there are more, the machine has no time for second readings, and the oldest
/// promise of them is broken: a turn is not read again.
const BOUND: usize = 8;
/// The model's opinion counts from this probability on.
const SURE: f32 = 0.5;
/// What the model writes of danger.
const DANGER: &str = "report_symptom";

type Reply = Box<dyn FnOnce(SecondReading) + Send>;

struct Job {
    turn: Reread,
    today: Date,
    reply: Reply,
}

/// Hands turns to the second reader. Cheap to clone.
#[derive(Clone)]
pub struct Supervisor {
    queue: Arc<Queue<Job>>,
}

/// What the second reader reads with.
pub struct Means {
    /// A transcription that takes its time; without it the words stay as they are.
    pub transcriber: Option<Box<dyn Transcriber>>,
    /// The language model.
    pub reader: Reader,
    /// Words that may mean danger.
    pub red_flags: Arc<RedFlags>,
}

impl Supervisor {
    /// Starts the thread.
    pub fn start(mut means: Means) -> std::io::Result<Self> {
        let queue = Arc::new(Queue::<Job>::new(BOUND));
        let jobs = Arc::clone(&queue);
        thread::Builder::new().name("supervisor".to_owned()).spawn(move || {
            while let Some(Job { turn, today, reply }) = jobs.pop() {
                reply(means.reread(&turn, today));
            }
        })?;
        Ok(Self { queue })
    }

    /// Reads a turn of a call once more, if there is time.
    pub fn reread(
        &self,
        call: u64,
        turn: Reread,
        today: Date,
        reply: impl FnOnce(SecondReading) + Send + 'static,
    ) {
        let job = Job { turn, today, reply: Box::new(reply) };
        if self.queue.push(call, Priority::Ahead, job).is_err() {
            tracing::debug!("a turn was not read again: there was no time");
        }
    }

    /// A call is over.
    pub fn forget(&self, call: u64) {
        self.queue.withdraw(call);
    }

    /// Ends the thread.
    pub fn close(&self) {
        self.queue.close();
    }
}

impl Means {
    /// Reads a turn again.
    pub fn reread(&mut self, turn: &Reread, today: Date) -> SecondReading {
        let again = self.transcribe(turn);
        let words = again.as_ref().unwrap_or(&turn.words);
        let flag = self.danger(turn, words);
        let differs = again.as_ref().is_some_and(|again| {
            values(again, &turn.question, today) != values(&turn.words, &turn.question, today)
        });
        SecondReading { flag, words: words.clone(), differs }
    }

    fn transcribe(&mut self, turn: &Reread) -> Option<Phi<String>> {
        let transcriber = self.transcriber.as_mut()?;
        let audio = turn.audio.expose();
        if audio.is_empty() {
            return None;
        }
        match transcriber.transcribe(audio, Asked::Anything(None)) {
            Ok(transcript) => Some(transcript.text),
            Err(error) => {
                tracing::info!(%error, "a turn was not transcribed again");
                None
            }
        }
    }

    /// Danger in the words, alone or with those before.
    fn danger(&self, turn: &Reread, words: &Phi<String>) -> Option<RedFlag> {
        let said = words.expose();
        let found = self.red_flags.find_in_answer(said, turn.past);
        let together = || {
            // What was heard a turn ago was looked at by itself then; only both together are news.
            let before = turn.before.expose();
            let news = !before.is_empty() && self.red_flags.find(before).is_none();
            let both = format!("{before}. {said}");
            // Two turns together sound like much that they are not, so the danger has to be named.
            self.red_flags.named(&both, turn.past).filter(|_| news)
        };
        let suspected = || {
            let suspected = self.red_flags.suspicion(said, turn.past)?;
            self.model_agrees(words).then_some(suspected)
        };
        found.or_else(together).or_else(suspected)
    }

    /// Whether the language model takes the words for something that is wrong with somebody.
    fn model_agrees(&self, words: &Phi<String>) -> bool {
        let (tell, told) = mpsc::channel();
        // Beside any call: nobody's reading is dropped for it.
        let nobody = u64::MAX;
        self.reader.read(nobody, Question::of(Expectation::Open), words.clone(), move |reading| {
            tell.send(reading).unwrap_or_default();
        });
        let reading = told.recv_timeout(READING_LIMIT + Duration::from_secs(1)).ok().flatten();
        reading.is_some_and(|reading| reading.labels.intent == DANGER && reading.confidence >= SURE)
    }
}

/// The values that the parsers read out of the words. Only what both readings have counts as heard
/// otherwise, so the kinds are compared, too.
fn values(words: &Phi<String>, question: &Question, today: Date) -> Vec<Command> {
    let mut commands = understanding::parse(words, question, today).commands;
    commands.retain(|command| {
        matches!(
            command,
            Command::Name(_)
                | Command::DateOfBirth(_)
                | Command::Digits(_)
                | Command::When(_)
                | Command::Exam(_)
                | Command::Choose(_)
                | Command::Affirm
                | Command::Deny
        )
    });
    commands
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn means() -> Means {
        let red_flags = Arc::new(RedFlags::english());
        Means { transcriber: None, reader: Reader::absent(), red_flags }
    }

    fn turn(before: &str, words: &str) -> Reread {
        Reread {
            turn: 3,
            question: Question::of(Expectation::Open),
            past: false,
            audio: Phi::new(Vec::new()),
            words: words.into(),
            before: before.into(),
        }
    }

    #[test]
    fn danger_is_seen_in_two_turns_together() {
        let today = date(2026, 11, 23);
        let read = |before: &str, words: &str| means().reread(&turn(before, words), today).flag;
        assert_eq!(read("", "it hurts a lot right now"), None);
        assert_eq!(read("I have a bad pain", "in my chest"), Some(RedFlag::LifeThreat));
        // What was dangerous before is not news.
        assert_eq!(read("I have a pain in my chest right now", "Helen Carter"), None);
    }

    /// Hears what it is told to.
    struct Careful(&'static str);

    impl Transcriber for Careful {
        fn transcribe(
            &mut self,
            _: &[i16],
            _: Asked<'_>,
        ) -> Result<radline_speech::Transcript, radline_speech::SpeechError> {
            Ok(radline_speech::Transcript { text: self.0.into(), confidence: 0.9 })
        }

        fn expect(&mut self, _: &radline_speech::Vocabulary) {}
    }

    #[test]
    fn a_careful_transcription_is_believed_about_danger_and_marks_other_values() {
        let today = date(2026, 11, 23);
        let read = |heard: &str, careful: &'static str| {
            let mut means = means();
            means.transcriber = Some(Box::new(Careful(careful)));
            let mut turn = turn("", heard);
            turn.audio = Phi::new(vec![0; 16_000]);
            means.reread(&turn, today)
        };
        let missed = read(
            "my chess feels tight and I can't read",
            "my chest feels tight and I can't breathe",
        );
        assert_eq!(missed.flag, Some(RedFlag::LifeThreat));
        assert!(read("an MRI of the left knee", "an MRI of the right knee").differs);
        assert!(!read("an MRI of the left knee", "An MRI of the left knee, please.").differs);
    }
}
