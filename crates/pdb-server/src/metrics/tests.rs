use std::collections::BTreeSet;
use std::path::Path;

use pretender::prelude::*;

use super::*;

/// A database with the streamed table `Orders` and two items.
fn database() -> Pretender {
    let db = Pretender::in_memory().unwrap();
    let orders: TableName = "Orders".parse().unwrap();
    db.create_table(CreateTableInput {
        stream_specification: Some(StreamSpecification::enabled(StreamViewType::NewImage)),
        ..CreateTableInput::new(orders.clone(), ("id", ScalarType::S), None)
    })
    .unwrap();
    for id in ["a", "b"] {
        db.put_item(PutItemInput::new(orders.clone(), Item::new().with("id", id))).unwrap();
    }
    db
}

fn scraped(metrics: &Metrics, db: &Pretender, name: Option<&str>) -> String {
    let name = name.map(str::to_owned);
    metrics.scrape(&[Scraped { name, pretender: db.clone(), has_region: false }], &[])
}

/// Returns the value of a line, which begins with this text and a blank.
#[track_caller]
fn value<'t>(text: &'t str, line: &str) -> &'t str {
    let found = text.lines().find_map(|known| known.strip_prefix(line)?.strip_prefix(' '));
    found.unwrap_or_else(|| panic!("no {line} in:\n{text}"))
}

