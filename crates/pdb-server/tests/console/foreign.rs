//! Pages of other sites, whose requests have the cookies of the console.

use serde_json::{Value, json};

use crate::access::{sign_in, take_refusals, with_token};
use crate::attacker::Attacker;
use crate::browser::{Browser, browse};
use crate::stand::{START, Stand};

/// Sends requests from the present page, which is another site's, and returns what it learns: the text or the error of each.
fn attacked(browser: &Browser, stand: &Stand) -> Vec<Value> {
    let script = r"
        const [console, done] = arguments;
        const form = 'action=clock/advance&duration=1h&confirmed=yes&form_token=';
        const type = { 'Content-Type': 'application/x-www-form-urlencoded' };
        const requests = [
            ['', {}],
            ['', { mode: 'no-cors' }],
            ['instrument', { method: 'POST', mode: 'no-cors', headers: type, body: form }],
            ['instrument', { method: 'POST', headers: type, body: form }],
            ['events?table=orders', {}],
        ];
        const learned = requests.map(async ([page, options]) => {
            try {
                const answer = await fetch(console + page, { credentials: 'include', ...options });
                return await answer.text();
            } catch (error) {
                return error.name;
            }
        });
        Promise.all(learned).then(done);";
    browser.later(script, &[json!(stand.url(""))]).as_array().unwrap().clone()
}

/// The page of the attacker: a link, a frame and a form.
fn page(stand: &Stand) -> String {
    let (overview, instrument) = (stand.url(""), stand.url("instrument"));
    format!(
        "<!DOCTYPE html><title>Elsewhere</title><a id=link href='{overview}'>Look</a>
         <form id=form method=post action='{instrument}'>
           <input name=action value=clock/advance><input name=duration value=1h><input name=confirmed value=yes>
           <input name=form_token value=''><button>Win a prize</button></form>
         <iframe src='{overview}'></iframe>"
    )
}

#[test]
fn another_site_neither_reads_nor_frames_nor_commands_the_console() {
    browse(|browser| {
        let stand = with_token("correct-horse");
        stand.create_table("orders");
        browser.open(&stand.url(""));
        sign_in(browser, "correct-horse");
        assert_eq!(browser.text("h1"), "Overview");
        let site = Attacker::with(page(&stand));
        // To a browser, another port of the same host is the same site, and gets the cookies; another name is another site.
        for host in ["127.0.0.1", "localhost"] {
            browser.open(&site.url(host));
            let learned = attacked(browser, &stand);
            let nothing = ["TypeError", "", "", "TypeError", "TypeError"];
            assert_eq!(learned, nothing, "{host}");
            assert!(!browser.frame_text().contains("orders"), "{host}: {}", browser.frame_text());

            browser.follow("#form button");
            assert!(browser.page_text().contains("another site has sent this request"), "{host}");
            assert_eq!(stand.pretender.env().clock.now().0, START, "{host}");

            // A link is all it may have. The cookie goes along only if the site is the same.
            browser.back();
            browser.follow("#link");
            assert_eq!(browser.url(), stand.url(""));
            assert_eq!(browser.page_text().contains("orders"), host == "127.0.0.1", "{host}");
        }
        browser.take_complaints();
        browser.open(&stand.url(""));
        assert!(browser.page_text().contains("orders"));
        take_refusals(browser, "401");
    });
}
