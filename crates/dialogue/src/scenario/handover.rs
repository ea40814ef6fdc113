//! What is said and done around a person taking over a call: a site's data, as the states are.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What is said and done around a person taking over.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Handover {
    /// The state after a person has given the caller back.
    pub returned: String,
    /// The state after the connection to the person broke.
    pub lost: String,
    /// The state after a person did not let a reply pass.
    pub rejected: String,
    /// Said every now and then to a caller who is the next to be taken.
    pub next_in_line: String,
    /// Said every now and then to a caller with others before them; `{place}` counts from two.
    pub place_in_line: String,
    /// Said to anything that is no reason to stop waiting.
    pub still: String,
    /// Words of a caller who would rather be called back than wait.
    pub declines: Vec<String>,
    /// What a provider does first, by the name of the reason; "red_flag self_harm", "screening".
    pub steps: BTreeMap<String, String>,
}
