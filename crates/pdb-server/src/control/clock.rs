//! Clock commands.

use std::sync::PoisonError;
use std::time::Duration;

use pretender::testing::SweepReport;
use pretender::time::{Clock, EpochMillis};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{CommandContext, Refusal};
use crate::Span;
use crate::time_format::{LAST, format_time, parse_time};

/// The body of a command without parameters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NoParameters {}

/// The body of `clock/run`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RunClock {
    speed: Option<f64>,
}

/// The body of `clock/set`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SetClock {
    epoch_millis: Option<i64>,
    time: Option<String>,
}

/// The body of `clock/advance`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AdvanceClock {
    millis: Option<u64>,
    duration: Option<String>,
}

impl CommandContext<'_> {
    pub(super) fn show_clock(&self) -> Value {
        let now = self.control.clock.now();
        let mut shown = json!({ "epoch_millis": now.0, "held": true, "time": format_time(now) });
        let speed = self.control.clock.speed();
        if speed > 0.0 {
            shown["held"] = false.into();
            shown["speed"] = speed.into();
        }
        shown
    }

    pub(super) fn hold_clock(&self, NoParameters {}: NoParameters) -> Result<Value, Refusal> {
        self.move_clock(|clock| {
            clock.hold();
            Ok(())
        })
    }

    pub(super) fn run_clock(&self, RunClock { speed }: RunClock) -> Result<Value, Refusal> {
        self.move_clock(|clock| {
            clock.run_at(speed.unwrap_or(1.0)).map_err(|error| Refusal::Bad(error.to_string()))
        })
    }

    pub(super) fn set_clock(&self, body: SetClock) -> Result<Value, Refusal> {
        let moment = match body {
            SetClock { epoch_millis: Some(millis), time: None } => EpochMillis(millis),
            SetClock { epoch_millis: None, time: Some(text) } => parse_time(&text).map_err(Refusal::Bad)?,
            _ => return Err(Refusal::Bad("expected either `epoch_millis` or `time`".to_owned())),
        };
        self.move_clock(|clock| {
            check_range(moment)?;
            clock.set(moment);
            Ok(())
        })
    }

    pub(super) fn advance_clock(&self, body: AdvanceClock) -> Result<Value, Refusal> {
        let duration = match body {
            AdvanceClock { millis: Some(millis), duration: None } => Duration::from_millis(millis),
            AdvanceClock { millis: None, duration: Some(text) } => match text.parse() {
                Ok(Span(Some(duration))) => duration,
                Ok(Span(None)) | Err(_) => {
                    let text = format!("`{text}` is not a duration; try 90s, 16m, 24h, 1d or 1500ms");
                    return Err(Refusal::Bad(text));
                }
            },
            _ => return Err(Refusal::Bad("expected either `millis` or `duration`".to_owned())),
        };
        self.move_clock(|clock| {
            check_range(clock.now().plus(duration))?;
            clock.advance(duration);
            Ok(())
        })
    }

    /// Changes the clock, does all work that is due, and returns the clock and the work done.
    fn move_clock(
        &self,
        change: impl FnOnce(&pretender::time::ManualClock) -> Result<(), Refusal>,
    ) -> Result<Value, Refusal> {
        // The lock protects no data, so a panic of another holder does not matter.
        let _moving = self.control.moving.lock().unwrap_or_else(PoisonError::into_inner);
        change(&self.control.clock)?;
        let mut done = [0; 6];
        // All regions share one clock.
        for database in self.control.regions.all() {
            let SweepReport { rotated, expired, trimmed, trimmed_changes } = database.run_due_work()?;
            let counts =
                [rotated, expired, trimmed.records, trimmed.shards, trimmed.streams, trimmed_changes];
            for (sum, more) in done.iter_mut().zip(counts) {
                *sum += more;
            }
        }
        let mut answer = self.show_clock();
        answer["done"] = json!({
            "rotated_shards": done[0],
            "expired_items": done[1],
            "trimmed_records": done[2],
            "dropped_shards": done[3],
            "dropped_streams": done[4],
            "trimmed_changes": done[5],
        });
        Ok(answer)
    }
}

/// Refuses times that labels and answers cannot represent.
fn check_range(moment: EpochMillis) -> Result<(), Refusal> {
    if (EpochMillis(0)..=LAST).contains(&moment) {
        Ok(())
    } else {
        Err(Refusal::Bad("the clock can only show times from 1970 to 9999".to_owned()))
    }
}
