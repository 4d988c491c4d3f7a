//! The rules of validation.md, section 6.

use pretender::MessageLayer;

use super::*;
use crate::decode::{Entries, decode_body};
use crate::layer::Family;

fn layers() -> [Texts; 2] {
    [Texts::CLASSIC, Texts::of(MessageLayer::Modern2026, Family::Read)]
}

/// The texts for a value on both layers.
#[track_caller]
fn faults(value: &str) -> [String; 2] {
    let body = format!("{{\"a\":{value}}}");
    layers().map(|texts| {
        let map: AttributeMap = decode_body(body.as_bytes()).unwrap();
        map.checked(texts).expect_err(value).message
    })
}

#[track_caller]
fn check_fault(value: &str, text: &str) {
    assert_eq!(faults(value), [text, text], "{value}");
}

#[track_caller]
fn decoded(value: &str) -> AttributeValue {
    let value: Value = decode_body(value.as_bytes()).unwrap();
    value.checked(Texts::CLASSIC).unwrap()
}

const EMPTY: &str = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes";
const SEVERAL: &str = "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes";
const TOO_DEEP: &str = "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond \
                        supported limit";

#[test]
fn values_are_decoded() {
    assert_eq!(decoded(r#"{"S":"x"}"#), AttributeValue::S("x".to_owned()));
    assert_eq!(decoded(r#"{"N":"1.50"}"#).to_string(), r#"{"N":"1.5"}"#);
    assert_eq!(decoded(r#"{"B":"AQI="}"#), AttributeValue::B(vec![1, 2]));
    assert_eq!(decoded(r#"{"BOOL":"true"}"#), AttributeValue::Bool(true));
    assert_eq!(decoded(r#"{"NULL":true}"#), AttributeValue::Null);
    assert_eq!(decoded(r#"{"SS":["b","a",""]}"#).to_string(), r#"{"SS":["","a","b"]}"#);
    assert_eq!(decoded(r#"{"NS":["2","1e0"]}"#).to_string(), r#"{"NS":["1","2"]}"#);
    assert_eq!(decoded(r#"{"BS":["Ag==","AQ=="]}"#), AttributeValue::Bs([vec![1], vec![2]].into()));
    assert_eq!(
        decoded(r#"{"L":[{"M":{"k":{"S":""}}},{"L":[]}]}"#).to_string(),
        r#"{"L":[{"M":{"k":{"S":""}}},{"L":[]}]}"#
    );
    assert_eq!(decoded(r#"{"X":7,"S":"a","N":null}"#), AttributeValue::S("a".to_owned()));
    assert_eq!(decoded(r#"{"S":"a","S":"b"}"#), AttributeValue::S("b".to_owned()));
    assert_eq!(decoded(r#"{"N":"x","N":"1"}"#).to_string(), r#"{"N":"1"}"#);
}

#[test]
fn broken_values_have_their_texts() {
    const INVALID: &str = "One or more parameter values were invalid: ";
    check_fault("{}", EMPTY);
    check_fault("null", EMPTY);
    check_fault(r#"{"X":"a"}"#, EMPTY);
    check_fault(r#"{"S":null}"#, EMPTY);
    for text in ["b", "NaN", "Infinity", " 1", "0x10", "1.2.3", "1+2", "+e2", "1e"] {
        check_fault(
            &format!("{{\"N\":\"{text}\"}}"),
            &format!("The parameter cannot be converted to a numeric value: {text}"),
        );
    }
    check_fault(
        r#"{"N":"1e126"}"#,
        "Number overflow. Attempting to store a number with magnitude larger than supported range",
    );
    check_fault(
        r#"{"N":"1e-131"}"#,
        "Number underflow. Attempting to store a number with magnitude smaller than supported range",
    );
    check_fault(
        r#"{"N":"123456789012345678901234567890123456789"}"#,
        "Attempting to store more than 38 significant digits in a Number",
    );
    check_fault(
        r#"{"NULL":"no"}"#,
        &format!("{INVALID}Null attribute value types must have the value of true"),
    );
    check_fault(r#"{"SS":[]}"#, &format!("{INVALID}An string set  may not be empty"));
    check_fault(r#"{"NS":[]}"#, &format!("{INVALID}An number set  may not be empty"));
    check_fault(r#"{"BS":[]}"#, &format!("{INVALID}Binary sets should not be empty"));
    check_fault(r#"{"NS":["1","b"]}"#, "The parameter cannot be converted to a numeric value: b");
    check_fault(r#"{"S":"a","N":"1"}"#, SEVERAL);
    check_fault(r#"{"M":{"":{"S":"a"}}}"#, &format!("{INVALID}Empty attribute name"));
    let long = "x".repeat(65_536);
    check_fault(
        &format!("{{\"M\":{{\"{long}\":{{\"S\":\"a\"}}}}}}"),
        "Attribute name is too large, must be less than 65536 bytes",
    );
}

#[test]
fn null_is_no_member_of_a_set() {
    let invalid = |text: &str| format!("One or more parameter values were invalid: {text}");
    let texts = [
        ("SS", invalid("An string set may not have a null string as a member")),
        ("NS", invalid("An number set may not have a null string as a member")),
        ("BS", invalid("Binary sets may not contain null or empty values")),
    ];
    for (set, text) in texts {
        for members in [
            "null",
            r#""MTA=",null"#,
            r#"null,"MTA=""#,
            r#""MTA=",null,"MTE=",null"#,
            r#""MTA=",null,"MTA=""#,
        ] {
            let members = if set == "NS" {
                members.replace("MTA=", "10").replace("MTE=", "11")
            } else {
                members.to_owned()
            };
            check_fault(&format!(r#"{{"{set}":[{members}]}}"#), &text);
            check_fault(&format!(r#"{{"L":[{{"S":"a"}},{{"M":{{"k":{{"{set}":[{members}]}}}}}}]}}"#), &text);
        }
        assert!(decoded(&format!(r#"{{"S":"a","{set}":null}}"#)).as_s().is_some());
    }
    // Of the rules for one type this comes first.
    check_fault(r#"{"NS":["x",null]}"#, &invalid("An number set may not have a null string as a member"));
}

/// Section 4.2, (d) and (e).
#[test]
fn some_texts_depend_on_the_layer() {
    const NUMERIC: &str = "The parameter cannot be converted to a numeric value";
    const OVERFLOW: &str =
        "Number overflow. Attempting to store a number with magnitude larger than supported range";
    const UNDERFLOW: &str =
        "Number underflow. Attempting to store a number with magnitude smaller than supported range";
    const DUPLICATES: &str = "One or more parameter values were invalid: Input collection";
    for (value, classic, modern) in [
        (r#"{"N":""}"#, NUMERIC.to_owned(), format!("{NUMERIC}: ")),
        (r#"{"N":"1e99999999999"}"#, format!("{NUMERIC}: 1e99999999999"), OVERFLOW.to_owned()),
        (r#"{"N":"1e2147483648"}"#, format!("{NUMERIC}: 1e2147483648"), OVERFLOW.to_owned()),
        (r#"{"N":"1e2147483647"}"#, UNDERFLOW.to_owned(), OVERFLOW.to_owned()),
        (r#"{"N":"1e-99999999999"}"#, format!("{NUMERIC}: 1e-99999999999"), UNDERFLOW.to_owned()),
        (r#"{"N":"1.5e-2147483647"}"#, format!("{NUMERIC}: 1.5e-2147483647"), UNDERFLOW.to_owned()),
        // The newer parser's exponents have 64 bits.
        (
            r#"{"N":"-2E+9223372036854775807"}"#,
            format!("{NUMERIC}: -2E+9223372036854775807"),
            OVERFLOW.to_owned(),
        ),
        (
            r#"{"N":"1e9223372036854775808"}"#,
            format!("{NUMERIC}: 1e9223372036854775808"),
            format!("{NUMERIC}: 1e9223372036854775808"),
        ),
        (
            r#"{"NS":["7","0.3e-9223372036854775809"]}"#,
            format!("{NUMERIC}: 0.3e-9223372036854775809"),
            format!("{NUMERIC}: 0.3e-9223372036854775809"),
        ),
        (
            r#"{"SS":["b","a","b"]}"#,
            format!("{DUPLICATES} [b, a, b] contains duplicates."),
            format!(r#"{DUPLICATES} ["a", "b", "b"] contains duplicates."#),
        ),
        (
            r#"{"BS":["/w==","AA==","AA=="]}"#,
            format!("{DUPLICATES} [/w==, AA==, AA==]of type BS contains duplicates."),
            format!(r#"{DUPLICATES} ["AA==","/w==","AA=="]of type BS contains duplicates."#),
        ),
        (
            r#"{"NS":["2","1","2.0"]}"#,
            "Input collection contains duplicates".to_owned(),
            format!("{DUPLICATES} contains duplicates."),
        ),
    ] {
        assert_eq!(faults(value), [classic, modern], "{value}");
    }
}

#[test]
fn of_several_faults_the_first_rule_is_reported() {
    let numeric = "The parameter cannot be converted to a numeric value";
    assert_eq!(faults(r#"{"S":"","N":""}"#)[0], numeric);
    check_fault(r#"{"SS":[],"N":"x"}"#, &format!("{numeric}: x"));
}

#[test]
fn faults_are_found_in_the_order_of_the_request() {
    let first = |body: &str| {
        let map: AttributeMap = decode_body(body.as_bytes()).unwrap();
        map.checked(Texts::CLASSIC).unwrap_err().message
    };
    assert_eq!(first(r#"{"b":{"L":[{"S":"a"},{}]},"a":{"N":"x"}}"#), EMPTY);
    assert!(first(r#"{"b":{"N":"x"},"a":{}}"#).ends_with(": x"));
    assert_eq!(first(r#"{"a":{"S":"a","M":{"b":{}}}}"#), EMPTY);
}

/// Finding the first repeat must not take a comparison for each pair.
#[test]
fn long_sets_with_a_repeat_are_soon_refused_and_cut() {
    let members: String = (0..150_000).map(|n| format!("\"{n}\",")).collect();
    for (tag, last) in [("SS", "7"), ("NS", "7.0")] {
        let [classic, modern] = faults(&format!(r#"{{"{tag}":[{members}"{last}"]}}"#));
        assert!(classic.len() < 140_000 && modern.len() < 140_000);
        assert!(
            tag == "NS" || classic.contains("[0, 1, 2, 3,") && modern.contains(r#"["0", "1", "10", "100","#)
        );
    }
}

/// Texts show no more of a value than a screen could.
#[test]
fn long_values_are_cut_where_they_are_shown() {
    let [classic, _] = faults(&format!(r#"{{"N":"{}"}}"#, "ä".repeat(200_000)));
    assert_eq!(
        classic,
        format!("The parameter cannot be converted to a numeric value: {}", "ä".repeat(65_536))
    );
}

/// Items and values are not kept to the end once it is certain that they are too large, but what is kept still is.
#[test]
fn what_is_too_large_is_cut_and_stays_too_large() {
    let long = "x".repeat(2_000_000);
    let many = |element: &str| vec![element; 900_000].join(",");
    for value in [
        format!(r#"{{"S":"{long}"}}"#),
        format!(r#"{{"B":"{}"}}"#, &long.replace('x', "A")),
        format!(r#"{{"L":[{}]}}"#, many(r#"{"S":""}"#)),
        format!(r#"{{"L":[{{"S":"a"}},{{"S":"{long}"}},{{"S":"b"}}]}}"#),
        format!(r#"{{"M":{{"a":{{"L":[{{"S":"{long}"}}]}},"b":{{"S":"b"}}}}}}"#),
    ] {
        let item: AttributeMap =
            decode_body(format!(r#"{{"a":{value},"z":{{"S":""}}}}"#).as_bytes()).unwrap();
        let item = item.checked(Texts::CLASSIC).unwrap();
        assert!((409_601..900_000).contains(&item.size_bytes()), "{}", item.size_bytes());
        let body = format!(r#"{{"v":{value}}}"#);
        let values: Entries<'_, Value> = decode_body(body.as_bytes()).unwrap();
        let fault = values.iter().next().and_then(|(_, value)| value.fault().cloned());
        assert_eq!(fault, Some(Fault::TooLarge));
    }
    // Repeated names count once, but nothing may be left out of an item in silence.
    let item: AttributeMap = decode_body(
        format!("{{{}}}", vec![format!(r#""a":{{"S":"{}"}}"#, &long[..300_000]); 4].join(",")).as_bytes(),
    )
    .unwrap();
    assert_eq!(
        item.checked(Texts::CLASSIC).unwrap_err().message,
        "Item size has exceeded the maximum allowed size"
    );
}

#[test]
fn nesting_has_32_levels() {
    let wrapped = |levels: usize| {
        let (mut value, list) = (r#"{"S":"a"}"#.to_owned(), |inner: &str| format!("{{\"L\":[{inner}]}}"));
        for level in 0..levels {
            value = if level % 2 == 0 { list(&value) } else { format!("{{\"M\":{{\"k\":{value}}}}}") };
        }
        value
    };
    assert_eq!(decoded(&wrapped(31)).depth(), 32);
    check_fault(&wrapped(32), TOO_DEEP);
    check_fault(&wrapped(5_000), TOO_DEEP);
    // Whichever of two faults comes first is reported.
    let map = format!(r#"{{"a":{{"L":[{{"N":"x"}},{}]}}}}"#, wrapped(40));
    let map: AttributeMap = decode_body(map.as_bytes()).unwrap();
    assert!(map.checked(Texts::CLASSIC).unwrap_err().message.ends_with(": x"));
}

#[test]
fn start_keys_prefix_most_faults() {
    for (value, text) in [
        ("{}", &*format!("The provided starting key is invalid: {EMPTY}")),
        (r#"{"N":"b"}"#, "The parameter cannot be converted to a numeric value: b"),
        (r#"{"NS":["1","1"]}"#, "Input collection contains duplicates"),
        (
            r#"{"NS":["1",null]}"#,
            "One or more parameter values were invalid: An number set may not have a null string as a member",
        ),
        (
            r#"{"SS":["1",null]}"#,
            "The provided starting key is invalid: One or more parameter values were invalid: An string set may not have a null \
             string as a member",
        ),
        (
            r#"{"SS":["1","1"]}"#,
            "One or more parameter values were invalid: Input collection [1, 1] contains duplicates.",
        ),
    ] {
        let map: AttributeMap = decode_body(format!("{{\"a\":{value}}}").as_bytes()).unwrap();
        assert_eq!(map.checked_start_key(Texts::CLASSIC).unwrap_err().message, text);
    }
}
