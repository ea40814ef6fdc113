//! Training on a model small enough for a test: it learns, repeats itself, goes on after a break, and
//! its adapter survives the way through PEFT's files.

use std::io::Cursor;
use std::path::Path;

use candle_core::quantized::gguf_file::{self, Value};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};
use radline_language::model::adapter::Adapter;
use radline_language::model::decoder::{Added, Decoder, KeyValues, Turn};
use radline_language::model::device::DeviceDecoder;
use radline_language::model::gguf::Weights;
use radline_language::model::peft;
use radline_language::model::transformer::{Products, Transformer};
use radline_training::example::Example;
use radline_training::plan::Plan;
use radline_training::trainer::Trainer;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

const WIDTH: usize = 32;
const HEADS: usize = 4;
const KEY_HEADS: usize = 2;
const FEED: usize = 48;
const LAYERS: usize = 3;
const TOKENS: usize = 40;

/// A model of random weights in a file's bytes.
fn tiny() -> Vec<u8> {
    let mut random = StdRng::seed_from_u64(7);
    let mut random_tensor = |rows: usize, columns: usize, most: f32| {
        let values: Vec<f32> =
            (0..rows * columns).map(|_| random.random_range(-most..most)).collect();
        let tensor = Tensor::from_vec(values, (rows, columns), &Device::Cpu).expect("a tensor");
        QTensor::quantize(&tensor, GgmlDType::F32).expect("a tensor")
    };
    let ones = || {
        let ones = Tensor::ones(WIDTH, candle_core::DType::F32, &Device::Cpu).expect("ones");
        QTensor::quantize(&ones, GgmlDType::F32).expect("ones")
    };
    let mut tensors = vec![
        // Wide enough that the model can be sure of a token.
        ("token_embd.weight".to_owned(), random_tensor(TOKENS, WIDTH, 1.0)),
        ("output_norm.weight".to_owned(), ones()),
    ];
    let mut tensor = |rows, columns| random_tensor(rows, columns, 0.2);
    let keys = WIDTH / HEADS * KEY_HEADS;
    for layer in 0..LAYERS {
        let mut add = |name: &str, tensor| tensors.push((format!("blk.{layer}.{name}"), tensor));
        add("attn_norm.weight", ones());
        add("ffn_norm.weight", ones());
        add("attn_q.weight", tensor(WIDTH, WIDTH));
        add("attn_k.weight", tensor(keys, WIDTH));
        add("attn_v.weight", tensor(keys, WIDTH));
        add("attn_output.weight", tensor(WIDTH, WIDTH));
        add("ffn_gate.weight", tensor(FEED, WIDTH));
        add("ffn_up.weight", tensor(FEED, WIDTH));
        add("ffn_down.weight", tensor(WIDTH, FEED));
    }
    let number = |value: usize| Value::U32(value as u32);
    let metadata = [
        ("general.architecture", Value::String("llama".to_owned())),
        ("llama.attention.head_count", number(HEADS)),
        ("llama.attention.head_count_kv", number(KEY_HEADS)),
        ("llama.embedding_length", number(WIDTH)),
        ("llama.block_count", number(LAYERS)),
    ];
    let metadata: Vec<(&str, &Value)> =
        metadata.iter().map(|(name, value)| (*name, value)).collect();
    let tensors: Vec<(&str, &QTensor)> =
        tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    let mut file = Cursor::new(Vec::new());
    gguf_file::write(&mut file, &metadata, &tensors).expect("written");
    file.into_inner()
}

fn weights() -> Weights<Cursor<Vec<u8>>> {
    Weights::open(Cursor::new(tiny())).expect("a file")
}

fn model() -> Transformer {
    Transformer::load(&mut weights(), &Device::Cpu, Products::Packed).expect("a model")
}

/// Prompts of three tokens, each followed by two of its own.
fn examples() -> Vec<Example> {
    (0..12_u32)
        .map(|n| Example { tokens: vec![n, n + 1, 20, 21 + n, 39 - n, 0], line_at: 3 })
        .collect()
}

fn plan() -> Plan {
    Plan { layers: 2, rank: 8, alpha: 16.0, passes: 40, batch: 4, rate: 2e-2, ..Plan::default() }
}

/// The adapter and the losses of a run.
fn trained(plan: &Plan) -> (Adapter, Vec<f64>) {
    let model = model();
    let mut trainer = Trainer::new(&model, plan.clone(), examples(), &[], |_| ()).expect("a run");
    let mut losses = Vec::new();
    trainer
        .run(|_, progress| {
            losses.push(progress.loss);
            true
        })
        .expect("it runs");
    (trainer.adapter(), losses)
}

fn values(adapter: &Adapter) -> Vec<f32> {
    let tensors = adapter.all().flat_map(|(_, _, lora)| [lora.a.clone(), lora.b.clone()]);
    tensors
        .flat_map(|tensor| tensor.flatten_all().and_then(|flat| flat.to_vec1()).expect("numbers"))
        .collect()
}

/// How far two lists of numbers are apart, as a share of their size.
fn apart(one: &[f32], other: &[f32]) -> f32 {
    let size = |values: &mut dyn Iterator<Item = f32>| {
        values.map(|value| value * value).sum::<f32>().sqrt()
    };
    let off = size(&mut one.iter().zip(other).map(|(one, other)| one - other));
    off / size(&mut one.iter().copied())
}

#[test]
fn what_is_shown_is_learned_and_the_same_seed_learns_the_same() {
    let (first, losses) = trained(&plan());
    let (begin, end) = (losses[0], losses[losses.len() - 1]);
    assert!(begin > 3.0 && end < 0.3, "from {begin} to {end}");
    assert_eq!(values(&first), values(&trained(&plan()).0));
    let other = trained(&Plan { seed: 2, ..plan() }).0;
    assert_ne!(values(&first), values(&other));
}

