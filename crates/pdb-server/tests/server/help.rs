//! Help on a terminal of 80 columns.

use std::process::Command;

fn shown(words: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_pretender"))
        .args(words.split_whitespace())
        .env("COLUMNS", "80")
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{words}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

/// The commands that a help text lists.
fn listed(help: &str) -> Vec<&str> {
    let commands = help.split_once("Commands:\n").map_or("", |(_, rest)| rest);
    let lines = commands.lines().take_while(|line| !line.is_empty());
    // Lines that go on are indented further.
    let names = lines.filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')));
    names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").collect()
}

#[test]
fn no_help_is_wider_than_the_terminal() {
    let mut open = vec![String::new()];
    let mut seen = 0;
    while let Some(command) = open.pop() {
        for flag in ["-h", "--help"] {
            let help = shown(&format!("{command} {flag}"));
            for line in help.lines() {
                assert!(line.chars().count() <= 80, "{command} {flag}: {line}");
            }
            if flag == "-h" {
                open.extend(listed(&help).into_iter().map(|name| format!("{command} {name}")));
            }
        }
        seen += 1;
    }
    assert!(seen > 20, "only {seen} commands were found");
}

#[test]
fn topics_and_commands_are_explained() {
    assert!(shown("help streams").starts_with("Streams\n"));
    assert!(shown("help faults").contains("drop-after"));
    assert!(shown("help clock").contains("advance 24h"));
    assert_eq!(shown("help ctl clock"), shown("ctl clock --help"));
    let serve = shown("help serve");
    for heading in ["Network:", "Data:", "Streams and time to live:", "Testing:", "Examples:"] {
        assert!(serve.contains(heading), "{heading}");
    }
}

#[test]
fn missing_help_is_reported() {
    let output = Command::new(env!("CARGO_BIN_EXE_pretender")).args(["help", "shard"]).output().unwrap();
    assert!(!output.status.success());
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("no help for `shard`") && error.contains("streams, faults, clock"), "{error}");
}
