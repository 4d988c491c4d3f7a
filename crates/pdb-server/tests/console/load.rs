//! The live view of a stream that nobody could read: ten thousand records a second.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use pretender::Pretender;
use pretender::items::{BatchWriteItemInput, WriteRequest};
use pretender::model::Item;
use serde_json::json;

use crate::browser::browse_alone;
use crate::stand::Stand;
use crate::tail::open;

/// How many records are made in a second.
const RATE: f64 = 10_000.0;
/// For how long.
const SECONDS: f64 = 4.0;
/// `BatchWriteItem` takes no more.
const BATCH: usize = 25;

/// Writes as fast as asked for, or as the machine can. Returns how many records that made, and how long it took.
fn write(pretender: &Pretender) -> (usize, f64) {
    let (began, mut written) = (Instant::now(), 0);
    let (_never, pause) = std::sync::mpsc::channel::<()>();
    while began.elapsed().as_secs_f64() < SECONDS {
        let due = (began.elapsed().as_secs_f64() * RATE) as usize;
        if written >= due {
            let _ = pause.recv_timeout(Duration::from_millis(2));
            continue;
        }
        let puts = (written..written + BATCH).map(|n| {
            WriteRequest::Put(Item::new().with("id", format!("o{}", n % 5_000)).with("n", n as i64))
        });
        pretender
            .batch_write_item(BatchWriteItemInput {
                request_items: BTreeMap::from([("orders".parse().unwrap(), puts.collect())]),
                ..BatchWriteItemInput::default()
            })
            .unwrap();
        written += BATCH;
    }
    (written, began.elapsed().as_secs_f64())
}

#[test]
fn a_flood_of_records_does_not_freeze_the_page() {
    browse_alone(|browser| {
        let stand = Stand::new();
        stand.create_table("orders");
        open(browser, &stand, "");
        browser.script(
            "window.beats = { worst: 0, count: 0, last: performance.now(), said: '' };
             setInterval(() => {
                 const now = performance.now();
                 const state = document.querySelector('#tail-state').textContent;
                 if (state.includes('more a second not shown')) beats.said = state;
                 beats.worst = Math.max(beats.worst, now - beats.last);
                 beats.last = now;
                 beats.count += 1;
             }, 20);",
        );
        let pretender = stand.pretender.clone();
        let writing = std::thread::spawn(move || write(&pretender));
        // A person can use the page meanwhile.
        browser.wait_for("document.querySelectorAll('tr.record').length > 0");
        let began = Instant::now();
        browser.click("#pause");
        browser.wait_for("document.querySelector('#tail-state').textContent.startsWith('paused')");
        browser.click("#pause");
        browser.wait_for("document.querySelector('#tail-state').textContent.startsWith('live')");
        let used = began.elapsed();
        let (written, seconds) = writing.join().unwrap();

        let total = serde_json::to_string(&json!(written)).unwrap();
        let all = format!(
            "document.querySelector('#tail-state').textContent.includes(Number({total}).toLocaleString('en') + ' records')"
        );
        browser.wait_for(&all);
        let beats = browser.script("return beats");
        let worst = beats["worst"].as_f64().unwrap();
        println!(
            "{:.0} records a second for {seconds:.1} s: the page never stood still for more than {worst:.0} ms, \
             and was paused and continued in {} ms; it said: {}",
            written as f64 / seconds,
            used.as_millis(),
            beats["said"]
        );
        assert!(worst < 1_000.0, "{beats}");
        assert_ne!(beats["said"], "", "{}", browser.page_text());
        assert!(browser.count("tr.record") <= 500);
    });
}
