//! A PostgreSQL server crashes and loses its last commits, while a process that has seen them goes on.

use pdb_testpg::{Failure, Server, ServerOptions, Stop};
use pretender::model::TableName;
use pretender::{Durability, Pretender};
use serde_json::{Value, json};

use crate::world::World;

fn create(world: &World, table: &str) {
    let create = json!({
        "TableName": table,
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
        "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_IMAGE"},
    });
    world.ok("CreateTable", create);
}

fn put(world: &World, table: &str) -> (u16, Value) {
    world.call("PutItem", &json!({"TableName": table, "Item": {"pk": {"S": "a"}}}))
}

/// Definitions and shards that were lost are forgotten. Otherwise, the version of the catalog that they had would be given to other
/// changes, and the process would take what it has cached for these: two open shards would own the same keys.
#[test]
fn what_was_lost_is_not_cached() {
    // Commits stay in memory until they are asked for.
    let options =
        ServerOptions::default().with_setting("wal_writer_delay", "10s").with_setting("autovacuum", "off");
    let mut server = match Server::start(&options) {
        Ok(server) => server,
        Err(Failure::Missing(why)) if std::env::var_os("CI").is_none() => {
            eprintln!("SKIPPED, for lack of PostgreSQL: {why}");
            return;
        }
        Err(failure) => panic!("{failure}"),
    };
    let world = World::open(Pretender::builder().database(&server.url()).durability(Durability::Off));
    let db = world.wire.pretender().clone();
    create(&world, "kept");
    let stream = db.latest_stream(&TableName::new("kept").unwrap()).unwrap();
    server.sql("CHECKPOINT").unwrap();
    let version =
        |server: &Server| -> i64 { server.sql("SELECT version FROM pdb_catalog").unwrap().parse().unwrap() };

    // Two versions. The crash takes the second one, and perhaps the first.
    db.rotate_shards(&stream, None).unwrap();
    create(&world, "lost");
    assert_eq!(put(&world, "lost").0, 200);
    let seen = version(&server);
    server.stop(Stop::Immediate).unwrap();
    server.start_again().unwrap();
    assert!(version(&server) < seen, "nothing was lost, so that nothing is tested");

    // Two others.
    assert_eq!(put(&world, "lost").0, 400);
    create(&world, "new");
    db.split_shards(&stream, None).unwrap();
    for (table, status) in [("kept", 200), ("new", 200), ("lost", 400)] {
        assert_eq!(put(&world, table).0, status, "{table}");
    }
    db.rotate_shards(&stream, None).unwrap();
    let open = db.shards(&stream).unwrap().into_iter().filter(|shard| shard.closed.is_none()).count();
    assert_eq!(open, 2);
    let report = db.check(&mut |_| {}).unwrap();
    assert!(report.is_sound(), "{report:?}");
}
