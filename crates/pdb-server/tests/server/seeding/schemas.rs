//! Definitions of tables in all forms.

use std::fmt::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use expect_test::expect_file;
use serde_json::{Value, json};

use super::{call, refusal, serve, text};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/schemas").join(name)
}

/// All that a server says of its tables, apart from what is another thing each time.
fn described(address: SocketAddr) -> String {
    let mut shown = String::new();
    for name in call(address, "ListTables", "{}")["TableNames"].as_array().unwrap() {
        let named = json!({ "TableName": name }).to_string();
        let table = call(address, "DescribeTable", &named)["Table"].clone();
        let resource = json!({ "ResourceArn": table["TableArn"] }).to_string();
        for value in [
            table,
            call(address, "DescribeTimeToLive", &named),
            call(address, "DescribeContinuousBackups", &named),
            call(address, "ListTagsOfResource", &resource),
        ] {
            writeln!(shown, "{:#}", without_moments(&value)).unwrap();
        }
    }
    shown
}

fn without_moments(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .filter(|(name, _)| {
                !name.ends_with("DateTime")
                    && !["TableId", "LatestStreamArn", "LatestStreamLabel", "KMSMasterKeyArn"]
                        .contains(&name.as_str())
            })
            .map(|(name, value)| (name.clone(), without_moments(value)))
            .collect(),
        Value::Array(elements) => elements.iter().map(without_moments).collect(),
        scalar => scalar.clone(),
    }
}

/// Makes the tables of a file with the program, and compares what the server says of them with what is kept.
#[track_caller]
fn check(name: &str, options: &[&str], expected: &str, notes: &[&str]) {
    let file = fixture(name);
    let mut server = serve(&[options, &["--schema", text(&file)]].concat());
    let shown = described(server.address());
    let (_, log) = server.stop_and_read("-TERM");
    expect_file![format!("{}/{expected}.txt", fixture("expected").display())].assert_eq(&shown);
    for note in notes {
        assert!(log.contains(note), "{note}: {log}");
    }
    assert_eq!(log.lines().count(), notes.len(), "{log}");
}

#[test]
fn requests_of_create_table() {
    check("create-table.json", &[], "create-table", &[]);
    check("table-list.json", &[], "table-list", &[]);
    check("skeleton.yaml", &[], "skeleton", &[]);
}

#[test]
fn descriptions_of_tables() {
    let note = "describe-table.json: Table.Replicas: is ignored: global tables are not replicated here";
    check("describe-table.json", &[], "describe-table", &[note]);
}

#[test]
fn templates_of_cloudformation() {
    let key = "cloudformation.yaml: Orders.Properties.SSESpecification.KMSMasterKeyId: is ignored: it cannot be resolved: \
               `Key.Arn` is known only at AWS";
    check("cloudformation.yaml", &[], "cloudformation", &[key]);
    check("cloudformation.yaml", &["--schema-parameter", "Units=7"], "cloudformation-7", &[key]);
}

#[test]
fn global_tables() {
    let note = "Catalogue.Properties.Replicas: the table is that of eu-central-1; there are no replicas here, so those in eu-west-1";
    check("global-table.json", &["--region", "eu-central-1"], "global-table", &[note]);
}

#[test]
fn templates_of_sam() {
    check("sam.yaml", &[], "sam", &[]);
}

#[test]
fn files_of_serverless() {
    check("serverless.yml", &[], "serverless", &[]);
    check("serverless.yml", &["--schema-parameter", "opt:stage=live"], "serverless-live", &[]);
}

#[test]
fn plans_of_terraform() {
    let key = |address: &str| {
        format!(
            "{address}.server_side_encryption[0].kms_key_arn: is ignored: it cannot be resolved: its value is known only after"
        )
    };
    let notes = [key("aws_dynamodb_table.jobs"), key("module.audit.aws_dynamodb_table.this[0]")];
    check("terraform-plan.json", &[], "terraform-plan", &notes.each_ref().map(String::as_str));
}

#[test]
fn templates_that_cdk_writes() {
    check("cdk.out", &[], "cdk", &[]);
}

