//! Transactions, done and cancelled.

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    ConditionCheck, Get, Put, ReturnValuesOnConditionCheckFailure, TransactGetItem, TransactWriteItem,
};

use crate::harness::{Db, n, s};

fn put(sk: &str, total: i64) -> TransactWriteItem {
    let put =
        Put::builder().table_name("orders").item("pk", s("c1")).item("sk", s(sk)).item("amount", n(total));
    TransactWriteItem::builder().put(put.build().unwrap()).build()
}

#[tokio::test]
async fn all_is_written_or_nothing() {
    let db = Db::in_memory();
    let arn = db.create_orders().await;
    let write = db.items.transact_write_items().transact_items(put("o1", 1)).transact_items(put("o2", 2));
    write.send().await.unwrap();

    let check = ConditionCheck::builder()
        .table_name("orders")
        .key("pk", s("c1"))
        .key("sk", s("o2"))
        .condition_expression("amount = :none")
        .expression_attribute_values(":none", n(0))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    let check = TransactWriteItem::builder().condition_check(check.build().unwrap()).build();
    let refused =
        db.items.transact_write_items().transact_items(put("o3", 3)).transact_items(check).send().await;
    let error = refused.unwrap_err().into_service_error();
    assert_eq!(
        error.meta().message(),
        Some(
            "Transaction cancelled, please refer cancellation reasons for specific reasons [None, ConditionalCheckFailed]"
        )
    );
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = error else { panic!("{error:?}") };
    let reasons = cancelled.cancellation_reasons();
    assert_eq!(
        reasons.iter().filter_map(|r| r.code()).collect::<Vec<_>>(),
        ["None", "ConditionalCheckFailed"]
    );
    assert_eq!(reasons[1].message(), Some("The conditional request failed"));
    assert_eq!(reasons[1].item().unwrap()["amount"], n(2));

    let get = |sk: &str| {
        let get = Get::builder().table_name("orders").key("pk", s("c1")).key("sk", s(sk));
        TransactGetItem::builder().get(get.build().unwrap()).build()
    };
    let read = db.items.transact_get_items().transact_items(get("o1")).transact_items(get("o3"));
    let found = read.send().await.unwrap().responses.unwrap();
    assert_eq!(found.iter().map(|one| one.item().is_some()).collect::<Vec<_>>(), [true, false]);
    assert_eq!(db.records(&arn).await.len(), 2);
}
