//! All that can be seen of a database by way of its API, apart from sequence numbers: these leap after a kill.

use pretender_tests::formats::World;
use serde_json::{Map, Value, json};

use crate::campaign::Outcome;
use crate::door::Door;
use crate::seen::{records_of, shards_of};

/// Looks at everything.
pub(crate) fn portrait(world: &World) -> Outcome<Value> {
    let mut tables = Map::new();
    let names = world.get("ListTables", &json!({}))?["TableNames"].clone();
    for name in names.as_array().into_iter().flatten().filter_map(Value::as_str) {
        let body = json!({"TableName": name});
        let mut table = json!({
            "described": world.get("DescribeTable", &body)?["Table"],
            "ttl": world.get("DescribeTimeToLive", &body)?["TimeToLiveDescription"],
            "items": world.get("Scan", &body)?["Items"],
        });
        let indexes = table["described"]["GlobalSecondaryIndexes"].clone();
        for index in indexes.as_array().into_iter().flatten() {
            let index = &index["IndexName"];
            let found = world.get("Scan", &json!({"TableName": name, "IndexName": index}))?;
            table["indexed"][index.as_str().unwrap_or_default()] = found["Items"].clone();
        }
        tables.insert(name.to_owned(), table);
    }
    let mut streams = Map::new();
    let listed = world.get("ListStreams", &json!({}))?;
    for stream in listed["Streams"].as_array().into_iter().flatten() {
        let arn = stream["StreamArn"].as_str().unwrap_or_default();
        let described = world.get("DescribeStream", &json!({"StreamArn": arn}))?;
        let mut shards = Vec::new();
        for (shard, parent) in shards_of(world, arn)? {
            let mut records = records_of(world, arn, &shard, None)?;
            for record in &mut records {
                record["eventID"] = Value::Null;
                record["dynamodb"]["SequenceNumber"] = Value::Null;
            }
            shards.push(json!({"shard": shard, "parent": parent, "records": records}));
        }
        let status = described["StreamDescription"]["StreamStatus"].clone();
        streams.insert(arn.to_owned(), json!({"status": status, "shards": shards}));
    }
    let backups = world.get("ListBackups", &json!({}))?["BackupSummaries"].clone();
    Ok(json!({"tables": tables, "streams": streams, "backups": backups}))
}
