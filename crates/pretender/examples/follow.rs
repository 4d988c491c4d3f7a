//! Follow a stream while another thread writes, and go on from a checkpoint after a shard has been split.
//!
//! `cargo run -p pretender --example follow`

use pretender::Pretender;
use pretender::items::PutItemInput;
use pretender::model::{Item, ScalarType, TableName};
use pretender::streams::StreamViewType;
use pretender::tables::{CreateTableInput, StreamSpecification};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let db = Pretender::in_memory()?;
    let orders = TableName::new("Orders")?;
    let description = db.create_table(CreateTableInput {
        stream_specification: Some(StreamSpecification::enabled(StreamViewType::NewImage)),
        ..CreateTableInput::new(orders.clone(), ("pk", ScalarType::S), None)
    })?;
    let stream_arn = description.latest_stream_arn.ok_or("a table made with a stream has one")?;

    let put =
        |n: i64| db.put_item(PutItemInput::new(orders.clone(), Item::new().with("pk", format!("order-{n}"))));
    for n in 0..5 {
        put(n)?;
    }
    let mut events = db.subscribe().table(orders.as_str()).start()?;
    for event in events.by_ref() {
        println!("{}", event?.record.keys.json());
    }
    let checkpoint = events.checkpoint();

    // What other emulators cannot show: the shard is closed and continued by two children.
    db.split_shards(&stream_arn, None)?;

    std::thread::scope(|scope| {
        let writer = scope.spawn(|| (5..10).try_for_each(|n| put(n).map(drop)));
        let events = db.subscribe().resume(checkpoint).follow(true).start()?;
        for event in events.take(5) {
            println!("{}", event?.record.keys.json());
        }
        writer.join().map_err(|_| "the writer panicked")??;
        Ok(())
    })
}
