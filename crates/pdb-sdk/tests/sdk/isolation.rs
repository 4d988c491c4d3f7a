//! Databases that do not meet.

use crate::harness::{Db, n, s};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn databases_in_parallel_do_not_meet() {
    let tests = (0..64).map(|own| {
        tokio::spawn(async move {
            let db = Db::in_memory();
            let arn = db.create_orders().await;
            db.put("c1", "o1", own).await;
            let get = db.items.get_item().table_name("orders").key("pk", s("c1")).key("sk", s("o1"));
            assert_eq!(get.send().await.unwrap().item.unwrap()["amount"], n(own));
            let records = db.records(&arn).await;
            assert_eq!(records.len(), 1);
            let image = records[0].dynamodb().unwrap().new_image().unwrap();
            assert_eq!(image["amount"].as_n().unwrap(), &own.to_string());
        })
    });
    for test in tests.collect::<Vec<_>>() {
        test.await.unwrap();
    }
}

#[tokio::test]
async fn all_clients_of_a_database_see_the_same() {
    use pdb_sdk::PretenderExt;

    let db = Db::in_memory();
    db.create_orders().await;
    db.put("c1", "o1", 1).await;
    let other = aws_sdk_dynamodb::Client::new(&db.pretender.sdk_config());
    assert_eq!(other.scan().table_name("orders").send().await.unwrap().count(), 1);
}

#[tokio::test]
async fn a_client_keeps_its_database_open() {
    let items = {
        let db = Db::in_memory();
        db.create_orders().await;
        db.items
    };
    assert_eq!(items.list_tables().send().await.unwrap().table_names(), ["orders"]);
}
