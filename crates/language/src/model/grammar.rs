//! What the model may write: acts, topics and values of closed lists; names of medicines and implants
//! only where they are on a list or the caller said them.

use std::sync::Arc;

use llguidance::api::TopLevelGrammar;
use llguidance::toktrie::{ApproximateTokEnv, TokEnv, TokRxInfo, TokTrie, TokenId, TokenizerEnv};
use llguidance::{Matcher, ParserFactory};
use radline_dialogue::RedFlag;
use radline_dialogue::wording::WHAT;

use super::tokenizer::ModelTokenizer;
use crate::parsers::exam;
use crate::parsers::terms::{self, Term};
use crate::phrasing::{Felt, NOTHING, WORDS_MAX};

/// A line of labels ([`super::labels::Labels`]).
const LABELS: &str = r#"
start: head ("; " slot)*
head: PLAIN | QUESTION (" " TOPIC)? | ANSWER (" " TOPIC)? | "danger " DANGER
PLAIN: "repeat" | "goodbye" | "none" | "request_person"
QUESTION: "prepare" | "clinic_question" | "results_question"
ANSWER: "book" | "reschedule" | "cancel" | "check_appointment" | "report_symptom" | "affirm" | "deny" | "provide" | "unsure" | "correct"
TOPIC: "fasting" | "water" | "medication" | "metformin" | "insulin" | "blood_thinner" | "caffeine" | "jewellery" | "clothing" | "arrival_time" | "breastfeeding" | "sedation" | "parking" | "directions" | "hours" | "cost" | "insurance" | "claustrophobia" | "radiation" | "contrast_safety" | "duration" | "companion" | "interpreter" | "cd_copy" | "portal" | "noise" | "pain" | "ai_identity" | "privacy" | "late" | "lost_property" | "complaint" | "referral" | "accessibility" | "facilities" | "children" | "what_happens" | "after_care" | "weight_limit" | "reminder" | "wait_time" | "still_needed" | "results_time" | "results_meaning"
slot: "modality " MODALITY | "body part " PARTS_OF_BODY | "side " SIDE | "contrast " YESNO | "for whom " WHOM | "weekday " DAYS | "part of day " PARTS_OF_DAY | "medication " medication (", " medication)* | "blood thinner " thinner | "allergy " allergy (", " allergy)* | "implant " implant (", " implant)* | "prior reaction " DOUBT | "kidney problem " DOUBT | "diabetes " DOUBT | "pregnant " DOUBT | "claustrophobia " DOUBT
MODALITY: /(ct|mri|ultrasound|mammography|xray|pet_ct|fluoroscopy|biopsy|dexa)(, (ct|mri|ultrasound|mammography|xray|pet_ct|fluoroscopy|biopsy|dexa)){0,2}/
SIDE: "left" | "right" | "both"
YESNO: "yes" | "no"
DOUBT: "yes" | "no" | "unsure"
WHOM: "self" | "child" | "parent" | "spouse" | "other"
DAYS: /(monday|tuesday|wednesday|thursday|friday|saturday|sunday)(, (monday|tuesday|wednesday|thursday|friday|saturday|sunday)){0,3}/
PARTS_OF_DAY: /(morning|afternoon|evening)(, (morning|afternoon|evening)){0,2}/
"#;

/// What stands for words that the caller said.
const SAID: &str = "SAID";

/// A grammar for a vocabulary.
pub(super) struct Grammar {
    factory: ParserFactory,
    /// All of it but the words that the caller said.
    text: String,
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
    pub(super) fn new(tokenizer: &ModelTokenizer, vocabulary: usize) -> Result<Self, String> {
        let end = tokenizer.end();
        let information = TokRxInfo::new(vocabulary as u32, end);
        let trie =
            TokTrie::from(&information, &tokenizer.bytes(vocabulary)).with_eos_tokens(&[end]);
        Self::over(&(Arc::new(Environment { trie }) as TokEnv), end)
    }

    /// The grammar for text that was written elsewhere: every byte is a token.
    pub(super) fn of_bytes() -> Result<Self, String> {
        let environment = ApproximateTokEnv::single_byte_env();
        let end = environment.tok_trie().eos_token();
        Self::over(&environment, end)
    }

    fn over(environment: &TokEnv, end: u32) -> Result<Self, String> {
        let mut factory = ParserFactory::new_simple(environment).map_err(|e| e.to_string())?;
        factory.quiet();
        let grammar = Self { factory, text: labels(), end };
        grammar.begin("")?;
        Ok(grammar)
    }

    /// Whether a line about words that were said is one of this grammar, of bytes.
    pub(super) fn admits(&self, said: &str, line: &str) -> Result<bool, String> {
        let mut matcher = self.begin(said)?.matcher;
        let bytes: Vec<u32> = line.bytes().map(u32::from).collect();
        let read = matcher.try_consume_tokens(&bytes).map_err(|error| error.to_string())?;
        Ok(read == bytes.len() && matcher.is_accepting().map_err(|error| error.to_string())?)
    }

