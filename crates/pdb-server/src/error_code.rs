//! The code in the body of an error.

use std::borrow::Cow;

use serde::Deserialize;

#[derive(Deserialize)]
struct Error<'a> {
    #[serde(rename = "__type", borrow)]
    kind: Cow<'a, str>,
}

/// Returns the code of an error, such as `ValidationException`; `None` if the body is not that of an error of the API.
pub(crate) fn find(body: &[u8]) -> Option<String> {
    let error: Error<'_> = serde_json::from_slice(body).ok()?;
    error.kind.rsplit('#').next().map(str::to_owned)
}