#[test]
fn what_cannot_be_carried_over_is_an_error_that_names_the_place() {
    let folder = tempfile::tempdir().unwrap();
    let table = |properties: &str| {
        format!("Resources:\n  T:\n    Type: AWS::DynamoDB::Table\n    Properties: {{{properties}}}\n")
    };
    let keys = "KeySchema: [{AttributeName: id, KeyType: HASH}], AttributeDefinitions: [{AttributeName: id, AttributeType: S}]";
    for (name, content, error) in [
        ("a.yml", table(&format!("{keys}, BillingMode: PAY_PER_REQUEST, Shards: 4")), ": T.Properties.Shards: is not known and would be lost"),
        ("b.yml", table(&format!("{keys}, TableName: !ImportValue Name")), ": T.Properties.TableName: cannot be resolved: `Fn::ImportValue` needs AWS"),
        ("c.yml", table(&format!("{keys}, TableName: !Sub '${{AWS::StackName}}-t'")), "give it a value, as in `--schema-parameter AWS::StackName=...`"),
        ("d.yml", table(&format!("{keys}, TableName: !Ref Stage")), ": T.Properties.TableName: cannot be resolved: there is no parameter or resource `Stage`"),
        ("e.yml", table(keys), ": T: the table `T` cannot be created: "),
        ("f.yml", table(&format!("{keys}, DeletionProtectionEnabled: maybe")), "is `maybe`, but must be true or false"),
        ("g.json", "{\"TableName\": \"x\",\n\"KeySchema\": [}".to_owned(), ":2: this is not JSON: a value is missing"),
        ("h.json", "{\"hello\": 1}".to_owned(), ": the file does not define tables"),
        ("i.yml", "a: 1\nb: [\n".to_owned(), "i.yml:"),
        ("j.tf", "resource {}".to_owned(), "`terraform show -json` prints"),
        ("k.json", r#"{"TableName": "xyz", "KeySchema": [], "KeySchemas": []}"#.to_owned(), ": KeySchemas: is not known and would be lost"),
        ("l.json", r#"{"terraform_version": "1", "resources": []}"#.to_owned(), "has no planned values"),
        ("serverless.yml", "service: x\nprovider: {name: aws}\nresources: {Resources: {T: {Type: 'AWS::DynamoDB::Table'}}, extensions: {T: {Properties: {TableName: t}}}}\n".to_owned(), ": resources.extensions.T: is not merged here: write it into resources.Resources.T"),
        ("serverless.yml", "service: x\nprovider: {name: aws}\nresources: {Resources: {T: {Type: 'AWS::DynamoDB::Table', Properties: {TableName: '${ssm:/name}'}}}}\n".to_owned(), ": T.Properties.TableName: cannot be resolved: `${ssm:/name}` is not known here"),
    ] {
        let file = folder.path().join(name);
        std::fs::write(&file, content).unwrap();
        let said = refusal(&["--schema", text(&file)]);
        assert!(said.starts_with(text(&file)) && said.contains(error), "{name}: {said}");
    }
    let missing = folder.path().join("missing.json");
    assert_eq!(
        refusal(&["--schema", text(&missing)]),
        format!("{}: there is no such file", missing.display())
    );
}

#[test]
fn nothing_is_made_if_something_cannot_be() {
    let folder = tempfile::tempdir().unwrap();
    let (good, bad, db) =
        (fixture("create-table.json"), folder.path().join("bad.json"), folder.path().join("orders.db"));
    std::fs::write(&bad, r#"{"TableName": "Bad", "KeySchema": []}"#).unwrap();
    let said = refusal(&["--db", text(&db), "--schema", text(&good), "--schema", text(&bad)]);
    assert!(said.contains("bad.json: Bad: the table `Bad` cannot be created: "), "{said}");
    let mut server = serve(&["--db", text(&db)]);
    assert_eq!(call(server.address(), "ListTables", "{}"), json!({ "TableNames": [] }));
    server.stop("-TERM");
}

#[test]
fn a_table_that_is_there_stays_if_it_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("shop.db");
    // All that a definition can say: a second start finds it as it is.
    for name in [
        "create-table.json",
        "describe-table.json",
        "cloudformation.yaml",
        "global-table.json",
        "terraform-plan.json",
    ] {
        let file = fixture(name);
        let options = ["--db", text(&db), "--schema", text(&file)];
        let mut server = serve(&options);
        server.address();
        server.line();
        assert!(server.line().starts_with("Created "), "{name}");
        server.stop("-TERM");
        let mut server = serve(&options);
        server.address();
        server.line();
        assert!(server.line().starts_with("Already defined: "), "{name}");
        server.stop("-TERM");
    }
    let said = refusal(&[
        "--db",
        text(&db),
        "--schema",
        text(&fixture("cloudformation.yaml")),
        "--schema-parameter",
        "Units=9",
    ]);
    assert!(
        said.contains("Orders: the table `test-orders-us-east-1` already exists with another definition: ProvisionedThroughput.ReadCapacityUnits is 3 and not 9"),
        "{said}"
    );
    let file = folder.path().join("ledger.json");
    let other =
        std::fs::read_to_string(fixture("create-table.json")).unwrap().replace("\"expires\"", "\"until\"");
    std::fs::write(&file, other).unwrap();
    let said = refusal(&["--db", text(&db), "--schema", text(&file)]);
    assert!(said.contains("TimeToLive.AttributeName is expires and not until"), "{said}");
}

#[test]
fn tables_are_ready_where_others_take_their_time() {
    let file = fixture("create-table.json");
    let mut server = serve(&["--schema", text(&file), "--transition-delay", "1h"]);
    let described = call(server.address(), "DescribeTable", r#"{"TableName":"Ledger"}"#);
    assert_eq!(described["Table"]["TableStatus"], "ACTIVE");
    server.stop("-TERM");
}