    /// A fresh sentence about words that were said.
    pub(super) fn begin(&self, said: &str) -> Result<Sentence, String> {
        let words = serde_json::json!({ "substring_words": said.trim() });
        self.sentence(format!("{}{SAID}: %regex {words}\n", self.text))
    }

    /// A fresh sentence to a feeling: one of those that were signed, or that nothing fits.
    pub(super) fn acknowledge(&self, felt: &Felt) -> Result<Sentence, String> {
        let words: Vec<String> = felt.vocabulary().into_iter().collect();
        let (word, more) = (words.join("|"), WORDS_MAX - 1);
        let filled = felt.frames.iter().filter_map(|frame| frame.split_once(WHAT));
        let filled = filled.map(|(before, behind)| {
            let (before, behind) = (escaped(before), escaped(behind));
            format!("{before}({word})( ({word})){{0,{more}}}{behind}")
        });
        // One expression: what ends a sentence may begin like a word that goes on with it.
        let starts: Vec<String> = filled.chain([escaped(NOTHING)]).collect();
        self.sentence(format!("start: LINE\nLINE: /{}/\n", starts.join("|")))
    }

    fn sentence(&self, text: String) -> Result<Sentence, String> {
        let parser = self.factory.create_parser(TopLevelGrammar::from_lark(text));
        let matcher = Matcher::new(parser);
        if matcher.is_error() {
            let reason = matcher.get_error().unwrap_or_default();
            return Err(format!("the grammar does not compile: {reason}"));
        }
        Ok(Sentence { matcher, end: self.end })
    }
}

/// A text as an expression that stands for nothing else.
fn escaped(text: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || letter == ' ' || letter == ',';
    text.chars().map(|one| if plain(one) { one.to_string() } else { format!("\\{one}") }).collect()
}

/// The fixed part.
fn labels() -> String {
    let any = |values: &[&str]| values.join("|");
    let body = any(&exam::body_parts());
    let rules = [
        ("medication", Term::Medication, "none"),
        ("thinner", Term::BloodThinner, "yes|no|unsure"),
        ("allergy", Term::Allergy, "none"),
        ("implant", Term::Implant, "none"),
    ];
    let rules = rules.map(|(rule, term, other)| {
        let known = any(&terms::of(term));
        format!("{rule}: {0} | {SAID}\n{0}: /{other}|{known}/\n", rule.to_uppercase())
    });
    let dangers = any(&RedFlag::ALL.map(RedFlag::key));
    let parts = format!("PARTS_OF_BODY: /({body})(, ({body})){{0,2}}/\n");
    format!("{LABELS}DANGER: /{dangers}/\n{parts}{}", rules.concat())
}

/// A sentence in the making.
pub(super) struct Sentence {
    matcher: Matcher,
    end: u32,
}

impl Sentence {
    /// What comes next: the likeliest token that the grammar allows, or those that it leaves no choice about.
    /// `None` when the sentence is over. `logits` tells how likely tokens are; it is asked only for those that
    /// are allowed.
    pub(super) fn next(
        &mut self,
        logits: impl FnOnce(&[u32]) -> Result<Vec<f32>, String>,
    ) -> Result<Option<Next>, String> {
        if self.matcher.is_stopped() {
            return Ok(None);
        }
        let forced = self.matcher.consume_ff_tokens();
        if !forced.is_empty() {
            return Ok(Some(Next { tokens: forced, choice: Vec::new() }));
        }
        let mask = self.matcher.compute_mask().map_err(|error| error.to_string())?;
        let mut allowed = Vec::new();
        mask.iter_set_entries(|token| allowed.push(token as u32));
        let logits = logits(&allowed)?;
        let mut choice: Vec<(u32, f32)> = allowed.into_iter().zip(logits).collect();
        choice.sort_by(|one, other| other.1.total_cmp(&one.1));
        let Some((token, likeliest)) = choice.first().copied().filter(|best| best.0 != self.end)
        else {
            return Ok(None);
        };
        let sum: f32 = choice.iter().map(|(_, logit)| (logit - likeliest).exp()).sum();
        // A damaged model is not to be believed: a number that is none is not small either.
        if !sum.is_finite() {
            return Err("the model's numbers are none".to_owned());
        }
        for (_, logit) in &mut choice {
            *logit = (*logit - likeliest).exp() / sum;
        }
        self.matcher.consume_token(token).map_err(|error| error.to_string())?;
        // What has to follow is read with it, in one go.
        let step = std::iter::once(token).chain(self.matcher.consume_ff_tokens());
        Ok(Some(Next { tokens: step.collect(), choice }))
    }
}

/// What comes next in a sentence.
pub(super) struct Next {
    /// The tokens.
    pub(super) tokens: Vec<u32>,
    /// What the first of them was chosen among, the likeliest first, with their probabilities; empty where the
    /// grammar left no choice.
    pub(super) choice: Vec<(u32, f32)>,
}

impl Next {
    /// How likely it was among what the grammar allows.
    pub(super) fn likely(&self) -> f32 {
        self.choice.first().map_or(1.0, |(_, likely)| *likely)
    }
}
