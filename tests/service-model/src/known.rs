//! The known differences, each with its reason.

/// Lines of a report that are not news. In a line, `*` stands for any text.
#[derive(Debug, Default)]
pub struct Known {
    patterns: Vec<String>,
}

impl Known {
    /// Reads a list: a difference a line, as reports print them. Empty lines and those that begin with `#` do not count.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        Self { patterns: lines.map(str::to_owned).collect() }
    }

    /// Whether a difference is known.
    pub(crate) fn has(&self, difference: &str) -> bool {
        self.patterns.iter().any(|pattern| matches(pattern, difference))
    }

    /// The lines that none of the differences matches.
    pub(crate) fn unmatched<'k>(&'k self, differences: &[String]) -> impl Iterator<Item = &'k str> {
        let has_match = |pattern: &str| differences.iter().any(|difference| matches(pattern, difference));
        self.patterns.iter().map(String::as_str).filter(move |pattern| !has_match(pattern))
    }
}

/// Whether a text is as a pattern says.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(tail) = text.strip_prefix(start) else { return false };
    (0..=tail.len()).any(|at| tail.get(at..).is_some_and(|tail| matches(rest, tail)))
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, expected) in [
            ("operation A", "operation A", true),
            ("operation A", "operation AB", false),
            ("operation *Bulk*", "operation StartBulkPutItems", true),
            ("operation *Bulk", "operation StartBulkPutItems", false),
            ("limit *.TableName most 1024, here 255", "limit Scan.TableName most 1024, here 255", true),
            ("limit *.TableName most 1024, here 255", "limit Scan.TableName most 1024, here 256", false),
            ("*", "é", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
