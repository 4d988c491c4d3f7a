//! All pages of the console, by the links between them.

use std::collections::BTreeMap;

use crate::browser::Browser;
use crate::stand::Stand;

/// The most addresses of one page, which differ in their parameters.
const MOST_OF_A_PAGE: usize = 4;

/// Follows links from the first page. Calls `visit` with the address of each page, relative to the first one, while the browser is there.
pub(crate) fn crawl(browser: &Browser, stand: &Stand, mut visit: impl FnMut(&str)) {
    let mut numbers = BTreeMap::<String, usize>::new();
    let mut pages = vec![String::new()];
    let mut next = 0;
    while next < pages.len() {
        let page = pages[next].clone();
        next += 1;
        browser.open(&stand.url(&page));
        visit(&page);
        let links = browser.script(
            "return [...document.querySelectorAll('a[href]:not([download])')].map((link) => link.href.split('#')[0])",
        );
        let links: Vec<String> = serde_json::from_value(links).unwrap();
        for link in links {
            let Some(link) = link.strip_prefix(&stand.url("")) else { panic!("{page} has a link to {link}") };
            let parts = link.split_once('?');
            let (name, parameters) = parts.unwrap_or((link, ""));
            // Views of an item are pages of their own.
            let view = url::form_urlencoded::parse(parameters.as_bytes()).find(|(name, _)| name == "view");
            let kind = format!("{name} {}", view.map(|(_, view)| view).unwrap_or_default());
            let number = numbers.entry(kind).or_default();
            let most = if name == "item" { 1 } else { MOST_OF_A_PAGE };
            if *number < most && !parameters.contains("download=") && !pages.iter().any(|page| page == link) {
                *number += 1;
                pages.push(link.to_owned());
            }
        }
    }
    // The names of all pages that the navigation leads to.
    for name in
        ["table", "items", "item", "new-item", "partiql", "stream", "record", "instrument", "triggers"]
    {
        assert!(
            pages.iter().any(|page| page.split('?').next() == Some(name)),
            "no link leads to {name}: {pages:?}"
        );
    }
}
