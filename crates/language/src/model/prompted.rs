//! Instructions and worked examples: what a model without an adapter goes by, to be measured against.

use radline_dialogue::Expectation;

/// Instructions before everything else.
pub(super) const INSTRUCTIONS: &str = "Label what a caller says to a radiology department's phone \
line. First comes the shape of the question and the question, then the caller's words, then one \
line of labels: the caller's act, what a question is about, and values. Acts: affirm, deny, unsure, \
provide, correct, book, reschedule, cancel, check_appointment, prepare, clinic_question, \
results_question, report_symptom, request_person, repeat, goodbye, none.\n\n";

/// Worked examples: what was asked, what was said, and the labels.
pub(super) const EXAMPLES: [(Expectation, &str, &str, &str); 10] = [
    (
        Expectation::Open,
        "How can I help?",
        "I'd like to set up an MRI of my left knee",
        "book; modality mri; body part knee; side left",
    ),
    (Expectation::YesNo, "Do you have a pacemaker?", "not that I know of", "deny"),
    (Expectation::YesNo, "Is that right?", "spot on, yes", "affirm"),
    (
        Expectation::Open,
        "How can I help?",
        "where do I leave the car when I come in",
        "clinic_question parking",
    ),
    (
        Expectation::DayTime,
        "Which day suits you?",
        "any Tuesday morning",
        "provide; weekday tuesday; part of day morning",
    ),
    (
        Expectation::Open,
        "How can I help?",
        "I can't make it on Friday, can we move it",
        "reschedule",
    ),
    (
        Expectation::Open,
        "How can I help?",
        "am I allowed breakfast before the scan",
        "prepare fasting",
    ),
    (Expectation::YesNo, "Are you pregnant?", "I really couldn't say", "unsure; pregnant unsure"),
    (Expectation::Name, "What is your name?", "just let me talk to somebody", "request_person"),
    (Expectation::Open, "Anything else?", "turn that television down, will you", "none"),
];
