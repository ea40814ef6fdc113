//! The command line.

mod train;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use jiff::civil::{Date, DateTime};
use radline_language::phrasing::SURE;

use crate::config::ServeOptions;
use crate::models::Profile;
use crate::models::cache::LANGUAGE;

pub use train::{
    Train, TrainClassifier, TrainCompare, TrainCorpus, TrainExport, TrainRun, TrainWalks,
    TrainWording,
};

/// Radline answers a radiology department's phone.
///
/// Patients phone to book scans; Radline identifies them, finds the order, asks the safety
/// questions, and books. It runs on this machine with nothing but itself.
#[derive(Debug, Parser)]
#[command(name = "radline", version, after_help = EXAMPLES)]
pub struct Cli {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  radline models fetch
  radline serve --site deploy/sites/demo-hospital --data ./data --sip 127.0.0.1:5060
  radline talk --text --site deploy/sites/demo-hospital
  radline talk --text --site deploy/sites/demo-hospital --scenario pp
  radline calls list --data ./data
  radline appointments list --data ./data --json
  radline outreach call 1f3a --data ./data --to sip:anna@10.0.0.5
  radline providers add jo --display Jo --data ./data
  radline providers token jo --data ./data
  radline check --site deploy/sites/demo-hospital
  radline evaluate redflags --data utterances.jsonl --errors misses.jsonl
  radline evaluate dialogues --data callers.jsonl --site deploy/sites/demo-hospital

Exit codes: 0 done, 1 failed (the reason is on standard error), 2 wrong usage.";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Answer the phone
    Serve(ServeOptions),
    /// Talk with Radline here, without a telephone
    Talk(Talk),
    /// Weights: what is needed, fetched, right
    #[command(subcommand)]
    Models(Models),
    /// The record of calls
    #[command(subcommand)]
    Calls(Calls),
    /// The schedule's appointments
    #[command(subcommand)]
    Appointments(Appointments),
    /// The schedule's times, free and taken
    #[command(subcommand)]
    Slots(Slots),
    /// Calls that the clinic places, to prepare patients for their appointments
    #[command(subcommand)]
    Outreach(Outreach),
    /// The embedded clinic
    #[command(subcommand)]
    Clinic(Clinic),
    /// People who take over calls: accounts and tokens
    #[command(subcommand)]
    Providers(Providers),
    /// Who looked at what, and who did what
    Audit {
        /// Where the data is
        #[command(flatten)]
        data: Data,
        /// One JSON object per line
        #[arg(long)]
        json: bool,
    },
    /// Open call-backs and reviews
    #[command(subcommand)]
    Tasks(Tasks),
    /// Prove a site pack sound: its dialogues, its safety questions, its records
    #[command(after_help = CHECK_HELP)]
    Check(Check),
    /// Train what Radline learns from examples
    #[command(subcommand)]
    Train(Train),
    /// How well callers are understood and served
    #[command(subcommand)]
    Evaluate(Evaluate),
}

const CHECK_HELP: &str = "\
Walks every dialogue with every answer of caller and clinic, and shows what does not hold as a call
that gets there: bookings without identity, safety questions or read-back, bookings after an answer
that stops them, circles, dead ends, danger that reaches no person, an exam that is spoken of before
it is known who listens. Records that are expired, unsigned or contradict each other are findings.

Example:
  radline check --site deploy/sites/demo-hospital --diagrams ./pictures";

/// A site pack to prove sound.
#[derive(Debug, Args)]
pub struct Check {
    /// Folder of the site pack
    #[arg(long, env = "RADLINE_SITE", value_name = "DIR")]
    pub site: PathBuf,
    /// The day for which records have to be in force, such as 2026-11-23 [default: today]
    #[arg(long, value_name = "DATE")]
    pub on: Option<Date>,
    /// Prints one JSON object
    #[arg(long)]
    pub json: bool,
    /// Writes a Mermaid picture of each chapter into this folder
    #[arg(long, value_name = "DIR")]
    pub diagrams: Option<PathBuf>,
}

