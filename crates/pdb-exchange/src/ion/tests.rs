//! Tests of Ion: the mapping, and values wherever they begin and end.

use super::*;

fn seen(bytes: &[u8]) -> Vec<String> {
    let mut seen = Vec::new();
    let ended = read(bytes, false, &mut |entry| {
        let what = match entry.record {
            Ok(Record::Item { item, .. }) => item.to_string(),
            Ok(Record::Change { keys, new_image, old_image }) => {
                format!("{keys} {new_image:?} {old_image:?}")
            }
            Err(fault) => fault.reason,
        };
        let line = entry.line.map_or("-".to_owned(), |line| line.to_string());
        seen.push(format!("{line} {what}"));
        ControlFlow::Continue(())
    });
    if let Err(error) = ended {
        seen.push(format!("{:?}: {error}", error.line()));
    }
    seen
}

const ALL: &str = r#"{"b":{"B":"AP8="},"bs":{"BS":["AQ=="]},"l":{"L":[{"N":"1"},{"BOOL":true}]},"m":{"M":{"a b":{"S":"x"},"null":{"NULL":true}}},"n":{"N":"-0.015"},"ns":{"NS":["1","2.5"]},"s":{"S":"\"q\"\n\u0001"},"ss":{"SS":["a","b"]}}"#;

#[test]
fn the_mapping_is_that_of_exports() {
    let item = Item::from_json(ALL).unwrap();
    let mut out = String::new();
    write_item(&item, &mut out);
    assert_eq!(
        out,
        "$ion_1_0 {Item:{b:{{AP8=}},bs:$dynamodb_BS::[{{AQ==}}],l:[1.,true],m:{'a b':\"x\",'null':null},n:-0.015,\
         ns:$dynamodb_NS::[1.,2.5],s:\"\\\"q\\\"\\n\\u0001\",ss:$dynamodb_SS::[\"a\",\"b\"]}}\n"
    );
    assert_eq!(seen(out.as_bytes()), [format!("1 {ALL}")]);
}

