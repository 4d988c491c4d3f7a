//! A transaction on PostgreSQL happens at one moment, for items that are not there as well.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use pdb_testpg::{Failure, Server, ServerOptions};
use pretender::Pretender;
use serde_json::{Value, json};

use crate::world::World;

/// A session of `psql` that holds a lock.
struct Holder {
    psql: Child,
}

impl Holder {
    /// Locks a SQL table, so that nobody can lock a row of it.
    fn lock(server: &Server, table: &str) -> Self {
        let mut psql = Command::new(server.programs().path("psql"))
            .args(["--no-psqlrc", "--quiet", &server.url()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let begin = format!("BEGIN;\nLOCK TABLE \"{table}\" IN EXCLUSIVE MODE;\n\\echo held\n");
        psql.stdin.as_mut().unwrap().write_all(begin.as_bytes()).unwrap();
        let mut line = String::new();
        BufReader::new(psql.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "held\n");
        Self { psql }
    }

    /// Ends the session, and with it the lock.
    fn release(mut self) {
        drop(self.psql.stdin.take());
        assert!(self.psql.wait().unwrap().success());
    }
}

/// Starts a server with a database that has two empty tables, `alpha` and `beta`, and returns the name of the second one in SQL. Transactions
/// lock items in the order of the names of their tables.
fn two_tables() -> Option<(Server, World, String)> {
    let server = match Server::start(&ServerOptions::default()) {
        Ok(server) => server,
        Err(Failure::Missing(why)) if std::env::var_os("CI").is_none() => {
            eprintln!("SKIPPED, for lack of PostgreSQL: {why}");
            return None;
        }
        Err(failure) => panic!("{failure}"),
    };
    let world = World::open(Pretender::builder().database(&server.url()));
    for table in ["alpha", "beta"] {
        let create = json!({
            "TableName": table,
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
        });
        world.ok("CreateTable", create);
    }
    let found = server.sql("SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE '%beta%'");
    let beta = found.unwrap().lines().next().unwrap().to_owned();
    Some((server, world, beta))
}

/// Waits until so many sessions wait for locks, or something is over.
fn wait_for(server: &Server, waiting: u32, is_over: impl Fn() -> bool) {
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    while server.sql(sql).unwrap() != waiting.to_string() && !is_over() {
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// A transaction finds that an item is not there, and waits for another one. A client that creates the item meanwhile must wait for the
/// transaction: otherwise, a reader could see the new item and then the second half of a transaction that has not seen it.
#[test]
fn a_transaction_relies_on_the_absence_of_all_its_items() {
    let Some((server, world, beta)) = two_tables() else { return };
    let key = |pk: &str| json!({"TableName": "alpha", "Key": {"pk": {"S": pk}}});
    let with = |mut action: Value, condition: &str| {
        action["ConditionExpression"] = json!(condition);
        action
    };
    let update = |pk: &str| {
        let mut update = with(key(pk), "attribute_exists(pk)");
        update["UpdateExpression"] = json!("REMOVE a");
        update
    };
    let cases = [
        ("deleted", json!({"Delete": key("deleted")}), 200),
        (
            "deleted if absent",
            json!({"Delete": with(key("deleted if absent"), "attribute_not_exists(pk)")}),
            200,
        ),
        ("checked", json!({"ConditionCheck": with(key("checked"), "attribute_not_exists(pk)")}), 200),
        ("refused", json!({"ConditionCheck": with(key("refused"), "attribute_exists(pk)")}), 400),
        ("not updated", json!({"Update": update("not updated")}), 400),
    ];
    let world = &world;
    for (pk, action, status) in cases {
        let holder = Holder::lock(&server, &beta);
        std::thread::scope(|scope| {
            let put = json!({"Put": {"TableName": "beta", "Item": {"pk": {"S": pk}}}});
            let transaction = json!({"TransactItems": [action, put]});
            let transaction = scope.spawn(move || world.call("TransactWriteItems", &transaction));
            wait_for(&server, 1, || transaction.is_finished());
            let item = json!({"TableName": "alpha", "Item": {"pk": {"S": pk}}});
            let put = scope.spawn(move || world.ok("PutItem", item));
            wait_for(&server, 2, || put.is_finished());
            assert!(
                !put.is_finished(),
                "{pk}: an item was created under a transaction that relies on its absence"
            );
            holder.release();
            assert_eq!(transaction.join().unwrap().0, status, "{pk}");
            put.join().unwrap();
        });
    }
}

/// A transaction is repeated under its token while the first attempt is still at work. The second attempt waits for an item, which then is as
/// the first one has left it, so that the condition fails. That is no reason to report a failure.
#[test]
fn a_transaction_that_is_repeated_at_the_same_time_has_succeeded() {
    let Some((server, world, beta)) = two_tables() else { return };
    world.ok("PutItem", json!({"TableName": "alpha", "Item": {"pk": {"S": "a"}, "n": {"N": "1"}}}));
    let update = json!({"Update": {
        "TableName": "alpha",
        "Key": {"pk": {"S": "a"}},
        "ConditionExpression": "n = :one",
        "UpdateExpression": "SET n = n + :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }});
    let put = json!({"Put": {"TableName": "beta", "Item": {"pk": {"S": "b"}}}});
    let request = json!({"TransactItems": [update, put], "ClientRequestToken": "one"});
    let holder = Holder::lock(&server, &beta);
    std::thread::scope(|scope| {
        let attempt = || world.call("TransactWriteItems", &request);
        let first = scope.spawn(attempt);
        wait_for(&server, 1, || first.is_finished());
        let second = scope.spawn(attempt);
        wait_for(&server, 2, || second.is_finished());
        holder.release();
        for attempt in [first, second] {
            assert_eq!(attempt.join().unwrap(), (200, json!({})));
        }
    });
    let item = world.ok("GetItem", json!({"TableName": "alpha", "Key": {"pk": {"S": "a"}}}));
    assert_eq!(item["Item"]["n"]["N"], "2", "carried out once");
    // Another request under the token is still refused, and a later attempt of the same one is still harmless.
    let other = json!({"TransactItems": [request["TransactItems"][0]], "ClientRequestToken": "one"});
    assert_eq!(world.call("TransactWriteItems", &other).0, 400);
    world.ok("TransactWriteItems", request.clone());
}
