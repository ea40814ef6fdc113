//! The site pack: everything that differs from hospital to hospital.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use radline_call::{Approval, Unanswered};
use radline_clinic::{Office, ScheduleRule};
use radline_dialogue::{DateOrder, Instruction, KnowledgeRecord, Modality, Scenario, SiteFacts};
use serde::Deserialize;

/// A loaded and checked site pack.
#[derive(Debug, Clone)]
pub struct Site {
    /// The site's name.
    pub name: String,
    /// Its clock.
    pub timezone: TimeZone,
    /// What prompts may name.
    pub facts: Arc<SiteFacts>,
    /// Office hours.
    pub office: Arc<Office>,
    /// The dialogues.
    pub scenario: Arc<Scenario>,
    /// Rules of the embedded schedule.
    pub schedule: Vec<ScheduleRule>,
    /// How far ahead the schedule is made, days.
    pub horizon_days: u16,
    /// Records for an empty clinic, when the pack has some.
    pub seed: Option<PathBuf>,
    /// Words that callers say with their names and numbers.
    pub spoken_words: Vec<String>,
    /// Telephones on which a person may take over.
    pub phones: Vec<Phone>,
    /// How the clinic calls patients.
    pub outreach: Outreach,
    /// Who approves replies before they are spoken; nobody where that is not asked for.
    pub approval: Option<Approval>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SiteFile {
    site: SiteTable,
    #[serde(default)]
    schedule: ScheduleTable,
    #[serde(default)]
    recognition: RecognitionTable,
    approval: Option<ApprovalTable>,
    #[serde(default)]
    phone: Vec<Phone>,
    #[serde(default)]
    outreach: Outreach,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SiteTable {
    name: String,
    timezone: String,
    /// Which number of a bare date comes first: "month_day" or "day_month".
    #[serde(default)]
    dates: DateOrder,
    /// A demonstration speaks records that nobody has signed. Patients are not called by one.
    #[serde(default)]
    demonstration: bool,
    values: BTreeMap<String, String>,
    office: OfficeTable,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct KnowledgeFile {
    #[serde(default)]
    record: Vec<KnowledgeRecord>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct PreparationFile {
    #[serde(default)]
    instruction: Vec<Instruction>,
}

/// A file of records; a site without it has none.
fn records<T: Default + serde::de::DeserializeOwned>(path: &Path) -> Result<T> {
    if !path.is_file() {
        return Ok(T::default());
    }
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    toml::from_str(&text).with_context(|| path.display().to_string())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfficeTable {
    opens: Time,
    closes: Time,
    weekdays: Vec<DayName>,
    callback_minutes: u32,
    #[serde(default)]
    holidays: Vec<Date>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScheduleTable {
    #[serde(default)]
    horizon_days: u16,
    #[serde(default)]
    rule: Vec<RuleTable>,
}

/// A telephone on which a person may take over.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phone {
    /// Whose it is, as colleagues see it.
    pub name: String,
    /// Where it is, such as "sip:desk@10.0.0.5".
    pub uri: String,
    /// How long a caller waits before it rings, s; it rings at once where it is urgent.
    #[serde(default)]
    pub after_seconds: u64,
    /// How long it rings, s.
    #[serde(default = "ring_seconds")]
    pub ring_seconds: u64,
    /// What whoever answers can do; everything if empty.
    #[serde(default)]
    pub skills: Vec<String>,
    /// Whether somebody answers outside office hours, too.
    #[serde(default)]
    pub always: bool,
    /// Whether the caller's exchange connects both without us once the call is taken. Where it does not,
    /// Radline stays between them.
    #[serde(default)]
    pub transfer: bool,
}

/// How long a telephone rings, unless told otherwise, s.
const fn ring_seconds() -> u64 {
    25
}

/// How the clinic calls patients.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Outreach {
    /// Where patients' numbers are dialled, such as "sip:{number}@10.0.0.5". Without it only calls to a named
    /// address are placed.
    pub dial: Option<String>,
    /// From when on patients may be called, local time.
    pub from: Time,
    /// Until when they may be called, local time.
    pub until: Time,
    /// How long it rings, s.
    pub ring_seconds: u64,
}

impl Default for Outreach {
    /// Inside the hours of 8 to 21 that are commonly kept for calls to consumers in the United States (47 CFR
    /// 64.1200(c)(1)), an hour off either end, as some states ask.
    fn default() -> Self {
        let (from, until) = (Time::constant(9, 0, 0, 0), Time::constant(20, 0, 0, 0));
        Self { dial: None, from, until, ring_seconds: 30 }
    }
}

/// Supervised mode.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ApprovalTable {
    /// How long a draft waits for a provider, s.
    wait_seconds: u64,
    /// What happens when nobody decides.
    #[serde(default)]
    unanswered: Unanswered,
    /// States whose replies are spoken without asking.
    #[serde(default)]
    granted: BTreeSet<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecognitionTable {
    #[serde(default)]
    words: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleTable {
    modality: Modality,
    room: String,
    place: String,
    weekdays: Vec<DayName>,
    from: Time,
    to: Time,
    minutes: u16,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum DayName {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl From<DayName> for Weekday {
    fn from(day: DayName) -> Self {
        match day {
            DayName::Monday => Self::Monday,
            DayName::Tuesday => Self::Tuesday,
            DayName::Wednesday => Self::Wednesday,
            DayName::Thursday => Self::Thursday,
            DayName::Friday => Self::Friday,
            DayName::Saturday => Self::Saturday,
            DayName::Sunday => Self::Sunday,
        }
    }
}

/// Placeholders that every site has to fill.
const VALUES: [&str; 5] =
    ["hospital", "department", "emergency_number", "crisis_line", "office_hours"];

impl Site {
    /// Loads and checks a site pack.
    pub fn load(folder: &Path) -> Result<Self> {
        let path = folder.join("site.toml");
        let text = std::fs::read_to_string(&path).with_context(|| {
            format!("{}: no site pack there; --site names its folder", path.display())
        })?;
        let file: SiteFile = toml::from_str(&text).with_context(|| path.display().to_string())?;
        if let Some(word) = file.recognition.words.iter().find(|word| word.trim().is_empty()) {
            bail!("{}: [recognition] words holds {word:?}; take it out", path.display());
        }
        if file.outreach.dial.as_ref().is_some_and(|dial| !dial.contains("{number}")) {
            bail!("{}: [outreach] dial has no {{number}} in it", path.display());
        }
        if let Some(missing) = VALUES.iter().find(|name| !file.site.values.contains_key(**name)) {
            bail!("{}: [site.values] has no \"{missing}\"", path.display());
        }
        let timezone = TimeZone::get(&file.site.timezone)
            .with_context(|| format!("{}: timezone", path.display()))?;
        let seed = folder.join("clinic.jsonl");
        let scenario = Scenario::load(&folder.join("scenarios"))?;
        let approval = file.approval.map(|table| approval(table, &scenario)).transpose();
        let approval = approval.with_context(|| path.display().to_string())?;
        Ok(Self {
            name: file.site.name,
            timezone,
            facts: Arc::new(SiteFacts {
                values: file.site.values,
                knowledge: records::<KnowledgeFile>(&folder.join("knowledge.toml"))?.record,
                instructions: records::<PreparationFile>(&folder.join("preparation.toml"))?
                    .instruction,
                date_order: file.site.dates,
                demonstration: file.site.demonstration,
            }),
            office: Arc::new(file.site.office.into()),
            scenario: Arc::new(scenario),
            schedule: file.schedule.rule.into_iter().map(ScheduleRule::from).collect(),
            horizon_days: file.schedule.horizon_days,
            seed: seed.is_file().then_some(seed),
            spoken_words: file.recognition.words,
            phones: file.phone,
            outreach: file.outreach,
            approval,
        })
    }
}

/// Longest that a site may let a caller wait for a provider's word, s.
const APPROVAL_WAIT_MAX_S: u64 = 30;

fn approval(table: ApprovalTable, scenario: &Scenario) -> Result<Approval> {
    let ApprovalTable { wait_seconds, unanswered, granted } = table;
    if !(1..=APPROVAL_WAIT_MAX_S).contains(&wait_seconds) {
        bail!("[approval] wait_seconds must be between 1 and {APPROVAL_WAIT_MAX_S}");
    }
    if let Some(state) = granted.iter().find(|state| !scenario.states.contains_key(*state)) {
        bail!("[approval] granted: there is no state \"{state}\"");
    }
    Ok(Approval { wait: Duration::from_secs(wait_seconds), unanswered, granted })
}

impl From<OfficeTable> for Office {
    fn from(table: OfficeTable) -> Self {
        Self {
            opens: table.opens,
            closes: table.closes,
            weekdays: table.weekdays.into_iter().map(Weekday::from).collect(),
            holidays: table.holidays,
            callback_within: Duration::from_secs(u64::from(table.callback_minutes) * 60),
        }
    }
}

impl From<RuleTable> for ScheduleRule {
    fn from(table: RuleTable) -> Self {
        Self {
            modality: table.modality,
            room: table.room,
            place: table.place,
            weekdays: table.weekdays.into_iter().map(Weekday::from).collect(),
            from: table.from,
            to: table.to,
            minutes: table.minutes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_of_another_country_loads() {
        let folder =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/sites/fenwick-infirmary");
        let site = Site::load(&folder).expect("loads");
        assert_eq!(site.facts.values["emergency_number"], "nine nine nine");
        assert_eq!(site.facts.date_order, DateOrder::DayMonth);
        let day = jiff::civil::date(2026, 11, 23);
        assert_eq!(radline_dialogue::record_check::check(&site.facts, &site.scenario, day), []);
    }

    #[test]
    fn the_demonstration_site_loads() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/sites/demo-hospital");
        let site = Site::load(&folder).expect("loads");
        assert!(site.seed.is_some() && site.horizon_days > 0);
        assert!(!site.spoken_words.is_empty());
        assert!(!site.facts.knowledge.is_empty() && !site.facts.instructions.is_empty());
    }
}
