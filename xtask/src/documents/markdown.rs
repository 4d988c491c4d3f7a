//! The snippets of a Markdown document.

/// A block of code.
#[derive(Debug, PartialEq)]
pub(crate) struct Snippet {
    /// The number of the line of its opening fence, from 1.
    pub(crate) line: usize,
    pub(crate) language: String,
    pub(crate) text: String,
    /// Whether it is Rust that is compiled but not run: `rust,no_run`, as in doctests.
    pub(crate) is_only_compiled: bool,
    pub(crate) mark: Option<Mark>,
}

/// The comment before a snippet.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Mark {
    /// `<!-- not run: REASON -->`
    NotRun(String),
    /// `<!-- fresh -->`: background programs are ended first, and the snippet begins in an empty folder.
    Fresh,
    /// `<!-- until Ctrl-C -->`: the programs run until the reader ends them, such as servers. Ending by themselves is a failure.
    UntilInterrupt,
    /// `<!-- file: NAME -->`: the snippet is the content of a file.
    File(String),
}

/// Languages whose snippets are run.
const RUN: [&str; 2] = ["sh", "python"];
/// Languages that are checked elsewhere, or only shown. Doctests may have attributes after `rust`.
const SHOWN: [&str; 14] = [
    "rust",
    "toml",
    "json",
    "text",
    "sql",
    "ini",
    "yaml",
    "javascript",
    "js",
    "ts",
    "java",
    "kotlin",
    "xml",
    "go",
];

impl Snippet {
    pub(crate) fn is_run(&self) -> bool {
        RUN.contains(&self.language.as_str()) && !matches!(self.mark, Some(Mark::NotRun(_)))
    }
}

/// Returns the snippets of a document, or the line and the text of an error.
pub(crate) fn snippets(document: &str) -> Result<Vec<Snippet>, (usize, String)> {
    let mut found = Vec::new();
    let mut mark = None;
    let mut lines = document.lines().enumerate().map(|(index, line)| (index + 1, line));
    while let Some((number, line)) = lines.next() {
        let trimmed = line.trim_start();
        if let Some(comment) =
            trimmed.strip_prefix("<!--").and_then(|rest| rest.trim_end().strip_suffix("-->"))
        {
            mark = Some(parse_mark(comment.trim()).map_err(|reason| (number, reason))?);
        } else if let Some(language) = trimmed.strip_prefix("```") {
            let indent = line.len() - trimmed.len();
            let mut text = String::new();
            loop {
                let Some((_, line)) = lines.next() else {
                    return Err((number, "the block does not end".into()));
                };
                match line.trim() {
                    "```" => break,
                    begin if begin.starts_with("```") => {
                        return Err((number, "another block begins before this one ends".into()));
                    }
                    _ => {}
                }
                text.push_str(line.get(indent..).unwrap_or_default());
                text.push('\n');
            }
            let (language, attributes) = language.split_once(',').unwrap_or((language, ""));
            let (language, is_only_compiled) = (language.trim().to_owned(), attributes.contains("no_run"));
            // In a crate's README, a block without a language is Rust.
            if !language.is_empty()
                && !RUN.contains(&language.as_str())
                && !SHOWN.contains(&language.as_str())
            {
                return Err((number, format!("`{language}` is not among the languages of snippets")));
            }
            found.push(Snippet { line: number, language, text, is_only_compiled, mark: mark.take() });
        } else if !trimmed.is_empty() && mark.is_some() {
            return Err((number, "a comment about a snippet must be directly before it".into()));
        }
    }
    Ok(found)
}

fn parse_mark(comment: &str) -> Result<Mark, String> {
    match comment.split_once(": ") {
        Some(("not run", reason)) => Ok(Mark::NotRun(reason.to_owned())),
        Some(("file", name)) => Ok(Mark::File(name.to_owned())),
        None if comment == "fresh" => Ok(Mark::Fresh),
        None if comment == "until Ctrl-C" => Ok(Mark::UntilInterrupt),
        _ => Err(format!("`{comment}` is not a known comment about a snippet")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snippets_have_languages_and_marks() {
        let document = "# A\n\n```sh\nls\n```\n\n<!-- not run: needs AWS -->\n```python\nx\n  y\n```\n1. item\n\n   ```json\n   {\n     \"a\": 1\n   }\n   ```\n";
        let found = snippets(document).unwrap();
        let seen: Vec<_> = found.iter().map(|s| (s.line, s.language.as_str(), s.text.as_str())).collect();
        assert_eq!(seen, [(3, "sh", "ls\n"), (8, "python", "x\n  y\n"), (14, "json", "{\n  \"a\": 1\n}\n")]);
        assert_eq!(found[1].mark, Some(Mark::NotRun("needs AWS".to_owned())));
        assert_eq!(found.iter().map(Snippet::is_run).collect::<Vec<_>>(), [true, false, false]);
    }

    #[test]
    fn what_is_not_understood_is_told() {
        for (document, line) in [
            ("```sh\nls\n", 1),
            ("<!-- runs -->\n```sh\n```\n", 1),
            ("<!-- fresh -->\nText\n```sh\n```\n", 2),
            ("```bsah\n```\n", 1),
            ("```sh\nls\n```python\n```\n", 1),
        ] {
            assert_eq!(snippets(document).unwrap_err().0, line, "{document}");
        }
    }
}
