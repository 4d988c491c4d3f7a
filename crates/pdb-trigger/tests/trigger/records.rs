//! The event, to the byte, and who gets it.

use std::time::Duration;

use pdb_trigger::{EventRecord, Settings, Trigger, lambda_event};
use pretender::items::PutItemInput;
use pretender::model::{AttributeValue, Item};
use pretender::streams::source::StreamSource;
use pretender::tables::TimeToLiveSpecification;
use serde_json::json;

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
    let horizon = pretender::streams::source::SourcePosition::TrimHorizon;
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
    // An event that is built by hand is the same.
    assert_eq!(lambda_event(&[EventRecord::new(&record, &arn)]), expected);
}

#[test]
fn an_expired_item_is_told_by_its_user_identity() {
    let streamed = Streamed::new();
    let on = TimeToLiveSpecification { enabled: true, attribute_name: "until".to_owned() };
    streamed.db.update_time_to_live(&orders(), on).unwrap();
    let item = Item::new().with("pk", "o1").with("until", 1_772_356_600_i64);
    streamed.db.put_item(PutItemInput::new(orders(), item)).unwrap();
    streamed.clock.advance(Duration::from_secs(3600));
    streamed.db.run_due_work().unwrap();
    // As docs/triggers.md has it.
    let expired = r#"{"userIdentity": {"type": ["Service"], "principalId": ["dynamodb.amazonaws.com"]}}"#;
    let settings = Settings { filters: vec![expired.parse().unwrap()], ..Settings::default() };
    let function = Recorder::new();
    let trigger = Trigger::start(&streamed.db, "Orders", settings, function.clone()).unwrap();
    assert!(trigger.wait_until_caught_up(PATIENCE));
    let state = trigger.stop();
    assert_eq!((state.filtered_records, state.processed_records), (1, 1));
    let record = &function.events()[0]["Records"][0];
    assert_eq!(record["eventName"], "REMOVE");
    assert_eq!(record["dynamodb"].get("NewImage"), None);
    let tail = format!(
        r#""userIdentity":{{"principalId":"dynamodb.amazonaws.com","type":"Service"}},"eventSourceARN":"{}"}}]}}"#,
        streamed.arn
    );
    assert!(function.texts()[0].ends_with(&tail), "{}", function.texts()[0]);
}

#[test]
fn records_of_an_endpoint_become_the_same_event() {
    let arn = "arn:aws:dynamodb:eu-west-1:000000000000:table/T/stream/2026-03-01T09:15:42.017";
    let expected = concat!(
        r#"{"eventID":"ab0e","eventName":"REMOVE","eventVersion":"1.1","eventSource":"aws:dynamodb","#,
        r#""awsRegion":"eu-west-1","dynamodb":{"ApproximateCreationDateTime":1772356542,"Keys":{"id":{"B":"AAH/"}},"#,
        r#""OldImage":{"id":{"B":"AAH/"},"n":{"N":"1"}},"SequenceNumber":"12","SizeBytes":9,"#,
        r#""StreamViewType":"OLD_IMAGE"},"userIdentity":{"principalId":"dynamodb.amazonaws.com","type":"Service"},"#,
        r#""eventSourceARN":"arn:aws:dynamodb:eu-west-1:000000000000:table/T/stream/2026-03-01T09:15:42.017"}"#,
    );
    // Endpoints write the time as they like.
    for time in [json!(1_772_356_542), json!(1_772_356_542.0), json!(1.772_356_542_9e9)] {
        let record = json!({
            "eventID": "ab0e", "eventName": "REMOVE", "eventVersion": "1.1", "eventSource": "aws:dynamodb",
            "awsRegion": "eu-west-1",
            "dynamodb": {
                "ApproximateCreationDateTime": time, "Keys": { "id": { "B": "AAH/" } },
                "OldImage": { "id": { "B": "AAH/" }, "n": { "N": "1" } },
                "SequenceNumber": "12", "SizeBytes": 9, "StreamViewType": "OLD_IMAGE",
            },
            "userIdentity": { "PrincipalId": "dynamodb.amazonaws.com", "Type": "Service" },
        });
        let record = EventRecord::from_api(&record, arn);
        assert_eq!(record.json(), expected);
        assert_eq!((record.sequence_number(), record.created().0), ("12", 1_772_356_542_000));
    }
    // Whatever an endpoint sends, the event is JSON.
    for odd in [json!({}), json!([]), json!({ "dynamodb": { "Keys": 7, "NewImage": null } })] {
        let event = lambda_event(&[EventRecord::from_api(&odd, arn)]);
        assert!(serde_json::from_str::<serde_json::Value>(&event).is_ok(), "{event}");
    }
}
