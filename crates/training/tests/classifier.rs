//! The classifier's run, on a tiny encoder.

use candle_core::{Device, Tensor};
use radline_language::model::classifier::{EncoderTokenizer, Network};
use radline_language::model::encoder::{self, Tensors};
use radline_training::classifier::ClassifierRun;
use radline_training::plan::Plan;
use radline_training::record::Record;

const WIDTH: usize = 24;
const WORDS: [&str; 12] = [
    "[PAD]", "[CLS]", "[SEP]", "[UNK]", "open", "yes", "no", "book", "cancel", "blood", "dizzy",
    "please",
];

fn tokenizer() -> EncoderTokenizer {
    let vocabulary: Vec<String> =
        WORDS.iter().enumerate().map(|(at, word)| format!("\"{word}\": {at}")).collect();
    let json = format!(
        r#"{{"version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
        "normalizer": null, "pre_tokenizer": {{"type": "Whitespace"}}, "decoder": null,
        "post_processor": {{"type": "BertProcessing", "sep": ["[SEP]", 2], "cls": ["[CLS]", 1]}},
        "model": {{"type": "WordLevel", "vocab": {{{}}}, "unk_token": "[UNK]"}}}}"#,
        vocabulary.join(",")
    );
    EncoderTokenizer::from_json(json.as_bytes()).expect("a tokenizer")
}

/// An encoder of two layers with numbers that look random and are the same every time.
fn base() -> Tensors {
    let mut state = 7_u32;
    let mut next = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((state >> 8) as f32 / (1 << 23) as f32 - 1.0) * 0.3
    };
    let mut tensors = Tensors::new();
    let mut add = |name: String, shape: &[usize]| {
        let norm = name.ends_with("LayerNorm.weight");
        let values = (0..shape.iter().product()).map(|_| if norm { 1.0 } else { next() });
        let values: Vec<f32> = values.collect();
        tensors.insert(name, Tensor::from_vec(values, shape, &Device::Cpu).expect("a tensor"));
    };
    for (name, rows) in [
        ("word_embeddings", WORDS.len()),
        ("position_embeddings", 16),
        ("token_type_embeddings", 2),
    ] {
        add(format!("embeddings.{name}.weight"), &[rows, WIDTH]);
    }
    let mut pair = |name: &str, shape: &[usize]| {
        add(format!("{name}.weight"), shape);
        add(format!("{name}.bias"), &shape[..1]);
    };
    pair("embeddings.LayerNorm", &[WIDTH]);
    for layer in 0..2 {
        let name = |part: &str| format!("encoder.layer.{layer}.{part}");
        for part in ["self.query", "self.key", "self.value", "output.dense"] {
            pair(&name(&format!("attention.{part}")), &[WIDTH, WIDTH]);
        }
        pair(&name("attention.output.LayerNorm"), &[WIDTH]);
        pair(&name("intermediate.dense"), &[2 * WIDTH, WIDTH]);
        pair(&name("output.dense"), &[WIDTH, 2 * WIDTH]);
        pair(&name("output.LayerNorm"), &[WIDTH]);
    }
    tensors
}

fn records() -> Vec<Record> {
    let lines = [
        ("book please", "book", "none", 0),
        ("please book", "book", "none", 0),
        ("cancel please", "cancel", "none", 0),
        ("please cancel", "cancel", "none", 0),
        ("blood", "report_symptom", "life_threat", 2),
        ("dizzy blood", "report_symptom", "life_threat", 2),
        ("no", "deny", "none", 0),
        ("yes", "affirm", "none", 0),
    ];
    let records = lines.map(|(said, intent, flag, distress)| {
        let json = format!(
            r#"{{"expects": "open", "said": "{said}", "intent": "{intent}", "red_flag": "{flag}",
            "distress": {distress}}}"#
        );
        serde_json::from_str(&json).expect("a record")
    });
    // One of which only the danger is known.
    let only = r#"{"expects": "open", "said": "dizzy", "red_flag": "none", "only": "red_flag"}"#;
    records.into_iter().chain([serde_json::from_str(only).expect("a record")]).collect()
}

fn plan() -> Plan {
    Plan { layers: 1, passes: 60, batch: 4, rate: 5e-3, ..Plan::default() }
}

fn run(plan: Plan) -> ClassifierRun {
    ClassifierRun::new(base(), &tokenizer(), &records(), &[], plan).expect("a run")
}

/// What a run has learned, as the file holds it.
fn learned(run: &ClassifierRun) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("learned.safetensors");
    run.write(&file).expect("written");
    std::fs::read(file).expect("read")
}

#[test]
fn what_is_shown_is_learned_and_only_the_last_layers_change() {
    let mut run = run(plan());
    run.run(|_, _| true).expect("it runs");
    let learned = encoder::tensors(&learned(&run)).expect("tensors");
    assert!(learned.keys().any(|name| name.starts_with("encoder.layer.1.")));
    assert!(!learned.keys().any(|name| name.starts_with("encoder.layer.0.")));
    let mut tensors = base();
    tensors.extend(learned);
    let network = Network::new(&tensors).expect("a network");
    let (tokenizer, records) = (tokenizer(), records());
    let flagged: Vec<bool> = records
        .iter()
        .map(|record| {
            let tokens = tokenizer.tokens(record.expectation(), "", &record.said).expect("tokens");
            let outputs = network.forward(&[&tokens]).expect("read");
            let danger: Vec<f32> =
                outputs[1].flatten_all().and_then(|row| row.to_vec1()).expect("numbers");
            danger[1..].iter().any(|likely| *likely > danger[0])
        })
        .collect();
    let meant: Vec<bool> = records.iter().map(|record| record.red_flag != "none").collect();
    assert_eq!(flagged, meant);
}

#[test]
fn a_run_that_was_broken_off_goes_on_as_if_it_had_not_been() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut whole = run(plan());
    whole.run(|_, _| true).expect("it runs");
    let mut first = run(plan());
    first.run(|_, progress| progress.step < 50).expect("it runs");
    first.keep(folder.path()).expect("kept");
    let mut second = run(plan());
    assert_eq!(second.take_up(folder.path()).expect("taken up"), 50);
    second.run(|_, _| true).expect("it runs");
    assert_eq!(learned(&whole), learned(&second));
    let mut other = run(Plan { seed: 2, ..plan() });
    assert!(other.take_up(folder.path()).is_err(), "another plan");
}
