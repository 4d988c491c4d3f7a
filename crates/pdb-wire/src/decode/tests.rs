//! Every row of the table of type errors, and the leniency around it.

use pdb_model::ErrorCode;
use proptest::prelude::*;

use super::*;
use crate::value::{AttributeMap, Value};

shape! {
    /// One member of every kind.
    pub(crate) struct Everything<'a> {
        text: Text<'a> = "Text",
        flag: bool = "Flag",
        whole: i32 = "Whole",
        long: i64 = "Long",
        blob: Blob = "Blob",
        texts: Vec<Text<'a>> = "Texts",
        keys: Vec<AttributeMap> = "Keys",
        names: Entries<'a, Text<'a>> = "ExpressionAttributeNames",
        values: Entries<'a, Value> = "ExpressionAttributeValues",
        requests: Entries<'a, Vec<WriteRequest>> = "RequestItems",
        request: WriteRequest = "Request",
        schema: Vec<WriteRequest> = "Schema",
    }

    /// A structure.
    pub(crate) struct WriteRequest {
        flag: bool = "Flag",
    }
}

#[track_caller]
fn decoded(body: &str) -> Everything<'_> {
    decode_body(body.as_bytes()).unwrap()
}

#[track_caller]
fn check_refused(body: &str, text: &str) {
    let error = decode_body::<Everything<'_>>(body.as_bytes()).unwrap_err();
    assert_eq!((error.code, error.message.as_str()), (ErrorCode::SerializationException, text), "{body}");
}

