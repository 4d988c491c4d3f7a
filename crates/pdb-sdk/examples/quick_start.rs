//! The three lines, and the one that changes for AWS.
//!
//! ```sh
//! cargo run -p pdb-sdk --example quick_start
//! cargo test -p pdb-sdk --example quick_start
//! ```

use std::error::Error;

use aws_sdk_dynamodb::types::AttributeValue::{N, S};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, StreamSpecification,
    StreamViewType,
};
use pdb_sdk::{PretenderExt, SdkConfig};
use pretender::Pretender;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let db = Pretender::in_memory()?;
    let config = db.sdk_config();
    // Against AWS this line is: let config = aws_config::load_from_env().await;
    println!("{}", first_change(&config).await?);
    Ok(())
}

/// Makes a table, changes an item, and tells what the stream says about it. Does not know who answers.
async fn first_change(config: &SdkConfig) -> Result<String, Box<dyn Error>> {
    let client = aws_sdk_dynamodb::Client::new(config);
    let streams = aws_sdk_dynamodbstreams::Client::new(config);

    let key = KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash).build()?;
    let id =
        AttributeDefinition::builder().attribute_name("id").attribute_type(ScalarAttributeType::S).build()?;
    let stream = StreamSpecification::builder()
        .stream_enabled(true)
        .stream_view_type(StreamViewType::NewAndOldImages)
        .build()?;
    let created = client
        .create_table()
        .table_name("greetings")
        .billing_mode(BillingMode::PayPerRequest)
        .key_schema(key)
        .attribute_definitions(id)
        .stream_specification(stream)
        .send()
        .await?;
    let arn = created.table_description.and_then(|table| table.latest_stream_arn).ok_or("no stream")?;

    let put = client.put_item().table_name("greetings").item("id", S("hello".to_owned()));
    put.item("count", N("1".to_owned())).send().await?;

    let description = streams.describe_stream().stream_arn(&arn).send().await?.stream_description;
    let shard =
        description.as_ref().and_then(|stream| stream.shards().first()?.shard_id()).ok_or("no shard")?;
    let iterator = streams
        .get_shard_iterator()
        .stream_arn(&arn)
        .shard_id(shard)
        .shard_iterator_type("TRIM_HORIZON".into())
        .send()
        .await?;
    let page = streams.get_records().set_shard_iterator(iterator.shard_iterator).send().await?;
    let record = page.records().first().ok_or("no record")?;
    let keys = record.dynamodb().and_then(|change| change.keys());
    Ok(format!("{:?} of {keys:?}", record.event_name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_change_is_in_the_stream() {
        let db = Pretender::in_memory().unwrap();
        let told = first_change(&db.sdk_config()).await.unwrap();
        assert_eq!(told, r#"Some(Insert) of Some({"id": S("hello")})"#);
    }
}
