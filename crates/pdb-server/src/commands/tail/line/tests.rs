use super::*;

impl Line {
    /// Returns the text without styles.
    pub(super) fn plain(&self) -> String {
        self.0.iter().map(|(_, text)| text.as_str()).collect()
    }
}

fn shown(record: &str, stream_arn: Option<&str>) -> RecordLine {
    RecordLine::of(&serde_json::from_str(record).unwrap(), stream_arn, false)
}

#[track_caller]
fn check(record: &str, stream_arn: Option<&str>, expected: &str) {
    assert_eq!(shown(record, stream_arn).line().plain(), expected);
}

const ARN: &str = "arn:aws:dynamodb:us-east-1:000000000000:table/Orders/stream/2026-03-01T09:15:42.017";
const MODIFY: &str = r#"{"eventName":"MODIFY","dynamodb":{"ApproximateCreationDateTime":1.772356542E9,"Keys":{"pk":{"S":"o1"}},
    "OldImage":{"pk":{"S":"o1"},"total":{"N":"42"},"same":{"BOOL":true},"gone":{"NULL":true}},
    "NewImage":{"pk":{"S":"o1"},"total":{"N":"43"},"same":{"BOOL":true},"more":{"BOOL":false}}}}"#;

#[test]
fn each_event_says_what_changed() {
    check(
        r#"{"eventName":"INSERT","dynamodb":{"ApproximateCreationDateTime":1772356542,"Keys":{"pk":{"S":"o1"}},
           "NewImage":{"pk":{"S":"o1"},"total":{"N":"42"}}}}"#,
        None,
        r#"2026-03-01T09:15:42Z INSERT pk="o1" total=42"#,
    );
    check(MODIFY, Some(ARN), r#"2026-03-01T09:15:42Z MODIFY Orders pk="o1" +more=false total=42->43 -gone"#);
    check(
        r#"{"eventName":"REMOVE","userIdentity":{"PrincipalId":"dynamodb.amazonaws.com","Type":"Service"},
           "dynamodb":{"ApproximateCreationDateTime":0,"Keys":{"pk":{"N":"7"}},"OldImage":{"pk":{"N":"7"},"a":{"NULL":true}}}}"#,
        None,
        "1970-01-01T00:00:00Z REMOVE pk=7 a=null (expired)",
    );
    check(
        r#"{"eventName":"MODIFY","dynamodb":{"ApproximateCreationDateTime":0,"Keys":{"pk":{"B":"AAE="}}}}"#,
        None,
        r#"1970-01-01T00:00:00Z MODIFY pk="AAE=""#,
    );
}

#[test]
fn rows_have_columns() {
    let heading = |with_table| heading(&shown(MODIFY, None), with_table);
    let row = shown(MODIFY, Some(ARN)).row(false).plain();
    let expected = [
        "TIME                  EVENT   KEY                       CHANGES",
        r#"2026-03-01T09:15:42Z  MODIFY  pk="o1"                   +more=false total=42->43 -gone"#,
    ];
    assert_eq!([heading(false).plain(), row], expected);
    let row = shown(MODIFY, Some(ARN)).row(true).plain();
    let expected = [
        "TIME                  EVENT   TABLE             KEY                       CHANGES",
        r#"2026-03-01T09:15:42Z  MODIFY  Orders            pk="o1"                   +more=false total=42->43 -gone"#,
    ];
    assert_eq!([heading(true).plain(), row], expected);
}

#[test]
fn the_day_stays_out_where_lines_are_cut() {
    let cut = || RecordLine::of(&serde_json::from_str(MODIFY).unwrap(), None, true);
    assert_eq!(cut().line().plain(), r#"09:15:42 MODIFY pk="o1" +more=false total=42->43 -gone"#);
    assert_eq!(day(cut().date().unwrap()).plain(), "2026-03-01 (UTC)");
    let heading = heading(&cut(), false).plain();
    assert_eq!(heading, "TIME      EVENT   KEY                       CHANGES");
    assert!(cut().row(false).plain().starts_with("09:15:42  MODIFY  pk=\"o1\"   "));
    assert_eq!(shown(MODIFY, None).date(), None);
}

#[test]
fn a_line_is_cut_to_the_width() {
    for (text, width, expected) in [
        ("plain", 5, "plain"),
        ("plain", 4, "pla…"),
        ("漢字漢字", 8, "漢字漢字"),
        ("漢字漢字", 7, "漢字漢…"),
        ("漢字漢字", 6, "漢字…"),
        ("ab", 1, "…"),
        ("ab", 0, "…"),
    ] {
        let mut line = Line::of(ADDED, text);
        if line.width() > width {
            line.cut(width);
        }
        assert_eq!(line.plain(), expected, "{text} {width}");
    }
    let mut out = Vec::new();
    shown(MODIFY, None).line().write(&mut out, Some(40)).unwrap();
    let plain = anstream::adapter::strip_str(std::str::from_utf8(&out).unwrap()).to_string();
    assert_eq!(plain, "2026-03-01T09:15:42Z MODIFY pk=\"o1\" +mo…\n");
}
