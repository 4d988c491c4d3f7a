//! Cases of the filter language, the pitfalls confirmed on AWS among them.

use super::*;

/// A record with one attribute of each kind that matters to a filter.
const RECORD: &str = r#"{"eventID":"0c1f","eventName":"MODIFY","eventVersion":"1.1","eventSource":"aws:dynamodb",
 "awsRegion":"us-east-1","dynamodb":{"ApproximateCreationDateTime":1772371000,"Keys":{"pk":{"S":"o1"}},
 "NewImage":{"pk":{"S":"o1"},"city":{"S":"Berlin"},"empty":{"S":""},"n":{"N":"10.5"},"yes":{"BOOL":true},"nil":{"NULL":true},
  "tags":{"SS":["red","green"]},"list":{"L":[{"S":"a"},{"N":"1"}]},"none":{"L":[]},"m":{"M":{"inner":{"S":"v"}}}},
 "OldImage":{"pk":{"S":"o1"}},"SequenceNumber":"1400000000000000000005","SizeBytes":16,"StreamViewType":"NEW_AND_OLD_IMAGES"}}"#;

const TTL_DELETE: &str = r#"{"eventName":"REMOVE","userIdentity":{"PrincipalId":"dynamodb.amazonaws.com","Type":"Service"},
 "dynamodb":{"Keys":{"pk":{"S":"o1"}}}}"#;

#[track_caller]
fn check(record: &str, pattern: &str, expected: bool) {
    let document = EventDocument::parse(record).unwrap();
    let parsed: EventPattern = pattern.parse().unwrap();
    assert_eq!(parsed.matches(&document), expected, "{pattern}");
}

