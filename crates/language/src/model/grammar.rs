//! What the model may write, and what it means.

use std::sync::Arc;

use llguidance::api::TopLevelGrammar;
use llguidance::toktrie::{TokEnv, TokRxInfo, TokTrie, TokenId, TokenizerEnv};
use llguidance::{Matcher, ParserFactory};
use radline_dialogue::{Command, ExamMention};

use super::tokenizer::ModelTokenizer;

/// One command or two, or nothing.
pub(super) const COMMANDS: &str = r#"
start: "none" | command ("; " command)?
command: "request_person" | "want " INTENT | "exam " EXAM
INTENT: "book" | "reschedule" | "cancel" | "check_appointment" | "results" | "question" | "report_symptom"
EXAM: "ct" | "mri" | "ultrasound" | "mammography" | "xray" | "pet_ct" | "fluoroscopy" | "biopsy" | "dexa"
"#;

/// A line of labels ([`super::labels::Labels`]).
pub(super) const LABELS: &str = r#"
start: head ("; " slot)*
head: PLAIN | QUESTION (" " TOPIC)? | ANSWER (" " TOPIC)?
PLAIN: "repeat" | "goodbye" | "none" | "request_person"
QUESTION: "prepare" | "clinic_question" | "results_question"
ANSWER: "book" | "reschedule" | "cancel" | "check_appointment" | "report_symptom" | "affirm" | "deny" | "provide" | "unsure" | "correct"
TOPIC: "fasting" | "water" | "medication" | "metformin" | "insulin" | "blood_thinner" | "caffeine" | "jewellery" | "clothing" | "arrival_time" | "breastfeeding" | "sedation" | "parking" | "directions" | "hours" | "cost" | "insurance" | "claustrophobia" | "radiation" | "contrast_safety" | "duration" | "companion" | "interpreter" | "cd_copy" | "portal" | "noise" | "pain" | "ai_identity" | "privacy" | "late" | "lost_property" | "complaint" | "referral" | "accessibility" | "facilities" | "children" | "what_happens" | "after_care" | "weight_limit" | "reminder" | "wait_time" | "still_needed" | "results_time" | "results_meaning"
slot: "modality " MODALITY | "body part " TEXT | "side " SIDE | "contrast " YESNO | "for whom " WHOM | "weekday " DAYS | "part of day " PARTS | "medication " TEXT | "blood thinner " TEXT | "allergy " TEXT | "implant " TEXT | "prior reaction " DOUBT | "kidney problem " DOUBT | "diabetes " DOUBT | "pregnant " DOUBT | "claustrophobia " DOUBT
MODALITY: /(ct|mri|ultrasound|mammography|xray|pet_ct|fluoroscopy|biopsy|dexa)(, (ct|mri|ultrasound|mammography|xray|pet_ct|fluoroscopy|biopsy|dexa)){0,2}/
SIDE: "left" | "right" | "both"
YESNO: "yes" | "no"
DOUBT: "yes" | "no" | "unsure"
WHOM: "self" | "child" | "parent" | "spouse" | "other"
DAYS: /(monday|tuesday|wednesday|thursday|friday|saturday|sunday)(, (monday|tuesday|wednesday|thursday|friday|saturday|sunday)){0,3}/
PARTS: /(morning|afternoon|evening)(, (morning|afternoon|evening)){0,2}/
TEXT: /[a-z0-9][a-z0-9 ,'.-]{0,60}/
"#;

/// A grammar, compiled for a vocabulary.
pub(super) struct Grammar {
    matcher: Matcher,
    end: u32,
}

struct Environment {
    trie: TokTrie,
}

impl TokenizerEnv for Environment {
    fn tok_trie(&self) -> &TokTrie {
        &self.trie
    }

    fn tokenize_bytes(&self, bytes: &[u8]) -> Vec<TokenId> {
        self.trie.greedy_tokenize(bytes)
    }
}

impl Grammar {
    pub(super) fn new(
        grammar: &str,
        tokenizer: &ModelTokenizer,
        vocabulary: usize,
    ) -> Result<Self, String> {
        let end = tokenizer.end();
        let information = TokRxInfo::new(vocabulary as u32, end);
        let trie =
            TokTrie::from(&information, &tokenizer.bytes(vocabulary)).with_eos_tokens(&[end]);
        let environment: TokEnv = Arc::new(Environment { trie });
        let mut factory = ParserFactory::new_simple(&environment).map_err(|e| e.to_string())?;
        factory.quiet();
        let grammar = TopLevelGrammar::from_lark(grammar.to_owned());
        let matcher = Matcher::new(factory.create_parser(grammar));
        if matcher.is_error() {
            return Err(format!(
                "the grammar does not compile: {}",
                matcher.get_error().unwrap_or_default()
            ));
        }
        Ok(Self { matcher, end })
    }

    /// A fresh sentence.
    pub(super) fn begin(&self) -> Sentence {
        Sentence { matcher: self.matcher.deep_clone(), end: self.end }
    }
}

/// A sentence in the making.
pub(super) struct Sentence {
    matcher: Matcher,
    end: u32,
}

impl Sentence {
    /// The next tokens: the likeliest one that the grammar allows, or those that it leaves no
    /// choice about; and how likely they are among what it allows. `None` when the sentence is
    /// over.
    pub(super) fn next(&mut self, logits: &[f32]) -> Result<Option<(Vec<u32>, f32)>, String> {
        if self.matcher.is_stopped() {
            return Ok(None);
        }
        let forced = self.matcher.consume_ff_tokens();
        if !forced.is_empty() {
            return Ok(Some((forced, 1.0)));
        }
        let mask = self.matcher.compute_mask().map_err(|error| error.to_string())?;
        let mut best: Option<(u32, f32)> = None;
        mask.iter_set_entries(|token| {
            let logit = logits.get(token).copied().unwrap_or(f32::NEG_INFINITY);
            if best.is_none_or(|(_, likeliest)| logit > likeliest) {
                best = Some((token as u32, logit));
            }
        });
        let Some((token, likeliest)) = best.filter(|(token, _)| *token != self.end) else {
            return Ok(None);
        };
        let mut sum = 0.0;
        mask.iter_set_entries(|other| {
            sum += logits.get(other).map_or(0.0, |logit| (logit - likeliest).exp());
        });
        self.matcher.consume_token(token).map_err(|error| error.to_string())?;
        Ok(Some((vec![token], 1.0 / sum)))
    }
}

/// The commands in a sentence of the grammar.
pub(super) fn commands(sentence: &str) -> Vec<Command> {
    let mut commands = Vec::new();
    for part in sentence.trim().split(';') {
        match part.trim().split_once(' ') {
            None if part.trim() == "request_person" => commands.push(Command::RequestPerson),
            Some(("want", intent)) => commands.extend(named(intent).map(Command::Want)),
            Some(("exam", exam)) => {
                let mention = named(exam)
                    .map(|kind| ExamMention { modality: Some(kind), ..ExamMention::default() });
                commands.extend(mention.map(Command::Exam));
            }
            _ => {}
        }
    }
    commands
}

/// The sentence of the grammar that says the commands; those that it has no words for are left out.
pub(super) fn sentence(commands: &[Command]) -> String {
    let words = |command: &Command| match command {
        Command::RequestPerson => Some("request_person".to_owned()),
        Command::Want(intent) => Some(format!("want {}", intent.key())),
        Command::Exam(exam) => exam.modality.map(|modality| format!("exam {}", modality.key())),
        _ => None,
    };
    let said: Vec<String> = commands.iter().filter_map(words).collect();
    if said.is_empty() { "none".to_owned() } else { said.join("; ") }
}

/// An intent or a modality by its name in data files.
fn named<T: serde::de::DeserializeOwned>(name: &str) -> Option<T> {
    serde_json::from_value(serde_json::Value::String(name.to_owned())).ok()
}

#[cfg(test)]
mod tests {
    use radline_dialogue::Intent;

    use super::*;

    #[test]
    fn sentences_of_the_grammar_become_commands() {
        assert_eq!(commands("none"), []);
        assert_eq!(commands("request_person"), [Command::RequestPerson]);
        let both = commands("want book; exam pet_ct");
        assert_eq!(both.len(), 2);
        assert_eq!(both[0], Command::Want(Intent::Book));
        assert_eq!(sentence(&both), "want book; exam pet_ct");
        assert_eq!(sentence(&[Command::Affirm]), "none");
    }
}
