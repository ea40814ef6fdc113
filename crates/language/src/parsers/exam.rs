//! What a caller says about the exam: its kind, the body part, the side.

use radline_dialogue::words::{self, contains};
use radline_dialogue::{ExamMention, Modality, Side};

use super::misheard;

/// Phrase → kind of exam. The first that fits counts, so that the narrower ones stand first.
const MODALITIES: &[(&str, Modality)] = &[
    ("biopsy", Modality::Biopsy),
    ("biopsied", Modality::Biopsy),
    ("pet ct", Modality::PetCt),
    ("pet scan", Modality::PetCt),
    ("p e t", Modality::PetCt),
    ("pet", Modality::PetCt),
    ("cat scan", Modality::Ct),
    ("ct", Modality::Ct),
    ("c t", Modality::Ct),
    ("see tea", Modality::Ct),
    ("cta", Modality::Ct),
    ("mri", Modality::Mri),
    ("m r i", Modality::Mri),
    ("mra", Modality::Mri),
    ("mrcp", Modality::Mri),
    ("m r c p", Modality::Mri),
    ("magnetic resonance", Modality::Mri),
    ("mammogram", Modality::Mammography),
    ("mammograms", Modality::Mammography),
    ("mammography", Modality::Mammography),
    ("breast screening", Modality::Mammography),
    ("ultrasound", Modality::Ultrasound),
    ("ultra sound", Modality::Ultrasound),
    ("sonogram", Modality::Ultrasound),
    ("sonography", Modality::Ultrasound),
    ("son o gram", Modality::Ultrasound),
    ("doppler", Modality::Ultrasound),
    ("scan with the jelly", Modality::Ultrasound),
    ("bone density", Modality::Dexa),
    ("dexa", Modality::Dexa),
    ("dxa", Modality::Dexa),
    ("barium", Modality::Fluoroscopy),
    ("fluoroscopy", Modality::Fluoroscopy),
    ("while i swallow", Modality::Fluoroscopy),
    ("swallow study", Modality::Fluoroscopy),
    ("xray", Modality::Xray),
    ("x ray", Modality::Xray),
    ("x rays", Modality::Xray),
    ("xrays", Modality::Xray),
    ("x rayed", Modality::Xray),
];

/// Phrase → body part in plain singular words; narrower phrases first.
const BODY_PARTS: &[(&str, &str)] = &[
    ("cervical spine", "cervical spine"),
    ("c spine", "cervical spine"),
    ("thoracic spine", "thoracic spine"),
    ("lumbar spine", "lumbar spine"),
    ("lumbar", "lumbar spine"),
    ("lower back", "lumbar spine"),
    ("low back", "lumbar spine"),
    ("spine", "spine"),
    ("neck arteries", "carotid"),
    ("carotid", "carotid"),
    ("carotids", "carotid"),
    ("brain", "brain"),
    ("head", "head"),
    ("sinuses", "sinuses"),
    ("sinus", "sinuses"),
    ("jaw", "jaw"),
    ("thyroid", "thyroid"),
    ("neck", "neck"),
    ("breast", "breast"),
    ("breasts", "breast"),
    ("heart", "heart"),
    ("cardiac", "heart"),
    ("chest", "chest"),
    ("lung", "chest"),
    ("lungs", "chest"),
    ("liver", "liver"),
    ("gallbladder", "gallbladder"),
    ("gall bladder", "gallbladder"),
    ("kidney", "kidneys"),
    ("kidneys", "kidneys"),
    ("renal", "kidneys"),
    ("pancreas", "pancreas"),
    ("prostate", "prostate"),
    ("bladder", "bladder"),
    ("pelvis", "pelvis"),
    ("pelvic", "pelvis"),
    ("abdomen", "abdomen"),
    ("abdominal", "abdomen"),
    ("belly", "abdomen"),
    ("tummy", "abdomen"),
    ("stomach", "abdomen"),
    ("shoulder", "shoulder"),
    ("shoulders", "shoulder"),
    ("elbow", "elbow"),
    ("elbows", "elbow"),
    ("wrist", "wrist"),
    ("wrists", "wrist"),
    ("hand", "hand"),
    ("hands", "hand"),
    ("arm", "arm"),
    ("arms", "arm"),
    ("hip", "hip"),
    ("hips", "hip"),
    ("knee", "knee"),
    ("knees", "knee"),
    ("ankle", "ankle"),
    ("ankles", "ankle"),
    ("foot", "foot"),
    ("feet", "foot"),
    ("leg", "leg"),
    ("legs", "leg"),
    ("calf", "leg"),
    ("shin", "leg"),
    ("testicles", "testicles"),
    ("testicle", "testicles"),
    ("scrotum", "testicles"),
    ("lymph node", "lymph node"),
    ("lymph nodes", "lymph node"),
    ("whole body", "whole body"),
];

