use super::*;

const GOOD: &str = r#"{
  "keys": [
    {"accessKeyId": "AKIDOWNER", "secretAccessKey": "s3cret"},
    {
      "accessKeyId": "ASIATEMPORARY", "secretAccessKey": "s3cret", "sessionToken": "t0ken",
      "expiration": "2026-03-01T10:00:00Z", "userName": "ci@example", "readOnly": true, "tablePrefixes": ["test-"]
    }
  ]
}"#;

#[test]
fn a_file_has_keys_with_limits() {
    let credentials = Credentials::parse(GOOD).unwrap();
    assert_eq!((credentials.len(), credentials.first()), (2, ("AKIDOWNER", "s3cret", None)));
    let owner = &credentials.keys["AKIDOWNER"];
    assert_eq!(*owner.access, Access::new("AKIDOWNER"));
    assert!(!owner.access.is_limited() && owner.has_token(None) && !owner.has_token(Some("t0ken")));
    let temporary = &credentials.keys["ASIATEMPORARY"];
    let limits = Access::new("ci@example").read_only().tables_with_prefixes(["test-".to_owned()]);
    assert_eq!(*temporary.access, limits);
    assert_eq!(temporary.expiration, Some(EpochMillis(1_772_359_200_000)));
    assert!(
        temporary.has_token(Some("t0ken"))
            && !temporary.has_token(None)
            && !temporary.has_token(Some("t0keN"))
    );
}

#[test]
fn a_file_may_be_that_of_the_sdks() {
    let text = "# keys\n[default]\naws_access_key_id = AKIDONE\naws_secret_access_key = a+b/c=\n\n\
                [ other user ]\nAWS_Access_Key_Id=AKIDTWO\naws_secret_access_key=x\naws_session_token=t\n";
    let credentials = Credentials::parse(text).unwrap();
    assert_eq!((credentials.len(), credentials.first()), (2, ("AKIDONE", "a+b/c=", None)));
    assert_eq!(*credentials.keys["AKIDONE"].access, Access::new("default"));
    assert_eq!(*credentials.keys["AKIDTWO"].access, Access::new("AKIDTWO"));
    assert!(credentials.keys["AKIDTWO"].has_token(Some("t")));
}

#[test]
fn errors_name_the_line_and_no_secret() {
    let key = |more: &str| {
        format!("{{\"keys\": [\n{{\"accessKeyId\": \"AKID\",\n\"secretAccessKey\": \"s3cret\"{more}}}]}}")
    };
    for (text, expected) in [
        (String::new(), "there are no keys in it"),
        (r#"{"keys": []}"#.to_owned(), "there are no keys in it"),
        ("{".to_owned(), "line 1: EOF while parsing an object"),
        ("{}".to_owned(), "line 1: missing field `keys`"),
        (r#"{"keys": {}}"#.to_owned(), "line 1: invalid type: map, expected a sequence"),
        ("{\"keys\": [],\n\"roles\": []}".to_owned(), "line 2: unknown field `roles`, expected `keys`"),
        (key(",\n\"region\": \"x\""), "line 4: unknown field `region`, expected one of `accessKeyId`, `secretAccessKey`, `sessionToken`, `expiration`, `userName`, `readOnly`, `tablePrefixes`"),
        (key(",\n\"accessKeyId\": \"AKID2\""), "line 4: duplicate field `accessKeyId`"),
        ("{\"keys\": [\n\n{\"accessKeyId\": \"AKID\", \"secretAccessKey\": 5}]}".to_owned(), "line 3: `secretAccessKey` is not a text"),
        ("{\"keys\": [{\"accessKeyId\": \"AKID\", \"secretAccessKey\": \"\"}]}".to_owned(), "line 1: `secretAccessKey` is empty"),
        ("{\"keys\": [{\"accessKeyId\": \"A/B\", \"secretAccessKey\": \"x\"}]}".to_owned(), "line 1: `accessKeyId` needs 1 to 128 letters, digits, `_`, `.` and `-`"),
        (key(", \"sessionToken\": \"\""), "line 2: `sessionToken` is empty: leave it out for a key that needs none"),
        (key(", \"expiration\": \"2026-03-01\""), "line 2: `expiration` needs a `sessionToken`: only temporary credentials expire"),
        (key(", \"sessionToken\": \"t\", \"expiration\": \"soon\""), "line 2: `soon` is not a time; try 2026-03-01T09:15:42.017Z, or seconds or milliseconds since 1970"),
        (key(", \"userName\": \"a b\""), "line 2: `userName` needs 1 to 64 letters, digits and `_+=,.@-`"),
        (key(", \"tablePrefixes\": []"), "line 2: `tablePrefixes` is empty: leave it out for a key that may use all tables"),
        (key(", \"tablePrefixes\": [\"\"]"), "line 2: `` in `tablePrefixes` is not the beginning of a table's name: 1 to 255 letters, digits, `_`, `.` and `-`"),
        (key(", \"readOnly\": \"yes\""), "line 3: invalid type: string \"yes\", expected a boolean"),
        (
            "{\"keys\": [{\"accessKeyId\": \"AKID\", \"secretAccessKey\": \"a\"},\n{\"accessKeyId\": \"AKID\", \"secretAccessKey\": \"b\"}]}".to_owned(),
            "line 2: the key `AKID` is there twice",
        ),
        ("AKID s3cret".to_owned(), "line 1: expected a JSON object, or a section such as [default]"),
        ("[default".to_owned(), "line 1: the name of the section has no `]`"),
        ("[default]\ns3cret".to_owned(), "line 2: expected a setting, NAME = VALUE"),
        ("[default]\naws_access_key_id=AKID\n".to_owned(), "line 1: the section has no aws_secret_access_key"),
        ("[default]\nregion = s3cret\n".to_owned(), "line 2: unknown setting: expected aws_access_key_id, aws_secret_access_key or aws_session_token"),
        ("[default]\naws_access_key_id=a\naws_access_key_id=b".to_owned(), "line 3: the section has this setting already"),
    ] {
        let error = Credentials::parse(&text).unwrap_err();
        assert_eq!(error.to_string(), expected, "{text}");
        assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
    }
}

#[test]
fn nothing_shows_a_secret() {
    let credentials = Credentials::parse(GOOD).unwrap();
    let shown = format!("{credentials:?} {:?}", credentials.keys);
    assert!(shown.contains("AKIDOWNER"));
    assert!(!shown.contains("s3cret") && !shown.contains("t0ken"), "{shown}");
}

#[test]
fn files_are_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    let missing = Credentials::read(&path).unwrap_err().to_string();
    assert!(
        missing.starts_with("cannot read the credentials in `") && missing.contains("keys.json"),
        "{missing}"
    );
    std::fs::write(&path, GOOD).unwrap();
    assert_eq!(Credentials::read(&path).unwrap().len(), 2);
    std::fs::write(&path, "[x]\nsecret").unwrap();
    let error = Credentials::read(&path).unwrap_err().to_string();
    assert!(error.ends_with("keys.json: line 2: expected a setting, NAME = VALUE"), "{error}");
    std::fs::write(&path, vec![b' '; MAX_BYTES as usize + 1]).unwrap();
    assert!(Credentials::read(&path).unwrap_err().to_string().ends_with("it is larger than 1 MiB"));
}
