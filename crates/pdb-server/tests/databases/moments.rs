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

/// A transaction finds that an item is not there, and waits for another one. Whoever creates the item meanwhile must wait for the
/// transaction: otherwise, a reader could see the new item and then the second half of a transaction that has not seen it.
#[test]
fn a_transaction_relies_on_the_absence_of_all_its_items() {
    let server = match Server::start(&ServerOptions::default()) {
        Ok(server) => server,
        Err(Failure::Missing(why)) if std::env::var_os("CI").is_none() => {
            eprintln!("SKIPPED, for lack of PostgreSQL: {why}");
            return;
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
    let tables =
        server.sql("SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE '%beta%'").unwrap();
    let beta = tables.lines().next().unwrap();
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
    let waiting =
        || server.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'").unwrap();
    let world = &world;
    for (pk, action, status) in cases {
        let holder = Holder::lock(&server, beta);
        std::thread::scope(|scope| {
            // Items are locked in the order of the names of their tables.
            let put = json!({"Put": {"TableName": "beta", "Item": {"pk": {"S": pk}}}});
            let transaction = json!({"TransactItems": [action, put]});
            let transaction = scope.spawn(move || world.call("TransactWriteItems", &transaction));
            while waiting() != "1" {
                std::thread::park_timeout(Duration::from_millis(5));
            }
            let item = json!({"TableName": "alpha", "Item": {"pk": {"S": pk}}});
            let put = scope.spawn(move || world.ok("PutItem", item));
            while waiting() != "2" && !put.is_finished() {
                std::thread::park_timeout(Duration::from_millis(5));
            }
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
