//! Runtimes of both kinds, files, and the end of a database.

use std::sync::mpsc;

use pretender::Pretender;

use crate::harness::{Db, n, s};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_tasks_share_a_database() {
    let db = Db::in_memory();
    let arn = db.create_orders().await;
    let tasks = (0..8).map(|task| {
        let items = db.items.clone();
        tokio::spawn(async move {
            for at in 0..25 {
                let put = items.put_item().table_name("orders").item("pk", s(&task.to_string()));
                put.item("sk", s(&at.to_string())).item("amount", n(at)).send().await.unwrap();
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(db.items.scan().table_name("orders").send().await.unwrap().count(), 200);
    assert_eq!(db.records(&arn).await.len(), 200);
}

/// The runtime's only thread lets go of the database while a scan waits for it. Were the scan on that thread, neither could
/// go on.
#[tokio::test]
async fn work_that_waits_does_not_hold_up_the_runtime() {
    let db = Db::in_memory();
    let arn = db.create_orders().await;
    db.put("c1", "o1", 1).await;
    let iterator = db.iterator(&arn, &db.shards(&arn).await[0]).await;

    let (held, is_held) = tokio::sync::oneshot::channel();
    let (release, released) = mpsc::channel();
    let pretender = db.pretender.clone();
    let holder = std::thread::spawn(move || {
        let mut held = Some(held);
        let read = pretender.get_records_with(&iterator, None, &mut |_, _| {
            held.take().unwrap().send(()).unwrap();
            released.recv().unwrap();
            Ok(())
        });
        read.unwrap();
    });
    is_held.await.unwrap();
    let scan = tokio::spawn(db.items.scan().table_name("orders").send());
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!scan.is_finished());
    release.send(()).unwrap();
    assert_eq!(scan.await.unwrap().unwrap().count(), 1);
    holder.join().unwrap();
}

#[tokio::test]
async fn a_file_keeps_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("orders.db");
    let arn = {
        let db = Db::of(Pretender::builder().file(&file));
        let arn = db.create_orders().await;
        db.put("c1", "o1", 42).await;
        arn
    };
    let db = Db::of(Pretender::builder().file(&file));
    let get = db.items.get_item().table_name("orders").key("pk", s("c1")).key("sk", s("o1"));
    assert_eq!(get.send().await.unwrap().item.unwrap()["amount"], n(42));
    assert_eq!(db.records(&arn).await.len(), 1);
}

/// The SDK tries again, with pauses that take no time here, and then gives up.
#[tokio::test(start_paused = true)]
async fn a_closed_database_answers_with_an_error() {
    let db = Db::in_memory();
    db.create_orders().await;
    db.pretender.close();
    let put = db.items.put_item().table_name("orders").item("pk", s("c1")).item("sk", s("o1")).send().await;
    let get = db.items.get_item().table_name("orders").key("pk", s("c1")).key("sk", s("o1")).send().await;
    for status in [
        put.unwrap_err().raw_response().unwrap().status().as_u16(),
        get.unwrap_err().raw_response().unwrap().status().as_u16(),
    ] {
        assert_eq!(status, 503);
    }
}
