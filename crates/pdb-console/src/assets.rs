//! The files that belong to the pages.

use crate::Answer;

const STYLE: &str = include_str!("../assets/console.css");
const ICON: &str = include_str!("../assets/console.svg");
const SCRIPT: &str = include_str!("../assets/console.js");
const REFRESH: &str = include_str!("../assets/refresh.js");
const STREAM_STYLE: &str = include_str!("../assets/stream.css");
const STREAM_SCRIPT: &str = include_str!("../assets/stream.js");

/// Returns the file that belongs to the pages and has this name, such as `console.css`. It is the same for every database.
#[must_use]
pub fn asset(name: &str) -> Option<Answer> {
    let (content_type, text) = match name {
        "console.css" => ("text/css; charset=utf-8", STYLE),
        "console.svg" => ("image/svg+xml", ICON),
        "console.js" => ("text/javascript; charset=utf-8", SCRIPT),
        "refresh.js" => ("text/javascript; charset=utf-8", REFRESH),
        "stream.css" => ("text/css; charset=utf-8", STREAM_STYLE),
        "stream.js" => ("text/javascript; charset=utf-8", STREAM_SCRIPT),
        _ => return None,
    };
    Some(Answer::Asset { content_type, bytes: text.as_bytes() })
}