#[test]
fn a_run_that_was_broken_off_goes_on_as_if_it_had_not_been() {
    let folder = tempfile::tempdir().expect("a folder");
    let (whole, _) = trained(&plan());
    let model = model();
    // Broken off in the middle of a pass.
    let mut first = Trainer::new(&model, plan(), examples(), &[], |_| ()).expect("a run");
    first.run(|_, progress| progress.step < 100).expect("it runs");
    first.keep(folder.path()).expect("kept");
    let mut second = Trainer::new(&model, plan(), examples(), &[], |_| ()).expect("a run");
    assert_eq!(second.take_up(folder.path()).expect("taken up"), 100);
    second.run(|_, _| true).expect("it runs");
    assert_eq!(values(&whole), values(&second.adapter()));
    let other = Plan { rank: 5, ..plan() };
    let mut third = Trainer::new(&model, other, examples(), &[], |_| ()).expect("a run");
    let error = third.take_up(folder.path()).expect_err("another plan");
    assert!(error.to_string().contains("another plan"), "{error}");
}

#[test]
fn an_adapter_comes_back_from_the_files_of_peft() {
    let folder = tempfile::tempdir().expect("a folder");
    let (adapter, _) = trained(&plan());
    let model = model();
    peft::save(&adapter, model.shape(), "tiny", folder.path()).expect("saved");
    let back = peft::load(folder.path(), model.shape()).expect("loaded");
    // They hold 16 bits of every number.
    for (kept, read) in values(&adapter).iter().zip(values(&back)) {
        assert!((kept - read).abs() < 1e-3, "{kept} {read}");
    }
    let ids = Tensor::new(&[[1_u32, 2, 20]], &Device::Cpu).expect("tokens");
    let state = |adapter: Option<&Adapter>| {
        let state = model.embed(&ids).and_then(|state| model.layers(0..LAYERS, state, adapter));
        let numbers = state.and_then(|state| state.flatten_all()?.to_vec1::<f32>());
        numbers.expect("a state")
    };
    // Inputs have eight bits, of which the last may turn with what 16 bits lose.
    assert!(apart(&state(Some(&adapter)), &state(Some(&back))) < 0.01);
    assert_ne!(state(Some(&adapter)), state(None));
    // Adding nothing changes nothing, whichever operations compute it.
    assert!(apart(&state(Some(&Adapter::default())), &state(None)) < 0.01);
    assert!(Path::new(folder.path()).join("adapter_config.json").is_file());
}

#[test]
fn callers_are_read_with_what_was_trained() {
    let (adapter, _) = trained(&plan());
    let (model, decoder) = (model(), Decoder::load(&mut weights()).expect("a model"));
    let added = Added::new(&adapter, LAYERS).expect("an adapter");
    let tokens = [3_u32, 4, 20, 24, 36];
    let vocabulary: Vec<u32> = (0..TOKENS as u32).collect();
    for (adapter, added) in [(Some(&adapter), Some(&added)), (None, None)] {
        let slow = model.logits_after(&tokens, adapter).expect("logits");
        // In two goes, and beside another call, the same comes out.
        let (mut keys, mut others) = (KeyValues::default(), KeyValues::default());
        let mut read = |tokens: &[u32], other: &[u32]| {
            let mut turns =
                [Turn { tokens: other, keys: &mut others }, Turn { tokens, keys: &mut keys }];
            decoder.forward(&mut turns, added).expect("it reads").remove(1)
        };
        read(&tokens[..2], &[9]);
        let fast = decoder.logits(&read(&tokens[2..], &[8, 7]), &vocabulary);
        assert!(apart(&slow, &fast) < 0.05, "{slow:?} {fast:?}");
    }
    let nothing =
        decoder.forward(&mut [Turn { tokens: &[], keys: &mut KeyValues::default() }], None);
    assert!(nothing.is_err());
}

#[test]
fn a_device_reads_as_the_processor_does() {
    let (adapter, _) = trained(&plan());
    // The processor stands for the device: the operations are the same.
    let decoder = DeviceDecoder::load(&mut weights(), &Device::Cpu).expect("a model");
    let (model, brought) = (model(), decoder.bring(&adapter).expect("an adapter"));
    let tokens = [3_u32, 4, 20, 24, 36];
    let vocabulary: Vec<u32> = (0..TOKENS as u32).collect();
    for (adapter, brought) in [(Some(&adapter), Some(&brought)), (None, None)] {
        let exact = model.logits_after(&tokens, adapter).expect("logits");
        let (mut keys, mut others) = (KeyValues::default(), KeyValues::default());
        let mut read = |tokens: &[u32], other: &[u32]| {
            let mut turns =
                [Turn { tokens: other, keys: &mut others }, Turn { tokens, keys: &mut keys }];
            decoder.forward(&mut turns, brought).expect("it reads").remove(1)
        };
        read(&tokens[..2], &[9]);
        let state = read(&tokens[2..], &[8, 7]);
        let read = decoder.logits(&state, &vocabulary).expect("logits");
        assert!(apart(&exact, &read) < 0.05, "{exact:?} {read:?}");
    }
    let mut keys = KeyValues::default();
    assert!(decoder.forward(&mut [Turn { tokens: &[], keys: &mut keys }], None).is_err());
    let unknown = [TOKENS as u32];
    assert!(decoder.forward(&mut [Turn { tokens: &unknown, keys: &mut keys }], None).is_err());
}
