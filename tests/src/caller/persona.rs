//! Who calls: what they say to which words.

use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

/// Who calls.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Persona {
    /// For the screen.
    pub name: String,
    /// What they say first when their telephone rings.
    pub picks_up: Option<String>,
    /// Lines, each with the words that call for it.
    #[serde(rename = "line")]
    pub lines: Vec<Line>,
    /// What they say when nothing fits.
    pub otherwise: String,
    /// More turns than this are a failed call.
    pub turns_max: usize,
}

/// One thing to say.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Any of these words in the agent's turn, lower-case.
    pub heard: Vec<String>,
    /// The answer.
    pub say: String,
}

impl Persona {
    /// The patient of the demonstration clinic who books an MRI.
    pub fn carter() -> Result<Self> {
        Self::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("personas/carter.toml"))
    }

    /// Reads a persona file.
    pub fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        toml::from_str(&text).with_context(|| path.display().to_string())
    }

    /// The answer to what the agent said: the line whose words come last, because the question
    /// comes last.
    pub fn answer(&self, heard: &str) -> &str {
        let plain: String = heard
            .to_lowercase()
            .chars()
            .map(|c| if c.is_alphanumeric() { c } else { ' ' })
            .collect();
        let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
        let position =
            |line: &&Line| line.heard.iter().filter_map(|words| plain.rfind(words)).max();
        let best = self.lines.iter().filter(|line| position(line).is_some()).max_by_key(position);
        best.map_or(&self.otherwise, |line| &line.say)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_question_is_answered() {
        let persona = Persona::carter().expect("reads");
        let heard = "Thank you, Amara. I have your order here. Which side is to be examined?";
        assert_eq!(persona.answer(heard), "The left one.");
        assert_eq!(persona.answer("blah"), persona.otherwise);
    }
}
