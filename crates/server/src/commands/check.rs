//! `radline check`: is a site pack sound?

use std::path::Path;

use anyhow::{Context, Result, bail};
use jiff::civil::Date;
use radline_dialogue::model_checker::Finding;
use radline_dialogue::{model_checker, record_check};
use serde_json::json;

use crate::clock::Clock;
use crate::site::Site;
use crate::terminal;

/// Loads the pack, proves its dialogues sound, and checks its records for the day `on`, or else for
/// the site's today. Fails when something does not hold. `diagrams` gets a Mermaid picture of each
/// chapter.
pub fn run(folder: &Path, on: Option<Date>, json: bool, diagrams: Option<&Path>) -> Result<()> {
    let site = Site::load(folder)?;
    let today = on.unwrap_or_else(|| Clock::real(site.timezone.clone()).moment().local.date());
    let scenario = &site.scenario;
    let mut findings = model_checker::check(scenario);
    findings.extend(record_check::check(&site.facts, scenario, today));
    if let Some(target) = diagrams {
        std::fs::create_dir_all(target).with_context(|| target.display().to_string())?;
        for chapter in &scenario.chapters {
            let file = target.join(format!("{}.mmd", chapter.id.to_lowercase()));
            std::fs::write(&file, scenario.diagram(chapter))
                .with_context(|| file.display().to_string())?;
        }
    }
    if json {
        terminal::line(&described(&site, &findings).to_string())?;
    } else {
        for finding in &findings {
            terminal::line(&format!("{}\n  {}", finding.place, finding.what))?;
            for line in &finding.dialogue {
                terminal::line(&format!("    {line}"))?;
            }
        }
    }
    if !findings.is_empty() {
        bail!("{}: {} finding(s)", folder.display(), findings.len());
    }
    if !json {
        let facts = &site.facts;
        terminal::line(&format!(
            "{}: {} states in {} chapters, {} safety questions, {} records, {} instructions: sound",
            site.name,
            scenario.states.len(),
            scenario.chapters.len(),
            scenario.screening.len(),
            facts.knowledge.len(),
            facts.instructions.len(),
        ))?;
        if facts.demonstration {
            terminal::line("This is a demonstration: it speaks records that nobody has signed.")?;
        }
    }
    Ok(())
}

fn described(site: &Site, findings: &[Finding]) -> serde_json::Value {
    let findings: Vec<_> = findings
        .iter()
        .map(|finding| {
            json!({ "place": finding.place, "what": finding.what, "dialogue": finding.dialogue })
        })
        .collect();
    json!({ "site": site.name, "sound": findings.is_empty(), "findings": findings })
}
