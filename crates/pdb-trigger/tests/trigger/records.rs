//! The event, to the byte, and who gets it.

use pdb_trigger::{EventRecord, Settings, Trigger, lambda_event};
use pretender::{AttributeValue, Item, PutItemInput, StreamSource};

use crate::harness::{PATIENCE, Recorder, Streamed, orders};

#[test]
fn the_event_is_lambdas_to_the_byte() {
    let streamed = Streamed::new();
    let function = Recorder::new();
    let trigger = Trigger::start(&streamed.db, "Orders", Settings::default(), function.clone()).unwrap();
    let item = Item::new()
        .with("pk", "o1")
        .with("blob", AttributeValue::B(vec![0, 1, 255]))
        .with("text", "a \"quoted\" \u{1F600}\n");
    streamed.db.put_item(PutItemInput::new(orders(), item)).unwrap();
    assert!(trigger.wait_until_caught_up(PATIENCE));
    trigger.stop();

    let source = streamed.db.streams();
    let arn = streamed.arn.to_string();
    let shard = source.describe(&arn).unwrap().shards[0].shard_id.clone();
    let horizon = pretender::SourcePosition::TrimHorizon;
    let iterator = source.shard_iterator(&arn, &shard, &horizon).unwrap();
    let record = source.records(&iterator, None).unwrap().records[0].clone();
    let (id, number) = (record.event_id.to_string(), record.sequence_number.to_string());
    let image = r#"{"blob":{"B":"AAH/"},"pk":{"S":"o1"},"text":{"S":"a \"quoted\" 😀\n"}}"#;
    let expected = format!(
        concat!(
            r#"{{"Records":[{{"eventID":"{id}","eventName":"INSERT","eventVersion":"1.1","eventSource":"aws:dynamodb","#,
            r#""awsRegion":"us-east-1","dynamodb":{{"ApproximateCreationDateTime":1772356542,"Keys":{{"pk":{{"S":"o1"}}}},"#,
            r#""NewImage":{image},"SequenceNumber":"{number}","SizeBytes":{size},"StreamViewType":"NEW_AND_OLD_IMAGES"}},"#,
            r#""eventSourceARN":"{arn}"}}]}}"#,
        ),
        id = id,
        image = image,
        number = number,
        size = record.size_bytes,
        arn = arn,
    );
    assert_eq!(function.texts(), std::slice::from_ref(&expected));
    // Whoever builds an event by hand gets the same.
    assert_eq!(lambda_event(&[EventRecord::new(&record, &arn)]), expected);
}
