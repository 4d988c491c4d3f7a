//! Waiting for a command that may take long, and showing how far the server is with it.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use serde_json::Value;

use crate::client::{Control, ControlFailure};
use crate::progress::{Progress, Step, Unit};

/// How often the server is asked.
const LOOK: Duration = Duration::from_millis(300);

/// Sends a command, and shows its progress until it is answered.
pub(super) fn post(client: &Control, command: &str, body: &Value) -> Result<Value, ControlFailure> {
    std::thread::scope(|scope| {
        let (sender, answers) = mpsc::channel();
        scope.spawn(move || sender.send(client.post(command, body)));
        let mut progress = Progress::new();
        loop {
            match answers.recv_timeout(LOOK) {
                Ok(answer) => return answer,
                // The thread has panicked, and the scope says so.
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(ControlFailure::Refused("the request failed on a bug".to_owned()));
                }
                // A server that does not tell is waited for without a word.
                Err(RecvTimeoutError::Timeout) => {
                    if let Ok(answer) = client.get("progress") {
                        show(&mut progress, &answer);
                    }
                }
            }
        }
    })
}

/// Shows the work that began last, which is most likely the one that was asked for.
fn show(progress: &mut Progress, answer: &Value) {
    let Some(activity) = answer["activities"].as_array().and_then(|activities| activities.last()) else {
        return;
    };
    let text = |name: &str| activity[name].as_str().unwrap_or_default();
    let number = |name: &str| activity[name].as_u64().unwrap_or_default();
    let share = |at: usize| activity["share"][at].as_f64().unwrap_or_default().clamp(0.0, 1.0);
    // What was asked for stands in the line above.
    let what = Some(text("part")).filter(|part| !part.is_empty()).unwrap_or(text("what"));
    let unit = match text("unit") {
        "rows" => Unit::Things("rows"),
        "items" => Unit::Things("items"),
        _ => Unit::Bytes,
    };
    let total = Some(number("total")).filter(|total| *total > 0);
    progress.show(&Step::new(what, number("done"), total, unit).within((share(0), share(1))));
}
