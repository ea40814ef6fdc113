//! Two identifiers to one patient: the date of birth exactly, the name as it may have been heard.

use jiff::civil::Date;
use radline_phi::Phi;

use crate::record::{Patient, RelatedPerson};

/// How alike a heard name part and a recorded one must be (Jaro-Winkler, 0 to 1). Telephone
/// recognition bends names; among people born on the same day few names are this close.
const PART_LIKENESS_MIN: f64 = 0.80;
/// How alike given and family name must be together. Of 2,127 names as a recogniser wrote them down
/// from the telephone (EVI, English), 57 in 100 are this close to the right one (60 without this bound), and 4 in
/// 10,000 to another (7 without it); "Helga Cartman" is not close enough to Helen Carter.
const NAME_LIKENESS_MIN: f64 = 0.85;
/// How many heard parts may be none of the patient's, as a second given name is. More are a list of
/// names, of which one fits.
const OTHER_PARTS_MAX: usize = 1;
/// By how much the best match has to be better than the next, or nobody is matched.
const MARGIN: f64 = 0.05;

/// The one patient with this date of birth whose name fits. `None` when nobody does, or when two
/// people are too close to tell apart.
pub fn find<'a>(patients: &'a [Patient], name: &str, date_of_birth: Date) -> Option<&'a Patient> {
    let heard = parts(name);
    let mut ranked: Vec<(f64, &Patient)> = patients
        .iter()
        .filter(|patient| *patient.date_of_birth.expose() == date_of_birth)
        .filter_map(|patient| {
            let (given, family) = (patient.given_name.expose(), patient.family_name.expose());
            Some((likeness(&heard, given, family)?, patient))
        })
        .collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    match ranked[..] {
        [(_, only)] => Some(only),
        [(best, patient), (next, _), ..] if best - next >= MARGIN => Some(patient),
        _ => None,
    }
}

/// The given name of whoever gives this name, if they are on record as somebody who may speak for the patient and
/// it has not run out. The patient's own name counts for nothing here: it is what a stranger says who misheard whose
/// name was asked for.
pub fn may_speak_for<'a>(
    patient: &Patient,
    related: &'a [RelatedPerson],
    name: &str,
    today: Date,
) -> Option<&'a Phi<String>> {
    let heard = parts(name);
    let allowed = |person: &&RelatedPerson| {
        person.patient == patient.id && person.until.is_none_or(|last| today <= last)
    };
    related
        .iter()
        .filter(allowed)
        .map(|person| (&person.given_name, &person.family_name))
        .find(|(given, family)| likeness(&heard, given.expose(), family.expose()).is_some())
        .map(|(given, _)| given)
}

/// How well the name fits, or `None` when a part of it does not. Both a given and the family
/// name have to be there: a first name alone is not an identifier.
fn likeness(heard: &[String], given: &str, family: &str) -> Option<f64> {
    if heard.len() < 2 {
        return None;
    }
    let (given, family) = (parts(given), parts(family));
    let recorded = [given.as_slice(), &family].concat();
    let other = |said: &&String| best(std::slice::from_ref(said), &recorded).is_none();
    if heard.len() > recorded.len() && heard.iter().filter(other).count() > OTHER_PARTS_MAX {
        return None;
    }
    let likeness = f64::midpoint(best(heard, &given)?, best(heard, &family)?);
    (likeness >= NAME_LIKENESS_MIN).then_some(likeness)
}

/// The best likeness of any recorded part to any heard one, if it is close enough.
fn best(heard: &[String], recorded: &[String]) -> Option<f64> {
    let joined: String = recorded.concat();
    let pairs = heard.iter().flat_map(|said| {
        recorded.iter().chain([&joined]).map(move |part| strsim::jaro_winkler(said, part))
    });
    // "Mc Donald" is heard as two words and recorded as one.
    let merged = heard.windows(2).map(|pair| strsim::jaro_winkler(&pair.concat(), &joined));
    pairs.chain(merged).max_by(f64::total_cmp).filter(|likeness| *likeness >= PART_LIKENESS_MIN)
}

