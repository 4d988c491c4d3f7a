use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use bytes::Bytes;
use pretender::Pretender;

use super::*;

fn front() -> Arc<Front> {
    Arc::new(Front::new(Pretender::in_memory().unwrap()))
}

/// A request as the SDK makes it, without a signature.
fn request(target: &'static str, body: SdkBody) -> HttpRequest {
    let mut request = HttpRequest::new(body);
    request.set_method("POST").unwrap();
    request.headers_mut().insert("x-amz-target", target);
    request
}

fn shown(answer: &HttpResponse) -> (u16, &str) {
    (answer.status().as_u16(), std::str::from_utf8(answer.body().bytes().unwrap()).unwrap())
}

#[tokio::test]
async fn answers_have_the_headers_of_the_server() {
    let front = front();
    let answer = front.answer(request("DynamoDB_20120810.ListTables", SdkBody::from("{}"))).await.unwrap();
    assert_eq!(shown(&answer), (200, r#"{"TableNames":[]}"#));
    let header = |name: &str| answer.headers().get(name).unwrap();
    assert_eq!(header("content-type"), "application/x-amz-json-1.0");
    assert_eq!(header("content-length"), "17");
    assert_eq!(header("x-amz-crc32"), "1315925753");
    assert_eq!(header("x-amzn-requestid").len(), 52);
    let next = front.answer(request("DynamoDB_20120810.ListTables", SdkBody::from("{}"))).await.unwrap();
    assert_ne!(header("x-amzn-requestid"), next.headers().get("x-amzn-requestid").unwrap());
}

#[tokio::test]
async fn what_is_no_operation_is_refused() {
    for (target, body, status, text) in [
        (
            "AmazonSQS.SendMessage",
            "{}",
            400,
            r#"{"__type":"com.amazon.coral.service#UnknownOperationException"}"#,
        ),
        (
            "DynamoDB_20120810.ListTables",
            "[",
            400,
            r#"{"__type":"com.amazon.coral.service#SerializationException"}"#,
        ),
    ] {
        let answer = front().answer(request(target, SdkBody::from(body))).await.unwrap();
        assert_eq!(shown(&answer), (status, text));
    }
}

#[tokio::test]
async fn a_body_may_be_streamed_and_must_not_be_too_large() {
    let stream = http_body_util::Full::new(Bytes::from_static(b"{}"));
    let streamed = request("DynamoDB_20120810.ListTables", SdkBody::from_body_1_x(stream));
    assert_eq!(front().answer(streamed).await.unwrap().status().as_u16(), 200);
    let large = request("DynamoDB_20120810.ListTables", SdkBody::from(vec![b' '; 16 * 1024 * 1024 + 1]));
    let answer = front().answer(large).await.unwrap();
    assert_eq!(shown(&answer), (413, ""));
}

#[test]
fn without_a_runtime_the_caller_does_the_work() {
    let front = front();
    let table = r#"{"TableName":"one","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"pk",
        "AttributeType":"S"}],"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}]}"#;
    for (target, body) in [
        ("DynamoDB_20120810.CreateTable", table),
        ("DynamoDB_20120810.PutItem", r#"{"TableName":"one","Item":{"pk":{"S":"a"}}}"#),
        ("DynamoDB_20120810.Scan", r#"{"TableName":"one"}"#),
    ] {
        let answer = block_on(front.answer(request(target, SdkBody::from(body)))).unwrap();
        assert_eq!(answer.status().as_u16(), 200, "{target}");
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}