/// The texts of validation.md, section 3.
#[test]
fn type_errors_have_their_texts() {
    const NOT_EXPECTED: &str = "Start of structure or map found where not expected";
    for (member, value, text) in [
        ("Text", "true", "TRUE_VALUE cannot be converted to String"),
        ("Text", "false", "FALSE_VALUE cannot be converted to String"),
        ("Text", "23", "NUMBER_VALUE cannot be converted to String"),
        ("Text", "-23", "NUMBER_VALUE cannot be converted to String"),
        ("Text", "123456789012345678901234567890", "NUMBER_VALUE cannot be converted to String"),
        ("Text", "34.56", "DECIMAL_VALUE cannot be converted to String"),
        ("Text", "[]", "Unrecognized collection type class java.lang.String"),
        ("Text", "[1,[2]]", "Unrecognized collection type class java.lang.String"),
        ("Text", "{}", NOT_EXPECTED),
        ("Flag", "\"maybe\"", "Unexpected token received from parser"),
        ("Flag", "23", "NUMBER_VALUE cannot be converted to Boolean"),
        ("Flag", "34.56", "DECIMAL_VALUE cannot be converted to Boolean"),
        ("Flag", "[]", "Unrecognized collection type class java.lang.Boolean"),
        ("Flag", "{}", NOT_EXPECTED),
        ("Whole", "\"5\"", "STRING_VALUE cannot be converted to Integer"),
        ("Whole", "true", "TRUE_VALUE cannot be converted to Integer"),
        ("Whole", "false", "FALSE_VALUE cannot be converted to Integer"),
        ("Whole", "[]", "Unrecognized collection type class java.lang.Integer"),
        ("Whole", "{}", NOT_EXPECTED),
        ("Long", "\"5\"", "STRING_VALUE cannot be converted to Long"),
        ("Long", "[]", "Unrecognized collection type class java.lang.Long"),
        ("Blob", "true", "only base-64-encoded strings are convertible to bytes"),
        ("Blob", "23", "only base-64-encoded strings are convertible to bytes"),
        ("Blob", "34.56", "only base-64-encoded strings are convertible to bytes"),
        ("Blob", "[]", "Unrecognized collection type class java.nio.ByteBuffer"),
        ("Blob", "{}", NOT_EXPECTED),
        ("Blob", "\"abcde\"", "Base64 encoded length is expected a multiple of 4 bytes but found: 5"),
        ("Blob", "\"=+/=\"", "Invalid last non-pad Base64 character dectected"),
        ("Blob", "\"+/+=\"", "Invalid last non-pad Base64 character dectected"),
        ("Texts", "\"a\"", "Unexpected field type"),
        ("Texts", "23", "Unexpected field type"),
        ("Texts", "{}", NOT_EXPECTED),
        ("Texts", "[1]", "NUMBER_VALUE cannot be converted to String"),
        ("RequestItems", "{\"a\":{}}", NOT_EXPECTED),
        ("RequestItems", "{\"a\":true}", PARAMETERIZED),
        ("RequestItems", "{\"a\":\"b\"}", PARAMETERIZED),
        ("RequestItems", "{\"a\":[7]}", "Unexpected value type in payload"),
        (
            "RequestItems",
            "[]",
            "Unrecognized collection type java.util.Map<java.lang.String, java.util.List<com.amazonaws.dynamodb.v20120810.WriteRequest>>",
        ),
        ("Keys", "[true]", PARAMETERIZED),
        ("Keys", "[7.5]", PARAMETERIZED),
        ("ExpressionAttributeNames", "7", "Unexpected field type"),
        ("ExpressionAttributeNames", "{\"#x\":7}", "NUMBER_VALUE cannot be converted to String"),
        (
            "ExpressionAttributeNames",
            "[]",
            "Unrecognized collection type java.util.Map<java.lang.String, java.lang.String>",
        ),
        (
            "ExpressionAttributeValues",
            "[]",
            "Unrecognized collection type java.util.Map<java.lang.String, com.amazonaws.dynamodb.v20120810.AttributeValue>",
        ),
        ("ExpressionAttributeValues", "{\":x\":7}", "Unexpected value type in payload"),
        (
            "ExpressionAttributeValues",
            "{\":x\":[]}",
            "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.AttributeValue",
        ),
        ("ExpressionAttributeValues", "{\":x\":{\"N\":123}}", "NUMBER_VALUE cannot be converted to String"),
        ("ExpressionAttributeValues", "{\":x\":{\"L\":[\"a\"]}}", "Unexpected value type in payload"),
        ("ExpressionAttributeValues", "{\":x\":{\"L\":{}}}", NOT_EXPECTED),
        ("ExpressionAttributeValues", "{\":x\":{\"L\":\"a\"}}", "Unexpected field type"),
        ("ExpressionAttributeValues", "{\":x\":{\"M\":{\"a\":\"b\"}}}", "Unexpected value type in payload"),
        ("ExpressionAttributeValues", "{\":x\":{\"M\":\"b\"}}", "Unexpected field type"),
        ("ExpressionAttributeValues", "{\":x\":{\"SS\":\"b\"}}", "Unexpected field type"),
        ("Request", "7", "Unexpected field type"),
        ("Request", "\"a\"", "Unexpected field type"),
        ("Request", "[]", "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.WriteRequest"),
        ("Schema", "[\"a\"]", "Unexpected value type in payload"),
        (
            "Schema",
            "[[]]",
            "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.WriteRequest",
        ),
    ] {
        check_refused(&format!("{{\"Other\":[{{}}],\"{member}\":{value},\"More\":{{\"a\":[1]}}}}"), text);
    }
}

