//! Advice for users who pass arguments of DynamoDB Local.

use std::ffi::OsString;

/// Returns an error message if there are arguments of DynamoDB Local among these; otherwise `None`.
///
/// Those arguments have one hyphen and several letters. clap would read them as several short options: `-port 8000`
/// would be the port `ort`.
pub(crate) fn advice(arguments: impl IntoIterator<Item = OsString>) -> Option<String> {
    let arguments: Vec<String> =
        arguments.into_iter().map(|argument| argument.to_string_lossy().into_owned()).collect();
    // DynamoDB Local has no subcommands, so those of this program are left alone.
    let rest = match arguments.split_first() {
        Some((first, rest)) if first == "serve" => rest,
        Some((first, _)) if first.starts_with('-') => &arguments[..],
        _ => return None,
    };
    let mut rest = rest.iter().map(String::as_str);
    let (mut found, mut ours) = (None, Vec::new());
    while let Some(argument) = rest.next() {
        let Some(name) = name_of(argument) else {
            // With two hyphens, these options mean the same in both programs.
            match argument {
                "--port" | "--cors" => ours.extend(rest.next().map(|value| format!("{argument} {value}"))),
                _ if argument.starts_with("--port=") || argument.starts_with("--cors=") => {
                    ours.push(argument.to_owned())
                }
                _ => {}
            }
            continue;
        };
        found = found.or(Some(argument.to_owned()));
        match name {
            "inMemory" => ours.push("--db :memory:".to_owned()),
            "port" => ours.push(format!("--port {}", rest.next().unwrap_or("8000"))),
            "dbPath" => {
                let folder = rest.next().unwrap_or(".").trim_end_matches('/').to_owned();
                ours.push(format!("--db {folder}/pretender.db"));
            }
            "cors" => ours.push(format!("--cors {}", rest.next().unwrap_or("*"))),
            "delayTransientStatuses" => ours.push("--transition-delay 1s".to_owned()),
            // `-sharedDb` is the default here, and the other arguments have no equivalent.
            _ => {}
        }
    }
    let ours: String = ours.iter().map(|option| format!(" {option}")).collect();
    Some(format!(
        "`{}` is an argument of DynamoDB Local. Here it is

  pretender serve{ours}

With `--like dynamodb-local` it has the habits of DynamoDB Local, too. The launcher
`pretender-dynamodb-local` in packages/dynamodb-local takes DynamoDB Local's own arguments.",
        found?
    ))
}

/// Returns the name of an argument of DynamoDB Local, written with one hyphen or two. `--port` and `--cors` are
/// excluded: they are valid options of this program.
fn name_of(argument: &str) -> Option<&str> {
    const NAMES: [&str; 8] = [
        "inMemory",
        "sharedDb",
        "dbPath",
        "port",
        "cors",
        "delayTransientStatuses",
        "optimizeDbBeforeStartup",
        "disableTelemetry",
    ];
    let name = argument.strip_prefix('-')?;
    match name.strip_prefix('-') {
        Some("port" | "cors") => None,
        Some(name) => NAMES.into_iter().find(|known| *known == name),
        None => NAMES.into_iter().find(|known| *known == name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advised(line: &str) -> Option<String> {
        let advice = advice(line.split_whitespace().map(OsString::from))?;
        let command = advice.lines().find_map(|line| line.strip_prefix("  pretender "));
        Some(command.unwrap().to_owned())
    }

    #[test]
    fn arguments_of_dynamodb_local_are_translated() {
        for (given, expected) in [
            ("-inMemory -sharedDb", "serve --db :memory:"),
            ("serve -inMemory -port 4567", "serve --db :memory: --port 4567"),
            ("serve --inMemory --sharedDb --port 4567", "serve --db :memory: --port 4567"),
            ("serve --inMemory --port=4567", "serve --db :memory: --port=4567"),
            ("-sharedDb -dbPath /data/", "serve --db /data/pretender.db"),
            ("serve -port 8001", "serve --port 8001"),
            ("serve -port", "serve --port 8000"),
            ("-delayTransientStatuses -disableTelemetry -cors *", "serve --transition-delay 1s --cors *"),
        ] {
            assert_eq!(advised(given).as_deref(), Some(expected), "{given}");
        }
    }

    #[test]
    fn our_own_arguments_are_left_alone() {
        for given in [
            "",
            "serve",
            "serve --port 8000 -p 0",
            "serve --cors *",
            "run -- java -inMemory",
            "--help",
            "-V",
            "ctl -port",
        ] {
            assert_eq!(advised(given), None, "{given}");
        }
    }
}