/// A small letter without its accent; others stay as they are.
pub const fn without_accent(letter: char) -> char {
    match letter {
        'á' | 'à' | 'â' | 'ä' | 'ã' | 'å' => 'a',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'í' | 'ì' | 'î' | 'ï' => 'i',
        'ó' | 'ò' | 'ô' | 'ö' | 'õ' | 'ø' => 'o',
        'ú' | 'ù' | 'û' | 'ü' => 'u',
        'ñ' => 'n',
        'ç' => 'c',
        other => other,
    }
}

/// Lower-case letters, word by word, without accents.
fn parts(name: &str) -> Vec<String> {
    name.to_lowercase()
        .split(|letter: char| !letter.is_alphabetic() && letter != '\'')
        .map(|word| word.chars().filter(|c| c.is_alphabetic()).map(without_accent).collect())
        .filter(|word: &String| !word.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::record::Sex;

    fn patient(id: &str, given: &str, family: &str, born: Date) -> Patient {
        Patient {
            id: id.into(),
            given_name: given.into(),
            family_name: family.into(),
            date_of_birth: born.into(),
            sex: Sex::Unknown,
            phone: None.into(),
        }
    }

    fn found(name: &str, born: Date) -> Option<String> {
        let day = date(1967, 3, 19);
        let patients = [
            patient("1", "Amara", "Okafor", day),
            patient("2", "Amara", "Okafor", date(1971, 3, 19)),
            patient("3", "José María", "Peña", day),
            patient("4", "John", "Smith", date(1950, 1, 1)),
            patient("5", "Joan", "Smith", date(1950, 1, 1)),
        ];
        find(&patients, name, born).map(|patient| patient.id.clone())
    }

    #[test]
    fn names_match_as_heard_and_dates_exactly() {
        let day = date(1967, 3, 19);
        for said in ["Amara Okafor", "amara okofor", "Okafor Amara", "Amarah Okafore"] {
            assert_eq!(found(said, day).as_deref(), Some("1"), "{said}");
        }
        assert_eq!(found("Jose Pena", day).as_deref(), Some("3"));
        assert_eq!(found("Amara Okafor", date(1967, 3, 18)), None);
        assert_eq!(found("Amara", day), None, "one name is not enough");
        assert_eq!(found("Peter Miller", day), None);
        assert_eq!(found("Amara Ngozi Okafor", day).as_deref(), Some("1"), "a second given name");
        assert_eq!(found("Amara Helen Okafor Carter", day), None, "a list of names is none");
        assert_eq!(found("Omar Oxford", day), None, "another name that sounds alike");
    }

    #[test]
    fn who_is_on_record_may_speak_until_the_last_day() {
        let born = date(1935, 1, 8);
        let mother = patient("1", "Rosemary", "Fairweather", born);
        let daughter = |patient: &str, until: Option<Date>| RelatedPerson {
            id: "r1".into(),
            patient: patient.into(),
            given_name: "Paulette".into(),
            family_name: "Fairweather-Roy".into(),
            relationship: None,
            until,
        };
        let day = date(2026, 11, 23);
        let may = |related: RelatedPerson, name: &str| {
            may_speak_for(&mother, &[related], name, day).is_some()
        };
        assert!(may(daughter("1", None), "paulette fairweather roy"));
        assert!(may(daughter("1", Some(day)), "Paulette Fairweather"));
        assert!(!may(daughter("1", Some(date(2026, 11, 22))), "Paulette Fairweather Roy"));
        assert!(!may(daughter("2", None), "Paulette Fairweather Roy"), "of another patient");
        assert!(!may(daughter("1", None), "Paulette"), "one name is not enough");
        assert!(!may(daughter("1", None), "Charles Fairweather"), "another of the family");
        assert!(!may(daughter("1", None), "Rosemary Fairweather"), "the patient's own name");
    }

    #[test]
    fn people_too_close_to_tell_apart_are_not_matched() {
        assert_eq!(found("John Smith", date(1950, 1, 1)).as_deref(), Some("4"));
        assert_eq!(found("Jon Smith", date(1950, 1, 1)), None);
    }
}