#[test]
fn the_first_type_error_is_reported() {
    check_refused(r#"{"Flag":7,"Text":7}"#, "NUMBER_VALUE cannot be converted to Boolean");
    check_refused(r#"{"Text":7,"Flag":7}"#, "NUMBER_VALUE cannot be converted to String");
}

#[test]
fn what_is_not_json_has_no_text() {
    let deep = "[".repeat(200_000);
    for body in [
        "",
        "{",
        "x",
        "{}}",
        "{\"Text\":7",
        "{\"Text\":7,}",
        "{\"Text\":'a'}",
        "null",
        "{\"Text\":\"\u{1}\"}",
        &deep,
    ] {
        check_refused(body, "");
    }
    let error = decode_body::<Everything<'_>>(b"{\"Text\":\"\xff\"}").unwrap_err();
    assert_eq!(error.message, "");
}

#[test]
fn a_body_that_is_no_object_is_of_the_wrong_type() {
    check_refused("[]", "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.Everything");
    check_refused("7", "Unexpected field type");
}

#[test]
fn deep_nesting_does_no_harm() {
    let deep = format!("{}1{}", "[".repeat(200_000), "]".repeat(200_000));
    assert!(is_json(deep.as_bytes()));
    assert_eq!(decoded(&format!("{{\"Other\":{deep},\"Text\":\"a\"}}")).text.as_deref(), Some("a"));
    check_refused(&format!("{{\"Text\":{deep}}}"), "Unrecognized collection type class java.lang.String");
}

#[test]
fn null_is_absent_and_the_last_member_wins() {
    assert_eq!(decoded(r#"{"Text":null,"Flag":null,"Keys":null,"Request":null}"#), Everything::default());
    assert_eq!(decoded(r#"{"Text":"a","Text":"b"}"#).text.as_deref(), Some("b"));
    assert_eq!(decoded(r#"{"Text":"a","Text":null}"#).text, None);
    let names = decoded(r##"{"ExpressionAttributeNames":{"#a":"1","#b":"2","#a":"3"}}"##).names.unwrap();
    assert_eq!(names.iter().map(|(k, v)| format!("{k}{v}")).collect::<String>(), "#a3#b2");
}

#[test]
fn booleans_and_integers_are_lenient() {
    for (value, expected) in [
        ("true", true),
        ("\"TRUE\"", true),
        ("\"1\"", true),
        ("\"Yes\"", true),
        ("false", false),
        ("\"False\"", false),
        ("\"0\"", false),
        ("\"nO\"", false),
    ] {
        assert_eq!(decoded(&format!("{{\"Flag\":{value}}}")).flag, Some(expected), "{value}");
    }
    for (value, expected) in [("5", 5), ("5.9", 5), ("-1.5", -2), ("1e2", 100), ("99999999999", i32::MAX)] {
        assert_eq!(decoded(&format!("{{\"Whole\":{value}}}")).whole, Some(expected), "{value}");
    }
}

#[test]
fn text_is_borrowed_unless_escaped() {
    assert!(matches!(decoded(r#"{"Text":"plain"}"#).text, Some(Cow::Borrowed("plain"))));
    assert_eq!(decoded(r#"{"\u0054ext":"a\n\ud83d\ude00"}"#).text.as_deref(), Some("a\n😀"));
}

#[test]
fn structures_print_as_java_does() {
    let input = decoded(
        r##"{"Text":"a","Texts":["x","y"],"Request":{"Flag":true},"ExpressionAttributeNames":{"#a":"b"}}"##,
    );
    assert_eq!(
        input.dumped(),
        "Everything(text=a, flag=null, whole=null, long=null, blob=null, texts=[x, y], keys=null, \
         expressionAttributeNames={#a=b}, expressionAttributeValues=null, requestItems=null, \
         request=WriteRequest(flag=true), schema=null)"
    );
}

proptest! {
    /// Many entries keep order, and the last of a name wins.
    #[test]
    fn entries_behave_as_a_map(pairs in proptest::collection::vec((0u8..20, 0u32..100), 0..40)) {
        let members: Vec<String> = pairs.iter().map(|(name, value)| format!("\"{name}\":\"{value}\"")).collect();
        let body = format!("{{\"ExpressionAttributeNames\":{{{}}}}}", members.join(","));
        let names = decoded(&body).names.unwrap();
        let expected: std::collections::BTreeMap<_, _> = pairs.into_iter().collect();
        prop_assert_eq!(names.len(), expected.len());
        for (name, value) in expected {
            let found = names.iter().find(|(key, _)| *key == name.to_string());
            prop_assert_eq!(found.unwrap().1.as_ref(), value.to_string());
        }
    }

    /// No bytes make the decoder panic, and it agrees with the JSON check about what JSON is.
    #[test]
    fn any_bytes_are_survived(body in proptest::collection::vec(any::<u8>(), 0..60)) {
        if let Err(error) = decode_body::<Everything<'_>>(&body) {
            prop_assert!(error.message.is_empty() || is_json(&body));
        }
    }
}