/// What is evaluated.
#[derive(Debug, Subcommand)]
pub enum Evaluate {
    /// Red flags: how many are found, and how many false alarms there are
    #[command(name = "redflags")]
    RedFlags {
        /// The records
        #[command(flatten)]
        labelled: Labelled,
        /// Who reads them beside the lexicon; without the language model where it is missing
        #[command(flatten)]
        readers: Readers,
    },
    /// Intents, slot values, requests for a person, and red flags
    Understanding {
        /// The records
        #[command(flatten)]
        labelled: Labelled,
        /// Who reads them
        #[command(flatten)]
        readers: Readers,
    },
    /// Booking turns of the Schema-Guided Dialogue dataset
    Sgd {
        /// Its dialogues, one JSON object a line
        #[arg(long)]
        data: PathBuf,
        /// Who reads them
        #[command(flatten)]
        readers: Readers,
        /// Only the dialogues of this split, such as test
        #[arg(long)]
        split: Option<String>,
    },
    /// Invented callers, played against the dialogues in text
    Dialogues(Callers),
    /// The second reader: dangers that it finds and the first reading missed, and its false alarms
    Supervisor {
        /// Labelled utterances
        #[arg(long)]
        data: PathBuf,
        /// Who reads them
        #[command(flatten)]
        readers: Readers,
    },
    /// Sentences to what callers feel: how many can be worded with what they said, and how fast
    Wording(WordingCallers),
    /// How fast the language model reads and writes, alone and for many calls at once
    Speed {
        /// Labelled utterances that the calls say
        #[arg(long)]
        data: PathBuf,
        /// Prints one JSON object
        #[arg(long)]
        json: bool,
        /// Who reads them
        #[command(flatten)]
        readers: Readers,
    },
}

/// Callers who feel something.
#[derive(Debug, Args)]
pub struct WordingCallers {
    /// What they said, one JSON object a line: said, and feels (waiting, exam, general)
    #[arg(long, value_name = "FILE")]
    pub data: PathBuf,
    /// Folder of the site pack, whose sentences are used
    #[arg(
        long,
        env = "RADLINE_SITE",
        value_name = "DIR",
        default_value = "deploy/sites/demo-hospital"
    )]
    pub site: PathBuf,
    /// Folder of an adapter (`radline train wording`) [default: the program's own]
    #[arg(long, value_name = "DIR")]
    pub adapter: Option<PathBuf>,
    /// How likely every word that the model chooses has to be, 0 to 1
    #[arg(long, value_name = "P", default_value_t = SURE)]
    pub sure: f32,
    /// Writes each with the sentence that was worded and the site's plain one
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Folder of the model files
    #[arg(long, env = "RADLINE_MODELS", value_name = "DIR")]
    pub models: Option<PathBuf>,
}

/// Who reads labelled utterances beside the parsers.
#[derive(Debug, Default, Args)]
pub struct Readers {
    /// Folder of an adapter for the language model, in the files of PEFT [default: the program's own]
    #[arg(long, value_name = "DIR")]
    pub adapter: Option<PathBuf>,
    /// The model that the adapter is for, by its name in the manifest
    #[arg(long, default_value = LANGUAGE)]
    pub base: String,
    /// Measures the base model without an adapter, too: told what to do, and shown examples
    #[arg(long)]
    pub prompted: bool,
    /// Measures a model behind an interface like OpenAI's in its place, such as http://127.0.0.1:8000/v1
    #[arg(long, value_name = "URL", conflicts_with_all = ["adapter", "prompted"])]
    pub endpoint: Option<String>,
    /// The model's name there [default: radline]
    #[arg(long, value_name = "NAME", requires = "endpoint")]
    pub endpoint_model: Option<String>,
    /// File with the key that it asks for
    #[arg(long, value_name = "FILE", requires = "endpoint")]
    pub key_file: Option<PathBuf>,
    /// It has our adapter (`radline train export`), and needs neither instructions nor examples
    #[arg(long, requires = "endpoint")]
    pub tuned: bool,
    /// What reads every utterance at first sight
    #[command(flatten)]
    pub sight: Sight,
}

/// What reads every utterance at first sight.
#[derive(Debug, Default, Clone, Args)]
pub struct Sight {
    /// What the classifier has learned, a file of `radline train classifier` [default: the program's own]
    #[arg(long, value_name = "FILE")]
    pub classifier: Option<PathBuf>,
    /// Folder of the model files
    #[arg(long, env = "RADLINE_MODELS", value_name = "DIR")]
    pub models: Option<PathBuf>,
}

