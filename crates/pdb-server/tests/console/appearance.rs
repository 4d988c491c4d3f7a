//! How pages look: on a narrow window, and in the dark.
//!
//! With a folder in `PRETENDER_SCREENSHOTS`, pictures of all pages are kept there.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::browser::{Browser, browse};
use crate::crawl::crawl;
use crate::sample::sample;

/// Texts that are hard to read: their contrast with what is behind them is below 4.5, as WCAG defines it.
const FAINT: &str = r#"
    const parse = (color) => {
        const [r, g, b, a = 1] = color.match(/[\d.]+/g).map(Number);
        return { r, g, b, a };
    };
    const over = (front, back) => {
        const mix = (one, other) => one * front.a + other * (1 - front.a);
        return { r: mix(front.r, back.r), g: mix(front.g, back.g), b: mix(front.b, back.b), a: 1 };
    };
    const luminance = ({ r, g, b }) => {
        const [x, y, z] = [r, g, b].map((part) => part / 255).map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
        return 0.2126 * x + 0.7152 * y + 0.0722 * z;
    };
    const backOf = (element) => {
        const layers = [];
        for (let each = element; each; each = each.parentElement) layers.push(parse(getComputedStyle(each).backgroundColor));
        return layers.reverse().reduce((back, front) => over(front, back), { r: 255, g: 255, b: 255, a: 1 });
    };
    const faint = new Set();
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const element = texts.currentNode.parentElement;
        if (!texts.currentNode.textContent.trim() || !element.checkVisibility()) continue;
        if (element.closest('svg, :disabled, option, .unseen, .skip')) continue;
        const back = backOf(element);
        const style = getComputedStyle(element);
        const front = over(parse(style.color), back);
        const [low, high] = [luminance(front), luminance(back)].sort((a, b) => a - b);
        const contrast = (high + 0.05) / (low + 0.05);
        if (contrast < 4.5) faint.add(`${element.tagName}.${element.className} ${style.color} on ${back.r},${back.g},${back.b}: ${contrast.toFixed(2)}`);
    }
    return [...faint];"#;

/// Keeps a picture of the whole page, if somebody wants it.
fn keep(browser: &Browser, name: &str) {
    let Some(folder) = std::env::var_os("PRETENDER_SCREENSHOTS").map(PathBuf::from) else { return };
    let height = browser.script("return document.documentElement.scrollHeight").as_u64().unwrap_or(900);
    let width = browser.script("return innerWidth").as_u64().unwrap_or(1200);
    browser.resize(width as u32, height.clamp(500, 3_000) as u32);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(format!("{name}.png")), browser.picture()).unwrap();
}

#[test]
fn every_page_is_readable_dark_and_light_narrow_and_wide() {
    browse(|browser| {
        let sample = sample();
        let (mut faint, mut wide, mut number) = (Vec::new(), Vec::new(), 0);
        crawl(browser, &sample.stand, |page| {
            let page = &page.chars().take(60).collect::<String>();
            number += 1;
            for (width, size) in [(1200, "wide"), (400, "narrow")] {
                for scheme in ["light", "dark"] {
                    browser.resize(width, 900);
                    browser.prefer(scheme);
                    let Value::Array(found) = browser.script(FAINT) else { panic!("{page}") };
                    faint.extend(found.iter().map(|found| format!("{page} {size} {scheme}: {found}")));
                    let name = page.split('?').next().filter(|name| !name.is_empty()).unwrap_or("overview");
                    keep(browser, &format!("{number:02}-{name}-{size}-{scheme}"));
                }
                let sizes = browser.script("return [document.documentElement.scrollWidth, innerWidth]");
                if sizes[0].as_u64() > sizes[1].as_u64() {
                    wide.push(format!("{page} {size}: {sizes}"));
                }
            }
            browser.resize(1200, 900);
        });
        assert_eq!((faint, wide), (vec![], vec![]));
        let background = |scheme| {
            browser.prefer(scheme);
            browser.script("return getComputedStyle(document.body).backgroundColor")
        };
        assert_ne!(background("light"), background("dark"));
        assert_eq!(background("light"), json!("rgb(255, 255, 255)"));
    });
}
