//! Commands that the driver has besides those of WebDriver.

use fantoccini::wd::WebDriverCompatibleCommand;
use hyper::Method;
use serde_json::{Value, json};
use url::{ParseError, Url};

/// A command of the driver's own.
#[derive(Debug)]
pub(super) struct Extension {
    path: &'static str,
    body: Value,
}

impl Extension {
    /// Takes what has been logged since the last time.
    pub(super) fn log(kind: &str) -> Self {
        Self { path: "se/log", body: json!({ "type": kind }) }
    }

    /// Grants a permission to the present page.
    pub(super) fn permission(name: &str) -> Self {
        Self { path: "permissions", body: json!({ "descriptor": { "name": name }, "state": "granted" }) }
    }

    /// Executes a command of Chromium's DevTools.
    pub(super) fn devtools(command: &str, parameters: &Value) -> Self {
        Self { path: "goog/cdp/execute", body: json!({ "cmd": command, "params": parameters }) }
    }
}

impl WebDriverCompatibleCommand for Extension {
    fn endpoint(&self, base_url: &Url, session_id: Option<&str>) -> Result<Url, ParseError> {
        base_url.join(&format!("session/{}/{}", session_id.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _url: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}