#[test]
fn requests_are_counted_by_result() {
    let (metrics, db) = (Metrics::new(), Pretender::in_memory().unwrap());
    let count = |operation: Operation, answer: Option<(u16, &str)>| {
        let answer = answer.map(|(status, body)| (status, body.as_bytes()));
        metrics.count(Some(operation), answer, metrics.begin());
    };
    count(Operation::PutItem, Some((200, "{}")));
    count(Operation::PutItem, Some((200, "{}")));
    count(
        Operation::PutItem,
        Some((400, r#"{"__type":"com.amazon.coral.validate#ValidationException","message":"x"}"#)),
    );
    count(Operation::GetItem, None);
    count(Operation::GetItem, Some((503, "")));
    let unknown = br#"{"__type":"com.amazon.coral.service#UnknownOperationException"}"#;
    metrics.count(None, Some((400, unknown)), metrics.begin());
    let text = scraped(&metrics, &db, None);
    for (operation, result, count) in [
        ("PutItem", "ok", "2"),
        ("PutItem", "ValidationException", "1"),
        ("GetItem", "dropped", "1"),
        ("GetItem", "503", "1"),
        ("unknown", "UnknownOperationException", "1"),
    ] {
        let line = format!(r#"pretender_requests_total{{operation="{operation}",result="{result}"}}"#);
        assert_eq!(value(&text, &line), count);
    }
    assert!(
        !text.contains("pretender_request_seconds_bucket"),
        "nothing was measured before the first scrape"
    );
    // From now on times are measured.
    count(Operation::GetItem, Some((200, "{}")));
    let text = scraped(&metrics, &db, None);
    assert_eq!(value(&text, r#"pretender_request_seconds_count{operation="GetItem"}"#), "1");
    assert_eq!(value(&text, r#"pretender_request_seconds_bucket{operation="GetItem",le="+Inf"}"#), "1");
}

#[test]
fn a_database_is_shown_with_its_streams() {
    let (metrics, db) = (Metrics::new(), database());
    let text = scraped(&metrics, &db, None);
    for (line, expected) in [
        (r#"pretender_table_items{table="Orders"}"#, "2"),
        (r#"pretender_consumed_capacity_units_total{table="Orders",kind="write"}"#, "2"),
        (r#"pretender_stream_records_captured_total{table="Orders"}"#, "2"),
        (r#"pretender_stream_records_trimmed_total{table="Orders"}"#, "0"),
        ("pretender_clock_speed", "1"),
        (concat!("pretender_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"}"), "1"),
    ] {
        assert_eq!(value(&text, line), expected, "{line}");
    }
    let stream = &db.stream_reports().unwrap()[0];
    let (label, shard) = (stream.stream_arn.label.as_str(), stream.shards[0].shard_id.as_str());
    let of_shard = format!(r#"{{table="Orders",stream="{label}",shard="{shard}"}}"#);
    assert_eq!(value(&text, &format!("pretender_shard_records{of_shard}")), "2");
    assert_eq!(value(&text, &format!("pretender_shard_open{of_shard}")), "1");
    let mut events = db.subscribe().table("Orders").start().unwrap();
    events.next().unwrap().unwrap();
    let text = scraped(&metrics, &db, None);
    let reader = text.lines().find(|line| line.starts_with("pretender_reader_records_behind{")).unwrap();
    assert!(reader.contains(r#"kind="subscription""#), "{reader}");
    // A table that is gone is not shown any more, but what was done with it.
    db.delete_table(&"Orders".parse().unwrap()).unwrap();
    let text = scraped(&metrics, &db, None);
    assert!(!text.contains("pretender_table_items{"), "{text}");
    assert_eq!(value(&text, r#"pretender_stream_records_captured_total{table="Orders"}"#), "2");
}

#[test]
fn several_databases_are_told_apart() {
    let (metrics, db) = (Metrics::new(), database());
    let text = scraped(&metrics, &db, Some("quote\"s"));
    assert_eq!(value(&text, r#"pretender_table_items{database="quote\"s",table="Orders"}"#), "2");
}

#[test]
fn commits_are_measured_from_the_first_scrape_on() {
    let (metrics, db) = (Metrics::new(), database());
    scraped(&metrics, &db, None);
    let orders: TableName = "Orders".parse().unwrap();
    db.put_item(PutItemInput::new(orders, Item::new().with("id", "c"))).unwrap();
    let text = scraped(&metrics, &db, None);
    assert_eq!(value(&text, "pretender_commit_size_sum"), "1");
    assert_eq!(value(&text, "pretender_commit_seconds_count"), "1");
}

#[test]
fn faults_are_shown_while_they_are_in_force() {
    let (metrics, db) = (Metrics::new(), database());
    let fault = Fault::new(FaultKind::Throttling).on(Operation::PutItem).times(1);
    let id = db.faults().add(fault.table("Orders".parse().unwrap())).unwrap();
    let line = format!(r#"pretender_fault{{id="{id}",kind="throttling",target="PutItem,Orders"}}"#);
    assert_eq!(value(&scraped(&metrics, &db, None), &line), "1");
    let put = PutItemInput::new("Orders".parse().unwrap(), Item::new().with("id", "c"));
    db.put_item(put).unwrap_err();
    db.faults().clear();
    let text = scraped(&metrics, &db, None);
    assert!(!text.contains("pretender_fault{"));
    assert_eq!(value(&text, r#"pretender_faults_injected_total{kind="throttling"}"#), "1");
}

#[test]
fn every_metric_is_documented_and_named_by_the_rules() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/metrics.md");
    let document = std::fs::read_to_string(document).unwrap();
    let mut known = BTreeSet::new();
    for metric in names::ALL {
        assert!(known.insert(metric.name), "{} is there twice", metric.name);
        assert!(document.contains(&format!("`{}`", metric.name)), "{} is not documented", metric.name);
        assert_eq!(metric.kind == names::Kind::Counter, metric.name.ends_with("_total"), "{}", metric.name);
        assert!(metric.help.ends_with('.'), "{}", metric.help);
    }
}

#[test]
fn a_trigger_whose_function_fails_is_behind() {
    use std::sync::Arc;

    use pdb_trigger::{InvokeError, MonitorPhase, Trigger, TriggerDescription};
    use pretender::time::ManualClock;

    let clock = Arc::new(ManualClock::held_at(EpochMillis(1_772_356_542_017)));
    let db = Pretender::builder().clock(clock.clone()).open().unwrap();
    let orders: TableName = "Orders".parse().unwrap();
    db.create_table(CreateTableInput {
        stream_specification: Some(StreamSpecification::enabled(StreamViewType::NewImage)),
        ..CreateTableInput::new(orders.clone(), ("id", ScalarType::S), None)
    })
    .unwrap();
    let description = TriggerDescription {
        target: "Orders".to_owned(),
        function: "billing".to_owned(),
        ..TriggerDescription::default()
    };
    let monitor = TriggerMonitor::new(description);
    let shown = || Metrics::new().scrape(&[], std::slice::from_ref(&monitor));
    let labels = r#"trigger="1",target="Orders",function="billing""#;
    assert_eq!(value(&shown(), &format!("pretender_trigger_running{{{labels}}}")), "0");

    let (failed, failures) = std::sync::mpsc::channel();
    let trigger = Trigger::builder(&db, "Orders")
        .start(move |_: &[u8]| {
            failed.send(()).ok();
            let (error_type, message) = ("Error".to_owned(), "it is broken".to_owned());
            Err(InvokeError::Failed { status_code: 200, error_type, message })
        })
        .unwrap();
    monitor.set_phase(MonitorPhase::Running(trigger.handle()));
    db.put_item(PutItemInput::new(orders, Item::new().with("id", "a"))).unwrap();
    failures.recv_timeout(Duration::from_secs(30)).unwrap();
    clock.advance(Duration::from_secs(5));
    let text = shown();
    for (name, expected) in [
        ("pretender_trigger_running", "1"),
        ("pretender_trigger_iterator_age_seconds", "5"),
        ("pretender_trigger_records_waiting", "1"),
    ] {
        assert_eq!(value(&text, &format!("{name}{{{labels}}}")), expected);
    }
    // The second try has failed for certain once there is a third.
    let mut tries = 1;
    while tries < 3 {
        clock.advance(Duration::from_secs(60));
        tries += failures.recv_timeout(Duration::from_millis(50)).map_or(0, |()| 1);
    }
    let count = |text: &str, line: &str| value(text, line).parse::<u64>().unwrap();
    let text = shown();
    let result = |name: &str, result: &str| format!("{name}{{{labels},result=\"{result}\"}}");
    assert!(count(&text, &result("pretender_trigger_invocations_total", "failed")) >= 2);
    assert_eq!(count(&text, &result("pretender_trigger_invocations_total", "ok")), 0);
    assert!(count(&text, &format!("pretender_trigger_retries_total{{{labels}}}")) >= 1);
    assert_eq!(count(&text, &result("pretender_trigger_records_total", "processed")), 0);
    drop(trigger);
    monitor.set_phase(MonitorPhase::Ended(monitor.handle().unwrap()));
    assert_eq!(value(&shown(), &format!("pretender_trigger_running{{{labels}}}")), "0");
}
