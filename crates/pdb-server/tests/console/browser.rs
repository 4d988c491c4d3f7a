//! A Chromium that tests drive through WebDriver.

mod extension;
mod process;

use std::sync::{PoisonError, RwLock};

use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;

use crate::wait::{PATIENCE, until};
use extension::Extension;
use process::{Processes, Programs};

/// A test that measures how long something takes has the machine for itself.
static TURN: RwLock<()> = RwLock::new(());

/// An open browser, with one window at first.
pub(crate) struct Browser {
    client: Client,
    runtime: Runtime,
    /// Dropped last.
    _processes: Processes,
}

/// Runs a test in a browser, if one is installed. No page may complain of anything to the browser's log, unless the test takes it from
/// there.
pub(crate) fn browse(test: impl FnOnce(&Browser)) {
    let _turn = TURN.read().unwrap_or_else(PoisonError::into_inner);
    run(test, false);
}

/// Runs a test in a browser that notes all requests, which costs time.
pub(crate) fn browse_watched(test: impl FnOnce(&Browser)) {
    let _turn = TURN.read().unwrap_or_else(PoisonError::into_inner);
    run(test, true);
}

/// Runs a test in a browser while no other runs.
pub(crate) fn browse_alone(test: impl FnOnce(&Browser)) {
    let _turn = TURN.write().unwrap_or_else(PoisonError::into_inner);
    run(test, false);
}

fn run(test: impl FnOnce(&Browser), is_watched: bool) {
    let Some(programs) = Programs::find() else { return };
    let browser = Browser::start(programs.start(), is_watched);
    test(&browser);
    let mut complaints = browser.take_complaints();
    // The servers have ended with the test.
    complaints.retain(|complaint| !complaint.contains("net::ERR_"));
    assert_eq!(complaints, [""; 0]);
}

impl Browser {
    fn start(processes: Processes, is_watched: bool) -> Self {
        let requests = if is_watched { "ALL" } else { "OFF" };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let capabilities: Map<String, Value> = Map::from_iter([
            ("goog:chromeOptions".to_owned(), json!({ "debuggerAddress": processes.debugger })),
            ("goog:loggingPrefs".to_owned(), json!({ "browser": "ALL", "performance": requests })),
        ]);
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let builder = builder.capabilities(capabilities);
        let client = runtime.block_on(builder.connect(&processes.driver_url)).unwrap();
        Self { client, runtime, _processes: processes }
    }

    #[track_caller]
    fn run<T>(&self, command: impl Future<Output = Result<T, CmdError>>) -> T {
        match self.runtime.block_on(async { tokio::time::timeout(PATIENCE, command).await }) {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => panic!("the browser refuses: {error}"),
            Err(_) => panic!("the browser does not answer"),
        }
    }

    // Pages.

    /// Opens an address, and waits until its page is loaded.
    #[track_caller]
    pub(crate) fn open(&self, url: &str) {
        self.run(self.client.goto(url));
    }

    #[track_caller]
    pub(crate) fn reload(&self) {
        self.run(self.client.refresh());
    }

    #[track_caller]
    pub(crate) fn back(&self) {
        self.run(self.client.back());
    }

    /// Returns the present address.
    #[track_caller]
    pub(crate) fn url(&self) -> String {
        self.run(self.client.current_url()).to_string()
    }

    /// Returns what the page shows as text.
    #[track_caller]
    pub(crate) fn page_text(&self) -> String {
        self.script("return document.body?.innerText ?? ''").as_str().unwrap_or_default().to_owned()
    }

    // Scripts.

    /// Executes a script, and returns what it returns.
    #[track_caller]
    pub(crate) fn script(&self, script: &str) -> Value {
        self.script_with(script, &[])
    }

    /// Executes a script with arguments.
    #[track_caller]
    pub(crate) fn script_with(&self, script: &str, arguments: &[Value]) -> Value {
        self.run(self.client.execute(script, arguments.to_vec()))
    }

