//! Whether every dependency may be in the binary: its licence against the list in `deny.toml`.

use std::fs;

use anyhow::{Context, Result};
use serde_json::Value;
use spdx::{Expression, LicenseReq, ParseMode};

use crate::shell;

/// Packages whose licence is not on the list, one line each.
pub(crate) fn findings() -> Result<Vec<String>> {
    let path = shell::root().join("deny.toml");
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let policy: toml::Table = text.parse().context("deny.toml is not TOML")?;
    let allowed = policy.get("licenses").and_then(|licences| licences.get("allow")?.as_array());
    let allowed = allowed.context("deny.toml allows no licence")?;
    let allowed: Vec<String> =
        allowed.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect();
    let metadata = shell::output(&mut shell::cargo(&["metadata", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_str(&metadata).context("cargo metadata is not JSON")?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    Ok(packages.filter_map(|package| finding(package, &allowed)).collect())
}

fn finding(package: &Value, allowed: &[String]) -> Option<String> {
    let name = package["name"].as_str().unwrap_or_default();
    let Some(licence) = package["license"].as_str() else {
        return Some(format!("{name} names no licence"));
    };
    if is_allowed(licence, allowed) {
        return None;
    }
    Some(format!("{name} is under {licence}, which deny.toml does not allow"))
}

/// Whether the expression can be met with the allowed licences alone.
fn is_allowed(licence: &str, allowed: &[String]) -> bool {
    let listed = |requirement: &LicenseReq| {
        let name = requirement.to_string();
        allowed.contains(&name)
    };
    Expression::parse_mode(licence, ParseMode::LAX)
        .is_ok_and(|expression| expression.evaluate(listed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_several_licences_is_enough_and_all_of_several_are_needed() {
        let allowed = ["MIT".to_owned(), "Apache-2.0 WITH LLVM-exception".to_owned()];
        for licence in ["MIT", "MIT/GPL-3.0", "GPL-3.0 OR MIT", "Apache-2.0 WITH LLVM-exception"] {
            assert!(is_allowed(licence, &allowed), "{licence}");
        }
        for licence in ["GPL-3.0-only", "MIT AND AGPL-3.0-only", "Apache-2.0", "something else"] {
            assert!(!is_allowed(licence, &allowed), "{licence}");
        }
    }
}
