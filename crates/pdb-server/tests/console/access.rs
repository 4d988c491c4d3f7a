//! Who sees the console.

use pdb_server::{ConsoleAccess, ServerOptions};
use serde_json::json;

use crate::browser::{Browser, browse};
use crate::stand::Stand;

/// A server that asks for a token.
pub(crate) fn with_token(token: &str) -> Stand {
    Stand::with(ServerOptions { control_token: Some(token.parse().unwrap()), ..ServerOptions::default() })
}

/// Gives a token to the page that asks for it.
pub(crate) fn sign_in(browser: &Browser, token: &str) {
    browser.enter("input[name=token]", token);
    browser.leave(|| browser.press("\u{e007}"));
}

fn asks_for_token(browser: &Browser) -> bool {
    browser.count("input[name=token]") == 1
}

/// Takes the notes about pages that were refused.
#[track_caller]
pub(crate) fn take_refusals(browser: &Browser, status: &str) {
    for complaint in browser.take_complaints() {
        assert!(complaint.contains(status), "{complaint}");
    }
}

#[test]
fn a_token_opens_the_console_of_one_server() {
    browse(|browser| {
        let mut stand = with_token("correct-horse");
        let page = stand.url("partiql?statement=SELECT");
        browser.open(&page);
        assert!(asks_for_token(browser) && !browser.page_text().contains("Execute"));
        // The field has the focus.
        browser.leave(|| browser.press("horse\u{e007}"));
        assert!(browser.text("[role=alert]").contains("That is not the token"), "{}", browser.page_text());
        sign_in(browser, "correct-horse");
        assert_eq!(browser.url(), stand.url(""));
        assert_eq!(browser.text("h1"), "Overview");
        browser.reload();
        browser.open(&page);
        assert_eq!(browser.text("h1"), "PartiQL");
        assert_eq!(browser.script("return document.cookie"), "");
        assert_eq!(browser.script("return document.body.innerHTML.includes('correct-horse')"), false);

        // The browser sends the cookies of all ports to each.
        let other = with_token("battery-staple");
        browser.open(&other.url(""));
        assert!(asks_for_token(browser));
        sign_in(browser, "battery-staple");
        assert_eq!(browser.text("h1"), "Overview");
        browser.open(&page);
        assert_eq!(browser.text("h1"), "PartiQL");

        // What a server has given out ends with it.
        stand.stop();
        stand.start_again();
        browser.reload();
        assert!(asks_for_token(browser));
        take_refusals(browser, "401");
    });
}

#[test]
fn a_console_that_is_off_is_not_shown() {
    browse(|browser| {
        let off = Stand::with(ServerOptions { console: ConsoleAccess::Off, ..ServerOptions::default() });
        browser.open(&off.url(""));
        assert!(browser.page_text().contains("started without its console"), "{}", browser.page_text());
        take_refusals(browser, "404");
    });
}

#[test]
fn what_a_proxy_passes_on_is_shown_only_if_everybody_may_see_it() {
    browse(|browser| {
        let here = Stand::new();
        let everywhere =
            Stand::with(ServerOptions { console: ConsoleAccess::Anywhere, ..ServerOptions::default() });
        for (stand, status) in [(here, 403), (everywhere, 200)] {
            browser.open(&stand.url(""));
            assert_eq!(browser.text("h1"), "Overview");
            for header in ["Forwarded", "X-Forwarded-For"] {
                let fetch = "const [header, done] = arguments;
                    fetch('./', { headers: { [header]: 'for=192.0.2.1' } }).then((answer) => done(answer.status))";
                assert_eq!(browser.later(fetch, &[json!(header)]), status, "{header}");
            }
        }
        take_refusals(browser, "403");
    });
}
