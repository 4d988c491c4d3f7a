//! The clock: hold, run, set, advance.

use maud::{Markup, html};
use pretender::time::EpochMillis;
use serde_json::Value;

use super::action::Action;
use super::{View, confirmation, value};
use crate::shown::{format_span, format_time};

/// Steps that need no confirmation by themselves, because they are shorter than the usual retention.
const STEPS: [(&str, &str); 4] = [("1s", "+1 s"), ("1m", "+1 min"), ("15m", "+15 min"), ("4h", "+4 h")];

impl View<'_> {
    pub(super) fn clock(&self) -> Markup {
        let state = match self.show("clock", None) {
            Ok(state) => state,
            Err(text) => return html! { p.notice.bad { (text) } },
        };
        let now = EpochMillis(state["epoch_millis"].as_i64().unwrap_or_default());
        html! {
            p.now {
                time.mono datetime=(value(&state, "time")) data-clock=(now.0) data-speed=(speed(&state)) { (format_time(now)) }
                " " (described(&state))
            }
            div.row {
                (self.form(Action::HoldClock, html! { button type="submit" disabled[is_held(&state)] { "Hold" } }))
                (self.form(Action::RunClock, html! {
                    input type="hidden" name="speed" value="1";
                    button type="submit" { "Run" }
                }))
                (self.form(Action::RunClock, html! {
                    div.fields {
                        label { "Speed, times the machine's"
                            input type="number" name="speed" min="0.001" step="any" required size="8" value=(self.entered(Action::RunClock, "speed"));
                        }
                        button type="submit" { "Run at this speed" }
                    }
                }))
            }
            h3 { "Move forward" }
            (self.form(Action::AdvanceClock, html! {
                div.row {
                    @for (duration, text) in STEPS {
                        button type="submit" name="duration" value=(duration) { (text) }
                    }
                }
            }))
            (self.advance())
            h3 { "Set" }
            (self.form(Action::SetClock, html! {
                div.fields {
                    label { "Time (UTC)"
                        input.mono type="text" name="time" required size="26" placeholder="2026-03-01T09:15:42Z" value=(self.entered(Action::SetClock, "time"));
                    }
                    (confirmation("set the clock, and remove what is too old then"))
                    button.danger type="submit" { "Set the clock" }
                }
            }))
        }
    }

    /// Returns the forms that may move the clock over the retention.
    fn advance(&self) -> Markup {
        let retention = self.context.pretender().retention();
        let retention = format_span(u64::try_from(retention.as_millis()).unwrap_or(u64::MAX));
        html! {
            (self.form(Action::AdvanceClock, html! {
                div.fields {
                    (confirmation("move over the retention, and trim old stream records"))
                    button.danger type="submit" name="duration" value="24h" { "+24 h" }
                }
            }))
            (self.form(Action::AdvanceClock, html! {
                div.fields {
                    label { "Duration, such as 90s, 16m, 2d"
                        input type="text" name="duration" required size="12" value=(self.entered(Action::AdvanceClock, "duration"));
                    }
                    label.check {
                        input type="checkbox" name=(Action::CONFIRMATION) value="yes";
                        span { "Yes, also over the retention of " (retention) }
                    }
                    button type="submit" { "Move forward" }
                }
            }))
        }
    }
}

fn is_held(state: &Value) -> bool {
    state["held"] == true
}

/// Returns how fast the clock runs; 0 if it is held.
fn speed(state: &Value) -> f64 {
    if is_held(state) { 0.0 } else { state["speed"].as_f64().unwrap_or(1.0) }
}

fn described(state: &Value) -> String {
    let speed = speed(state);
    if is_held(state) {
        "held".to_owned()
    } else if (speed - 1.0).abs() > f64::EPSILON {
        format!("running at {speed} times the machine's speed")
    } else {
        "running".to_owned()
    }
}
