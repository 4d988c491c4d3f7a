//! The console without a mouse.

use serde_json::{Value, json};

use crate::browser::{Browser, browse};
use crate::crawl::crawl;
use crate::sample::sample;
use crate::stand::Stand;

fn tab(browser: &Browser) {
    browser.press_key("Tab", 9);
}

/// Notes what gets the focus, and whether a person sees that. A page that changes by itself is paused: new elements had no focus yet.
const WATCH: &str = r#"
    document.querySelector('#live-hint button[aria-pressed=false], #pause[aria-pressed=false]:not([hidden])')?.click();
    window.focused = [];
    document.addEventListener('focusin', ({ target }) => {
        const style = getComputedStyle(target);
        const place = target.getBoundingClientRect();
        const isSeen = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1 && place.width > 0
            && place.right > 0 && place.bottom > 0 && place.left < innerWidth && place.top < innerHeight;
        focused.push({ target, isSeen });
    });
    document.activeElement?.blur();"#;

/// What can be used, and had no focus; and what had it, but did not show it.
const MISSED: &str = r#"
    const name = (found) => found.tagName + ' ' + (found.id || found.getAttribute('name') || found.textContent.trim().slice(0, 30));
    const usable = [...document.querySelectorAll('a[href], button:not(:disabled), input:not([type=hidden]), select, textarea, summary')];
    const had = new Set(focused.map(({ target }) => target));
    const radios = (found) => found.type === 'radio' && usable.some((other) => other.name === found.name && had.has(other));
    const missed = usable.filter((found) => found.checkVisibility() && !had.has(found) && !radios(found));
    const unseen = focused.filter(({ isSeen }) => !isSeen).map(({ target }) => target);
    return [missed.map(name), unseen.map(name)];"#;

#[test]
fn tab_reaches_everything_and_shows_where_it_is() {
    browse(|browser| {
        let sample = sample();
        let mut visited = Vec::new();
        crawl(browser, &sample.stand, |page| {
            let name = page.split('?').next().unwrap_or_default().to_owned();
            if visited.contains(&name) {
                return;
            }
            visited.push(name);
            browser.script(WATCH);
            for _ in 0..400 {
                tab(browser);
                let is_round = "return focused.length > 1 && focused[0].target === focused.at(-1).target
                    || !document.hasFocus() || document.activeElement === document.body";
                if browser.script(is_round) == true {
                    break;
                }
            }
            let first = browser.script("return focused[0].target.className");
            assert_eq!(first, "skip", "{page}");
            assert_eq!(browser.script(MISSED), json!([[], []]), "{page}");
        });
    });
}

#[test]
fn a_person_finds_and_edits_an_item_without_a_mouse() {
    browse(|browser| {
        let stand = Stand::new();
        stand.create_table("orders");
        stand.put("orders", &json!({ "id": { "S": "o1" }, "n": { "N": "1" } }));
        stand.put("orders", &json!({ "id": { "S": "o2" }, "n": { "N": "2" } }));
        browser.open(&stand.url(""));
        // Past the navigation, to the content.
        tab(browser);
        browser.press("\u{e007}");
        assert_eq!(browser.script("return document.activeElement.id"), "content");
        go_to(browser, "a", "orders");
        browser.leave(|| browser.press("\u{e007}"));
        go_to(browser, "a", "Items");
        browser.leave(|| browser.press("\u{e007}"));
        go_to(browser, "input[name=pk]", "");
        browser.leave(|| browser.press("o2\u{e007}"));
        assert_eq!(browser.texts("table.items tbody th"), ["o2"]);
        go_to(browser, "a", "o2");
        browser.leave(|| browser.press("\u{e007}"));
        go_to(browser, "a", "Edit");
        browser.leave(|| browser.press("\u{e007}"));
        go_to(browser, "textarea", "");
        browser.script("document.activeElement.select()");
        browser.press(r#"{"id": "o2", "n": 3}"#);
        go_to(browser, "button", "Save");
        browser.leave(|| browser.press(" "));
        assert_eq!(stand.get("orders", &json!({ "id": { "S": "o2" } }))["n"], json!({ "N": "3" }));
    });
}

/// Presses Tab until this has the focus.
#[track_caller]
fn go_to(browser: &Browser, selector: &str, text: &str) {
    let script = "const [selector, text] = arguments; const found = document.activeElement;
        return found.matches(selector) && found.closest('main') !== null && (!text || found.textContent.trim() === text)";
    for _ in 0..200 {
        if browser.script_with(script, &[json!(selector), json!(text)]) == Value::Bool(true) {
            return;
        }
        tab(browser);
    }
    panic!("Tab does not lead to {selector} {text}\n{}: {}", browser.url(), browser.page_text());
}
