//! Tests of the pages of a stream.

use std::sync::Arc;
use std::time::Duration;

use pdb_wire::Wire;
use pretender::prelude::*;

use crate::{Answer, Context, Request};

const HOSTILE: &str = "<script>alert(1)</script>\"'&😀";

/// A table `orders` with a stream, and what its pages show.
struct Shop {
    db: Pretender,
    arn: StreamArn,
}

impl Shop {
    fn new(view_type: StreamViewType) -> Self {
        let clock = Arc::new(ManualClock::held_at(EpochMillis(1_772_356_542_017)));
        let db = Pretender::builder().clock(clock).open().unwrap();
        let table = db
            .create_table(CreateTableInput {
                stream_specification: Some(StreamSpecification::enabled(view_type)),
                ..CreateTableInput::new(orders(), ("id", ScalarType::S), None)
            })
            .unwrap();
        Self { db, arn: table.latest_stream_arn.unwrap() }
    }

    fn put(&self, id: &str, item: Item) {
        self.db.put_item(PutItemInput::new(orders(), item.with("id", id))).unwrap();
    }

    fn put_many(&self, count: usize) {
        (0..count).for_each(|n| self.put(&format!("n{n}"), Item::new().with("n", n as i64)));
    }

    fn answer(&self, page: &str, query: &str) -> Answer {
        let wire = Wire::new(self.db.clone());
        Context::new(wire).answer(&Request::get(page, query))
    }

    fn html(&self, page: &str, query: &str) -> (u16, String) {
        match self.answer(page, query) {
            Answer::Page { status, html } => (status, html),
            other => panic!("{other:?}"),
        }
    }

    /// Returns the page of the stream.
    #[track_caller]
    fn stream(&self, query: &str) -> String {
        let (status, html) = self.html("stream", &format!("arn={}&{query}", self.arn));
        assert_eq!(status, 200, "{html}");
        html
    }
}

fn orders() -> TableName {
    TableName::new("orders").unwrap()
}

/// Returns the texts of the attribute `name` in a page.
fn attributes<'h>(html: &'h str, name: &str) -> Vec<&'h str> {
    let before = format!(" {name}=\"");
    html.split(&before).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

/// Returns the address in an attribute, with its query apart.
fn address(html: &str, page: &str) -> (String, String) {
    let start = format!("{page}?");
    let links = ["href", "data-events"].into_iter().flat_map(|name| attributes(html, name));
    let link = links.into_iter().find(|link| link.starts_with(&start)).unwrap().replace("&amp;", "&");
    let (page, query) = link.split_once('?').unwrap();
    (page.to_owned(), query.to_owned())
}

