//! Embed pretender in a program: create a table with a stream, change items, read what happened.
//!
//! `cargo run -p pretender --example embed`

use pretender::Pretender;
use pretender::items::{DeleteItemInput, PutItemInput, UpdateItemInput};
use pretender::model::{Item, ScalarType, TableName};
use pretender::streams::{DescribeStreamInput, GetShardIteratorInput, ShardIteratorType, StreamViewType};
use pretender::tables::{CreateTableInput, StreamSpecification};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let db = Pretender::in_memory()?;
    let orders = TableName::new("Orders")?;
    let description = db.create_table(CreateTableInput {
        stream_specification: Some(StreamSpecification::enabled(StreamViewType::NewAndOldImages)),
        ..CreateTableInput::new(orders.clone(), ("pk", ScalarType::S), None)
    })?;
    let stream_arn = description.latest_stream_arn.ok_or("a table made with a stream has one")?;

    let key = || Item::new().with("pk", "order-1");
    db.put_item(PutItemInput::new(orders.clone(), key().with("amount", 40)))?;
    db.update_item(UpdateItemInput {
        update_expression: Some("SET amount = amount + :more".to_owned()),
        expression_attribute_values: [(":more".to_owned(), 2.into())].into(),
        ..UpdateItemInput::new(orders.clone(), key())
    })?;
    db.delete_item(DeleteItemInput::new(orders, key()))?;

    // As any consumer does: shards, an iterator for each, pages until nothing is left.
    for shard in db.describe_stream(&DescribeStreamInput::new(stream_arn.clone()))?.shards {
        let mut iterator = db.get_shard_iterator(&GetShardIteratorInput {
            stream_arn: stream_arn.clone(),
            shard_id: shard.shard_id,
            shard_iterator_type: ShardIteratorType::TrimHorizon,
        })?;
        loop {
            let page = db.get_records(&iterator, Some(2))?;
            for record in &page.records {
                let image = |image: &Option<pretender::model::EncodedItem>| {
                    image.as_ref().map_or("-".to_owned(), |image| image.json().to_owned())
                };
                println!(
                    "{} {} -> {}",
                    record.event_name,
                    image(&record.old_image),
                    image(&record.new_image)
                );
            }
            match page.next_shard_iterator {
                Some(next) if !page.records.is_empty() => iterator = next,
                _ => break,
            }
        }
    }
    Ok(())
}
