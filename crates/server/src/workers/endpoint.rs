//! A language model behind an interface like OpenAI's (vLLM, SGLang, llama.cpp, Ollama): for models that
//! are too big for this machine.
//!
//! The caller's words leave this machine for that server, which has to be the hospital's own.

use std::fmt;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use radline_dialogue::Question;
use radline_language::model::remote::{LineReader, beginning, conversation};
use radline_language::model::turn_reader::Reading;
use serde_json::{Value, json};
use url::Url;

/// Most tokens of a line.
const LINE_MAX: usize = 64;
/// Longest answer that is read, bytes.
const ANSWER_MAX: u64 = 64 * 1024;
/// How sure an answer is taken to be that does not tell: enough to be confirmed by the caller.
const CONFIDENCE_UNTOLD: f32 = 0.5;

/// Where the model is.
#[derive(Clone)]
pub struct EndpointConfig {
    /// The interface's address, such as `http://10.0.0.5:8000/v1`.
    pub url: Url,
    /// The model's name there.
    pub model: String,
    /// What it asks for as a key.
    pub key: Option<String>,
    /// It has our adapter (`radline train export`), and needs neither instructions nor examples.
    pub tuned: bool,
}

impl fmt::Debug for EndpointConfig {
    /// Without the key.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} at {}", self.model, self.url)
    }
}

/// A connection to it. Several threads may use it.
pub struct Endpoint {
    config: EndpointConfig,
    agent: ureq::Agent,
    lines: LineReader,
}

impl Endpoint {
    /// Connects when it is asked first.
    ///
    /// # Errors
    /// The grammar does not compile.
    pub fn new(config: EndpointConfig) -> Result<Self> {
        let agent = ureq::Agent::config_builder().max_redirects(0).build().into();
        Ok(Self { config, agent, lines: LineReader::new()? })
    }

    /// Reads what was said in answer to a question, within `limit`.
    ///
    /// # Errors
    /// The server is not there, is late, refuses, or answers something else than labels.
    pub fn read(&self, question: &Question, said: &str, limit: Duration) -> Result<Reading> {
        let answer = self.send(&self.request(question, said), limit)?;
        let choice = &answer["choices"][0];
        let line = if self.config.tuned { &choice["text"] } else { &choice["message"]["content"] };
        let Some(line) = line.as_str() else { bail!("its answer has no message") };
        let labels = self.lines.read(said, line)?;
        let confidence = confidence(&tokens(&choice["logprobs"]));
        // How likely a danger is that it did not name, it does not tell.
        let danger = (!labels.danger.is_empty()).then_some(confidence);
        Ok(Reading { labels, confidence, acts: Vec::new(), danger })
    }

    /// What it is asked.
    fn request(&self, question: &Question, said: &str) -> Value {
        let asked = question.asked.expose();
        let mut body = json!({
            "model": self.config.model,
            "temperature": 0,
            "max_tokens": LINE_MAX,
            "stop": ["\n"],
        });
        if self.config.tuned {
            body["prompt"] = beginning(question.expectation, asked, said).into();
            body["logprobs"] = 1.into();
        } else {
            let messages = conversation(question.expectation, asked, said);
            body["messages"] = messages
                .into_iter()
                .map(|(role, content)| json!({"role": role.name(), "content": content}))
                .collect();
            body["logprobs"] = true.into();
        }
        body
    }

    /// Its answer, which has to be there within `limit`.
    fn send(&self, body: &Value, limit: Duration) -> Result<Value> {
        let place = if self.config.tuned { "completions" } else { "chat/completions" };
        let url = format!("{}/{place}", self.config.url.as_str().trim_end_matches('/'));
        let mut request = self
            .agent
            .post(&url)
            .config()
            .timeout_global(Some(limit))
            .build()
            .header("content-type", "application/json");
        if let Some(key) = &self.config.key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        let mut answer = request.send(body.to_string()).context("it does not answer")?;
        let text = answer.body_mut().with_config().limit(ANSWER_MAX).read_to_string()?;
        serde_json::from_str(&text).context("its answer is no JSON")
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The tokens of an answer with the logarithm of their probability, in the form of conversations or in that of
/// completions; none where the server does not tell.
fn tokens(told: &Value) -> Vec<(&str, f64)> {
    if let Some(tokens) = told["content"].as_array() {
        let pairs = tokens.iter().map(|token| (text(&token["token"]), token["logprob"].as_f64()));
        return pairs.filter_map(|(token, logarithm)| Some((token, logarithm?))).collect();
    }
    let (Some(tokens), Some(logarithms)) =
        (told["tokens"].as_array(), told["token_logprobs"].as_array())
    else {
        return Vec::new();
    };
    let pairs = tokens.iter().zip(logarithms);
    pairs.filter_map(|(token, logarithm)| Some((text(token), logarithm.as_f64()?))).collect()
}

/// Probability of the act and its topic, where the server tells that of each token.
fn confidence(tokens: &[(&str, f64)]) -> f32 {
    if tokens.is_empty() {
        return CONFIDENCE_UNTOLD;
    }
    let head = tokens.iter().take_while(|(token, _)| !token.contains(';'));
    let sum: f64 = head.map(|(_, logarithm)| logarithm).sum();
    (sum.exp() as f32).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn confidence_is_that_of_the_act() {
        let of_conversations = json!({"content": [
            {"token": "bo", "logprob": -0.1},
            {"token": "ok", "logprob": -0.2},
            {"token": ";", "logprob": -3.0},
            {"token": " side", "logprob": -3.0},
        ]});
        let of_completions = json!({
            "tokens": ["bo", "ok", ";", " side"],
            "token_logprobs": [-0.1, -0.2, -3.0, -3.0],
        });
        for told in [of_conversations, of_completions] {
            assert!((confidence(&tokens(&told)) - (-0.3_f32).exp()).abs() < 1e-6, "{told}");
        }
        assert!((confidence(&tokens(&Value::Null)) - CONFIDENCE_UNTOLD).abs() < 1e-6);
    }
}