/// Checks a leaf pattern on an attribute of the new image, path given with its type.
#[track_caller]
fn check_image(attribute: &str, kind: &str, leaf: &str, expected: bool) {
    check(
        RECORD,
        &format!(r#"{{"dynamodb":{{"NewImage":{{"{attribute}":{{"{kind}":{leaf}}}}}}}}}"#),
        expected,
    );
}

#[test]
fn members_are_joined_by_and_alternatives_by_or() {
    for (pattern, expected) in [
        ("{}", true),
        (r#"{"eventName":["MODIFY"]}"#, true),
        (r#"{"eventName":["INSERT","MODIFY"]}"#, true),
        (r#"{"eventName":["INSERT"]}"#, false),
        (r#"{"eventName":["modify"]}"#, false),
        (r#"{"eventName":["MODIFY"],"awsRegion":["us-east-1"]}"#, true),
        (r#"{"eventName":["MODIFY"],"awsRegion":["eu-west-1"]}"#, false),
        (r#"{"nothing":["MODIFY"]}"#, false),
        // The last of two equal keys counts.
        (r#"{"eventName":["INSERT"],"eventName":["MODIFY"]}"#, true),
        (r#"{"eventName":["MODIFY"],"eventName":["INSERT"]}"#, false),
    ] {
        check(RECORD, pattern, expected);
    }
}

#[test]
fn or_over_members() {
    for (pattern, expected) in [
        (r#"{"$or":[{"eventName":["INSERT"]},{"awsRegion":["us-east-1"]}]}"#, true),
        (r#"{"$or":[{"eventName":["INSERT"]},{"awsRegion":["eu-west-1"]}]}"#, false),
        (r#"{"eventSource":["aws:dynamodb"],"$or":[{"eventName":["MODIFY"]},{"eventName":["x"]}]}"#, true),
        (r#"{"eventSource":["other"],"$or":[{"eventName":["MODIFY"]},{"eventName":["x"]}]}"#, false),
        (r#"{"dynamodb":{"$or":[{"SizeBytes":[1]},{"Keys":{"pk":{"S":["o1"]}}}]}}"#, true),
    ] {
        check(RECORD, pattern, expected);
    }
}

#[test]
fn every_operator_on_attributes() {
    for (attribute, kind, leaf, expected) in [
        ("city", "S", r#"["Berlin"]"#, true),
        ("city", "S", r#"["berlin"]"#, false),
        ("city", "S", r#"[{"equals-ignore-case":"bERLIN"}]"#, true),
        ("city", "S", r#"[{"equals-ignore-case":"bonn"}]"#, false),
        ("city", "S", r#"[{"prefix":"Ber"}]"#, true),
        ("city", "S", r#"[{"prefix":"ber"}]"#, false),
        ("city", "S", r#"[{"prefix":{"equals-ignore-case":"ber"}}]"#, true),
        ("city", "S", r#"[{"prefix":{"equals-ignore-case":"bon"}}]"#, false),
        ("city", "S", r#"[{"suffix":"lin"}]"#, true),
        ("city", "S", r#"[{"suffix":"LIN"}]"#, false),
        ("city", "S", r#"[{"suffix":{"equals-ignore-case":"LIN"}}]"#, true),
        ("city", "S", r#"[{"anything-but":"Bonn"}]"#, true),
        ("city", "S", r#"[{"anything-but":["Bonn","Berlin"]}]"#, false),
        ("city", "S", r#"[{"anything-but":["Bonn",7]}]"#, true),
        ("city", "S", r#"[{"anything-but":{"prefix":"Ber"}}]"#, false),
        ("city", "S", r#"[{"anything-but":{"suffix":"x"}}]"#, true),
        ("city", "S", r#"[{"anything-but":{"prefix":["X","Be"]}}]"#, false),
        ("city", "S", r#"[{"anything-but":{"equals-ignore-case":["berlin"]}}]"#, false),
        // Something absent is not "anything but".
        ("missing", "S", r#"[{"anything-but":["Bonn"]}]"#, false),
        ("city", "S", r#"[{"exists":true}]"#, true),
        ("city", "S", r#"[{"exists":false}]"#, false),
        ("missing", "S", r#"[{"exists":true}]"#, false),
        ("missing", "S", r#"[{"exists":false}]"#, true),
        ("empty", "S", r#"[""]"#, true),
        ("city", "S", r#"[""]"#, false),
        ("city", "S", r#"[null]"#, false),
        ("yes", "BOOL", "[true]", true),
        ("yes", "BOOL", "[false]", false),
        ("nil", "NULL", "[true]", true),
        // The type is part of the path.
        ("city", "N", r#"["Berlin"]"#, false),
        // Numbers are text: equality and prefix work, `numeric` and JSON numbers never do.
        ("n", "N", r#"["10.5"]"#, true),
        ("n", "N", r#"[{"prefix":"10"}]"#, true),
        ("n", "N", "[10.5]", false),
        ("n", "N", r#"[{"numeric":["=",10.5]}]"#, false),
        ("n", "N", r#"[{"numeric":[">",0]}]"#, false),
        // Sets are arrays: one element is enough.
        ("tags", "SS", r#"["green"]"#, true),
        ("tags", "SS", r#"["blue"]"#, false),
        ("tags", "SS", r#"[{"anything-but":"green"}]"#, true),
        ("tags", "SS", r#"[{"exists":true}]"#, true),
        // Lists of values are arrays of objects.
        ("list", "L", r#"{"S":["a"]}"#, true),
        ("list", "L", r#"{"N":["1"]}"#, true),
        ("list", "L", r#"{"S":["b"]}"#, false),
        // Both members must be found in the same element.
        ("list", "L", r#"{"S":["a"],"N":["1"]}"#, false),
        ("none", "L", r#"[{"exists":true}]"#, false),
        ("none", "L", r#"{"S":[{"exists":false}]}"#, true),
        ("m", "M", r#"{"inner":{"S":["v"]}}"#, true),
        ("m", "M", r#"{"inner":{"S":["w"]}}"#, false),
    ] {
        check_image(attribute, kind, leaf, expected);
    }
}

#[test]
fn pitfalls_confirmed_on_aws() {
    for (pattern, expected) in [
        // Without the type the pattern matches nothing.
        (r#"{"dynamodb":{"NewImage":{"city":["Berlin"]}}}"#, false),
        // `exists` sees leaves only: an object counts as absent.
        (r#"{"dynamodb":{"NewImage":{"city":[{"exists":true}]}}}"#, false),
        (r#"{"dynamodb":{"NewImage":{"city":[{"exists":false}]}}}"#, true),
        (r#"{"dynamodb":{"NewImage":{"missing":[{"exists":false}]}}}"#, true),
        (r#"{"dynamodb":{"NewImage":[{"exists":true}]}}"#, false),
        // Real JSON numbers are compared as numbers.
        (
            r#"{"dynamodb":{"ApproximateCreationDateTime":[{"numeric":[">",1772370000,"<=",1772371000]}]}}"#,
            true,
        ),
        (r#"{"dynamodb":{"ApproximateCreationDateTime":[{"numeric":["<",1772371000]}]}}"#, false),
        (r#"{"dynamodb":{"ApproximateCreationDateTime":[{"numeric":[">=",1772371000]}]}}"#, true),
        (r#"{"dynamodb":{"ApproximateCreationDateTime":[{"numeric":["=",1772371000]}]}}"#, true),
        (r#"{"dynamodb":{"ApproximateCreationDateTime":[1772371000]}}"#, true),
        (r#"{"dynamodb":{"ApproximateCreationDateTime":[1772371000.0]}}"#, true),
        (r#"{"dynamodb":{"ApproximateCreationDateTime":["1772371000"]}}"#, false),
        (r#"{"userIdentity":{"type":[{"exists":false}]}}"#, true),
    ] {
        check(RECORD, pattern, expected);
    }
}

#[test]
fn ttl_deletes_are_told_by_the_lower_case_identity() {
    let pattern = r#"{"userIdentity":{"type":["Service"],"principalId":["dynamodb.amazonaws.com"]}}"#;
    check(TTL_DELETE, pattern, true);
    check(RECORD, pattern, false);
    check(TTL_DELETE, r#"{"userIdentity":{"Type":["Service"]}}"#, false);
}

#[test]
fn what_is_no_pattern_is_refused_with_lambdas_text() {
    for text in [
        "",
        "[]",
        "\"x\"",
        "{",
        r#"{"eventName":"INSERT"}"#,
        r#"{"eventName":[]}"#,
        r#"{"eventName":[["INSERT"]]}"#,
        r#"{"dynamodb":{}}"#,
        r#"{"a":[{}]}"#,
        r#"{"a":[{"prefix":"x","suffix":"y"}]}"#,
        r#"{"a":[{"prefix":7}]}"#,
        r#"{"a":[{"prefix":{"suffix":"x"}}]}"#,
        r#"{"a":[{"equals-ignore-case":7}]}"#,
        r#"{"a":[{"exists":"yes"}]}"#,
        r#"{"a":[{"wildcard":"x*"}]}"#,
        r#"{"a":[{"anything-but":[]}]}"#,
        r#"{"a":[{"anything-but":true}]}"#,
        r#"{"a":[{"numeric":5}]}"#,
        r#"{"a":[{"numeric":[]}]}"#,
        r#"{"a":[{"numeric":[">"]}]}"#,
        r#"{"a":[{"numeric":["!",1]}]}"#,
        r#"{"a":[{"numeric":[">","1"]}]}"#,
        r#"{"$or":{"a":["x"]}}"#,
        r#"{"$or":[{"a":["x"]}]}"#,
        r#"{"$or":[{"a":["x"]},{}]}"#,
        r#"{"$or":[{"a":["x"]},7]}"#,
    ] {
        let error = text.parse::<EventPattern>().unwrap_err();
        assert!(error.to_string().starts_with("Invalid filter pattern definition."), "{text}: {error}");
    }
}

#[test]
fn a_document_is_an_object() {
    assert_eq!(EventDocument::parse("[]"), Err(PatternError::Document));
    assert_eq!(EventDocument::parse("{"), Err(PatternError::Document));
}

/// A record of a table of customers, for the operators as AWS lists them and its examples for DynamoDB
/// (https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html and with-ddb-filtering.html, November 2026).
const CUSTOMER: &str = r#"{"eventID":"1","eventName":"INSERT","eventSource":"aws:dynamodb","awsRegion":"eu-west-1",
 "dynamodb":{"ApproximateCreationDateTime":1678831218,"Keys":{"Name":{"S":"Acme Tools"}},
 "NewImage":{"Name":{"S":"Acme Tools"},"Manager":{"S":"Kim"},"Terms":{"S":"60 days"},"Note":{"S":""},"Vip":{"NULL":true},
  "Credit":{"N":"100"}},"SequenceNumber":"111","SizeBytes":26,"StreamViewType":"NEW_IMAGE"}}"#;

#[test]
fn the_operators_aws_documents() {
    for (operator, pattern, expected) in [
        ("null", r#"{"dynamodb":{"NewImage":{"Vip":{"NULL":[true]}}}}"#, true),
        ("null is no absence", r#"{"dynamodb":{"OldImage":{"Vip":{"S":[null]}}}}"#, false),
        ("empty", r#"{"dynamodb":{"NewImage":{"Note":{"S":[""]}}}}"#, true),
        ("empty is no absence", r#"{"dynamodb":{"NewImage":{"Other":{"S":[""]}}}}"#, false),
        ("equals", r#"{"dynamodb":{"NewImage":{"Manager":{"S":["Kim"]}}}}"#, true),
        ("equals minds the case", r#"{"dynamodb":{"NewImage":{"Manager":{"S":["KIM"]}}}}"#, false),
        (
            "equals, ignoring case",
            r#"{"dynamodb":{"NewImage":{"Manager":{"S":[{"equals-ignore-case":"KIM"}]}}}}"#,
            true,
        ),
        ("and", r#"{"dynamodb":{"NewImage":{"Manager":{"S":["Kim"]},"Terms":{"S":["60 days"]}}}}"#, true),
        (
            "and, one not",
            r#"{"dynamodb":{"NewImage":{"Manager":{"S":["Kim"]},"Terms":{"S":["30 days"]}}}}"#,
            false,
        ),
        ("or", r#"{"dynamodb":{"NewImage":{"Manager":{"S":["Lee","Kim"]}}}}"#, true),
        ("or, none", r#"{"dynamodb":{"NewImage":{"Manager":{"S":["Lee","Max"]}}}}"#, false),
        (
            "or of members",
            r#"{"dynamodb":{"NewImage":{"$or":[{"Manager":{"S":["Lee"]}},{"Terms":{"S":["60 days"]}}]}}}"#,
            true,
        ),
        ("not", r#"{"dynamodb":{"NewImage":{"Manager":{"S":[{"anything-but":["Lee"]}]}}}}"#, true),
        ("not, but is", r#"{"dynamodb":{"NewImage":{"Manager":{"S":[{"anything-but":["Kim"]}]}}}}"#, false),
        ("numeric, equals", r#"{"dynamodb":{"SizeBytes":[{"numeric":["=",26]}]}}"#, true),
        ("numeric, range", r#"{"dynamodb":{"SizeBytes":[{"numeric":[">",10,"<=",26]}]}}"#, true),
        ("numeric, beside the range", r#"{"dynamodb":{"SizeBytes":[{"numeric":[">",26,"<=",30]}]}}"#, false),
        (
            "numeric of an attribute",
            r#"{"dynamodb":{"NewImage":{"Credit":{"N":[{"numeric":["=",100]}]}}}}"#,
            false,
        ),
        ("equals of a number", r#"{"dynamodb":{"NewImage":{"Credit":{"N":["100"]}}}}"#, true),
        ("exists", r#"{"dynamodb":{"NewImage":{"Terms":{"S":[{"exists":true}]}}}}"#, true),
        ("exists not", r#"{"dynamodb":{"OldImage":{"Terms":{"S":[{"exists":false}]}}}}"#, true),
        ("begins with", r#"{"awsRegion":[{"prefix":"eu-"}]}"#, true),
        ("begins otherwise", r#"{"awsRegion":[{"prefix":"us-"}]}"#, false),
        ("ends with", r#"{"dynamodb":{"NewImage":{"Terms":{"S":[{"suffix":" days"}]}}}}"#, true),
        ("by key", r#"{"dynamodb":{"Keys":{"Name":{"S":["Acme Tools"]}}}}"#, true),
        ("by another key", r#"{"dynamodb":{"Keys":{"Name":{"S":["Other Tools"]}}}}"#, false),
        (
            "by what happened",
            r#"{"eventName":["INSERT"],"dynamodb":{"NewImage":{"Manager":{"S":["Kim"]}}}}"#,
            true,
        ),
        ("by an image it has not", r#"{"dynamodb":{"OldImage":{"Manager":{"S":["Kim"]}}}}"#, false),
    ] {
        let document = EventDocument::parse(CUSTOMER).unwrap();
        let parsed: EventPattern = pattern.parse().unwrap();
        assert_eq!(parsed.matches(&document), expected, "{operator}: {pattern}");
    }
}

#[test]
fn a_pattern_has_at_most_4096_characters() {
    // Characters, not bytes.
    for (letter, short) in [("a", "Berlin"), ("ü", "München")] {
        let frame = |text: &str| format!(r#"{{"awsRegion":["{short}","{text}"]}}"#);
        let room = 4096 - frame("").chars().count();
        let longest = frame(&letter.repeat(room));
        check(&format!(r#"{{"awsRegion":"{short}"}}"#), &longest, true);
        for too_long in [frame(&letter.repeat(room + 1)), format!("{longest} "), "x".repeat(100_000)] {
            let error = too_long.parse::<EventPattern>().unwrap_err();
            assert_eq!(
                error.to_string(),
                "1 validation error detected: Value at 'pattern' failed to satisfy constraint: Member must have length \
                 less than or equal to 4096"
            );
        }
    }
}
