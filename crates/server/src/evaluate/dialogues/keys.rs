//! What an agent's sentence asks: the key of the caller's line that answers it. By words alone, so
//! that the caller answers whatever agent asks.

use radline_dialogue::words::{contains, split};

/// Key → one phrase of each group in a sentence. Questions come before statements, narrow ones
/// before wide ones.
const QUESTIONS: &[(&str, &[&[&str]])] = &[
    ("confirm_call", &[&["will you call", "are you calling", "can you call"]]),
    ("location", &[&["where are you", "tell me where"]]),
    (
        "teach_back",
        &[&["own words", "say that back", "how will you get ready", "what will you do"]],
    ),
    (
        "who",
        &[&[
            "am i speaking with",
            "speaking to",
            "is this",
            "is that you",
            "who am i",
            "who is calling",
        ]],
    ),
    ("companion", &[&["take you home", "drive you", "come with you", "adult be there"]]),
    ("who", &[&["come to the phone", "is there yes"]]),
    ("consent", &[&["record"], &["may i", "all right if", "okay if"]]),
    ("confirm_cancel", &[&["shall i cancel", "cancel it", "want to cancel"]]),
    (
        "date_of_birth",
        &[&["date of birth", "you were born", "your birthday", "month day and year"]],
    ),
    ("call_back", &[&["when should", "when may", "what time"], &["call you", "call back"]]),
    (
        "phone",
        &[&[
            "which number",
            "what number",
            "your number",
            "number digit",
            "number can",
            "phone number",
        ]],
    ),
    (
        "name",
        &[&["your first and last name", "first name", "last name", "your name", "your full name"]],
    ),
    ("reaction_detail", &[&["severe", "what happened", "how bad"]]),
    ("prior_reaction", &[&["reaction"]]),
    ("egfr", &[&["egfr", "kidney function value"]]),
    ("kidney", &[&["kidney", "kidneys", "dialysis"]]),
    ("glucose", &[&["blood sugar", "readings", "glucose"]]),
    ("medication", &[&["insulin", "metformin", "medicines do you take", "which medicines"]]),
    ("diabetes", &[&["diabetes", "diabetic"]]),
    (
        "treatment",
        &[&["chemotherapy", "radiation treatment", "radioactive iodine", "immunotherapy"]],
    ),
    ("bleeding_disorder", &[&["bleed easily", "bleeding disorder", "liver disease"]]),
    ("blood_thinner", &[&["thins the blood", "blood thinner"]]),
    ("breastfeeding", &[&["breastfeeding"]]),
    ("pregnancy", &[&["pregnant", "pregnancy"]]),
    ("eye_metal", &[&["metal in your eye", "shrapnel", "splinter"]]),
    ("implant_detail", &[&["make and model", "which device", "card at hand"]]),
    (
        "implants",
        &[&[
            "pacemaker",
            "implant",
            "implants",
            "stent",
            "stents",
            "metal in your body",
            "electronic device",
        ]],
    ),
    ("claustrophobia", &[&["narrow", "tight spaces", "claustrophobia", "small spaces"]]),
    ("breast_symptoms", &[&["lump", "discharge", "new in your breast"]]),
    ("prior_cancer", &[&["breast cancer", "called back after", "recall"]]),
    ("allergies", &[&["allergic", "allergy", "allergies"]]),
    ("weight", &[&["weigh", "weight"]]),
    ("mobility", &[&["wheelchair", "lying flat", "lie flat", "help on the day"]]),
    ("symptom_now", &[&["symptoms become worse", "anything new or worse", "symptoms worse"]]),
    (
        "feeling_now",
        &[
            &["emergency", "how are you feeling", "are you all right"],
            &["is this", "how", "are you"],
        ],
    ),
    ("side", &[&["which side", "left right or both"]]),
    ("order_question", &[&["who ordered", "which doctor"]]),
    (
        "offer_person",
        &[&[
            "would you like a person",
            "ask a colleague to call",
            "colleague call you",
            "like a call",
            "ask one to call",
        ]],
    ),
    (
        "read_back",
        &[&[
            "shall i book",
            "shall i move",
            "is that right",
            "is that correct",
            "did i get that right",
            "shall we do that",
        ]],
    ),
    ("offer", &[&["i can offer", "the nearest are", "these times are free"]]),
    ("still", &[&["still work for you", "can you come on"]]),
    ("reschedule", &[&["move it to another time", "another time", "find another time"]]),
    (
        "day_time",
        &[&["when would you like", "which day", "other day or time", "when would it suit"]],
    ),
    ("choice", &[&["more than one", "which exam would you", "which appointment"]]),
    ("reason", &[&["what is the exam for", "why was it ordered"]]),
    ("anything_else", &[&["anything else"]]),
    (
        "question",
        &[&[
            "what can i do for you",
            "how can i help",
            "what is it",
            "what is it about",
            "anything i can",
        ]],
    ),
];
const STATEMENTS: &[(&str, &[&[&str]])] = &[
    ("told_emergency", &[&["hang up and call", "go to the emergency"]]),
    ("told_review", &[&["not confirmed yet", "am holding", "clinician has to know"]]),
    ("told_person", &[&["will call you", "colleague will call", "call you back"]]),
    ("goodbye", &[&["goodbye"]]),
];

fn fits(words: &[String], groups: &[&[&str]]) -> bool {
    groups.iter().all(|group| group.iter().any(|phrase| contains(words, phrase)))
}

/// The keys that the agent's sentences ask for, in order; a statement's key when nothing is asked.
pub(super) fn asked(sentences: &[&str]) -> Vec<&'static str> {
    let mut keys: Vec<&'static str> = Vec::new();
    // The times stand in one sentence, the question in the next.
    let offered = ["i can offer", "the nearest are", "these times are free"];
    let listed = ["more than one order", "more than one appointment"];
    let whole = split(&sentences.join(" "));
    if offered.iter().any(|phrase| contains(&whole, phrase)) {
        return vec!["offer"];
    }
    if listed.iter().any(|phrase| contains(&whole, phrase)) {
        return vec!["choice"];
    }
    for sentence in sentences {
        let words = split(sentence);
        let asks = sentence.contains('?')
            || ["please tell", "please say", "tell me", "say in your"]
                .iter()
                .any(|phrase| contains(&words, phrase));
        let key = QUESTIONS.iter().find(|(_, groups)| asks && fits(&words, groups));
        if let Some((key, _)) = key {
            if !keys.contains(key) {
                keys.push(key);
            }
        } else if asks && keys.is_empty() {
            keys.push("unexpected");
        }
    }
    if keys.len() > 1 {
        keys.retain(|key| *key != "unexpected");
    }
    if keys.is_empty() {
        let text = split(&sentences.join(" "));
        keys.extend(STATEMENTS.iter().find(|(_, groups)| fits(&text, groups)).map(|(key, _)| *key));
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_answered_by_what_they_ask() {
        for (sentence, key) in [
            ("May I record this call to keep an accurate record?", "consent"),
            ("And what is your date of birth?", "date_of_birth"),
            ("Do you have breast implants?", "implants"),
            ("So, Kawika: ultrasound, on Tuesday. Shall I book that?", "read_back"),
            ("Do you take insulin?", "medication"),
            ("At which number can they reach you?", "phone"),
            ("Did I get that right: you would like to book this exam: X-ray?", "read_back"),
        ] {
            assert_eq!(asked(&[sentence]), [key], "{sentence}");
        }
        assert_eq!(asked(&["A colleague will call you back by noon."]), ["told_person"]);
    }
}
