//! A server that has something of everything, for tests that visit all pages.

use pdb_trigger::Trigger;
use serde_json::json;

use crate::stand::Stand;
use crate::triggers::{start, watched};

/// A server, and what works in it.
pub(crate) struct Sample {
    pub(crate) stand: Stand,
    _trigger: Trigger,
}

/// Starts a server with tables, changes, shards, faults, a snapshot and a trigger.
pub(crate) fn sample() -> Sample {
    let (monitor, stand) = watched();
    stand.create_table("orders");
    let trigger = start(&monitor, &stand.pretender);
    stand.create_sorted_table("visits-of-a-table-with-a-rather-long-name-to-see-whether-it-is-wrapped");
    for n in 0..30 {
        stand.put(
            "orders",
            &json!({
                "id": { "S": format!("o{n}") },
                "total": { "N": (n * 7).to_string() },
                "paid": { "BOOL": n % 2 == 0 },
                "lines": { "L": [{ "M": { "sku": { "S": "A-1" }, "count": { "N": "2" } } }, { "NULL": true }] },
                "tags": { "SS": ["fragile", "express"] },
                "note": { "S": "Leave it at the door. ".repeat(n % 5) },
            }),
        );
    }
    stand.put("orders", &json!({ "id": { "S": "bad" } }));
    stand.command("clock/advance", &json!({ "duration": "90m" }));
    stand.command("shards/split", &json!({ "table": "orders" }));
    stand.put("orders", &json!({ "id": { "S": "o1" }, "total": { "N": "8" }, "city": { "S": "Bern" } }));
    stand.call("DeleteItem", &json!({ "TableName": "orders", "Key": { "id": { "S": "o2" } } }));
    stand.read_some("orders", 3);
    stand.command("snapshots/save", &json!({ "name": "before" }));
    stand.command("faults/add", &json!({ "kind": "latency", "operations": ["GetItem"], "delay": "1ms" }));
    stand.get("orders", &json!({ "id": { "S": "o1" } }));
    Sample { stand, _trigger: trigger }
}
