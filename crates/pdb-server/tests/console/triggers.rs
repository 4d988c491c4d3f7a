//! The page of triggers.

use std::time::Duration;

use pdb_server::ServerOptions;
use pdb_trigger::{
    InvokeError, MonitorPhase, Response, Settings, Trigger, TriggerDescription, TriggerMonitor,
};
use pretender::Pretender;
use pretender::time::EpochMillis;
use serde_json::json;

use crate::browser::browse;
use crate::stand::{START, Stand};

/// A monitor of a trigger on `orders`, and a server that shows it.
pub(crate) fn watched() -> (TriggerMonitor, Stand) {
    let monitor = TriggerMonitor::new(TriggerDescription {
        target: "orders".to_owned(),
        function: "http://127.0.0.1:9000/2015-03-31/functions/function/invocations".to_owned(),
        batch_size: 1,
        settings: vec![("maximum-retry-attempts".to_owned(), "0".to_owned())],
    });
    monitor.set_phase(MonitorPhase::Waiting("there is no table `orders`".to_owned()));
    let options = ServerOptions { triggers: vec![monitor.clone()], ..ServerOptions::default() };
    (monitor, Stand::with(options))
}

/// Starts the trigger. It fails on items named `bad`, and what it says of them is hostile.
pub(crate) fn start(monitor: &TriggerMonitor, pretender: &Pretender) -> Trigger {
    let noting = monitor.clone();
    let settings = Settings { maximum_retry_attempts: 0, batch_size: 1, ..Settings::default() };
    let trigger = Trigger::builder(pretender, "orders")
        .settings(settings)
        .observe(move |notice| noting.note(EpochMillis(START), notice))
        .start(|event: &[u8]| match std::str::from_utf8(event) {
            Ok(event) if event.contains("\"bad\"") => {
                Err(InvokeError::failed("<script>window.pwned=1</script>".repeat(20)))
            }
            _ => Ok(Response::empty()),
        })
        .unwrap();
    monitor.set_phase(MonitorPhase::Running(trigger.handle()));
    trigger
}

#[test]
fn batches_and_failures_are_shown_as_they_happen() {
    browse(|browser| {
        let (monitor, stand) = watched();
        browser.open(&stand.url("triggers"));
        assert!(browser.text("section.trigger").contains("waiting: there is no table `orders`"));
        stand.create_table("orders");
        let trigger = start(&monitor, &stand.pretender);
        for id in ["good", "bad", "better"] {
            stand.put("orders", &json!({ "id": { "S": id } }));
        }
        assert!(trigger.wait_until_caught_up(Duration::from_secs(60)));
        // The page looks again by itself.
        browser.wait_for_text("running");
        browser.wait_for("document.querySelectorAll('.recent tbody tr').length >= 3");
        browser.wait_for("document.querySelector('.plot polyline')");
        let counts = browser.text("dl.counts").replace('\n', " ");
        assert!(counts.contains("Invocations 3") && counts.contains("Failed 1"), "{counts}");
        assert!(browser.text(".last-error").contains("<script>window.pwned=1</script>"));
        assert_eq!(browser.script("return window.pwned ?? null"), json!(null));

        // What a person has opened stays open.
        browser.click(".last-error details summary");
        stand.put("orders", &json!({ "id": { "S": "best" } }));
        browser.wait_for("document.querySelectorAll('.recent tbody tr').length >= 5");
        assert_eq!(browser.count(".last-error details[open]"), 1);
    });
}
