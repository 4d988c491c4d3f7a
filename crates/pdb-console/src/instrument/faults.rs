//! Faults: those in force, the form to add one, and the log of injections.

use maud::{Markup, html};
use pretender::faults::{FaultKind, OperationGroup};
use pretender::model::Operation;
use serde_json::Value;

use super::action::Action;
use super::{View, confirmation, list, table_choice, value};

/// How many injections are shown, the newest, unless all are asked for.
const MAX_INJECTIONS: usize = 100;

impl View<'_> {
    pub(super) fn faults(&self) -> Markup {
        let report = match self.show("faults", None) {
            Ok(report) => report,
            Err(text) => return html! { p.notice.bad { (text) } },
        };
        let (faults, injected) = (list(&report, "faults"), list(&report, "injected"));
        let forgotten = report["forgotten"].as_u64().unwrap_or(0);
        html! {
            @if faults.is_empty() {
                p.empty { "No fault is in force: every call is carried out as it should. Add one, and see how your program takes it." }
            } @else {
                (self.fault_table(faults))
            }
            details open[self.was_refused(Action::AddFault)] {
                summary { "Add a fault" }
                (self.form(Action::AddFault, self.fault_fields()))
            }
            h3 { "Injections" }
            @if injected.is_empty() { p.hint { "Nothing was injected yet." } } @else { (self.log(injected, forgotten)) }
            @if !faults.is_empty() || !injected.is_empty() {
                (self.form(Action::ClearFaults, html! {
                    div.fields {
                        (confirmation("remove all faults, and clear the log"))
                        button.danger type="submit" { "Clear" }
                    }
                }))
            }
        }
    }

    fn was_refused(&self, action: Action) -> bool {
        self.refused.as_ref().is_some_and(|refused| refused.form.get("action") == action.name())
    }

    fn fault_table(&self, faults: &[Value]) -> Markup {
        html! {
            div.scroll {
                table {
                    thead {
                        tr {
                            th.number scope="col" { "Fault" }
                            th scope="col" { "Kind" }
                            th scope="col" { "Calls" }
                            th scope="col" { "Which of them" }
                            th.number scope="col" { "Matched" }
                            th.number scope="col" { "Injected" }
                            th scope="col" { "Actions" }
                        }
                    }
                    tbody {
                        @for fault in faults {
                            tr {
                                th.number scope="row" { (value(fault, "id")) }
                                td { (value(fault, "kind")) @if fault["over"] == true { span.hint { " (over)" } } }
                                td { (calls(fault)) }
                                td { (chosen(fault)) }
                                td.number { (value(fault, "matched")) }
                                td.number { (value(fault, "injected")) }
                                td {
                                    (self.form(Action::RemoveFault, html! {
                                        input type="hidden" name="id" value=(value(fault, "id"));
                                        button type="submit" aria-label={ "Remove fault " (value(fault, "id")) } { "Remove" }
                                    }))
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    fn fault_fields(&self) -> Markup {
        let entered = |field: &'static str| self.entered(Action::AddFault, field);
        let text = |label: &'static str, name: &'static str, hint: &'static str| {
            html! { label { (label) input type="text" name=(name) placeholder=(hint) value=(entered(name)); } }
        };
        let number = |label: &'static str, name: &'static str, hint: &'static str| {
            html! { label { (label) input type="number" name=(name) min="0" step="1" placeholder=(hint) value=(entered(name)); } }
        };
        html! {
            div.fields {
                label { "Kind"
                    select name="kind" required {
                        @for kind in FaultKind::ALL { option value=(kind.name()) selected[entered("kind") == kind.name()] { (kind.name()) } }
                    }
                }
                label { "Operations or groups"
                    input type="text" name="operations" list="operations" size="28" placeholder="all that can fail like this" value=(entered("operations"));
                }
                label { "Table" (table_choice(&self.tables, entered("table"), "any")) }
            }
            div.fields {
                label { "Probability"
                    input type="number" name="probability" min="0" max="1" step="any" placeholder="1" value=(entered("probability"));
                }
                (number("Times, at most", "times", "no limit"))
                (number("Skip the first", "skip", "0"))
                (number("Seed", "seed", "0"))
                (text("Delay (latency)", "delay", "200ms, 100ms..2s"))
                (number("Items (unprocessed)", "items", "half"))
                button.main type="submit" { "Add the fault" }
            }
            p.hint {
                "Several operations are separated by commas. Groups: "
                @for (n, group) in OperationGroup::ALL.iter().enumerate() { @if n > 0 { ", " } code { (group.name()) } }
                ". Only " code { "latency" } " has a delay, and it needs one."
            }
            datalist #operations {
                @for group in OperationGroup::ALL { option value=(group.name()) {} }
                @for operation in Operation::ALL { option value=(operation.name()) {} }
            }
        }
    }

    fn log(&self, injected: &[Value], forgotten: u64) -> Markup {
        let wants_all = self.query.get("log") == "all";
        let limit = if wants_all { usize::MAX } else { MAX_INJECTIONS };
        let kept: Vec<(&str, &str)> = self
            .query
            .find("table")
            .map(|table| ("table", table))
            .into_iter()
            .chain([("log", "all")])
            .collect();
        let earlier = injected.len().saturating_sub(limit);
        html! {
            div.scroll.recent tabindex="0" role="region" aria-label="Injections" {
                table {
                    thead {
                        tr {
                            th scope="col" { "Time" }
                            th.number scope="col" { "Fault" }
                            th scope="col" { "Kind" }
                            th scope="col" { "Operation" }
                            th scope="col" { "Tables" }
                            th scope="col" { "Detail" }
                            th scope="col" { "Request ID" }
                        }
                    }
                    tbody {
                        @for injection in injected.iter().rev().take(limit) {
                            tr {
                                td.mono { (value(injection, "time")) }
                                td.number { (value(injection, "fault")) }
                                td { (value(injection, "kind")) }
                                td { (value(injection, "operation")) }
                                td { (joined(injection, "tables")) }
                                td { (value(injection, "detail")) }
                                td.mono { (value(injection, "request_id")) }
                            }
                        }
                    }
                }
            }
            @if earlier > 0 {
                p { a href={ (self.context.link("instrument", &kept)) "#faults" } { "Show " (earlier) " earlier" } }
            }
            @if forgotten > 0 { p.hint { (forgotten) " still earlier ones are no longer in the log." } }
        }
    }
}

/// Returns which calls a fault can affect.
fn calls(fault: &Value) -> String {
    let operations = joined(fault, "operations");
    let operations =
        if operations.is_empty() { "all that can fail like this".to_owned() } else { operations };
    match fault["table"].as_str() {
        Some(table) => format!("{operations} on {table}"),
        None => operations,
    }
}

/// Returns which of these calls it affects, and what it has besides.
fn chosen(fault: &Value) -> String {
    let mut parts = Vec::new();
    if let Some(skip) = fault["skip"].as_u64().filter(|skip| *skip > 0) {
        parts.push(format!("after the first {skip}"));
    }
    if let Some(probability) = fault["probability"].as_f64().filter(|probability| *probability < 1.0) {
        parts.push(format!("with probability {probability} (seed {})", value(fault, "seed")));
    }
    if let Some(times) = fault["times"].as_u64() {
        parts.push(format!("at most {times} times"));
    }
    if let [least, most] = list(fault, "delay_millis") {
        parts.push(if least == most {
            format!("delay {least} ms")
        } else {
            format!("delay {least} to {most} ms")
        });
    }
    if let Some(items) = fault["items"].as_u64() {
        parts.push(format!("{items} items"));
    }
    if parts.is_empty() { "each".to_owned() } else { parts.join(", ") }
}

/// Returns the texts of a list, separated by commas.
fn joined(answer: &Value, name: &str) -> String {
    list(answer, name).iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
}
