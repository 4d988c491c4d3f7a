//! `DescribeLimits`, `DescribeEndpoints`, and the operations on what is not here: global tables.

use pdb_model::{ApiError, TableName};

use super::input;
use crate::Wire;
use crate::constraint::{Constraints, at};
use crate::decode::{Text, decode_body, shape};
use crate::json::JsonWriter;
use crate::layer::Texts;

shape! {
    /// What operations take whose members do not matter.
    struct AnyInput {
        next_token: bool = "",
    }

    /// What DescribeGlobalTable and its siblings take.
    struct GlobalTableInput<'a> {
        global_table_name: Text<'a> = "GlobalTableName",
    }

    /// What the operations on replicas' scaling take.
    struct ReplicaScalingInput<'a> {
        table_name: Text<'a> = "TableName",
    }
}

/// Runs `DescribeLimits`.
pub(crate) fn describe_limits(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    decode_body::<AnyInput>(body)?;
    let limits = wire.pretender.describe_limits()?;
    Ok(JsonWriter::object_of(|json| {
        json.name("AccountMaxReadCapacityUnits").integer(limits.account_max_read_capacity_units);
        json.name("AccountMaxWriteCapacityUnits").integer(limits.account_max_write_capacity_units);
        json.name("TableMaxReadCapacityUnits").integer(limits.table_max_read_capacity_units);
        json.name("TableMaxWriteCapacityUnits").integer(limits.table_max_write_capacity_units);
    }))
}

/// Runs `DescribeEndpoints`.
pub(crate) fn describe_endpoints(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    decode_body::<AnyInput>(body)?;
    Ok(JsonWriter::object_of(|json| {
        json.name("Endpoints").list([wire.endpoint()], |json, address| {
            json.object(|json| {
                json.name("Address").text(address);
                json.name("CachePeriodInMinutes").integer(1440);
            });
        });
    }))
}

/// Runs the operations that change global tables of 2017.
pub(crate) fn refuse_legacy_global_tables(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    decode_body::<AnyInput>(body)?;
    wire.pretender.refuse_legacy_global_tables()?;
    Ok(empty())
}

/// Runs `DescribeGlobalTable` and `DescribeGlobalTableSettings`.
pub(crate) fn describe_global_table(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let given: GlobalTableInput<'_> = decode_body(body)?;
    let mut check = Constraints::new(Texts::CLASSIC);
    let path = at("GlobalTableName");
    check.required(&path, given.global_table_name.as_ref());
    input::name_constraints(&mut check, &path, given.global_table_name.as_ref());
    check.finish()?;
    let name = given.global_table_name.as_deref().and_then(|name| TableName::new(name).ok());
    wire.pretender.describe_global_table(&input::checked(name, "GlobalTableName")?)?;
    Ok(empty())
}

/// Runs `ListGlobalTables`.
pub(crate) fn list_global_tables(_wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    decode_body::<AnyInput>(body)?;
    Ok(empty_list("GlobalTables"))
}

/// Runs `DescribeTableReplicaAutoScaling` and `UpdateTableReplicaAutoScaling`.
pub(crate) fn describe_table_replica_auto_scaling(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let given: ReplicaScalingInput<'_> = decode_body(body)?;
    let table_name = input::table_name(wire, given.table_name.as_ref())?;
    wire.pretender.describe_table_replica_auto_scaling(&table_name)?;
    Ok(empty())
}

fn empty() -> Vec<u8> {
    JsonWriter::object_of(|_| ())
}

fn empty_list(member: &'static str) -> Vec<u8> {
    JsonWriter::object_of(|json| json.name(member).list([(); 0], |_, ()| ()))
}