/// Invented callers.
#[derive(Debug, Args)]
pub struct Callers {
    /// The callers, one JSON object a line: id, scenario, facts, manner, lines, expected
    #[arg(long)]
    pub data: PathBuf,
    /// Folder of the site pack
    #[arg(
        long,
        env = "RADLINE_SITE",
        value_name = "DIR",
        default_value = "deploy/sites/demo-hospital"
    )]
    pub site: PathBuf,
    /// The parsers alone, as in a call where no model works; otherwise as in any call, with the models that are
    /// there
    #[arg(long, conflicts_with = "model")]
    pub parsers: bool,
    /// Stops with an error where the language model is missing
    #[arg(long)]
    pub model: bool,
    /// Which model
    #[command(flatten)]
    pub readers: Readers,
    /// The first seed: it chooses among the ways to say something
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Plays of each caller, each with the next seed
    #[arg(long, default_value_t = 3)]
    pub plays: u64,
    /// Prints one JSON object
    #[arg(long)]
    pub json: bool,
    /// Writes every play that failed to this file, with its transcript
    #[arg(long)]
    pub errors: Option<PathBuf>,
}

/// Labelled utterances.
#[derive(Debug, Args)]
pub struct Labelled {
    /// The records, one JSON object a line: id, today, asked, expects, said, intent, slots, topic,
    /// red_flag, distress
    #[arg(long)]
    pub data: PathBuf,
    /// Prints one JSON object
    #[arg(long)]
    pub json: bool,
    /// Writes every record with a miss to this file (of the last report, where there are several)
    #[arg(long)]
    pub errors: Option<PathBuf>,
    /// Draws the readers beside each other, and how well the model knows itself, into this SVG file
    #[arg(long)]
    pub picture: Option<PathBuf>,
}

/// Where the data is.
#[derive(Debug, Clone, Args)]
pub struct Data {
    /// Folder of the database and recordings
    #[arg(long, env = "RADLINE_DATA", value_name = "DIR")]
    pub data: PathBuf,
}

/// Talk with Radline here.
#[derive(Debug, Args)]
pub struct Talk {
    /// Type instead of speaking
    #[arg(long, required = true)]
    pub text: bool,
    /// One JSON object per turn
    #[arg(long)]
    pub json: bool,
    /// What the call is: at and rcs are calls that a patient makes, pp is one that the clinic makes
    /// to prepare a patient for --appointment
    #[arg(long, value_enum, default_value_t = ScenarioName::At, ignore_case = true)]
    pub scenario: ScenarioName,
    /// The appointment that a pp call is about, as `radline appointments list` shows it [default:
    /// the earliest; without --data, that of the site's appointments.jsonl]
    #[arg(long, value_name = "ID")]
    pub appointment: Option<String>,
    /// Folder of the site pack
    #[arg(long, env = "RADLINE_SITE", value_name = "DIR")]
    pub site: PathBuf,
    /// Folder of the database [default: a temporary one with the site's demonstration clinic]
    #[arg(long, env = "RADLINE_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Folder of the models [default: the user's cache folder]
    #[arg(long, env = "RADLINE_MODELS", value_name = "DIR")]
    pub models: Option<PathBuf>,
    /// Local date and time at which the call begins, such as 2026-11-23T10:00 [default: now]
    #[arg(long, value_name = "TIME")]
    pub at: Option<DateTime>,
}

/// Kinds of call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ScenarioName {
    /// Appointment triage
    At,
    /// Pre-examination preparation
    Pp,
    /// Radiology clinic services
    Rcs,
}

/// Weights.
#[derive(Debug, Subcommand)]
pub enum Models {
    /// Show every model, its licence, and whether it is there
    List(ModelSelection),
    /// Download what is missing; goes on where it was interrupted
    Fetch(ModelSelection),
    /// Read every file that is there and compare its hash
    Verify(ModelSelection),
}

/// Which models, and where.
#[derive(Debug, Clone, Args)]
pub struct ModelSelection {
    /// Which machine they are for
    #[arg(long, value_enum)]
    pub profile: Option<Profile>,
    /// One model by its name
    #[arg(long, value_name = "ID")]
    pub only: Option<String>,
    /// Folder of the models [default: the user's cache folder]
    #[arg(long, env = "RADLINE_MODELS", value_name = "DIR")]
    pub models: Option<PathBuf>,
}

/// The record of calls.
#[derive(Debug, Subcommand)]
pub enum Calls {
    /// Every call, newest first
    List {
        /// Where the data is
        #[command(flatten)]
        data: Data,
        /// One JSON object per call
        #[arg(long)]
        json: bool,
    },
    /// What was said and done in a call
    Show {
        /// The call, or the beginning of its id
        id: String,
        /// Where the data is
        #[command(flatten)]
        data: Data,
        /// One JSON object per event
        #[arg(long)]
        json: bool,
    },
    /// Copy transcript, events and recording into a folder
    Export {
        /// The call, or the beginning of its id
        id: String,
        /// Target folder
        folder: PathBuf,
        /// Where the data is
        #[command(flatten)]
        data: Data,
    },
}

