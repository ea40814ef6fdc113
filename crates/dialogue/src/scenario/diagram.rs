//! A picture of a chapter, out of the same data that calls run on: a Mermaid state diagram.

use std::fmt::Write;

use super::{Chapter, Scenario, State};

impl Scenario {
    /// The chapter as a Mermaid state diagram. States of other chapters are shown where this one
    /// leads to them.
    pub fn diagram(&self, chapter: &Chapter) -> String {
        let name = format!("{} {}", chapter.id, chapter.version);
        let mut text = format!("---\ntitle: {} ({name})\n---\nstateDiagram-v2\n", chapter.title);
        let mine = |state: &&State| state.chapter == name;
        for (state, what) in self.states.iter().filter(|(_, state)| mine(state)) {
            let words = if what.ask.is_empty() { &what.say } else { &what.ask };
            let words = words.replace(['"', ':', ';', '#', '\n'], " ");
            // Writing to a string cannot fail.
            writeln!(text, "    {state} : {state} {}", shortened(&words)).unwrap_or_default();
            for (outcome, target) in self.targets(what) {
                let target = target.trim_start_matches('@');
                writeln!(text, "    {state} --> {target} : {outcome}").unwrap_or_default();
            }
            if what.end {
                writeln!(text, "    {state} --> [*]").unwrap_or_default();
            }
            if state == &self.line.starts.inbound || state == &self.line.starts.preparation {
                writeln!(text, "    [*] --> {state}").unwrap_or_default();
            }
        }
        text
    }
}

/// Characters of a sentence that a picture has room for.
const SHOWN: usize = 60;

fn shortened(words: &str) -> String {
    if words.chars().count() <= SHOWN {
        return words.to_owned();
    }
    let mut short: String = words.chars().take(SHOWN).collect();
    short.push('…');
    short
}
