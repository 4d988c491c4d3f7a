//! Errors as the SDK shows them: their types, their texts, and what they carry.

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::RequestId;
use aws_sdk_dynamodb::operation::get_item::GetItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use aws_sdk_dynamodbstreams::operation::describe_stream::DescribeStreamError;

use crate::harness::{Db, n, s};

#[tokio::test]
async fn a_failed_condition_brings_the_item() {
    let db = Db::in_memory();
    db.create_orders().await;
    db.put("c1", "o1", 42).await;
    let put = db.items.put_item().table_name("orders").item("pk", s("c1")).item("sk", s("o1"));
    let refused = put
        .condition_expression("attribute_not_exists(pk)")
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert_eq!(refused.request_id().map(str::len), Some(52));
    let PutItemError::ConditionalCheckFailedException(refused) = refused else { panic!("{refused:?}") };
    assert_eq!(refused.message(), Some("The conditional request failed"));
    assert_eq!(refused.item.unwrap()["amount"], n(42));
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let db = Db::in_memory();
    let get = db.items.get_item().table_name("orders").key("pk", s("c1"));
    let error = get.send().await.unwrap_err();
    assert_eq!(error.raw_response().map(|raw| raw.status().as_u16()), Some(400));
    let error = error.into_service_error();
    assert_eq!(error.meta().message(), Some("Requested resource not found"));
    assert!(matches!(error, GetItemError::ResourceNotFoundException(_)), "{error:?}");

    let describe = db.streams.describe_stream();
    let arn = "arn:aws:dynamodb:us-east-1:000000000000:table/orders/stream/2026-03-01T09:15:42.017";
    let error = describe.stream_arn(arn).send().await.unwrap_err().into_service_error();
    assert!(matches!(error, DescribeStreamError::ResourceNotFoundException(_)), "{error:?}");
}

#[tokio::test]
async fn validation_has_awss_text() {
    let db = Db::in_memory();
    db.create_orders().await;
    let put = db.items.put_item().table_name("orders").item("pk", s("c1"));
    let error = put.send().await.unwrap_err().into_service_error();
    assert_eq!(error.code(), Some("ValidationException"));
    assert_eq!(
        error.message(),
        Some("One or more parameter values were invalid: Missing the key sk in the item")
    );
}
