//! Contents of items that would run in a page that showed them carelessly.

use serde_json::{Value, json};

use crate::access::take_refusals;
use crate::browser::{Browser, browse};
use crate::stand::Stand;

/// Texts that a careless page would execute, or whose direction would turn what stands beside them.
const TEXTS: [&str; 6] = [
    "<script>window.pwned=1</script>",
    "\"><img src=x onerror=window.pwned=2>",
    "javascript:window.pwned=3",
    "</textarea></pre></td></table><svg onload=window.pwned=4>",
    "'-window.pwned-'{{window.pwned}}${window.pwned}",
    "\u{202e}gnp.exe\u{2066}",
];

fn key(text: &str) -> String {
    let key = json!({ "id": { "S": text } }).to_string();
    form_urlencoded(&key)
}

/// Encodes a text for an address.
fn form_urlencoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn item(text: &str) -> Value {
    json!({
        "id": { "S": text },
        text: { "S": text },
        "map": { "M": { text: { "L": [{ "S": text }, { "SS": [text] }] } } },
    })
}

/// Nothing of what an item has became a part of the page, and nothing of it ran.
#[track_caller]
fn check(browser: &Browser, page: &str) {
    let script = "return [
        window.pwned === undefined,
        document.querySelectorAll('main img, main script:not([src]), main svg[onload], [onerror]').length,
        [...document.querySelectorAll('a, form')].filter((found) =>
            /^javascript:/i.test(found.href ?? found.action ?? '')).length,
        document.querySelectorAll('body > header + div.columns > main').length,
    ]";
    assert_eq!(browser.script(script), json!([true, 0, 0, 1]), "{page}");
}

#[test]
fn contents_of_items_are_shown_and_do_nothing() {
    browse(|browser| {
        let stand = Stand::new();
        stand.create_table("orders");
        for text in TEXTS {
            stand.put("orders", &item(text));
        }
        let mut pages: Vec<String> = vec!["items?table=orders".to_owned()];
        for text in TEXTS {
            for view in ["", "plain", "dynamodb", "edit", "code"] {
                pages.push(format!("item?table=orders&view={view}&key={}", key(text)));
            }
            pages.push(format!("new-item?table=orders&from={}", key(text)));
            pages.push(format!("items?table=orders&pk={}", form_urlencoded(text)));
            pages.push(format!("partiql?statement={}", form_urlencoded(text)));
        }
        for page in &pages {
            browser.open(&stand.url(page));
            check(browser, page);
        }
        browser.open(&stand.url("items?table=orders"));
        let text = browser.page_text();
        for shown in &TEXTS[..3] {
            assert!(text.contains(&shown[..20]), "{shown}: {text}");
        }
        browser.open(&stand.url("partiql"));
        browser.enter("textarea[name=statement]", "SELECT * FROM \"orders\"");
        browser.follow("button.main");
        check(browser, "partiql");
        assert!(browser.page_text().contains(TEXTS[0]));
    });
}

#[test]
fn addresses_are_shown_and_do_nothing() {
    browse(|browser| {
        let stand = Stand::new();
        stand.create_table("orders");
        for text in [TEXTS[0], TEXTS[1], TEXTS[3]] {
            let text = form_urlencoded(text);
            for page in [
                text.clone(),
                format!("table?name={text}"),
                format!("items?table={text}"),
                format!("items?table=orders&index={text}&start={text}&limit={text}"),
                format!("item?table=orders&key={text}"),
                format!("item?table=orders&done={text}&view={text}&key={}", key("o1")),
                format!("stream?table={text}"),
                format!("stream?arn={text}"),
                format!("stream?table=orders&event={text}&key={text}&pattern={text}&from={text}&time={text}"),
                format!("record?table=orders&shard={text}&number={text}"),
                format!("instrument?said={text}&table={text}&log={text}"),
                format!("triggers?part={text}&said={text}"),
                format!("partiql?statement={text}&parameters={text}&limit={text}&table={text}"),
            ] {
                browser.open(&stand.url(&page));
                assert_eq!(browser.script("return window.pwned ?? null"), Value::Null, "{page}");
                assert_eq!(browser.count("main img, main svg[onload], main script:not([src])"), 0, "{page}");
            }
        }
        for complaint in browser.take_complaints() {
            // A field for numbers does not show what is none.
            let is_expected = ["Failed to load resource", "cannot be parsed"];
            assert!(is_expected.iter().any(|part| complaint.contains(part)), "{complaint}");
        }
    });
}

#[test]
fn changes_of_items_are_shown_and_do_nothing() {
    browse(|browser| {
        let stand = Stand::new();
        stand.create_table("orders");
        browser.open(&stand.url("stream?table=orders"));
        browser.wait_for("document.querySelector('#tail-state').textContent.startsWith('live')");
        for text in TEXTS {
            stand.put("orders", &item(text));
            stand.put("orders", &json!({ "id": { "S": text }, "other": { "S": text } }));
        }
        let count = TEXTS.len() * 2;
        browser.wait_for(&format!("document.querySelectorAll('tr.record').length === {count}"));
        check(browser, "live");
        assert!(browser.page_text().contains(TEXTS[0]), "{}", browser.page_text());
        // In the live page, and as pages of their own.
        browser.script("document.querySelectorAll('tr.record td.when a').forEach((link) => link.click())");
        browser.wait_for(&format!("document.querySelectorAll('tr.detail dl').length === {count}"));
        check(browser, "opened");
        let addresses =
            browser.script("return [...document.querySelectorAll('td.when a')].map((link) => link.href)");
        let addresses: Vec<String> = serde_json::from_value(addresses).unwrap();
        for address in addresses {
            browser.open(&address);
            check(browser, &address);
        }
        browser.open(&stand.url("stream?table=orders&from=trim-horizon"));
        check(browser, "stream");
        take_refusals(browser, "400");
    });
}

#[test]
fn large_items_are_shown_in_part() {
    browse(|browser| {
        let stand = Stand::new();
        stand.create_table("orders");
        let text = "<b>large</b> ".repeat(390 * 1024 / 13);
        stand.put("orders", &json!({ "id": { "S": "large" }, "text": { "S": text } }));
        let list: Vec<_> = (0..20_000).map(|n| json!({ "N": n.to_string() })).collect();
        stand.put("orders", &json!({ "id": { "S": "long" }, "list": { "L": list } }));
        stand.put("orders", &json!({ "id": { "S": "large" }, "text": { "S": text.to_uppercase() } }));
        let mut pages =
            vec!["items?table=orders".to_owned(), "stream?table=orders&from=trim-horizon".to_owned()];
        for id in ["large", "long"] {
            for view in ["", "plain", "dynamodb", "edit", "code"] {
                pages.push(format!("item?table=orders&view={view}&key={}", key(id)));
            }
        }
        for page in &pages {
            browser.open(&stand.url(page));
            check(browser, page);
            let script = "return [document.querySelectorAll('b').length, document.documentElement.scrollWidth <= innerWidth,
                document.querySelectorAll('*').length < 20000]";
            assert_eq!(browser.script(script), json!([0, true, true]), "{page}");
        }
    });
}