#[test]
fn binary_values_are_read_with_their_symbols() {
    let item = Item::from_json(ALL).unwrap();
    let mut text = String::new();
    write_item(&item, &mut text);
    write_item(&Item::from([("id", "2".into()), ("n", 6.into())]), &mut text);
    let values = Element::read_all(&text).unwrap();
    let binary = values.encode_as(ion_rs::v1_0::Binary).unwrap();
    assert!(binary.starts_with(BINARY_MARK));
    let expected = [format!("- {ALL}"), r#"- {"id":{"S":"2"},"n":{"N":"6"}}"#.to_owned()];
    assert_eq!(seen(&binary), expected);
    let cut = seen(&binary[..binary.len() - 1]);
    assert!(cut.last().unwrap().contains("cut short"), "{cut:?}");
}

#[test]
fn records_over_several_lines_and_faults_have_their_lines() {
    let text = "$ion_1_0\n{\n  Item: { // the first }\n    id: '''1'''\n  }\n}\n{Item:{id:2024-01-01T}}\n{id:\"3\"} {id:4, n:6d2}\n\n{Item:{id:}}\n{Item:{id:\"5\"}";
    let seen = seen(text.as_bytes());
    assert_eq!(seen[0], r#"2 {"id":{"S":"1"}}"#);
    assert_eq!(seen[1], "7 attribute `id`: DynamoDB has no type for a value of Ion's type timestamp");
    assert_eq!(seen[2], r#"8 {"id":{"S":"3"}}"#);
    assert_eq!(seen[3], r#"8 {"id":{"N":"4"},"n":{"N":"600"}}"#);
    assert!(seen[4].starts_with("10 this is not Ion"), "{}", seen[4]);
    assert_eq!(seen[5], "Some(11): the value that begins here is not complete: the file is cut short");
}

#[test]
fn changes_of_incremental_exports_are_read() {
    let text = "$ion_1_0 {Record:{Keys:{id:\"1\"},Metadata:{WriteTimestampMicros:1772356542017000.},NewImage:{id:\"1\"}}}";
    let seen = seen(text.as_bytes());
    assert!(seen[0].starts_with(r#"1 {"id":{"S":"1"}} Some("#) && seen[0].ends_with("None"), "{seen:?}");
}

/// Deep values would overflow the stack of the parser, which ends the process.
#[test]
fn values_that_are_too_deep_or_have_too_many_parts_are_not_parsed() {
    let deep =
        |levels: usize| format!("{{Item:{{id:\"1\",x:{}1{}}}}}", "[".repeat(levels), "]".repeat(levels));
    let text = format!("{}\n{} {{Item:{{id:\"2\"}}}}\n", deep(31), deep(1_000_000));
    let found = seen(text.as_bytes());
    assert!(found[0].starts_with(r#"1 {"id":{"S":"1"},"x":{"L":[{"L":"#), "{}", found[0]);
    assert_eq!(found[1], "2 values are nested deeper than 32 levels");
    assert_eq!(found[2], r#"2 {"id":{"S":"2"}}"#);
    assert_eq!(seen(deep(32).as_bytes()), ["1 attribute `x`: values are nested deeper than 32 levels"]);

    let wide = format!("{{Item:{{x:[{}]}}}}", "1,".repeat(1_000_000));
    assert_eq!(seen(wide.as_bytes()), ["1 the value has more parts than an item can have"]);
    let expression = format!("{{Item:{{x:({})}}}} 1", "a.".repeat(1_000_000));
    let found = seen(expression.as_bytes());
    assert_eq!(found[0], "1 DynamoDB has no type for a value of Ion's type sexp");
    assert_eq!(found[1], "1 a record must be a struct, `{...}`");

    // Lists within lists, each with its length in four bytes.
    let mut binary = Vec::new();
    for _ in 0..200_000 {
        let length = binary.len();
        let bits = |shift: u32| ((length >> shift) & 0x7f) as u8;
        binary.splice(0..0, [0xbe, bits(21), bits(14), bits(7), bits(0) | 0x80]);
        if binary.len() > 4_000 {
            break;
        }
    }
    let found = seen(&[BINARY_MARK, &binary].concat());
    assert_eq!(found, ["- values are nested deeper than 32 levels"]);
}

#[test]
fn the_size_of_a_binary_value_is_that_of_its_headers() {
    let item = Item::from_json(ALL).unwrap();
    let mut text = String::new();
    write_item(&item, &mut text);
    let binary = Element::read_all(&text).unwrap().encode_as(ion_rs::v1_0::Binary).unwrap();
    // Every value of a real file passes; every cut of one is a fault or passes, and never a panic.
    assert!(size::Size::of_binary(&binary[4..]).and_then(size::Size::check).is_ok());
    for end in 4..binary.len() {
        let _ = size::Size::of_binary(&binary[4..end]);
    }
}

/// What the scan takes for a text or a comment, and the parser does not, must not hide levels of nesting from the check.
#[track_caller]
fn nesting_is_seen_behind(head: &str) {
    let text = format!("{head}{}1{}\n}}}}\n", "[".repeat(1_000_000), "]".repeat(1_000_000));
    let found = seen(text.as_bytes());
    assert!(found[0].contains("nested deeper than 32 levels"), "{:.200}", found[0]);
}

#[test]
fn nesting_is_seen_behind_an_escaped_end_of_a_line_in_a_text() {
    nesting_is_seen_behind("{Item:{id:\"a\\\n\",x:");
}

#[test]
fn nesting_is_seen_behind_an_escaped_end_of_a_line_of_two_bytes() {
    nesting_is_seen_behind("{Item:{id:\"a\\\r\n\",x:");
}

#[test]
fn nesting_is_seen_behind_an_escaped_end_of_a_line_in_a_symbol() {
    nesting_is_seen_behind("{Item:{'a\\\n':1,x:");
}

#[test]
fn nesting_is_seen_behind_a_carriage_return_that_ends_a_comment() {
    nesting_is_seen_behind("{Item:{id:\"a\", // c\rx:");
    let text = format!("{{Item:{{id:\"a\",x:{}1{}}}}}", "//\r[".repeat(1_000_000), "]".repeat(1_000_000));
    assert_eq!(seen(text.as_bytes()), ["1 values are nested deeper than 32 levels"]);
}

#[test]
fn nesting_is_seen_behind_base64_over_several_lines() {
    nesting_is_seen_behind("{Item:{id:\"a\",b:{{\n//8= }},x:");
}
