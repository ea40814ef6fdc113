//! The classifier is learned: the encoder's last layers, and what is read off its state.

use std::path::Path;

use candle_core::{DType, Device, Result, Tensor};
use radline_dialogue::RedFlag;
use radline_language::model::classifier::{ACTS, EncoderTokenizer, HEADS, Network};
use radline_language::model::encoder::{self, Tensors, Tokens};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use crate::TrainingError;
use crate::loss::mean_loss;
use crate::optimizer::Trained;
use crate::plan::Plan;
use crate::record::{Asked, NO_FLAG, Record};
use crate::run::{Lesson, Run};

/// An utterance in danger counts as much as so many others: there are few of them, and a miss costs more.
const DANGER_COUNTS: f64 = 2.0;
/// Feelings count for half: whoever labels them often disagrees.
const DISTRESS_COUNTS: f64 = 0.5;
/// Shares of the utterances that are put behind another question: those that have none, the others that are safe,
/// and those in danger.
const ANYWHERE_UNASKED: f64 = 0.9;
const ANYWHERE_SAFE: f64 = 0.2;
const ANYWHERE_DANGER: f64 = 0.5;
/// The first numbers of what is read off the state lie this far from nothing, at most.
const HEAD_RANGE: f32 = 0.02;

/// The plan of the classifier that is part of the program.
pub fn plan() -> Plan {
    Plan { layers: 3, passes: 3, batch: 32, rate: 3e-4, ..Plan::default() }
}

/// A labelled utterance: for each of the [`HEADS`] the right output, where it is labelled.
struct Example {
    tokens: Tokens,
    right: [Option<u32>; HEADS.len()],
}

/// Labelled utterances, and the encoder that is to tell them apart.
pub struct Utterances {
    base: Tensors,
    examples: Vec<Example>,
    /// The weights' names in the file, in their order.
    names: Vec<String>,
}

/// A run that learns the classifier.
pub type ClassifierRun = Run<Utterances>;

impl ClassifierRun {
    /// A run that has not begun.
    ///
    /// `asked` are questions of calls; some utterances are taken for answers to them.
    ///
    /// # Errors
    /// The encoder's tensors are not those of one, or a text cannot be told apart into tokens.
    pub fn new(
        base: Tensors,
        tokenizer: &EncoderTokenizer,
        records: &[Record],
        asked: &[Asked],
        plan: Plan,
    ) -> std::result::Result<Self, TrainingError> {
        let mut random = StdRng::seed_from_u64(plan.seed);
        let records = records.iter().map(|record| anywhere(record, asked, &mut random));
        let examples = records.map(|record| Example::new(&record, tokenizer));
        let examples = examples.collect::<std::result::Result<_, TrainingError>>()?;
        let (names, weights) = first_weights(&base, &plan)?;
        Ok(Self::begin(Utterances { base, examples, names }, plan, weights))
    }

    /// Writes what is learned so far, in 16 bits.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, file: &Path) -> Result<()> {
        let narrow =
            |(name, tensor): (String, Tensor)| Ok((name, tensor.detach().to_dtype(DType::F16)?));
        let learned = self.lesson.learned(&self.weights);
        let narrow: Tensors = learned.map(narrow).collect::<Result<_>>()?;
        candle_core::safetensors::save(&narrow, file)
    }
}

/// The utterance, or the same behind another question: danger is told, and not told, whatever was asked. What
/// act it is depends on the question, and is not known then.
fn anywhere(record: &Record, asked: &[Asked], random: &mut StdRng) -> Record {
    let share = match (record.only.is_some(), record.red_flag == NO_FLAG) {
        (true, _) => ANYWHERE_UNASKED,
        (false, true) => ANYWHERE_SAFE,
        (false, false) => ANYWHERE_DANGER,
    };
    let elsewhere = asked.choose(random).filter(|_| random.random_bool(share));
    elsewhere.map_or_else(
        || record.clone(),
        |Asked { expects, asked }| Record {
            expects: expects.clone(),
            asked: asked.clone(),
            intent: String::new(),
            ..record.clone()
        },
    )
}

