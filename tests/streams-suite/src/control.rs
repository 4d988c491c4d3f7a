//! The control API: moving the clock, rotating and splitting shards, trimming records.
//!
//! All that the suite knows about it is in this file. Another emulator can implement the same API, or this file can be
//! adapted to another API.
//!
//! | request | body | does |
//! |---|---|---|
//! | `GET /_pretender/clock` | | answers `{"epoch_millis": n, "held": bool}` |
//! | `POST /_pretender/clock/hold` | `{}` | stops the clock where it is |
//! | `POST /_pretender/clock/set` | `{"epoch_millis": n}` | moves the held clock |
//! | `POST /_pretender/clock/advance` | `{"millis": n}` | moves the held clock forward and does the background work then due |
//! | `POST /_pretender/clock/run` | `{}` | lets it run on from where it is |
//! | `POST /_pretender/shards/rotate` | `{"stream_arn", "shard_id"?}` | closes the open shards, or the one, each with one child |
//! | `POST /_pretender/shards/split` | `{"stream_arn", "shard_id"?}` | closes the open shards, or the one, each with two children |
//! | `POST /_pretender/trim` | `{"stream_arn", "before"?}` | removes the records before a sequence number, or all |

use std::time::Duration;

use serde_json::{Value, json};

use crate::outcome::{Outcome, Stop};
use crate::{check, shown};

/// A client of the control interface.
#[derive(Clone, Debug)]
pub struct Control {
    agent: ureq::Agent,
    base: String,
}

impl Control {
    /// Makes a client; the interface lies under `/_pretender/` of `url`.
    pub fn new(url: &str) -> Control {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)))
            .build();
        let base = url.trim_end_matches('/').trim_end_matches("/_pretender").to_owned();
        Control { agent: config.into(), base }
    }

    /// Returns the server's time in milliseconds since 1970, and whether it is held.
    pub fn clock(&self) -> Outcome<(i64, bool)> {
        let answer = self.send("GET", "clock", &Value::Null)?;
        match (answer["epoch_millis"].as_i64(), answer["held"].as_bool()) {
            (Some(now), Some(held)) => Ok((now, held)),
            _ => Err(Stop::Failed(format!("control: clock answered {}", shown(&answer)))),
        }
    }

    /// Holds the clock until the guard goes.
    pub fn hold(&self) -> Outcome<HeldClock<'_>> {
        self.send("POST", "clock/hold", &json!({}))?;
        Ok(HeldClock { control: self })
    }

    /// Closes the stream's open shards, or the one named, each with one child.
    pub fn rotate(&self, stream_arn: &str, shard_id: Option<&str>) -> Outcome {
        self.shards("shards/rotate", stream_arn, shard_id)
    }

    /// Closes the stream's open shards, or the one named, each with two children.
    pub fn split(&self, stream_arn: &str, shard_id: Option<&str>) -> Outcome {
        self.shards("shards/split", stream_arn, shard_id)
    }

    /// Removes the stream's records, or those before a sequence number.
    pub fn trim(&self, stream_arn: &str, before: Option<&str>) -> Outcome {
        let mut body = json!({"stream_arn": stream_arn});
        if let Some(before) = before {
            body["before"] = before.into();
        }
        self.send("POST", "trim", &body).map(drop)
    }

    fn shards(&self, path: &str, stream_arn: &str, shard_id: Option<&str>) -> Outcome {
        let mut body = json!({"stream_arn": stream_arn});
        if let Some(shard_id) = shard_id {
            body["shard_id"] = shard_id.into();
        }
        self.send("POST", path, &body).map(drop)
    }

    fn send(&self, method: &str, path: &str, body: &Value) -> Outcome<Value> {
        let url = format!("{}/_pretender/{path}", self.base);
        let failed = |e: ureq::Error| Stop::Failed(format!("control: {method} {url}: {e}"));
        let response = match method {
            "GET" => self.agent.get(&url).call(),
            _ => self.agent.post(&url).header("Content-Type", "application/json").send(body.to_string()),
        };
        let mut response = response.map_err(failed)?;
        let text = response.body_mut().read_to_string().map_err(failed)?;
        let status = response.status();
        check!(status.is_success(), "control: {method} {url} {body} answered {status}: {text}");
        Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
    }
}

/// A clock that stands still. Dropped, it runs on from where it is.
#[derive(Debug)]
pub struct HeldClock<'a> {
    control: &'a Control,
}

impl HeldClock<'_> {
    /// Returns where the clock stands, in milliseconds since 1970.
    pub fn now(&self) -> Outcome<i64> {
        Ok(self.control.clock()?.0)
    }

    /// Moves the clock forward; the background work that is then due is done when this returns.
    pub fn advance(&self, by: Duration) -> Outcome {
        let millis = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.control.send("POST", "clock/advance", &json!({"millis": millis})).map(drop)
    }

    /// Puts the clock to a time.
    pub fn set(&self, epoch_millis: i64) -> Outcome {
        self.control.send("POST", "clock/set", &json!({"epoch_millis": epoch_millis})).map(drop)
    }
}

impl Drop for HeldClock<'_> {
    fn drop(&mut self) {
        // Nothing can be reported from here; the next case that holds the clock will.
        let _ = self.control.send("POST", "clock/run", &json!({}));
    }
}