    /// Executes a script that ends when it calls its last argument, and returns what it gives to it.
    #[track_caller]
    pub(crate) fn later(&self, script: &str, arguments: &[Value]) -> Value {
        self.run(self.client.execute_async(script, arguments.to_vec()))
    }

    /// Waits until an expression is neither false nor empty, and returns its value. The page may be replaced meanwhile.
    #[track_caller]
    pub(crate) fn wait_for(&self, expression: &str) -> Value {
        let script = format!("return ({expression})");
        let look = || {
            let value = self.runtime.block_on(self.client.execute(&script, Vec::new())).ok()?;
            let is_so = !matches!(&value, Value::Null | Value::Bool(false)) && value != "" && value != 0;
            is_so.then_some(value)
        };
        until(look, || format!("never so: {expression}\n{}: {}", self.url(), self.page_text()))
    }

    /// Waits until the page shows a text.
    #[track_caller]
    pub(crate) fn wait_for_text(&self, text: &str) {
        self.wait_for(&format!("document.body.innerText.includes({})", json!(text)));
    }

    // Elements.

    /// Finds an element by a CSS selector.
    #[track_caller]
    fn find(&self, selector: &str) -> Element {
        match self.runtime.block_on(self.client.find(Locator::Css(selector))) {
            Ok(element) => element,
            Err(error) => {
                panic!("no element {selector}: {error}\n{}: {}", self.url(), self.page_text())
            }
        }
    }

    /// Returns how many elements there are.
    #[track_caller]
    pub(crate) fn count(&self, selector: &str) -> usize {
        self.run(self.client.find_all(Locator::Css(selector))).len()
    }

    /// Returns the text that an element shows.
    #[track_caller]
    pub(crate) fn text(&self, selector: &str) -> String {
        self.run(self.find(selector).text())
    }

    /// Returns the texts that elements show.
    #[track_caller]
    pub(crate) fn texts(&self, selector: &str) -> Vec<String> {
        let script =
            "return [...document.querySelectorAll(arguments[0])].map((found) => found.innerText.trim())";
        let texts = self.script_with(script, &[json!(selector)]);
        serde_json::from_value(texts).unwrap()
    }

    #[track_caller]
    pub(crate) fn click(&self, selector: &str) {
        self.run(self.find(selector).click());
    }

    /// Clicks what has this text, within elements of a selector.
    #[track_caller]
    pub(crate) fn click_text(&self, selector: &str, text: &str) {
        let script = "return [...document.querySelectorAll(arguments[0])].findIndex((found) => \
                      found.innerText.trim() === arguments[1])";
        let place = self.script_with(script, &[json!(selector), json!(text)]);
        let Some(place) = place.as_u64() else {
            panic!("no {selector} with the text {text}\n{}: {}", self.url(), self.page_text())
        };
        let mut found = self.run(self.client.find_all(Locator::Css(selector)));
        self.run(found.swap_remove(place as usize).click());
    }

    /// Clicks on what opens another page, and waits until the other page is loaded.
    #[track_caller]
    pub(crate) fn follow(&self, selector: &str) {
        self.leave(|| self.click(selector));
    }

    /// Does what opens another page, and waits until the other page is loaded.
    #[track_caller]
    pub(crate) fn leave(&self, go: impl FnOnce()) {
        self.script("window.isLeft = false");
        go();
        self.wait_for("window.isLeft === undefined && document.readyState === 'complete'");
    }

    /// Clicks what has this text and opens another page, and waits until that is loaded.
    #[track_caller]
    pub(crate) fn click_to(&self, selector: &str, text: &str) {
        self.leave(|| self.click_text(selector, text));
    }

    /// Returns what a field has.
    #[track_caller]
    pub(crate) fn text_of_field(&self, selector: &str) -> String {
        let value = self.script_with("return document.querySelector(arguments[0]).value", &[json!(selector)]);
        value.as_str().unwrap().to_owned()
    }