impl Example {
    fn new(
        record: &Record,
        tokenizer: &EncoderTokenizer,
    ) -> std::result::Result<Self, TrainingError> {
        let tokens = tokenizer.tokens(record.expectation(), &record.asked, &record.said)?;
        let place = |found: Option<usize>| found.map(|place| place as u32);
        let act = ACTS.iter().position(|act| *act == record.intent);
        let class = RedFlag::ALL.iter().position(|class| class.key() == record.red_flag);
        let danger = class.map(|place| place + 1).or((record.red_flag == NO_FLAG).then_some(0));
        // Where one label alone was written down, the others are not known.
        let distress = record.only.is_none().then_some(usize::from(record.distress));
        Ok(Self { tokens, right: [place(act), place(danger), place(distress)] })
    }
}

/// The names of what is trained, and its first values.
fn first_weights(base: &Tensors, plan: &Plan) -> Result<(Vec<String>, Vec<Trained>)> {
    let mut random = StdRng::seed_from_u64(plan.seed);
    let mut names = encoder::last_layers(base, plan.layers);
    let weights = names.iter().map(|name| Trained::new(&base[name]));
    let mut weights = weights.collect::<Result<Vec<_>>>()?;
    let width = base.get("embeddings.LayerNorm.weight").map_or(0, Tensor::elem_count);
    for (name, outputs) in HEADS {
        let numbers = (0..outputs * width).map(|_| random.random_range(-HEAD_RANGE..HEAD_RANGE));
        let weight = Tensor::from_vec(numbers.collect(), (outputs, width), &Device::Cpu)?;
        let bias = Tensor::zeros(outputs, DType::F32, &Device::Cpu)?;
        names.extend([format!("{name}.weight"), format!("{name}.bias")]);
        weights.extend([Trained::new(&weight)?, Trained::new(&bias)?]);
    }
    Ok((names, weights))
}

impl Utterances {
    /// The weights by their names.
    fn learned<'a>(&'a self, weights: &'a [Trained]) -> impl Iterator<Item = (String, Tensor)> {
        let tensors = weights.iter().map(|trained| trained.weight.as_tensor().clone());
        self.names.iter().cloned().zip(tensors)
    }
}

impl Lesson for Utterances {
    fn examples(&self) -> usize {
        self.examples.len()
    }

    fn length(&self, example: usize) -> usize {
        self.examples[example].tokens.words.len()
    }

    fn loss(&self, batch: &[usize], weights: &[Trained], _: &Plan) -> Result<Tensor> {
        let mut tensors = self.base.clone();
        tensors.extend(self.learned(weights));
        let network = Network::new(&tensors)?;
        let chosen: Vec<&Example> = batch.iter().map(|at| &self.examples[*at]).collect();
        let tokens: Vec<&Tokens> = chosen.iter().map(|example| &example.tokens).collect();
        let outputs = network.forward(&tokens)?;
        let right = |head: usize| chosen.iter().map(move |example| example.right[head]);
        let act = among(&outputs[0], right(0), |_| true)?;
        let safe = among(&outputs[1], right(1), |class| class == 0)?;
        let danger = among(&outputs[1], right(1), |class| class != 0)?;
        let distress = among(&outputs[2], right(2), |_| true)?;
        // The danger's mean, in which an utterance in danger counts more.
        let whole = DANGER_COUNTS.mul_add(danger.1, safe.1).max(1.0);
        let parts = [
            (act.0, f64::from(u8::from(act.1 > 0.0))),
            (safe.0, safe.1 / whole),
            (danger.0, DANGER_COUNTS * danger.1 / whole),
            (distress.0, DISTRESS_COUNTS),
        ];
        let mut sum = Tensor::zeros((), DType::F32, &Device::Cpu)?;
        for (loss, share) in parts {
            sum = match loss {
                Some(loss) => (sum + (loss * share)?)?,
                None => sum,
            };
        }
        Ok(sum)
    }
}

/// The mean loss of the rows that are labelled as wanted, and how many they are.
fn among(
    logits: &Tensor,
    right: impl Iterator<Item = Option<u32>>,
    wanted: impl Fn(u32) -> bool,
) -> Result<(Option<Tensor>, f64)> {
    let rows = right.enumerate();
    let rows = rows.filter_map(|(row, right)| Some((row as u32, right.filter(|it| wanted(*it))?)));
    let (rows, targets): (Vec<u32>, Vec<u32>) = rows.unzip();
    if rows.is_empty() {
        return Ok((None, 0.0));
    }
    let chosen = logits.index_select(&Tensor::new(rows, logits.device())?, 0)?;
    Ok((Some(mean_loss(&chosen, &targets)?), targets.len() as f64))
}
