//! Tests of rules: what they match, what they leave, and what is refused.

use pdb_model::Number;
use proptest::prelude::*;

use super::*;

const KEY: &str = "key = \"0123456789abcdef\"\n";

fn rules(text: &str) -> Rules {
    Rules::parse(&format!("{KEY}{text}"), |_| None).unwrap()
}

#[track_caller]
fn check(rule: &str, expected: &str, unused: usize) {
    let mut rules = rules(&format!("[[rule]]\n{rule}"));
    let json = r#"{"id":"1","l":[{"t":"a","u":1},{"t":"b"},3],"m":{"x":{"n":1},"y":{"n":2}},"a.b":"q"}"#;
    let mut item = Item::from_plain_json(json).unwrap();
    rules.apply("t", &mut item);
    assert_eq!(item.to_plain_json(), expected);
    assert_eq!(rules.unused("t").len(), unused);
}

#[test]
fn paths_lead_to_nested_values() {
    check(
        "path = \"l[*].t\"\nreplace = \"-\"",
        r#"{"a.b":"q","id":"1","l":[{"t":"-","u":1},{"t":"-"},3],"m":{"x":{"n":1},"y":{"n":2}}}"#,
        0,
    );
    check(
        "path = \"l[1]\"\ndrop = true",
        r#"{"a.b":"q","id":"1","l":[{"t":"a","u":1},3],"m":{"x":{"n":1},"y":{"n":2}}}"#,
        0,
    );
    check(
        "path = \"m.*.n\"\nreplace = 0",
        r#"{"a.b":"q","id":"1","l":[{"t":"a","u":1},{"t":"b"},3],"m":{"x":{"n":0},"y":{"n":0}}}"#,
        0,
    );
    check(
        "path = '\"a.b\"'\ndrop = true",
        r#"{"id":"1","l":[{"t":"a","u":1},{"t":"b"},3],"m":{"x":{"n":1},"y":{"n":2}}}"#,
        0,
    );
    let all = r#"{"a.b":"q","id":"1","l":[{"t":"a","u":1},{"t":"b"},3],"m":{"x":{"n":1},"y":{"n":2}}}"#;
    check("path = \"m[*].n\"\ndrop = true", all, 1);
    check("path = \"nothing\"\ndrop = true", all, 1);
    check("path = \"id\"\ntable = \"other\"\ndrop = true", all, 0);
    check("path = \"*\"\ndrop = true", "{}", 0);
}

#[test]
fn hashes_keep_the_form_of_values() {
    let mut by_rule = rules("[[rule]]\npath = \"*\"\nhash = true");
    let json = r#"{"s":{"S":"ann"},"n":{"N":"-120.50"},"b":{"B":"AQ=="},"t":{"BOOL":true},"l":{"L":[{"S":"ann"}]},"ss":{"SS":["ann","bob"]}}"#;
    let before = Item::from_json(json).unwrap();
    let mut item = before.clone();
    by_rule.apply("t", &mut item);
    let text = item["s"].as_s().unwrap();
    assert_eq!(text.len(), 32);
    assert_eq!(item["l"], AttributeValue::L(vec![text.into()]));
    assert!(matches!(&item["ss"], AttributeValue::Ss(set) if set.len() == 2 && set.contains(text)));
    assert!(item["n"].to_string().starts_with("{\"N\":\"-") && item["n"] != before["n"]);
    assert_eq!(item["t"], AttributeValue::Bool(true));
    // Another run with the same key gives the same; another key does not.
    let mut again = before.clone();
    rules("[[rule]]\npath = \"*\"\nhash = true").apply("other", &mut again);
    assert_eq!(again, item);
    let mut other = before;
    let text = "key_variable = \"KEY\"\n[[rule]]\npath = \"*\"\nhash = true";
    Rules::parse(text, |name| (name == "KEY").then(|| "another key of 16".to_owned()))
        .unwrap()
        .apply("t", &mut other);
    assert_ne!(other["s"], item["s"]);
}

#[test]
fn keys_stay() {
    let check = |text: &str| rules(text).check_key("t", &["id", "at"]).map_err(|error| error.to_string());
    assert_eq!(check("[[rule]]\npath = \"id\"\nhash = true"), Ok(()));
    assert_eq!(check("[[rule]]\npath = \"id.x\"\ndrop = true"), Ok(()));
    assert_eq!(check("[[rule]]\npath = \"at\"\ntable = \"other\"\ndrop = true"), Ok(()));
    for (rule, reason) in [
        ("path = \"at\"\ndrop = true", "would drop the key attribute `at` of `t`"),
        ("path = \"*\"\ndrop = true", "would drop the key attribute `id`"),
        ("path = \"id\"\nreplace = \"x\"", "would replace the key attribute `id`"),
    ] {
        let error = check(&format!("[[rule]]\n{rule}")).unwrap_err();
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn faults_in_the_file_are_explained() {
    for (text, reason) in [
        ("[[rule]]\npath = \"a\"\nhash = true", "there is no key"),
        ("key = \"short\"\n[[rule]]\npath = \"a\"\nhash = true", "less than 16 bytes"),
        (
            "key_variable = \"NONE\"\n[[rule]]\npath = \"a\"\nhash = true",
            "`NONE` of `key_variable` is not set",
        ),
        ("", "there are no rules"),
        ("[[rule]]\npath = \"a\"", "rule 1 (`a`): give one of"),
        ("[[rule]]\npath = \"a\"\ndrop = true\nhash = true", "give one of"),
        ("[[rule]]\npath = \"a[x]\"\ndrop = true", "`[x]` is neither a number nor `[*]`"),
        ("[[rule]]\npath = \"a..b\"\ndrop = true", "a name is missing"),
        ("[[rule]]\npath = \"a\"\n\ndorp = true", "line 4: unknown field `dorp`"),
        ("[[rule]]\npath = ", "line 2"),
    ] {
        let error = Rules::parse(text, |_| None).unwrap_err().to_string();
        assert!(error.contains(reason), "{text}: {error}");
    }
}

proptest! {
    /// A hashed number has the same form, and the same number always gets the same hash.
    #[test]
    fn numbers_keep_their_form(text in "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{0,16}[1-9])?") {
        let number: Number = text.parse().unwrap();
        let hashed = |number: Number| {
            let mut item = Item::from([("n", AttributeValue::N(number))]);
            rules("[[rule]]\npath = \"n\"\nhash = true").apply("t", &mut item);
            item["n"].to_string()
        };
        let form = |text: &str| text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect::<String>();
        let before = AttributeValue::N(number).to_string();
        prop_assert_eq!(form(&hashed(number)), form(&before));
        prop_assert_eq!(hashed(number), hashed(number));
    }
}
