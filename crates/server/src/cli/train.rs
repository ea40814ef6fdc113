//! The command line of `radline train`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use radline_training::classifier;
use radline_training::plan::{Parts, Plan};

use super::Sight;
use crate::models::cache::LANGUAGE;

/// What is trained.
#[derive(Debug, Subcommand)]
pub enum Train {
    /// The readers of red flags and wishes, from labelled utterances; a rebuilt program uses them
    Readers {
        /// Folder of labelled utterances (*.jsonl)
        #[arg(long, value_name = "DIR", default_value = "training/utterances")]
        data: PathBuf,
        /// The red flags' model
        #[arg(
            long,
            value_name = "FILE",
            default_value = "crates/dialogue/data/red_flags.en.model"
        )]
        red_flags: PathBuf,
        /// The wishes' model
        #[arg(long, value_name = "FILE", default_value = "crates/language/data/intents.en.model")]
        intents: PathBuf,
        /// Order of the examples
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// An adapter for the language model, from labelled utterances
    Run(TrainRun),
    /// An adapter in the files of other programs: PEFT's, or one for llama.cpp
    Export(TrainExport),
    /// The adapter that words what is said to feelings
    Wording(TrainWording),
    /// Adapters beside each other on the same utterances, with how surely they differ
    Compare(TrainCompare),
    /// The classifier, which reads every utterance at first sight, from labelled utterances
    Classifier(TrainClassifier),
    /// Calls that nobody made: walks through a site's statechart with labelled utterances behind its questions
    Walks(TrainWalks),
    /// Labelled utterances as our recogniser hears them: spoken, sent over a telephone line, transcribed
    Corpus(TrainCorpus),
}

/// An adapter that leaves.
#[derive(Debug, Args)]
pub struct TrainExport {
    /// Folder of the adapter, or of the run that trains it [default: the program's own]
    #[arg(long, value_name = "DIR")]
    pub adapter: Option<PathBuf>,
    /// The model that it is for, by its name in the manifest
    #[arg(long, default_value = LANGUAGE)]
    pub base: String,
    /// Folder for the files of PEFT
    #[arg(long, value_name = "DIR", required_unless_present = "gguf")]
    pub peft: Option<PathBuf>,
    /// File for llama.cpp (`llama-server --lora`)
    #[arg(long, value_name = "FILE")]
    pub gguf: Option<PathBuf>,
    /// Folder of the model files
    #[arg(long, env = "RADLINE_MODELS", value_name = "DIR")]
    pub models: Option<PathBuf>,
}

/// Adapters that are compared.
#[derive(Debug, Args)]
pub struct TrainCompare {
    /// The records, as for `radline evaluate understanding`; none that an adapter was trained on
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    pub data: Vec<PathBuf>,
    /// Folders of adapters, each of which is compared with the first; `own` is the program's
    #[arg(long, value_name = "DIR", required = true, num_args = 1..)]
    pub adapter: Vec<PathBuf>,
    /// The model that they are for, by its name in the manifest
    #[arg(long, default_value = LANGUAGE)]
    pub base: String,
    /// Prints one JSON object
    #[arg(long)]
    pub json: bool,
    /// What reads every utterance at first sight
    #[command(flatten)]
    pub sight: Sight,
}

/// Utterances that are spoken.
#[derive(Debug, Args)]
pub struct TrainCorpus {
    /// Files of labelled utterances (*.jsonl)
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    pub data: Vec<PathBuf>,
    /// Where the utterances go, with `said` as it was heard and `spoken` as it was
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Folder of sounds (*.wav) that are heard behind half of the callers
    #[arg(long, value_name = "DIR")]
    pub noise: Option<PathBuf>,
    /// The transcription model, by its name in the manifest [default: the server's]
    #[arg(long, value_name = "ID")]
    pub transcription: Option<String>,
    /// Leaves out what came through worse than this: errors for every word that was said
    #[arg(long, value_name = "RATE", default_value_t = f64::INFINITY)]
    pub errors_max: f64,
    /// Folder of the model files
    #[arg(long, env = "RADLINE_MODELS", value_name = "DIR")]
    pub models: Option<PathBuf>,
    /// Voices, noises and losses
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// Calls that nobody made.
#[derive(Debug, Args)]
pub struct TrainWalks {
    /// Folder of the site pack, whose questions are asked
    #[arg(
        long,
        env = "RADLINE_SITE",
        value_name = "DIR",
        default_value = "deploy/sites/demo-hospital"
    )]
    pub site: PathBuf,
    /// Folders of labelled utterances (*.jsonl)
    #[arg(long, value_name = "DIR", default_values = ["training/utterances", "training/turns", "training/first_sight"])]
    pub data: Vec<PathBuf>,
    /// Files of records that are measured with: utterances near to one of them are left out
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub against: Vec<PathBuf>,
    /// The tenth of the utterances that other walks leave out, for measuring
    #[arg(long)]
    pub held: bool,
    /// Where the turns go, one JSON object a line
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Where their card goes: sizes and what is covered, in Markdown
    #[arg(long, value_name = "FILE")]
    pub card: Option<PathBuf>,
    /// Calls
    #[arg(long, default_value_t = 1000)]
    pub calls: usize,
    /// Ways, words and manners
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// A run that trains the classifier.
#[derive(Debug, Args)]
pub struct TrainClassifier {
    /// Folders of labelled utterances (*.jsonl)
    #[arg(
        long,
        value_name = "DIR",
        default_values = ["training/utterances", "training/turns", "training/first_sight", "training/heard"]
    )]
    pub data: Vec<PathBuf>,
    /// Questions of calls (*.jsonl): some utterances are put behind them
    #[arg(long, value_name = "FILE", default_value = "training/asked.jsonl")]
    pub asked: PathBuf,
    /// Where what is learned goes (`learned.safetensors`), with the curve of its losses
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Folder of the model files
    #[arg(long, env = "RADLINE_MODELS", value_name = "DIR")]
    pub models: Option<PathBuf>,
    /// Layers that are trained, counted from the end
    #[arg(long, default_value_t = classifier::plan().layers)]
    pub layers: usize,
    /// Passes over the utterances
    #[arg(long, default_value_t = classifier::plan().passes)]
    pub passes: usize,
    /// The highest rate of learning
    #[arg(long, default_value_t = classifier::plan().rate)]
    pub rate: f64,
    /// First weights and order of the utterances
    #[arg(long, default_value_t = classifier::plan().seed)]
    pub seed: u64,
}

