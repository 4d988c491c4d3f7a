use pdb_items::partiql::{BatchExecuteStatementInput, BatchStatement, ExecuteStatementInput};
use pdb_items::{QueryInput, TransactAction, TransactWrite, TransactWriteItemsInput};
use pdb_model::Item;

use super::*;

fn table(name: &str) -> TableName {
    name.parse().unwrap()
}

/// Returns what a call needs, as `action resource`, with `!` in front of a write.
fn shown(operation: Operation, input: &(impl NeedsPermissions + ?Sized)) -> Vec<String> {
    let shown = |Permission { action, effect, resource }: Permission| {
        let mark = if effect == Effect::Write { "!" } else { "" };
        let arn = resource.arn(&Account::default()).to_string();
        format!("{mark}{action} {}", arn.trim_start_matches("arn:aws:dynamodb:us-east-1:000000000000:"))
    };
    needed(operation, input).into_iter().map(shown).collect()
}

fn transaction(actions: Vec<TransactAction>) -> TransactWriteItemsInput {
    let write = |(number, action)| TransactWrite::new(table(&format!("Table{number}")), action);
    TransactWriteItemsInput {
        transact_items: actions.into_iter().enumerate().map(write).collect(),
        ..Default::default()
    }
}

#[test]
fn each_action_of_a_transaction_needs_its_own_permission() {
    let key = Item::new().with("id", "a");
    let input = transaction(vec![
        TransactAction::Put { item: key.clone() },
        TransactAction::ConditionCheck { key: key.clone() },
        TransactAction::Delete { key: key.clone() },
        TransactAction::Update { key, update_expression: "SET a = :a".to_owned() },
    ]);
    assert_eq!(
        shown(Operation::TransactWriteItems, &input),
        [
            "!PutItem table/Table0",
            "ConditionCheckItem table/Table1",
            "!DeleteItem table/Table2",
            "!UpdateItem table/Table3"
        ]
    );
}

#[test]
fn each_statement_needs_the_permission_of_its_kind() {
    for (statement, expected) in [
        ("SELECT * FROM \"Orders\"", Some("PartiQLSelect table/Orders")),
        ("select a from Orders where id = 1", Some("PartiQLSelect table/Orders")),
        ("SELECT * FROM \"Orders\".\"ByDate\"", Some("PartiQLSelect table/Orders/index/ByDate")),
        ("EXISTS(SELECT * FROM Orders WHERE id = 'a')", Some("PartiQLSelect table/Orders")),
        ("INSERT INTO Orders VALUE {'id': 'a'}", Some("!PartiQLInsert table/Orders")),
        ("UPDATE Orders SET a = 1 WHERE id = 'a'", Some("!PartiQLUpdate table/Orders")),
        ("  DELETE FROM Orders WHERE id = 'a'", Some("!PartiQLDelete table/Orders")),
        (
            "DELETE FROM \"arn:aws:dynamodb:us-east-1:000000000000:table/Orders\" WHERE id = 'a'",
            Some("!PartiQLDelete table/Orders"),
        ),
        ("DROP TABLE Orders", None),
        ("", None),
    ] {
        let input = ExecuteStatementInput { statement: statement.to_owned(), ..Default::default() };
        let expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
        assert_eq!(shown(Operation::ExecuteStatement, &input), expected, "{statement}");
    }
    let statement = |text: &str| BatchStatement { statement: text.to_owned(), ..Default::default() };
    let input = BatchExecuteStatementInput {
        statements: vec![statement("SELECT * FROM Old"), statement("DELETE FROM New WHERE id = 'a'")],
        ..Default::default()
    };
    let needed = shown(Operation::BatchExecuteStatement, &input);
    assert_eq!(needed, ["PartiQLSelect table/Old", "!PartiQLDelete table/New"]);
}

#[test]
fn a_read_of_an_index_is_about_the_index() {
    let input =
        QueryInput { index_name: Some("ByDate".parse().unwrap()), ..QueryInput::new(table("Orders")) };
    assert_eq!(shown(Operation::Query, &input), ["Query table/Orders/index/ByDate"]);
}

#[test]
fn an_argument_that_is_no_arn_of_a_table_is_about_everything() {
    for (argument, expected) in [
        ("arn:aws:dynamodb:us-east-1:000000000000:table/Orders", "!TagResource table/Orders"),
        (
            "arn:aws:dynamodb:us-east-1:000000000000:table/Orders/stream/x",
            "!TagResource table/Orders/stream/x",
        ),
        ("arn:aws:dynamodb:us-east-1:000000000000:table/test-a:table/secret", "!TagResource *"),
        ("Orders", "!TagResource *"),
        ("", "!TagResource *"),
    ] {
        assert_eq!(shown(Operation::TagResource, argument), [expected], "{argument}");
    }
}

#[test]
fn limits_are_of_reads_of_tables_and_of_both() {
    let free = Access::new("u");
    let reader = Access::new("u").read_only();
    let tests = Access::new("u").tables_with_prefixes(["test-".to_owned(), "tmp.".to_owned()]);
    let both = tests.clone().read_only();
    assert_eq!([&free, &reader, &tests, &both].map(Access::is_limited), [false, true, true, true]);
    let named = |name: &str| Resource::Table(table(name));
    for (effect, resource, allowed) in [
        (Effect::Read, named("test-a"), [true, true, true, true]),
        (Effect::Write, named("test-a"), [true, false, true, false]),
        (Effect::Read, named("tmp.a"), [true, true, true, true]),
        (Effect::Read, named("Test-a"), [true, true, false, false]),
        (Effect::Write, named("orders"), [true, false, false, false]),
        (Effect::Read, Resource::Any, [true, true, false, false]),
        (Effect::Write, Resource::Any, [true, false, false, false]),
        (Effect::ReadAccount, Resource::Any, [true, true, true, true]),
    ] {
        let permission = Permission { action: "GetItem", effect, resource };
        let found = [&free, &reader, &tests, &both].map(|access| access.allows(&permission));
        assert_eq!(found, allowed, "{permission:?}");
    }
}
