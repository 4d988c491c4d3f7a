//! What the triggers of this process have done.

use pdb_trigger::{MonitorPhase, TriggerMonitor};

use super::exposition::Exposition;
use super::names;

/// Adds the triggers. Two may have the same target and function, so each has a number, too.
pub(super) fn add(exposition: &mut Exposition, triggers: &[TriggerMonitor]) {
    for (trigger, number) in triggers.iter().zip(1_u32..) {
        let (description, number) = (trigger.description(), number.to_string());
        let labels = [
            ("trigger", number.as_str()),
            ("target", description.target.as_str()),
            ("function", description.function.as_str()),
        ];
        let is_running = matches!(trigger.phase(), MonitorPhase::Running(_));
        exposition.gauge(names::TRIGGER_RUNNING, &labels, if is_running { 1.0 } else { 0.0 });
        let Some(handle) = trigger.handle() else { continue };
        let state = handle.state();
        exposition.gauge(names::TRIGGER_AGE, &labels, state.iterator_age_millis as f64 / 1_000.0);
        exposition.gauge(names::TRIGGER_WAITING, &labels, state.waiting_records as f64);
        exposition.counter(names::TRIGGER_RETRIES, &labels, state.retries);
        let of_result = |result| [labels.as_slice(), &[("result", result)]].concat();
        let succeeded = state.invocations.saturating_sub(state.failed_invocations);
        for (result, count) in [("ok", succeeded), ("failed", state.failed_invocations)] {
            exposition.counter(names::TRIGGER_INVOCATIONS, &of_result(result), count);
        }
        for (result, count) in [
            ("processed", state.processed_records),
            ("filtered", state.filtered_records),
            ("discarded", state.discarded_records),
        ] {
            exposition.counter(names::TRIGGER_RECORDS, &of_result(result), count);
        }
    }
}
