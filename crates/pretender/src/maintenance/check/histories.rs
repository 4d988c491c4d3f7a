//! Histories: does each change have an item of its table, and its place in the order?

use std::sync::Arc;

use pdb_model::EpochMillis;
use pdb_store::{Part, ReadTx, StoreError, StoredChange, StoredItem, Table};

use super::findings::{FindingKind, Findings};
use super::items::check_item;

/// Checks the history of a table, if it has one.
pub(super) fn check_history(tx: &mut ReadTx<'_>, table: &Arc<Table>, findings: &mut Findings<'_>) {
    let part = Part::History(table.name().clone());
    let subject = part.to_string();
    match tx.history_span(table) {
        Ok(None) => return,
        Ok(Some(_)) => {}
        Err(error) => findings.broken(&subject, &error),
    }
    findings.begin(&subject);
    let mut newest = None;
    let walked = tx.walk(&part, &mut |_, row| {
        match row.as_ref().map_err(StoreError::clone).and_then(|row| row.change()) {
            Err(error) => findings.damaged(&subject, &error),
            Ok(change) => check_change(&change, &mut newest, table, &subject, findings),
        }
        findings.row(true)
    });
    findings.walked(&subject, walked);
}

/// Checks a change. The moment of the one before it is in `newest`: a restore looks for a moment with a binary search.
fn check_change(
    change: &StoredChange<'_>,
    newest: &mut Option<EpochMillis>,
    table: &Table,
    subject: &str,
    findings: &mut Findings<'_>,
) {
    let StoredChange { changed, key, old } = *change;
    if newest.is_some_and(|newest| newest > changed) {
        let detail = format!("a change of {changed} comes after one of a later moment");
        findings.add(FindingKind::History, subject, &detail);
    }
    *newest = Some(changed);
    if let Some((json, size_bytes)) = old {
        let stored = StoredItem { key, json, size_bytes, expires_at: None };
        check_item(&stored, &table.definition.key_schema, subject, findings);
    }
}
