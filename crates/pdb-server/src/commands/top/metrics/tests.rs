//! Tests of the parser.

use proptest::prelude::*;

use super::*;

fn one(line: &str) -> Sample<'_> {
    let [sample] = <[Sample<'_>; 1]>::try_from(parse(line).unwrap()).unwrap();
    sample
}

#[test]
fn samples_have_names_labels_and_values() {
    let table = |line| {
        let sample = one(line);
        (sample.name.to_owned(), sample.label("table").to_owned(), sample.value)
    };
    for (line, name, label, value) in [
        ("up 1", "up", "", 1.0),
        ("a:b_c9 -1.5e-3", "a:b_c9", "", -1.5e-3),
        ("x{} +Inf", "x", "", f64::INFINITY),
        ("x 1 1772356542017", "x", "", 1.0),
        ("  x\t{ table = \"t\" , }\t.5  ", "x", "t", 0.5),
        (r#"x{table="t",shard="s"} 2"#, "x", "t", 2.0),
        (r#"x{shard="s",table="a,b}=\"c\" \\n\n#"}3"#, "x", "a,b}=\"c\" \\n\n#", 3.0),
        (r#"x{table=""} 0"#, "x", "", 0.0),
        ("x{table=\"\u{1b}[2J\u{9b}漢\"} 0", "x", "\u{1b}[2J\u{9b}漢", 0.0),
    ] {
        assert_eq!(table(line), (name.to_owned(), label.to_owned(), value), "{line}");
    }
    assert!(one("x NaN").value.is_nan());
    assert_eq!(one("x -inf").value, f64::NEG_INFINITY);
}

#[test]
fn comments_and_blank_lines_are_skipped() {
    let text = "# HELP up Whether.\n# TYPE up gauge\n\n  \t\n   # more\nup 1\nup{a=\"b\"} 2\n";
    let values: Vec<_> = parse(text).unwrap().into_iter().map(|sample| sample.value).collect();
    assert_eq!(values, [1.0, 2.0]);
    assert_eq!(parse(""), Ok(Vec::new()));
}

#[test]
fn anything_else_is_refused() {
    for (line, expected) in [
        ("9x 1", "the name of a metric"),
        ("{} 1", "the name of a metric"),
        ("<html>", "the name of a metric"),
        ("x", "a number"),
        ("x y", "a number"),
        ("x 0x10", "a number"),
        ("x 1_000", "a number"),
        ("x infinit", "a number"),
        ("x +", "a number"),
        ("x{} ", "a number"),
        ("x 1 2 3", "the end of the line"),
        ("x 1 y", "the end of the line after the number"),
        ("x 1\r", "a number"),
        ("x{a:b=\"c\"} 1", "`=` after the name of a label"),
        ("x{=\"c\"} 1", "the name of a label, or `}`"),
        ("x{,} 1", "the name of a label, or `}`"),
        ("x{a=b} 1", "a label's value in double quotes"),
        ("x{a=\"b} 1", "`\"` at the end of a label's value"),
        ("x{a=\"b\"", "`,` or `}` after a label"),
        ("x{a=\"b\" c=\"d\"} 1", "`,` or `}` after a label"),
        ("x{a=\"b\",a=\"c\"} 1", "each label only once"),
        (r#"x{a="\t"} 1"#, r#"`\\`, `\"` or `\n` after a backslash"#),
        ("x{a=\"\\", r#"`\\`, `\"` or `\n` after a backslash"#),
        ("x{a=\"\\ü\"} 1", r#"`\\`, `\"` or `\n` after a backslash"#),
    ] {
        let text = format!("up 1\n{line}");
        assert_eq!(parse(&text), Err(ParseMetricsError { line: 2, expected }), "{line}");
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(
        name in "[a-zA-Z_:][a-zA-Z0-9_:]{0,9}",
        labels in prop::collection::btree_map("[a-zA-Z_][a-zA-Z0-9_]{0,5}", any::<String>(), 0..4),
        value in any::<f64>(),
    ) {
        let inside: Vec<_> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let text = format!("{name}{{{}}} {value}\n", inside.join(","));
        let sample = one(&text);
        prop_assert_eq!(sample.name, name);
        prop_assert!(sample.value == value || (sample.value.is_nan() && value.is_nan()));
        let read: std::collections::BTreeMap<_, _> =
            sample.labels.iter().map(|(name, value)| ((*name).to_owned(), value.to_string())).collect();
        prop_assert_eq!(read, labels);
    }

    #[test]
    fn no_text_makes_it_panic(text in "[x{}=\",\\\\n 1+.#\t\n\u{1b}漢]{0,40}") {
        drop(parse(&text));
    }
}
