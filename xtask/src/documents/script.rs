//! One shell script of all snippets of a document.

use super::markdown::{Mark, Snippet};

/// How long a program must run that a reader would end with Ctrl-C.
const LEAST_SECONDS: u32 = 2;

/// The commands that a reader would end with Ctrl-C, among other commands of the same snippet.
const RUNS_ON: [&str; 4] =
    ["pretender serve", "pretender tail", "pretender trigger", "pretender-dynamodb-local"];

/// Functions that the scripts use. Background programs are ended by SIGINT and SIGTERM, because in a shell without job control they ignore
/// SIGINT.
const PRELUDE: &str = r#"set -e -o pipefail
end_background() {
    local running
    running="$(jobs -p)"
    [ -z "$running" ] || kill $running 2>/dev/null || true
    wait 2>/dev/null || true
}
trap end_background EXIT
fresh() {
    end_background
    mkdir -p "$PARTS/$1"
    cd "$PARTS/$1"
}
until_interrupt() {
    sleep "$1"
    kill "$2" || { echo "ended by itself: $3" >&2; exit 1; }
    wait "$2" || true
}
"#;

/// Returns the script, which is empty if no snippet is run. `PARTS` is the path of an empty folder.
pub(super) fn of(document: &str, snippets: &[Snippet]) -> String {
    if !snippets.iter().any(Snippet::is_run) {
        return String::new();
    }
    let mut script = PRELUDE.to_owned();
    script.push_str("fresh begin\n");
    for snippet in snippets {
        if let Some(part) = part(document, snippet) {
            script.push_str(&format!("echo '::: {document}:{}'\n{part}", snippet.line));
        }
    }
    script
}

fn part(document: &str, snippet: &Snippet) -> Option<String> {
    let Snippet { line, language, text, mark, .. } = snippet;
    let begin = if *mark == Some(Mark::Fresh) { format!("fresh line-{line}\n") } else { String::new() };
    match (mark, language.as_str()) {
        (Some(Mark::NotRun(_)), _) => None,
        (Some(Mark::File(name)), _) => Some(file(name, text)),
        (Some(Mark::UntilInterrupt), "sh") => {
            Some(commands(text).iter().map(|one| until_interrupt(one)).collect())
        }
        (_, "sh") => Some(format!("{begin}{text}")),
        (_, "python") => {
            let name = format!("snippet-{}-{line}.py", document.replace(['/', '.'], "-"));
            Some(format!("{begin}{}python3 {name} </dev/null\n", file(&name, text)))
        }
        _ => None,
    }
}

/// Writes a file.
fn file(name: &str, text: &str) -> String {
    format!("cat > '{name}' <<'END_OF_SNIPPET'\n{text}END_OF_SNIPPET\n")
}

fn until_interrupt(command: &str) -> String {
    let quoted = command.replace('\'', r"'\''");
    // Commands that end come before the one that keeps running.
    if !RUNS_ON.iter().any(|begin| command.starts_with(begin)) {
        return format!("{command}\n");
    }
    format!("{command} &\nuntil_interrupt {LEAST_SECONDS} $! '{quoted}'\n")
}

/// Returns the commands of a snippet, without comments. A backslash at the end of a line joins it with the next one.
fn commands(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in text.lines() {
        let line = line.split(" # ").next().unwrap_or_default().trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (part, more) = line.strip_suffix('\\').map_or((line, false), |part| (part, true));
        match found.last_mut().filter(|_| goes_on) {
            Some(command) => command.push_str(part),
            None => found.push(part.to_owned()),
        }
        goes_on = more;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snippet(language: &str, text: &str, mark: Option<Mark>) -> Snippet {
        let (language, text) = (language.to_owned(), text.to_owned());
        Snippet { line: 7, language, text, is_only_compiled: false, mark }
    }

    #[test]
    fn commands_may_go_on_and_have_comments() {
        assert_eq!(commands("# a\nls -l \\\n  x # why\n\nps\n"), ["ls -l x", "ps"]);
    }

    #[test]
    fn only_what_is_run_is_in_the_script() {
        assert_eq!(of("a.md", &[snippet("text", "x\n", None), snippet("json", "{}\n", None)]), "");
        let not_run = snippet("sh", "rm x\n", Some(Mark::NotRun("why".to_owned())));
        assert_eq!(of("a.md", &[not_run]), "");
        let script = of("a.md", &[snippet("sh", "ls\n", None), snippet("text", "hello\n", None)]);
        assert!(script.ends_with("echo '::: a.md:7'\nls\n"), "{script}");
        let waits = of("a.md", &[snippet("sh", "ls\npretender tail -f 'x'\n", Some(Mark::UntilInterrupt))]);
        let expected = "ls\npretender tail -f 'x' &\nuntil_interrupt 2 $! 'pretender tail -f '\\''x'\\'''\n";
        assert!(waits.ends_with(expected), "{waits}");
    }
}
