//! One value of `--trigger`: `TABLE=URL[,SETTING=VALUE...]`.

use std::str::FromStr;

use clap::Parser;

use crate::commands::trigger::{FunctionUrl, MappingArgs};

/// A setting without a value on the command line, which may be written with one here.
const FLAG: &str = "bisect-batch-on-function-error";

/// A trigger, as it was given.
#[derive(Clone, Debug)]
pub(super) struct TriggerSpec {
    /// The table, or the ARN of a table or stream.
    pub(super) target: String,
    pub(super) function: FunctionUrl,
    pub(super) mapping: MappingArgs,
    /// The settings as they were given, except the batch size, for people.
    pub(super) settings: Vec<(String, String)>,
}

/// The triggers of one value, each on a line of its own: lists in environment variables are usually separated by commas, which
/// separate settings here.
#[derive(Clone, Debug)]
pub(super) struct TriggerSpecs(pub(super) Vec<TriggerSpec>);

/// The settings, read like the options of `pretender trigger`.
#[derive(Debug, Parser)]
#[command(no_binary_name = true, disable_help_flag = true)]
struct Options {
    #[command(flatten)]
    mapping: MappingArgs,
}

impl FromStr for TriggerSpecs {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        lines.map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

impl FromStr for TriggerSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = split(text).into_iter();
        let first = parts.next().unwrap_or_default();
        let Some((target, url)) = first.split_once('=').filter(|(target, _)| !target.is_empty()) else {
            return Err(
                "expected a table and the address of a function, such as orders=127.0.0.1:9000".to_owned()
            );
        };
        let function = url.parse().map_err(|error| format!("function `{url}`: {error}"))?;
        let mut settings = Vec::new();
        for part in parts {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let name = name.trim().trim_start_matches("--");
            if name.is_empty() {
                return Err("a setting without a name: expected such as batch-size=10".to_owned());
            }
            settings.push((name.to_owned(), value.to_owned()));
        }
        let options = Options::try_parse_from(options(&settings)).map_err(|error| one_line(&error))?;
        let mapping = options.mapping;
        mapping.check().map_err(|error| error.to_string())?;
        mapping.check_position(|| target.to_owned())?;
        settings.retain(|(name, _)| name != "batch-size");
        Ok(Self { target: target.to_owned(), function, mapping, settings })
    }
}

/// Splits at commas, except in JSON, which is the value of a filter.
fn split(text: &str) -> Vec<&str> {
    let (mut depth, mut is_quoted, mut is_escaped) = (0_u32, false, false);
    text.split(|character| {
        let is_inside = depth > 0;
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' if is_inside => is_quoted = !is_quoted,
            '{' | '[' if !is_quoted => depth += 1,
            '}' | ']' if !is_quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        character == ',' && !is_inside
    })
    .collect()
}

/// Returns settings as options on the command line.
fn options(settings: &[(String, String)]) -> Vec<String> {
    let option = |(name, value): &(String, String)| match (name.as_str(), value.as_str()) {
        (FLAG, "false") => None,
        (FLAG, "true") | (_, "") => Some(format!("--{name}")),
        _ => Some(format!("--{name}={value}")),
    };
    settings.iter().filter_map(option).collect()
}

/// Returns what is wrong with an option, as the setting that it is here.
fn one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let lines =
        lines.take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"));
    let line = lines.collect::<Vec<_>>().join(" ").replace("'--", "'");
    line.strip_prefix("error: ").unwrap_or(&line).replace("argument", "setting")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        text.parse::<TriggerSpec>().unwrap_err()
    }

    #[test]
    fn a_trigger_is_a_table_a_function_and_settings() {
        let spec: TriggerSpec = concat!(
            "orders=127.0.0.1:9000,batch-size=10,maximum-retry-attempts=-1,bisect-batch-on-function-error,",
            r#"filter={"eventName":["INSERT","REMOVE"],"dynamodb":{"Keys":{"pk":{"S":["}],,\"="]}}}},"#,
            "function-response-types=ReportBatchItemFailures,filter={},checkpoint=orders.checkpoint",
        )
        .parse()
        .unwrap();
        assert_eq!(spec.target, "orders");
        assert_eq!(
            spec.function.to_string(),
            "http://127.0.0.1:9000/2015-03-31/functions/function/invocations"
        );
        assert_eq!(spec.mapping.batch_size, 10);
        assert_eq!(spec.mapping.checkpoint.as_deref(), Some("orders.checkpoint".as_ref()));
        let shown: Vec<String> =
            spec.settings.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(
            shown,
            [
                "maximum-retry-attempts=-1",
                "bisect-batch-on-function-error=",
                r#"filter={"eventName":["INSERT","REMOVE"],"dynamodb":{"Keys":{"pk":{"S":["}],,\"="]}}}}"#,
                "function-response-types=ReportBatchItemFailures",
                "filter={}",
                "checkpoint=orders.checkpoint",
            ]
        );
    }

    #[test]
    fn targets_may_be_arns_and_flags_may_have_values() {
        let arn = "arn:aws:dynamodb:us-east-1:000000000000:table/orders/stream/2026-03-01T09:15:42.017";
        for flag in ["", ",bisect-batch-on-function-error=true", ",--bisect-batch-on-function-error=false"] {
            let spec: TriggerSpec = format!("{arn}=http://localhost:9000/{flag}").parse().unwrap();
            assert_eq!(spec.target, arn);
        }
    }

    #[test]
    fn several_triggers_are_on_lines() {
        let count = |text: &str| text.parse::<TriggerSpecs>().unwrap().0.len();
        assert_eq!(count("a=localhost:1,batch-size=1\n\n  b=localhost:2\r\n"), 2);
        assert_eq!(count(""), 0);
    }

    #[test]
    fn wrong_settings_are_refused_in_one_line() {
        for (text, expected) in [
            ("orders", "expected a table and the address of a function"),
            ("=127.0.0.1:9000", "expected a table and the address of a function"),
            ("", "expected a table and the address of a function"),
            ("orders=ftp://x", "function `ftp://x`: not the address of a server"),
            ("orders=localhost:1,", "a setting without a name"),
            ("orders=localhost:1,batch-size=0", "BatchSize is 0; it may be 1 to 10000"),
            ("orders=localhost:1,batch-size=x", "invalid value 'x' for 'batch-size <N>': invalid digit"),
            ("orders=localhost:1,batch-sise=1", "unexpected setting 'batch-sise' found"),
            ("orders=localhost:1,help", "unexpected setting 'help' found"),
            (
                "orders=localhost:1,batch-size=1,batch-size=2",
                "the setting 'batch-size <N>' cannot be used multiple",
            ),
            (
                "orders=localhost:1,filter={",
                "invalid value '{' for 'filter <PATTERN>': Invalid filter pattern",
            ),
            (
                "orders=localhost:1,filter={},filter={},filter={},filter={},filter={},filter={}",
                "the number of filters is 6",
            ),
            ("orders=localhost:1,starting-position=NOW", "possible values: TRIM_HORIZON, LATEST"),
            (
                "orders=localhost:1,starting-position=AT_TIMESTAMP",
                "Unsupported starting position for arn type: orders",
            ),
            ("orders=localhost:1,timeout=901", "901 is not in 1..=900"),
        ] {
            let refusal = refusal(text);
            assert!(refusal.contains(expected) && !refusal.contains('\n'), "{text}: {refusal}");
        }
    }
}
