//! Waiting for a command that may take long, and showing its progress.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use serde_json::Value;

use crate::client::{Control, ControlFailure};
use crate::progress::{Progress, Step, Unit};

/// How often to ask the server for its progress.
const POLL_INTERVAL: Duration = Duration::from_millis(300);

/// Sends a command, and shows its progress until it is answered.
pub(super) fn post(client: &Control, command: &str, body: &Value) -> Result<Value, ControlFailure> {
    std::thread::scope(|scope| {
        let (sender, answers) = mpsc::channel();
        scope.spawn(move || sender.send(client.post(command, body)));
        let mut progress = Progress::new();
        loop {
            match answers.recv_timeout(POLL_INTERVAL) {
                Ok(answer) => return answer,
                // The thread has panicked; the scope reports that.
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(ControlFailure::Refused(
                        "the request failed because of a bug in this program".to_owned(),
                    ));
                }
                // If the server does not report progress, wait without showing any.
                Err(RecvTimeoutError::Timeout) => {
                    if let Ok(answer) = client.get("progress") {
                        show(&mut progress, &answer);
                    }
                }
            }
        }
    })
}

/// Shows the activity that began last, which is most likely the requested one.
fn show(progress: &mut Progress, answer: &Value) {
    let Some(activity) = answer["activities"].as_array().and_then(|activities| activities.last()) else {
        return;
    };
    let text = |name: &str| activity[name].as_str().unwrap_or_default();
    let number = |name: &str| activity[name].as_u64().unwrap_or_default();
    let share = |at: usize| activity["share"][at].as_f64().unwrap_or_default().clamp(0.0, 1.0);
    // The user has just typed the command, so its name need not be repeated.
    let what = Some(text("part")).filter(|part| !part.is_empty()).unwrap_or(text("what"));
    let unit = match text("unit") {
        "rows" => Unit::Things("row"),
        "items" => Unit::Things("item"),
        _ => Unit::Bytes,
    };
    let total = Some(number("total")).filter(|total| *total > 0);
    progress.show(&Step::new(what, number("done"), total, unit).within((share(0), share(1))));
}
