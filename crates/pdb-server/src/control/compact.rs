//! The command that frees the space of deleted data.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{CommandContext, Refusal};

/// The body of `compact`, which has no parameters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Compact {}

impl CommandContext<'_> {
    pub(super) fn compact(&self, Compact {}: Compact) -> Result<Value, Refusal> {
        let report = self.pretender.compact()?;
        Ok(json!({ "bytes_before": report.bytes_before, "bytes_after": report.bytes_after }))
    }
}
