//! A database on a PostgreSQL server, whose driver must not run on a thread of the runtime.

use pdb_testkit::Schema;
use pretender::prelude::*;
use tokio::runtime::Builder;

use crate::harness::{Db, n, s};

#[test]
fn a_server_answers_on_runtimes_of_both_kinds() {
    for mut runtime in [Builder::new_current_thread(), Builder::new_multi_thread()] {
        let Some(schema) = Schema::new() else { return };
        runtime.enable_all().build().unwrap().block_on(async {
            let open = Pretender::builder().postgres(schema.url());
            // Opening and closing are blocking calls.
            let db = tokio::task::spawn_blocking(|| Db::of(open)).await.unwrap();
            let arn = db.create_orders().await;
            db.put("c1", "o1", 42).await;
            let get = db.items.get_item().table_name("orders").key("pk", s("c1")).key("sk", s("o1"));
            assert_eq!(get.send().await.unwrap().item.unwrap()["amount"], n(42));
            assert_eq!(db.items.scan().table_name("orders").send().await.unwrap().count(), 1);
            assert_eq!(db.records(&arn).await.len(), 1);

            // A call nobody waits for any more is done or not done, here too.
            let put = db.items.put_item().table_name("orders").item("pk", s("c1")).item("sk", s("o2"));
            let dropped = tokio::spawn(put.send());
            tokio::task::yield_now().await;
            dropped.abort();
            db.put("c1", "o3", 3).await;
            let items = db.items.scan().table_name("orders").send().await.unwrap().count();
            assert_eq!(db.records(&arn).await.len(), items as usize);
        });
    }
}

#[test]
fn typed_async_calls_do_not_block_the_runtime() {
    let Some(schema) = Schema::new() else { return };
    // On a runtime of one thread the store refuses reads that would block it, so these run on threads of the store.
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let open = Pretender::builder().postgres(schema.url());
        let db = tokio::task::spawn_blocking(|| Db::of(open)).await.unwrap().pretender;
        let orders: TableName = "Orders".parse().unwrap();
        let created = CreateTableInput::new(orders.clone(), ("id", ScalarType::S), None);
        db.create_table_async(created).await.unwrap();
        let item = Item::new().with("id", "o1");
        db.put_item_async(PutItemInput::new(orders.clone(), item.clone())).await.unwrap();
        let get = GetItemInput::new(orders.clone(), item.clone());
        let (first, second) = tokio::join!(db.get_item_async(get.clone()), db.get_item_async(get.clone()));
        assert_eq!(first.unwrap().item.unwrap().decode().unwrap(), item);
        assert_eq!(second.unwrap().item.unwrap().decode().unwrap(), item);
        assert_eq!(db.scan_async(ScanInput::new(orders.clone())).await.unwrap().count, 1);
        assert_eq!(db.describe_table_async(&orders).await.unwrap().table_name, orders);
        assert_eq!(db.list_streams_async(&ListStreamsInput::default()).await.unwrap().streams, []);
        assert_eq!(db.get_item(get).unwrap_err().code, ErrorCode::InternalServerError);
        tokio::task::spawn_blocking(move || db.close()).await.unwrap();
    });
}
