//! Parsing of the text format of Prometheus.
//!
//! A line is a comment, blank, or a sample: `name{label="value",...} number`. In label values, `\\`, `\"` and `\n` are
//! escapes. Anything else is an error: a text that is not understood completely is not shown in part.

use std::borrow::Cow;

/// A sample of a metric. Borrows from the text.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sample<'t> {
    pub(super) name: &'t str,
    labels: Vec<(&'t str, Cow<'t, str>)>,
    /// May be infinite, or not a number.
    pub(super) value: f64,
}

/// Why a text is not in this format.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: expected {expected}")]
pub(super) struct ParseMetricsError {
    line: usize,
    expected: &'static str,
}

impl Sample<'_> {
    /// Returns the value of a label; empty if there is none, which in this format is the same.
    pub(super) fn label(&self, name: &str) -> &str {
        self.labels.iter().find(|(label, _)| *label == name).map_or("", |(_, value)| value)
    }
}

/// Parses a text.
///
/// # Errors
///
/// The first line that is not in this format.
pub(super) fn parse(text: &str) -> Result<Vec<Sample<'_>>, ParseMetricsError> {
    let mut samples = Vec::new();
    for (at, line) in text.split('\n').enumerate() {
        let mut rest = Rest(line);
        rest.skip_blanks();
        if rest.0.is_empty() || rest.0.starts_with('#') {
            continue;
        }
        samples.push(sample(rest).map_err(|expected| ParseMetricsError { line: at + 1, expected })?);
    }
    Ok(samples)
}

/// What is left of a line.
#[derive(Clone, Copy)]
struct Rest<'t>(&'t str);

fn sample(mut rest: Rest<'_>) -> Result<Sample<'_>, &'static str> {
    let name = rest.name(true).ok_or("the name of a metric")?;
    rest.skip_blanks();
    let labels = if rest.take('{') { labels(&mut rest)? } else { Vec::new() };
    rest.skip_blanks();
    let value = number(rest.word()).ok_or("a number")?;
    rest.skip_blanks();
    // The format allows a time in milliseconds after the number.
    let time = rest.word();
    if !time.is_empty() && time.parse::<i64>().is_err() {
        return Err("the end of the line after the number");
    }
    rest.skip_blanks();
    if rest.0.is_empty() { Ok(Sample { name, labels, value }) } else { Err("the end of the line") }
}

/// Parses labels after the opening brace, up to the closing one.
fn labels<'t>(rest: &mut Rest<'t>) -> Result<Vec<(&'t str, Cow<'t, str>)>, &'static str> {
    let mut labels: Vec<(&str, Cow<'_, str>)> = Vec::new();
    loop {
        rest.skip_blanks();
        // A comma after the last label is allowed.
        if rest.take('}') {
            return Ok(labels);
        }
        let name = rest.name(false).ok_or("the name of a label, or `}`")?;
        if labels.iter().any(|(other, _)| *other == name) {
            return Err("each label only once");
        }
        rest.skip_blanks();
        if !rest.take('=') {
            return Err("`=` after the name of a label");
        }
        rest.skip_blanks();
        if !rest.take('"') {
            return Err("a label's value in double quotes");
        }
        labels.push((name, quoted(rest)?));
        rest.skip_blanks();
        if !rest.take(',') && !rest.0.starts_with('}') {
            return Err("`,` or `}` after a label");
        }
    }
}

/// Parses a label's value after the opening quote, up to the closing one.
fn quoted<'t>(rest: &mut Rest<'t>) -> Result<Cow<'t, str>, &'static str> {
    let mut value = Cow::Borrowed("");
    loop {
        let end = rest.0.find(['"', '\\']).ok_or("`\"` at the end of a label's value")?;
        let (plain, tail) = rest.0.split_at(end);
        value += plain;
        rest.0 = tail;
        if rest.take('"') {
            return Ok(value);
        }
        let escaped = match tail.as_bytes().get(1) {
            Some(b'\\') => "\\",
            Some(b'"') => "\"",
            Some(b'n') => "\n",
            _ => return Err("`\\\\`, `\\\"` or `\\n` after a backslash"),
        };
        value += escaped;
        rest.0 = &tail[2..];
    }
}

/// Parses a number as Go's `strconv.ParseFloat` does, without hexadecimal digits and underscores.
fn number(text: &str) -> Option<f64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_named = ["inf", "infinity", "nan"].iter().any(|name| digits.eq_ignore_ascii_case(name));
    let is_plain = digits.starts_with(|first: char| first.is_ascii_digit() || first == '.');
    if is_named || is_plain { text.parse().ok() } else { None }
}

impl<'t> Rest<'t> {
    fn skip_blanks(&mut self) {
        self.0 = self.0.trim_start_matches([' ', '\t']);
    }

    fn take(&mut self, character: char) -> bool {
        match self.0.strip_prefix(character) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    /// Takes a name, which does not begin with a digit. Those of metrics may have colons.
    fn name(&mut self, is_metric: bool) -> Option<&'t str> {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || (c == ':' && is_metric);
        let end = self.0.find(|c| !is_allowed(c)).unwrap_or(self.0.len());
        let (name, rest) = self.0.split_at(end);
        if name.is_empty() || name.as_bytes()[0].is_ascii_digit() {
            return None;
        }
        self.0 = rest;
        Some(name)
    }

    /// Takes everything up to the next blank.
    fn word(&mut self) -> &'t str {
        let end = self.0.find([' ', '\t']).unwrap_or(self.0.len());
        let (word, rest) = self.0.split_at(end);
        self.0 = rest;
        word
    }
}

#[cfg(test)]
mod tests;