    /// Replaces what a field has, as a person does.
    #[track_caller]
    pub(crate) fn enter(&self, selector: &str, text: &str) {
        let field = self.find(selector);
        self.run(field.clear());
        self.run(field.send_keys(text));
    }

    /// Chooses a value of a list.
    #[track_caller]
    pub(crate) fn choose(&self, selector: &str, value: &str) {
        self.run(self.find(selector).select_by_value(value));
    }

    /// Sends keys to what has the focus.
    #[track_caller]
    pub(crate) fn press(&self, keys: &str) {
        self.run(async { self.client.active_element().await?.send_keys(keys).await });
    }

    /// Presses and releases a key that writes nothing.
    #[track_caller]
    pub(crate) fn press_key(&self, name: &str, code: u32) {
        let key =
            |kind: &str| json!({ "type": kind, "key": name, "code": name, "windowsVirtualKeyCode": code });
        self.devtools("Input.dispatchKeyEvent", &key("rawKeyDown"));
        self.devtools("Input.dispatchKeyEvent", &key("keyUp"));
    }

    // Windows.

    /// Returns what the page in the first frame shows as text.
    #[track_caller]
    pub(crate) fn frame_text(&self) -> String {
        self.run(self.client.enter_frame(0));
        let text = self.page_text();
        self.run(self.client.enter_parent_frame());
        text
    }

    /// Opens another window and returns both, the first one first. The first one stays the present one.
    #[track_caller]
    pub(crate) fn second_window(&self) -> [String; 2] {
        let first = String::from(self.run(self.client.window()));
        let second = String::from(self.run(self.client.new_window(false)).handle);
        [first, second]
    }

    /// Makes a window the present one.
    #[track_caller]
    pub(crate) fn switch_to(&self, window: &str) {
        self.run(self.client.switch_to_window(window.to_owned().try_into().unwrap()));
    }

    // What the driver has besides.

    /// Executes a command of Chromium's DevTools.
    #[track_caller]
    pub(crate) fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.run(self.client.issue_cmd(Extension::devtools(command, parameters)))
    }

    /// Makes the window as wide as this, whatever the system's least width of a window is.
    #[track_caller]
    pub(crate) fn resize(&self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", &size);
    }

    /// Sets what the user prefers: `light` or `dark`.
    #[track_caller]
    pub(crate) fn prefer(&self, scheme: &str) {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.devtools("Emulation.setEmulatedMedia", &features);
    }

    /// Allows the present page to use the clipboard, as a person does whom the browser asks.
    #[track_caller]
    pub(crate) fn allow_clipboard(&self) {
        for name in ["clipboard-read", "clipboard-write"] {
            self.run(self.client.issue_cmd(Extension::permission(name)));
        }
    }

    /// Returns a picture of the window, as PNG.
    #[track_caller]
    pub(crate) fn picture(&self) -> Vec<u8> {
        self.run(self.client.screenshot())
    }

    /// Takes the warnings and errors from the browser's log.
    #[track_caller]
    pub(crate) fn take_complaints(&self) -> Vec<String> {
        let log = self.run(self.client.issue_cmd(Extension::log("browser")));
        let entries = log.as_array().into_iter().flatten();
        let entries = entries.filter(|entry| entry["level"] == "SEVERE" || entry["level"] == "WARNING");
        entries.map(|entry| entry["message"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Takes the addresses of all requests that pages have sent since the last time, if the browser is watched.
    #[track_caller]
    pub(crate) fn take_requests(&self) -> Vec<String> {
        let log = self.run(self.client.issue_cmd(Extension::log("performance")));
        let messages = log.as_array().into_iter().flatten().filter_map(|entry| entry["message"].as_str());
        let messages = messages.filter_map(|message| serde_json::from_str::<Value>(message).ok());
        let sent = messages.filter(|message| message["message"]["method"] == "Network.requestWillBeSent");
        sent.filter_map(|sent| sent["message"]["params"]["request"]["url"].as_str().map(str::to_owned))
            .collect()
    }
}
