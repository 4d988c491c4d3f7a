//! The code in the body of an error.

/// How the body of each error begins.
const PREFIX: &[u8] = br#"{"__type":""#;

/// Returns the code of an error, such as `ValidationException`; `None` if the body is not that of an error of the API. Does not parse the
/// body, which may hold whole items.
pub(crate) fn find(body: &[u8]) -> Option<String> {
    let kind = body.strip_prefix(PREFIX)?;
    let end = kind.iter().position(|byte| *byte == b'"')?;
    let kind = std::str::from_utf8(&kind[..end]).ok()?;
    kind.rsplit('#').next().map(str::to_owned)
}
