//! Variables of serverless files, and texts.

use std::collections::BTreeMap;

use super::*;

/// The name that the variables in `name` give to the table of a serverless file.
fn name_of_table(folder: &Path, name: &str) -> Result<String, String> {
    let file = folder.join("serverless.yml");
    let text = format!(
        "service: shop\nprovider: {{name: aws, stage: \"${{opt:stage, 'dev'}}\"}}\ncustom:\n  name: orders\n  far: ${{file(far.yml)}}\n  \
         loop: ${{self:custom.loop}}\n  by: {{dev: d, live: l}}\nparams: {{default: {{p: one}}, live: {{p: two}}}}\n\
         resources:\n  Resources:\n    T:\n      Type: AWS::DynamoDB::Table\n      Properties:\n        TableName: {name}\n"
    );
    std::fs::write(&file, text).unwrap();
    let account = Account::default();
    let variables = BTreeMap::from([("env:OWNER".to_owned(), "me".to_owned())]);
    let surroundings = Surroundings { account: &account, variables: &variables };
    let defined = read(&file, &surroundings).map_err(|error| error.to_string())?;
    Ok(defined[0].tables[0].name().to_owned())
}

#[test]
fn variables_have_values() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("far.yml"), "name: ${self:custom.name}-far\nlist: [x, y]\n").unwrap();
    for (name, expected) in [
        ("${self:custom.name}", "orders"),
        ("${self:service}-${self:provider.stage}", "shop-dev"),
        ("${sls:stage}-${aws:region}-${aws:accountId}", "dev-us-east-1-000000000000"),
        ("${opt:nothing, self:custom.name}", "orders"),
        ("\"${opt:nothing, 'a,b'}\"", "a,b"),
        ("${env:OWNER}-${env:NOBODY, 'none'}", "me-none"),
        ("${param:p}", "one"),
        ("${self:custom.by.${self:provider.stage}}", "d"),
        ("${self:custom.far.name}", "orders-far"),
        ("${file(far.yml):list.1}", "y"),
        ("${ssm:/x, 'fallback'}", "fallback"),
        ("!Sub '${AWS::Region}-${self:custom.name}'", "us-east-1-orders"),
    ] {
        assert_eq!(name_of_table(folder.path(), name).as_deref(), Ok(expected), "{name}");
    }
    for (name, reason) in [
        ("${self:custom.nothing}", "`${self:custom.nothing}` has no value"),
        ("${env:NOBODY}", "the environment variable `NOBODY` is not set"),
        ("${cf:stack.Name}", "`${cf:stack.Name}` is not known here"),
        ("${self:custom.loop}", "refer to themselves"),
        ("${file(none.yml):a}", "none.yml: there is no such file"),
        ("x${self:custom.by}", "is a map within a text"),
    ] {
        let error = name_of_table(folder.path(), name).unwrap_err();
        assert!(
            error.contains("T.Properties.TableName: cannot be resolved: ") && error.contains(reason),
            "{name}: {error}"
        );
    }
}

#[test]
fn texts_of_powershell_are_read() {
    let utf16 = |mark: [u8; 2], unit: fn(u16) -> [u8; 2]| {
        let units = "{\"ä\": 1}".encode_utf16().flat_map(unit);
        mark.into_iter().chain(units).collect::<Vec<u8>>()
    };
    assert_eq!(text_of(utf16([0xff, 0xfe], u16::to_le_bytes)).as_deref(), Some("{\"ä\": 1}"));
    assert_eq!(text_of(utf16([0xfe, 0xff], u16::to_be_bytes)).as_deref(), Some("{\"ä\": 1}"));
    assert_eq!(text_of(b"\xef\xbb\xbf{}".to_vec()).as_deref(), Some("{}"));
    assert_eq!(text_of(vec![0xc3, 0x28]), None);
}