/// Every body part, once.
pub fn body_parts() -> Vec<&'static str> {
    let mut parts: Vec<&str> = BODY_PARTS.iter().map(|(_, part)| *part).collect();
    parts.sort_unstable();
    parts.dedup();
    parts
}

/// Reads what the words say about the exam. `side_asked` tells that left or right was the
/// question; otherwise a side counts only beside a body part ("the right knee"), because "right"
/// mostly means "correct".
pub fn parse(text: &str, side_asked: bool) -> Option<ExamMention> {
    let words = misheard::exams(&words::split(text));
    let find = |phrase: &str| contains(&words, phrase);
    let modality = MODALITIES.iter().find(|(phrase, _)| find(phrase)).map(|(_, kind)| *kind);
    let part = BODY_PARTS.iter().find(|(phrase, _)| find(phrase));
    // A body part alone tells where it hurts, not what is examined.
    let body_part = part.filter(|_| modality.is_some() || side_asked).map(|(_, part)| *part);
    // "It's the right knee, not the left."
    let corrects = ["not the left", "not the right", "not my left", "not my right"]
        .iter()
        .any(|phrase| find(phrase));
    let side = side(&words, side_asked, part.map(|(phrase, _)| *phrase));
    let mention = ExamMention {
        modality,
        body_part: body_part.map(str::to_owned),
        side: side.filter(|_| side_asked || modality.is_some() || corrects),
    };
    (!mention.is_empty()).then_some(mention)
}

/// Where "right" says how near, and no side.
const BESIDE_A_SIDE: &[&str] = &[
    "right where",
    "right there",
    "right here",
    "right now",
    "right away",
    "right under",
    "right behind",
];

/// Whether something is mended on the way.
fn corrects(words: &[String]) -> bool {
    const MENDS: &[&str] =
        &["no", "wait", "sorry", "mean", "not", "actually", "rather", "correction", "wrong"];
    words.iter().any(|word| MENDS.contains(&word.as_str()))
}

fn side(words: &[String], asked: bool, part: Option<&str>) -> Option<Side> {
    let has = |phrase: &str| contains(words, phrase);
    if has("both") || has("each side") || has("either side") || has("bilateral") {
        return Some(Side::Both);
    }
    let beside = |side: &str| part.is_some_and(|part| has(&format!("{side} {part}")));
    let left = if asked { has("left") } else { beside("left") };
    let right = if asked {
        // "Right, it's the left one": the first "right" is a nod.
        has("right")
            && !BESIDE_A_SIDE.iter().any(|phrase| has(phrase))
            && !(words.first().is_some_and(|word| word == "right") && left)
    } else {
        beside("right")
    };
    match (left, right) {
        (true, false) => Some(Side::Left),
        (false, true) => Some(Side::Right),
        // "The left foot, the right one's behaving" names the part on one side only.
        (true, true) if !corrects(words) && beside("left") != beside("right") => {
            Some(if beside("left") { Side::Left } else { Side::Right })
        }
        // "Left, no, right": the last one counts.
        (true, true) => {
            let last = words.iter().rev().find(|word| *word == "left" || *word == "right");
            last.map(|word| if word == "left" { Side::Left } else { Side::Right })
        }
        (false, false) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, side_asked: bool) -> (Option<Modality>, Option<String>, Option<Side>) {
        parse(text, side_asked).map_or((None, None, None), |mention| {
            (mention.modality, mention.body_part, mention.side)
        })
    }

    #[test]
    fn exams_are_recognised_in_everyday_words() {
        let mri = (Some(Modality::Mri), Some("knee".to_owned()), Some(Side::Left));
        assert_eq!(read("I need an MRI of the left knee", false), mri);
        assert_eq!(read("a cat scan of my head, plain", false).0, Some(Modality::Ct));
        assert_eq!(read("the ultrasound, the neck kind", false).1.as_deref(), Some("neck"));
        assert_eq!(read("a P-E-T C-T", false).0, Some(Modality::PetCt));
        assert_eq!(read("a chest x-ray", false).0, Some(Modality::Xray));
        assert_eq!(read("my knee hurts", false), (None, None, None));
    }

    #[test]
    fn right_is_a_side_only_when_it_can_be_one() {
        assert_eq!(read("right, an MRI please", false).2, None);
        assert_eq!(read("the right one", true).2, Some(Side::Right));
        assert_eq!(read("right, it's the left", true).2, Some(Side::Left));
        assert_eq!(read("left, no, the right", true).2, Some(Side::Right));
        assert_eq!(read("it's the left foot, right one's behaving", true).2, Some(Side::Left));
        assert_eq!(read("the left foot, sorry, the right", true).2, Some(Side::Right));
        assert_eq!(read("both of them", true).2, Some(Side::Both));
        assert_eq!(read("it's the right knee, not the left", false).2, Some(Side::Right));
        assert_eq!(read("my right knee hurts", false).2, None);
    }
}
