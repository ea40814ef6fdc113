//! Whether an exam that is named, or a day that is asked for, is about an appointment to come.

use radline_dialogue::words;

/// Questions for a day or time.
const ASKS_FOR_A_DAY: &[&str] = &[
    "what day",
    "which day",
    "when can",
    "when could",
    "when may",
    "when might",
    "whens good",
    "when is good",
    "soonest",
    "earliest",
    "whats open",
    "what is open",
    "you got on",
    "you have on",
    "do you have",
    "what you got",
    "what day it can",
    "when i can come",
    "when may i come",
    "have you got",
    "what you have",
    "what you got",
    "could it be",
    "can it be",
    "it can be",
    "any openings",
    "fit me in",
    "squeeze me in",
    "what time can",
    "what times",
];
/// Signs that the exam has taken place.
const OVER: &[&str] = &[
    "i did the",
    "i did my",
    "i had the",
    "i had my",
    "i had a",
    "i had an",
    "i had that",
    "was done",
    "this morning",
    "yesterday",
    "last week",
    "last monday",
    "last tuesday",
    "last wednesday",
    "last thursday",
    "last friday",
    "days ago",
    "weeks ago",
    "my result",
    "my results",
    "the result",
    "the results",
    "the report",
    "my report",
    "scan report",
    "ultrasound report",
    "xray report",
    "x ray report",
    "mri report",
    "ct report",
    "receipt of my",
    "hear nothing",
    "heard nothing",
];
/// Signs of an order or a need.
const NEEDS: &[&str] = &[
    "order",
    "ordered",
    "orders",
    "doctor",
    "dr",
    "sending me",
    "sent me",
    "need",
    "needs",
    "gotta",
    "got to",
    "have to",
    "want",
    "wants",
    "like to",
    "schedule",
    "scheduling",
    "time for",
    "requested",
    "requests",
    "supposed",
    "due",
    "referred",
    "referral",
    "get my",
    "get a",
    "get an",
    "come in for",
];

/// Who is asked what the call is about and asks for a day wants to come.
pub fn asks_for_a_day(text: &str) -> bool {
    any(text, ASKS_FOR_A_DAY)
}

/// Whether the exam that is named has its day already: "I have a biopsy tomorrow".
pub fn is_arranged(text: &str) -> bool {
    const HAS: &[&str] =
        &["i have a", "i have an", "i have my", "ive got a", "ive got my", "i got a", "i got my"];
    const SOON: &[&str] = &["tomorrow", "today", "this afternoon", "this morning", "next week"];
    any(text, HAS) && any(text, SOON) && !any(text, ASKS_FOR_A_DAY) && !any(text, &ORDERED)
}

/// Signs of an order.
const ORDERED: [&str; 7] = ["order", "ordered", "referral", "referred", "book", "schedule", "slip"];

/// Whether the exam that is named is over: it is not one to book.
pub fn is_over(text: &str) -> bool {
    // "The doctor sent it over last week" tells when it was ordered.
    const SENT: &[&str] = &["sent", "ordered", "put in", "wrote", "referred", "requested", "faxed"];
    const WHEN: &[&str] = &["yesterday", "this morning", "days ago", "weeks ago"];
    let words = words::split(text);
    let is_time = |phrase: &str| phrase.starts_with("last ") || WHEN.contains(&phrase);
    let ordered = SENT.iter().any(|phrase| words::contains(&words, phrase));
    let says = |phrase: &&&str| words::contains(&words, phrase);
    OVER.iter().filter(says).any(|phrase| !(ordered && is_time(phrase)))
}

/// Whether the words tell of an order or a need, so that an exam named with them is to be booked.
pub fn needs(text: &str) -> bool {
    any(text, NEEDS)
}

fn any(text: &str, phrases: &[&str]) -> bool {
    let words = words::split(text);
    phrases.iter().any(|phrase| words::contains(&words, phrase))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_of_last_week_is_no_exam_of_last_week() {
        assert!(!is_over("need me an x-ray, the doctor sent it over last week"));
        assert!(is_over("I had my x-ray last week"));
        assert!(is_over("my x-ray was done last week"));
    }
}