/// The schedule's appointments.
#[derive(Debug, Subcommand)]
pub enum Appointments {
    /// Every appointment, earliest first
    List {
        /// Where the data is
        #[command(flatten)]
        data: Data,
        /// One JSON object per appointment
        #[arg(long)]
        json: bool,
    },
}

/// The schedule's times.
#[derive(Debug, Subcommand)]
pub enum Slots {
    /// Every time from now on: free, held by a call, booked, or pending until its review
    List {
        /// Where the data is
        #[command(flatten)]
        data: Data,
        /// One JSON object per slot
        #[arg(long)]
        json: bool,
        /// Folder of the site pack, for its clock [default: this machine's clock]
        #[arg(long, env = "RADLINE_SITE", value_name = "DIR")]
        site: Option<PathBuf>,
    },
}

/// Calls that the clinic places.
#[derive(Debug, Subcommand)]
pub enum Outreach {
    /// Has the patient of an appointment called by the server that runs on this data
    Call {
        /// The appointment, or the beginning of its id, as `radline appointments list` shows it
        appointment: String,
        /// Calls this SIP address, such as sip:anna@10.0.0.5 [default: the patient's number, dialled as
        /// the site's [outreach] table says; a demonstration site dials nobody's number]
        #[arg(long, value_name = "URI")]
        to: Option<String>,
        /// Where the data is
        #[command(flatten)]
        data: Data,
    },
    /// Every call that was placed or waits, newest first
    List {
        /// Where the data is
        #[command(flatten)]
        data: Data,
        /// One JSON object per call
        #[arg(long)]
        json: bool,
    },
}

/// Open work for people.
#[derive(Debug, Subcommand)]
pub enum Tasks {
    /// Every open task, the most urgent first
    List {
        /// Where the data is
        #[command(flatten)]
        data: Data,
        /// One JSON object per task
        #[arg(long)]
        json: bool,
    },
}

/// People who take over calls.
#[derive(Debug, Subcommand)]
pub enum Providers {
    /// A new account, and what its owner needs to sign in; the password is read from standard input
    Add {
        /// The account's name, for signing in
        name: String,
        /// The person's name, as colleagues see it
        #[arg(long)]
        display: String,
        /// What it may do: provider, supervisor, operator, researcher
        #[arg(long, default_value = "provider")]
        role: String,
        /// Where the data is
        #[command(flatten)]
        data: Data,
    },
    /// Every account
    List {
        /// Where the data is
        #[command(flatten)]
        data: Data,
        /// One JSON object per account
        #[arg(long)]
        json: bool,
    },
    /// Takes an account away, with its tokens
    Remove {
        /// The account's name
        name: String,
        /// Where the data is
        #[command(flatten)]
        data: Data,
    },
    /// The one-time code of now, for whoever may read the data folder and has no authenticator at hand
    Code {
        /// The account's name
        name: String,
        /// Where the data is
        #[command(flatten)]
        data: Data,
    },
    /// A bearer token for a provider system that acts for this account; it is shown once
    Token {
        /// The account's name
        name: String,
        /// Where the data is
        #[command(flatten)]
        data: Data,
    },
}

/// The embedded clinic.
#[derive(Debug, Subcommand)]
pub enum Clinic {
    /// Add or update patients, orders, slots and appointments from a file, all or nothing
    #[command(after_help = IMPORT_HELP)]
    Import {
        /// One JSON object per line
        file: PathBuf,
        /// Where the data is
        #[command(flatten)]
        data: Data,
    },
}

const IMPORT_HELP: &str = r#"One record a line; a record number that is known is updated:
  {"resource":"Patient","id":"p1","given_name":"Amara","family_name":"Okafor","date_of_birth":"1967-03-19","sex":"female","phone":"5550100"}
  {"resource":"RelatedPerson","id":"r1","patient":"p1","given_name":"Ngozi","family_name":"Okafor","relationship":"daughter","until":"2027-12-31"}
  {"resource":"ServiceRequest","id":"o1","patient":"p1","modality":"mri","exam":"MRI of the left knee","body_part":"knee","side":"left","contrast":false,"priority":"routine","expires":"2027-05-05"}
  {"resource":"Slot","id":"s1","modality":"mri","room":"mri-1","place":"the main building","start":"2026-12-01T09:00","minutes":45}
  {"resource":"Appointment","id":"a1","slot":"s1","order":"o1","patient":"p1","status":"booked"}
Modalities: ct mri ultrasound mammography xray pet_ct fluoroscopy biopsy dexa."#;
