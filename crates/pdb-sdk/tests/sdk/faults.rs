//! Faults as the SDK meets them: it tries again, or tells the caller. Tokio's time is stopped, so its pauses take none.

use std::time::Duration;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_types::timeout::TimeoutConfig;
use pdb_sdk::PretenderExt;
use pretender::faults::{Fault, FaultKind};
use pretender::model::Operation;

use crate::harness::{Db, s};

#[tokio::test(start_paused = true)]
async fn a_throttled_call_is_tried_again() {
    let db = Db::in_memory();
    db.create_orders().await;
    let faults = db.pretender.faults();
    faults.add(Fault::new(FaultKind::ProvisionedThroughputExceeded).on(Operation::PutItem).times(2)).unwrap();
    db.put("c1", "o1", 1).await;
    assert_eq!(faults.report().injected.len(), 2);

    faults.add(Fault::new(FaultKind::Throttling).on(Operation::PutItem)).unwrap();
    let put = db.items.put_item().table_name("orders").item("pk", s("c1")).item("sk", s("o2")).send().await;
    assert_eq!(put.unwrap_err().code(), Some("ThrottlingException"));
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_a_lost_answer() {
    let db = Db::in_memory();
    let arn = db.create_orders().await;
    let lost = Fault::new(FaultKind::DropAfter).on(Operation::UpdateItem).times(1);
    db.pretender.faults().add(lost).unwrap();
    // Carried out, unanswered, and tried again by the SDK: a counter counts twice, as on AWS.
    let update = db.items.update_item().table_name("orders").key("pk", s("c1")).key("sk", s("o1"));
    let update =
        update.update_expression("ADD amount :one").expression_attribute_values(":one", crate::harness::n(1));
    update.send().await.unwrap();
    assert_eq!(db.records(&arn).await.len(), 2);

    let dropped = Fault::new(FaultKind::DropBefore).on(Operation::PutItem);
    db.pretender.faults().add(dropped).unwrap();
    let put = db.items.put_item().table_name("orders").item("pk", s("c1")).item("sk", s("o2")).send().await;
    let Err(SdkError::DispatchFailure(failure)) = put else { panic!("{put:?}") };
    assert!(failure.is_io());
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_meets_the_callers_read_timeout() {
    let db = Db::in_memory();
    db.create_orders().await;
    let timeouts = TimeoutConfig::builder().read_timeout(Duration::from_secs(2)).build();
    let config = db.pretender.sdk_config().into_builder().timeout_config(timeouts).build();
    let items = aws_sdk_dynamodb::Client::new(&config);
    let get = || items.get_item().table_name("orders").key("pk", s("c1")).key("sk", s("o1")).send();

    db.pretender.faults().add(Fault::latency(Duration::from_secs(1)).on(Operation::GetItem)).unwrap();
    get().await.unwrap();
    db.pretender.faults().clear();
    db.pretender.faults().add(Fault::latency(Duration::from_secs(3)).on(Operation::GetItem)).unwrap();
    let Err(SdkError::DispatchFailure(failure)) = get().await else { panic!("it must not be in time") };
    assert!(failure.is_timeout());
}