/// A run that trains what words sentences to feelings.
#[derive(Debug, Args)]
pub struct TrainWording {
    /// Folders of what callers said, with sentences that answer it (*.jsonl)
    #[arg(long, value_name = "DIR", default_values = ["training/wording"])]
    pub data: Vec<PathBuf>,
    /// Where the adapter goes, with the curve of its losses
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Folder of the model files
    #[arg(long, env = "RADLINE_MODELS", value_name = "DIR")]
    pub models: Option<PathBuf>,
    /// Layers that are trained, counted from the end
    #[arg(long, default_value_t = wording_plan().layers)]
    pub layers: usize,
    /// Which of their matrices
    #[arg(long, value_enum, default_value_t = Trained::QueryValue)]
    pub parts: Trained,
    /// Width of the adapter
    #[arg(long, default_value_t = wording_plan().rank)]
    pub rank: usize,
    /// Passes over the sentences
    #[arg(long, default_value_t = wording_plan().passes)]
    pub passes: usize,
    /// The highest rate of learning
    #[arg(long, default_value_t = wording_plan().rate)]
    pub rate: f64,
    /// First weights and order of the sentences
    #[arg(long, default_value_t = wording_plan().seed)]
    pub seed: u64,
}

impl TrainWording {
    /// The plan of the run.
    pub fn plan(&self) -> Plan {
        let Self { layers, rank, passes, rate, seed, .. } = *self;
        let parts = self.parts.into();
        Plan { layers, parts, rank, passes, rate, seed, ..wording_plan() }
    }
}

/// The plan of the adapter that is part of the program.
fn wording_plan() -> Plan {
    Plan {
        layers: 10,
        parts: Parts::QueryValue,
        rank: 8,
        alpha: 16.0,
        passes: 5,
        batch: 8,
        rate: 2e-3,
        ..Plan::default()
    }
}

/// Matrices of a layer that are trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Trained {
    /// All seven
    All,
    /// Queries and values
    QueryValue,
    /// Queries, keys, values, and what is behind attention
    Attention,
}

impl From<Trained> for Parts {
    fn from(trained: Trained) -> Self {
        match trained {
            Trained::All => Self::All,
            Trained::QueryValue => Self::QueryValue,
            Trained::Attention => Self::Attention,
        }
    }
}

/// A training run.
#[derive(Debug, Args)]
pub struct TrainRun {
    /// Folders of labelled utterances (*.jsonl)
    #[arg(long, value_name = "DIR", default_values = ["training/utterances", "training/turns", "training/first_sight"])]
    pub data: Vec<PathBuf>,
    /// Where the adapter goes, with the curve of its losses
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Folder of the model files
    #[arg(long, env = "RADLINE_MODELS", value_name = "DIR")]
    pub models: Option<PathBuf>,
    /// The model that it is for, by its name in the manifest; of the llama or qwen2 architecture
    #[arg(long, default_value = LANGUAGE)]
    pub base: String,
    /// Layers that are trained, counted from the end
    #[arg(long, default_value_t = Plan::default().layers)]
    pub layers: usize,
    /// Which of their matrices
    #[arg(long, value_enum, default_value_t = Trained::All)]
    pub parts: Trained,
    /// Width of the adapter
    #[arg(long, default_value_t = Plan::default().rank)]
    pub rank: usize,
    /// Computes on the first GPU, in a program built with `--features cuda`; not tried on one yet
    #[arg(long)]
    pub gpu: bool,
    /// Passes over the utterances
    #[arg(long, default_value_t = Plan::default().passes)]
    pub passes: usize,
    /// Utterances that are computed together
    #[arg(long, default_value_t = Plan::default().batch)]
    pub batch: usize,
    /// The highest rate of learning
    #[arg(long, default_value_t = Plan::default().rate)]
    pub rate: f64,
    /// First weights and order of the utterances
    #[arg(long, default_value_t = Plan::default().seed)]
    pub seed: u64,
}
