//! The language model fails in every way that it can, and calls go on.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use radline_dialogue::{Expectation, Question};
use radline_language::model::turn_reader::{Reading, TurnReader};
use radline_language::model::{ModelError, peft};
use radline_server::models::Manifest;
use radline_server::models::cache::LANGUAGE;
use radline_server::workers::Reader;
use radline_server::workers::endpoint::{Endpoint, EndpointConfig};
use radline_server::workers::reading::READING_LIMIT;
use radline_tests::UNTIL_READ_BACK;
use radline_tests::server::{json, models, root, talk};
use serde_json::{Value, json};

#[tokio::test]
async fn a_booking_comes_about_without_the_model_and_with_a_damaged_one() -> Result<()> {
    let name = Manifest::built_in().file(LANGUAGE).to_owned();
    let mut whole = fs::File::open(models()?.join(&name))?;
    let mut beginning = vec![0; 1 << 20];
    whole.read_exact(&mut beginning)?;
    for file in [None, Some(beginning), Some(b"not a model".to_vec())] {
        let (folder, data) = (tempfile::tempdir()?, tempfile::tempdir()?);
        if let Some(bytes) = &file {
            fs::write(folder.path().join(&name), bytes)?;
        }
        // No parser knows the second line.
        let odd = ["yes", "the bloke at the surgery wants a snap of my insides"];
        let lines = [&odd, &UNTIL_READ_BACK[1..], &["yes", "no"]].concat();
        let turns = talk(data.path(), Some(folder.path()), &lines).await?;
        let last = turns.last().context("turns")?;
        ensure!(last["ended"] == "finished", "{last}");
        let booked = json(data.path(), &["appointments", "list"]).await?;
        ensure!(booked.len() == 1, "{booked:?}");
    }
    Ok(())
}

#[test]
fn numbers_that_are_none_are_an_error_and_no_reading() -> Result<()> {
    let adapter = root().join("crates/language/data/understanding.en");
    let folder = tempfile::tempdir()?;
    fs::copy(adapter.join("adapter_config.json"), folder.path().join("adapter_config.json"))?;
    let mut weights = fs::read(adapter.join("adapter_model.safetensors"))?;
    let head = usize::try_from(u64::from_le_bytes(weights[..8].try_into()?))? + 8;
    for number in weights[head..].chunks_exact_mut(2) {
        // Not a number, in sixteen bits.
        number.copy_from_slice(&[0x00, 0x7e]);
    }
    fs::write(folder.path().join("adapter_model.safetensors"), weights)?;
    let file = models()?.join(Manifest::built_in().file(LANGUAGE));
    let model = TurnReader::load(&file, |shape| peft::load(folder.path(), shape))?;
    let asked = model.unread(Expectation::YesNo, "Is that right?");
    let read = model.read(&asked, "spot on", Duration::from_secs(20));
    ensure!(matches!(read, Err(ModelError::Inference(_))), "{read:?}");
    Ok(())
}

/// What a server of models does with a request.
#[derive(Clone)]
enum Behaviour {
    Answers(String),
    Hangs,
    HangsUp,
}

/// A server that does the same with every request; what it was sent comes out of the channel.
fn server(behaviour: Behaviour) -> Result<(SocketAddr, mpsc::Receiver<Value>)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let mut kept = Vec::new();
        for stream in listener.incoming().flatten() {
            let behaviour = behaviour.clone();
            match handle(stream, behaviour) {
                Ok((request, stream)) => {
                    kept.push(stream);
                    if tell.send(request).is_err() {
                        return;
                    }
                }
                Err(_) => return,
            }
        }
    });
    Ok((address, told))
}

fn handle(mut stream: TcpStream, behaviour: Behaviour) -> Result<(Value, TcpStream)> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut length, mut line) = (0, String::new());
    while reader.read_line(&mut line)? > 2 {
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse()?;
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    match behaviour {
        Behaviour::Answers(answer) => stream.write_all(answer.as_bytes())?,
        Behaviour::HangsUp => stream.shutdown(std::net::Shutdown::Both)?,
        Behaviour::Hangs => {}
    }
    Ok((serde_json::from_slice(&body)?, stream))
}

fn answer(status: &str, body: &str) -> Behaviour {
    let length = body.len();
    Behaviour::Answers(format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    ))
}

fn message(line: &str) -> Behaviour {
    answer("200 OK", &json!({"choices": [{"message": {"content": line}}]}).to_string())
}

/// What a call gets from a model at an address, in time.
fn reading_at(address: SocketAddr) -> Result<Option<Reading>> {
    reading_of(address, false)
}

fn reading_of(address: SocketAddr, tuned: bool) -> Result<Option<Reading>> {
    let config = EndpointConfig {
        url: format!("http://{address}/v1").parse()?,
        model: "any".to_owned(),
        key: None,
        tuned,
    };
    let reader = Reader::remote(Endpoint::new(config)?)?;
    let (tell, told) = mpsc::channel();
    let question = Question::of(Expectation::Open);
    reader.read(1, question, "where do I leave the car".into(), move |reading| {
        tell.send(reading).expect("the test waits");
    });
    let reading = told.recv_timeout(READING_LIMIT + Duration::from_secs(10));
    reader.close();
    reading.context("the call waited for nothing")
}

#[test]
fn a_model_elsewhere_is_read_and_its_failures_are_no_reading() -> Result<()> {
    let (address, requests) = server(message("clinic_question parking\n"))?;
    let reading = reading_at(address)?.context("a reading")?;
    ensure!(reading.labels.topic == "parking", "{reading:?}");
    let request = requests.recv_timeout(Duration::from_secs(1))?;
    let messages = request["messages"].as_array().context("messages")?;
    let last = messages.last().context("one at least")?;
    ensure!(last["content"] == "open: \nwhere do i leave the car", "{last}");

    let text = json!({"choices": [{"text": "clinic_question parking"}]}).to_string();
    let (address, requests) = server(answer("200 OK", &text))?;
    let reading = reading_of(address, true)?.context("a reading")?;
    ensure!(reading.labels.topic == "parking", "{reading:?}");
    let request = requests.recv_timeout(Duration::from_secs(1))?;
    ensure!(request["prompt"] == "open: \nwhere do i leave the car\n", "{request}");

    let failures = [
        message("I would suggest that you park in the street."),
        message("provide; medication glorbon"),
        answer("200 OK", "no json"),
        answer("200 OK", "{}"),
        answer("500 Internal Server Error", "{}"),
        answer("302 Found\r\nlocation: http://127.0.0.1:9/", "{}"),
        Behaviour::Hangs,
        Behaviour::HangsUp,
    ];
    for behaviour in failures {
        let (address, requests) = server(behaviour)?;
        ensure!(reading_at(address)?.is_none(), "that was no reading");
        drop(requests);
    }
    let nobody = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    ensure!(reading_at(nobody)?.is_none(), "nobody is there");
    Ok(())
}

#[test]
fn without_a_model_the_answer_is_immediate() -> Result<()> {
    let reader = Reader::absent();
    let (tell, told) = mpsc::channel();
    let question = Question::of(Expectation::Open);
    reader.ask(1, question.clone());
    reader.read(1, question, "where do I leave the car".into(), move |reading| {
        tell.send(reading.is_none()).expect("the test waits");
    });
    ensure!(told.try_recv() == Ok(true), "nobody had to wait");
    reader.forget(1);
    reader.close();
    Ok(())
}
