//! The command that gives space back.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Commanded, Refusal};

/// The body of `compact`: nothing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Compact {}

impl Commanded<'_> {
    pub(super) fn compact(&self, Compact {}: Compact) -> Result<Value, Refusal> {
        let report = self.pretender.compact()?;
        Ok(json!({ "bytes_before": report.bytes_before, "bytes_after": report.bytes_after }))
    }
}