/// Returns the keys of the rows, from the top.
fn keys(html: &str) -> Vec<String> {
    let cells = html.split("<td class=\"key mono\">").skip(1);
    cells.map(|cell| cell.split("&quot;").nth(1).unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_stream_is_found_by_its_table_and_by_its_arn() {
    let shop = Shop::new(StreamViewType::NewAndOldImages);
    for query in ["table=orders".to_owned(), format!("arn={}", shop.arn)] {
        let (status, html) = shop.html("stream", &query);
        assert_eq!(status, 200);
        assert!(
            html.contains("ENABLED")
                && html.contains("NEW_AND_OLD_IMAGES")
                && html.contains("2026-03-01 09:15:42.017Z")
        );
        assert!(html.contains("There are no records here yet"), "{html}");
    }
    for (query, text) in [
        ("table=carts", "no stream"),
        ("table=a%20b", "There is no table `a b`."),
        ("", "There is no table"),
        ("arn=x", "There is no stream `x`"),
        (
            "arn=arn:aws:dynamodb:us-east-1:000000000000:table/orders/stream/2020-01-01T00:00:00.000",
            "There is no stream",
        ),
        ("table=%3Cscript%3E", "There is no table `&lt;script&gt;`."),
    ] {
        let (status, html) = shop.html("stream", query);
        assert!(status == 404 && html.contains(text), "{query}: {html}");
    }
}

#[test]
fn a_table_without_a_stream_learns_how_to_get_one() {
    let shop = Shop::new(StreamViewType::KeysOnly);
    shop.db
        .create_table(CreateTableInput::new("carts".parse().unwrap(), ("id", ScalarType::S), None))
        .unwrap();
    let (status, html) = shop.html("stream", "table=carts");
    assert!(status == 404 && html.contains("aws dynamodb update-table"), "{html}");
}

#[test]
fn the_other_streams_of_the_table_are_linked() {
    let shop = Shop::new(StreamViewType::KeysOnly);
    let update = |specification| {
        let input =
            UpdateTableInput { stream_specification: Some(specification), ..UpdateTableInput::new(orders()) };
        shop.db.update_table(input).unwrap()
    };
    update(StreamSpecification { stream_enabled: false, stream_view_type: None });
    shop.db.advance(Duration::from_secs(60)).unwrap();
    let next = update(StreamSpecification::enabled(StreamViewType::NewImage)).latest_stream_arn.unwrap();
    let (_, latest) = shop.html("stream", "table=orders");
    assert!(latest.contains("NEW_IMAGE") && latest.contains(&format!("{}</a>", shop.arn.label)), "{latest}");
    let (_, earlier) = shop.html("stream", &format!("arn={}", shop.arn));
    assert!(earlier.contains("DISABLED") && earlier.contains(&format!("{}</a>", next.label)), "{earlier}");
}

#[test]
fn rows_say_what_changed() {
    let shop = Shop::new(StreamViewType::NewAndOldImages);
    let address = |city: &str| {
        Item::from_plain_json(&format!(r#"{{"total": 42, "address": {{"city": "{city}", "zip": "1"}}}}"#))
            .unwrap()
    };
    shop.put("o1", address("Bern"));
    shop.put("o1", address("Basel").with("paid", true));
    shop.db.delete_item(DeleteItemInput::new(orders(), Item::new().with("id", "o1"))).unwrap();
    let html = shop.stream("");
    assert_eq!(keys(&html), ["o1"; 3]);
    assert!(html.contains(
        "<span class=\"name\">address.city</span> <del><bdi>&quot;Bern&quot;</bdi></del> → <ins><bdi>&quot;Basel&quot;</bdi></ins>"
    ));
    assert!(html.contains("+<span class=\"name\">paid</span> <ins><bdi>true</bdi></ins>"));
    assert!(html.contains("<span class=\"name\">total</span> <del><bdi>42</bdi></del>"));
    for word in ["INSERT", "MODIFY", "REMOVE"] {
        assert!(html.contains(&format!("aria-hidden=\"true\">{}</span> {word}", &word[..1])));
    }
}

#[test]
fn every_view_type_has_rows() {
    for (view_type, text) in [
        (StreamViewType::KeysOnly, "keys only"),
        (StreamViewType::NewImage, "<span class=\"name\">n</span> <bdi>2</bdi>"),
        (StreamViewType::OldImage, "<span class=\"name\">n</span> <del><bdi>1</bdi></del>"),
    ] {
        let shop = Shop::new(view_type);
        shop.put("o1", Item::new().with("n", 1));
        shop.put("o1", Item::new().with("n", 2));
        let html = shop.stream("");
        assert!(html.contains(text), "{view_type}: {html}");
        let (page, query) = address_of_record(&html);
        let (status, record) = shop.html(&page, &query);
        assert!(status == 200 && record.contains("MODIFY"), "{record}");
    }
}

fn address_of_record(html: &str) -> (String, String) {
    address(html, "record")
}

#[test]
fn what_the_service_deletes_is_marked() {
    let shop = Shop::new(StreamViewType::NewAndOldImages);
    let specification = TimeToLiveSpecification { attribute_name: "expires".to_owned(), enabled: true };
    shop.db.update_time_to_live(&orders(), specification).unwrap();
    shop.put("o1", Item::new().with("expires", 1_772_356_543));
    shop.db.advance(Duration::from_secs(3600)).unwrap();
    let html = shop.stream("event=REMOVE");
    assert!(html.contains("by TTL") && keys(&html).len() == 1, "{html}");
}

#[test]
fn hostile_contents_are_escaped() {
    let shop = Shop::new(StreamViewType::NewAndOldImages);
    shop.put(HOSTILE, Item::new().with(HOSTILE, HOSTILE));
    shop.put(HOSTILE, Item::new().with(HOSTILE, "").with("b", HOSTILE));
    shop.put(HOSTILE, Item::new().with("large", "<b>".repeat(130_000)));
    let html = shop.stream("key=%3Cscript%3E&pattern=%7B%22eventName%22:%5B%22%3Cscript%3E%22%5D%7D");
    assert!(!html.contains("<script>alert"));
    let html = shop.stream("key=%3Cscript%3E");
    assert!(
        !html.contains("<script>alert") && !html.contains("<b>") && html.contains("images of 390"),
        "{html}"
    );
    let (page, query) = address_of_record(&html);
    let (status, record) = shop.html(&page, &query);
    assert_eq!(status, 200);
    assert!(!record.contains("<script>alert") && !record.contains("<b>"));
}

#[test]
fn filters_choose_rows_and_stay_in_the_address() {
    let shop = Shop::new(StreamViewType::NewAndOldImages);
    shop.put_many(60);
    shop.put("n7", Item::new().with("n", 8));
    for (query, expected) in [
        ("event=MODIFY", vec!["n7"]),
        ("key=n7", vec!["n7", "n7"]),
        ("key=n1&whole=yes", vec!["n1"]),
        (
            "pattern=%7B%22dynamodb%22:%7B%22NewImage%22:%7B%22n%22:%7B%22N%22:%5B%228%22%5D%7D%7D%7D%7D",
            vec!["n7", "n8"],
        ),
        ("key=none", vec![]),
    ] {
        let html = shop.stream(query);
        assert_eq!(keys(&html), expected, "{query}");
        let (_, events) = address(&html, "events");
        assert!(events.contains(query.split('&').next().unwrap().split("%7B").next().unwrap()), "{events}");
    }
    assert_eq!(keys(&shop.stream("")).len(), 50);
    assert!(shop.stream("key=none").contains("None of the newest records matches the filter"));
    assert!(shop.stream("from=trim-horizon&key=none").contains("No record matches the filter yet."));
    for (query, text) in [
        ("pattern=%7B", "Invalid filter pattern definition"),
        ("event=X", "There is no event `X`"),
        ("from=time&time=x", "is not a time"),
    ] {
        let html = shop.stream(query);
        assert!(html.contains("role=\"alert\">") && html.contains(text), "{html}");
        assert!(attributes(&html, "data-events").is_empty());
    }
}

#[test]
fn pages_go_through_a_stream_from_its_beginning() {
    let shop = Shop::new(StreamViewType::KeysOnly);
    shop.put_many(150);
    shop.db.split_shards(&shop.arn, None).unwrap();
    shop.db.advance(Duration::from_secs(60)).unwrap();
    (150..450).for_each(|n| shop.put(&format!("n{n}"), Item::new()));
    let mut query = format!("arn={}&from=trim-horizon", shop.arn);
    let (mut seen, mut pages) = (Vec::new(), 0);
    loop {
        let (_, html) = shop.html("stream", &query);
        let mut page = keys(&html);
        page.reverse();
        seen.extend(page);
        pages += 1;
        if !html.contains("The next 200") {
            assert_eq!(attributes(&html, "data-events").len(), 1);
            break;
        }
        assert!(attributes(&html, "data-events").is_empty());
        let next = html.split("<a href=\"stream?").find(|link| link.contains("after=")).unwrap();
        query = next.split('"').next().unwrap().replace("&amp;", "&");
    }
    assert_eq!((seen.len(), pages), (450, 3));
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 450);
    let html = shop.stream("from=time&time=30s");
    assert_eq!(keys(&html).len(), 200);
    assert!(keys(&html).iter().all(|key| key[1..].parse::<u32>().unwrap() >= 150));
}

#[test]
fn the_last_records_are_found_behind_a_rotation_and_in_a_stream_that_is_over() {
    let shop = Shop::new(StreamViewType::KeysOnly);
    shop.put_many(20);
    shop.db.rotate_shards(&shop.arn, None).unwrap();
    shop.put("last", Item::new());
    let shown = keys(&shop.stream(""));
    assert_eq!((shown.len(), shown[0].as_str()), (21, "last"));
    shop.db.trim(&shop.arn, None).unwrap();
    assert!(keys(&shop.stream("")).is_empty());
    shop.put("after", Item::new());
    shop.db.delete_table(&orders()).unwrap();
    assert_eq!(keys(&shop.stream("")), ["after"]);
}

#[test]
fn the_picture_has_every_shard_and_its_state() {
    let shop = Shop::new(StreamViewType::KeysOnly);
    shop.put_many(10);
    let picture = |html: &str| html.split("<svg").nth(1).unwrap().split("</svg>").next().unwrap().to_owned();
    let one = picture(&shop.stream(""));
    assert_eq!(
        (one.matches("class=\"shard open\"").count(), one.matches("class=\"lineage\"").count()),
        (1, 0)
    );
    assert!(one.contains("10 records, 0 ms old") && one.contains("role=\"img\"") && !one.contains("style="));
    shop.db.split_shards(&shop.arn, None).unwrap();
    shop.db.advance(Duration::from_secs(3600)).unwrap();
    let first = shop.db.changes(&shop.arn.to_string()).unwrap();
    assert_eq!(first.len(), 10);
    shop.db.trim(&shop.arn, None).unwrap();
    let html = shop.stream("");
    let split = picture(&html);
    let count = |text: &str| split.matches(text).count();
    assert_eq!(
        (count("class=\"shard open\""), count("class=\"shard closed\""), count("class=\"lineage\"")),
        (2, 1, 2)
    );
    assert!(split.contains("url(#trimmed)") && split.contains("10 trimmed"), "{split}");
    for shard in shop.db.shards(&shop.arn).unwrap() {
        assert!(html.contains(&format!("<th class=\"mono\" scope=\"row\">{}</th>", shard.shard_id)));
    }
}

#[test]
fn of_many_shards_the_newest_are_drawn() {
    let shop = Shop::new(StreamViewType::KeysOnly);
    (0..6).for_each(|_| drop(shop.db.split_shards(&shop.arn, None).unwrap()));
    let html = shop.stream("");
    assert_eq!(html.matches("class=\"shard open\"").count(), 64);
    assert!(html.contains("Of 127 shards, the newest 96 are shown."), "{html}");
}

#[test]
fn readers_are_marked_in_the_picture() {
    let shop = Shop::new(StreamViewType::KeysOnly);
    shop.put_many(4);
    let mut events = shop.db.subscribe().stream(shop.arn.to_string()).page_limit(3).start().unwrap();
    (0..3).for_each(|_| drop(events.next().unwrap().unwrap()));
    let html = shop.stream("");
    assert!(html.contains("class=\"reader\"") && html.contains("1 record and 0 ms behind"), "{html}");
    // The page itself is no reader.
    assert_eq!(shop.db.readers().unwrap().len(), 1);
}

#[test]
fn a_record_opens_with_both_images_and_its_forms() {
    let shop = Shop::new(StreamViewType::NewAndOldImages);
    shop.put("o1", Item::new().with("total", 42).with("kept", "x"));
    shop.put("o1", Item::new().with("total", 43).with("kept", "x"));
    let (page, query) = address_of_record(&shop.stream(""));
    let (status, html) = shop.html(&page, &query);
    assert_eq!(status, 200);
    for text in [
        "<tr class=\"changed\"><th class=\"mono\" scope=\"row\">total",
        "<tr><th class=\"mono\" scope=\"row\">kept",
        "&quot;aws:dynamodb&quot;",
        "&quot;Records&quot;",
        "&quot;ApproximateCreationDateTime&quot;",
        "{&quot;dynamodb&quot;:{&quot;Keys&quot;:{&quot;id&quot;:{&quot;S&quot;:[&quot;o1&quot;]}}},&quot;eventName&quot;:[&quot;MODIFY&quot;]}",
    ] {
        assert!(html.contains(text), "{text}: {html}");
    }
    let broken = [
        query.replace("number=", "number=9"),
        query.replace("number=", "x="),
        query.replace("shard=", "shard=x"),
    ];
    for query in broken {
        assert_eq!(shop.html("record", &query).0, 404, "{query}");
    }
    shop.db.trim(&shop.arn, None).unwrap();
    assert_eq!(shop.html(&page, &query).0, 404);
    // Looking is not reading.
    assert!(shop.db.readers().unwrap().is_empty());
    assert_eq!(shop.db.traffic()[0].1.delivered_records, 0);
}

#[test]
fn the_first_record_of_a_shard_opens_too() {
    let shop = Shop::new(StreamViewType::NewImage);
    shop.put("o1", Item::new());
    shop.db.rotate_shards(&shop.arn, None).unwrap();
    shop.put("o2", Item::new());
    shop.put("o3", Item::new());
    let html = shop.stream("");
    let links: Vec<_> =
        attributes(&html, "href").into_iter().filter(|link| link.starts_with("record?")).collect();
    assert_eq!(links.len(), 3);
    for (link, key) in links.iter().zip(["o3", "o2", "o1"]) {
        let (status, record) = shop.html("record", &link.replace("&amp;", "&")["record?".len()..]);
        assert!(status == 200 && record.contains(key), "{link}");
    }
}

#[test]
fn the_export_has_what_the_page_shows() {
    let shop = Shop::new(StreamViewType::NewImage);
    shop.put_many(3);
    shop.db.advance(Duration::from_secs(10)).unwrap();
    shop.put("late", Item::new());
    let lines = |query: &str| match shop.answer("export", query) {
        Answer::Download { bytes, file_name, .. } => {
            let text = String::from_utf8(bytes).unwrap();
            assert_eq!(file_name, format!("orders-{}-records.jsonl", text.lines().count()));
            text.lines()
                .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
                .collect::<Vec<_>>()
        }
        other => panic!("{other:?}"),
    };
    let html = shop.stream("key=n");
    let (_, query) = address(&html, "export");
    let exported = lines(&query);
    assert_eq!(exported.len(), 3);
    assert!(exported.iter().all(|record| record["eventSource"] == "aws:dynamodb"));
    assert_eq!(lines(&address(&shop.stream(""), "export").1).len(), 4);
    assert_eq!(lines(&format!("arn={}&since=1772356542018", shop.arn)).len(), 1);
    assert_eq!(lines(&format!("arn={}&until=1772356542017", shop.arn)).len(), 3);
}

#[test]
fn the_files_of_the_page_are_there() {
    let shop = Shop::new(StreamViewType::KeysOnly);
    for name in ["stream.js", "stream.css"] {
        assert!(matches!(shop.answer(name, ""), Answer::Asset { .. }));
    }
    assert!(matches!(shop.answer("events", &format!("arn={}", shop.arn)), Answer::Events(_)));
    assert!(matches!(shop.answer("events", "arn=x"), Answer::Page { status: 404, .. }));
    assert!(matches!(
        shop.answer("events", &format!("arn={}&event=X", shop.arn)),
        Answer::Page { status: 400, .. }
    ));
}
