//! Fault commands.

use std::time::Duration;

use pretender::faults::{Fault, FaultId, FaultKind, FaultState, InjectedFault};
use pretender::model::TableName;
use serde::Deserialize;
use serde_json::{Value, json};

use super::clock::NoParameters;
use super::{CommandContext, Refusal, parse_value};
use crate::Span;
use crate::time_format::format_time;

/// The body of `faults/add`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AddFault {
    kind: String,
    #[serde(default)]
    operations: Vec<String>,
    table: Option<String>,
    probability: Option<f64>,
    times: Option<u64>,
    skip: Option<u64>,
    seed: Option<u64>,
    delay: Option<String>,
    items: Option<u32>,
}

/// The body of `faults/remove`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RemoveFault {
    id: u64,
}

impl CommandContext<'_> {
    pub(super) fn add_fault(&self, body: AddFault) -> Result<Value, Refusal> {
        let fault = body.fault()?;
        let faults = self.pretender.faults();
        let id = faults.add(fault.clone()).map_err(|error| Refusal::Bad(error.to_string()))?;
        Ok(shown(&FaultState { id, fault, matched: 0, injected: 0, is_over: false }))
    }

    pub(super) fn remove_fault(&self, RemoveFault { id }: RemoveFault) -> Result<Value, Refusal> {
        if self.pretender.faults().remove(FaultId(id)) {
            Ok(json!({ "removed": 1 }))
        } else {
            Err(Refusal::NotFound(format!("there is no fault {id}")))
        }
    }

    pub(super) fn clear_faults(&self, NoParameters {}: NoParameters) -> Result<Value, Refusal> {
        Ok(json!({ "removed": self.pretender.faults().clear() }))
    }

    pub(super) fn show_faults(&self) -> Value {
        let report = self.pretender.faults().report();
        json!({
            "faults": report.faults.iter().map(shown).collect::<Vec<_>>(),
            "injected": report.injected.iter().map(shown_injection).collect::<Vec<_>>(),
            "forgotten": report.forgotten,
        })
    }
}

impl AddFault {
    fn fault(self) -> Result<Fault, Refusal> {
        let kind = FaultKind::from_name(&self.kind).ok_or_else(|| {
            let kinds: Vec<&str> = FaultKind::ALL.iter().map(|kind| kind.name()).collect();
            Refusal::Bad(format!(
                "`{}` is not a kind of fault; the kinds are {}",
                self.kind,
                kinds.join(", ")
            ))
        })?;
        let mut fault = Fault::new(kind);
        for operation in &self.operations {
            fault = fault.on(operation
                .parse::<pretender::faults::FaultTarget>()
                .map_err(|error| Refusal::Bad(error.to_string()))?);
        }
        let table = self.table.as_deref().map(|name| parse_value::<TableName>("table name", name));
        Ok(Fault {
            table: table.transpose()?,
            probability: self.probability.unwrap_or(fault.probability),
            times: self.times,
            skip: self.skip.unwrap_or_default(),
            seed: self.seed.unwrap_or_default(),
            delay: self.delay.as_deref().map(parse_delay).transpose()?,
            items: self.items,
            ..fault
        })
    }
}

/// Reads a duration or a range: `200ms`, `100ms..2s`.
fn parse_delay(text: &str) -> Result<(Duration, Duration), Refusal> {
    let (least, most) = text.split_once("..").unwrap_or((text, text));
    let length = |text: &str| match text.parse() {
        Ok(Span(Some(length))) => Ok(length),
        Ok(Span(None)) | Err(_) => {
            Err(Refusal::Bad(format!("`{text}` is not a duration; try 200ms, 2s or 100ms..2s")))
        }
    };
    Ok((length(least)?, length(most)?))
}

/// Returns a fault and its counts; unset values are left out.
fn shown(state: &FaultState) -> Value {
    let FaultState { id, fault, matched, injected, is_over } = state;
    let operations: Vec<String> = fault.targets.iter().map(ToString::to_string).collect();
    let mut shown = json!({
        "id": id.0,
        "kind": fault.kind.name(),
        "operations": operations,
        "probability": fault.probability,
        "skip": fault.skip,
        "seed": fault.seed,
        "matched": matched,
        "injected": injected,
        "over": is_over,
    });
    if let Some(table) = &fault.table {
        shown["table"] = table.as_str().into();
    }
    if let Some(times) = fault.times {
        shown["times"] = times.into();
    }
    if let Some((least, most)) = fault.delay {
        shown["delay_millis"] = json!([least.as_millis() as u64, most.as_millis() as u64]);
    }
    if let Some(items) = fault.items {
        shown["items"] = items.into();
    }
    shown
}

fn shown_injection(injection: &InjectedFault) -> Value {
    let InjectedFault { at, fault, kind, operation, tables, request_id, detail } = injection;
    let mut shown = json!({
        "epoch_millis": at.0,
        "time": format_time(*at),
        "fault": fault.0,
        "kind": kind.name(),
        "operation": operation.name(),
        "tables": tables.iter().map(TableName::as_str).collect::<Vec<_>>(),
    });
    if let Some(request_id) = request_id {
        shown["request_id"] = request_id.as_str().into();
    }
    if !detail.is_empty() {
        shown["detail"] = detail.as_str().into();
    }
    shown
}
