//! What holds for every page: it asks nobody else for anything, and who cannot see it can use it.

use serde_json::{Value, json};

use crate::browser::{browse, browse_watched};
use crate::crawl::crawl;
use crate::sample::sample;

/// What a page lacks for those who do not see it.
const LACKS: &str = r#"
    const lacks = [];
    const name = (found) => found.tagName + ' ' + (found.id || found.getAttribute('name') || found.textContent.trim().slice(0, 30));
    const isShown = (found) => found.checkVisibility();
    if (document.documentElement.lang !== 'en') lacks.push('language');
    if (!/ - pretender$/.test(document.title)) lacks.push('title: ' + document.title);
    if (document.querySelectorAll('h1').length !== 1) lacks.push('one h1');
    if (document.querySelectorAll('main').length !== 1) lacks.push('one main');
    const ids = [...document.querySelectorAll('[id]')].map((found) => found.id);
    for (const id of ids.filter((id, place) => ids.indexOf(id) !== place)) lacks.push('a unique id: ' + id);
    for (const field of document.querySelectorAll('input:not([type=hidden]), select, textarea')) {
        const label = field.getAttribute('aria-label') || [...field.labels ?? []].map((label) => label.textContent).join('');
        if (!label.trim()) lacks.push('label: ' + name(field));
    }
    for (const found of document.querySelectorAll('a[href], button, summary')) {
        if (isShown(found) && !(found.getAttribute('aria-label') || found.textContent.trim())) lacks.push('name: ' + found.outerHTML.slice(0, 80));
    }
    for (const found of document.querySelectorAll('[aria-labelledby], [aria-describedby]')) {
        const of = (found.getAttribute('aria-labelledby') ?? '') + ' ' + (found.getAttribute('aria-describedby') ?? '');
        for (const id of of.split(' ').filter(Boolean)) if (!document.getElementById(id)) lacks.push('element of ' + id);
    }
    for (const head of document.querySelectorAll('thead th:not([scope])')) lacks.push('scope: ' + name(head));
    for (const image of document.querySelectorAll('svg:not([aria-hidden])')) {
        if (!image.getAttribute('aria-label') && !image.getAttribute('aria-labelledby')) lacks.push('label of a picture');
    }
    for (const box of document.querySelectorAll('main *')) {
        const style = getComputedStyle(box);
        const scrolls = /auto|scroll/.test(style.overflowX + style.overflowY)
            && (box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + 1);
        const canBeReached = box.tabIndex >= 0 || box.querySelector('a[href], button, input, summary, [tabindex]');
        if (scrolls && isShown(box) && !canBeReached && box.tagName !== 'TEXTAREA') lacks.push('way to scroll by keyboard: ' + name(box));
    }
    if (document.querySelectorAll('[style], script:not([src]), [onclick]').length) lacks.push('a strict policy');
    return lacks;"#;

#[test]
fn every_page_is_quiet_and_described() {
    browse_watched(|browser| {
        let sample = sample();
        let mut lacking = Vec::new();
        let mut pages = 0;
        crawl(browser, &sample.stand, |page| {
            pages += 1;
            let Value::Array(lacks) = browser.script(LACKS) else { panic!("{page}") };
            lacking.extend(lacks.into_iter().map(|lack| format!("{page}: {lack}")));
            let complaints = browser.take_complaints();
            assert_eq!(complaints, [""; 0], "{page}");
        });
        println!("{pages} pages");
        assert_eq!(lacking, [""; 0]);
        let requests = browser.take_requests();
        assert!(requests.len() > pages, "{}", requests.len());
        let console = sample.stand.url("");
        let elsewhere: Vec<_> = requests.iter().filter(|url| !url.starts_with(&console)).collect();
        assert_eq!(elsewhere, [""; 0]);
    });
}

#[test]
fn pages_are_readable_without_scripts() {
    browse(|browser| {
        let sample = sample();
        browser.devtools("Emulation.setScriptExecutionDisabled", &json!({ "value": true }));
        for (page, text) in [
            ("", "orders"),
            ("table?name=orders", "Partition key"),
            ("items?table=orders", "Leave it at the door"),
            ("stream?table=orders&from=trim-horizon", "INSERT"),
            ("instrument", "Rotate all open shards"),
            ("triggers", "running"),
        ] {
            browser.open(&sample.stand.url(page));
            assert!(browser.text("body").contains(text), "{page}: {}", browser.text("body"));
        }
    });
}
