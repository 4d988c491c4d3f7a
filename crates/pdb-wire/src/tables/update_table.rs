//! `UpdateTable`.

use pdb_model::{ApiError, IndexName};
use pretender::tables::{
    GlobalIndexThroughputUpdate, GlobalIndexUpdate, UpdateTableInput, VectorIndexUpdate,
};

use super::describe::write_table;
use super::input;
use super::vectors::vector_index;
use crate::Wire;
use crate::constraint::{Constraints, Path, at};
use crate::decode::decode_body;
use crate::json::JsonWriter;
use crate::layer::Texts;

mod shapes {
    use super::super::shapes::{
        AttributeDefinition, GlobalSecondaryIndex, OnDemandThroughput, ProvisionedThroughput,
        SSESpecification, StreamSpecification, VectorIndex, WarmThroughput,
    };
    use crate::decode::{Text, shape};

    shape! {
        /// What UpdateTable takes.
        pub(crate) struct UpdateTableInput<'a> {
            attribute_definitions: Vec<AttributeDefinition<'a>> = "AttributeDefinitions",
            table_name: Text<'a> = "TableName",
            billing_mode: Text<'a> = "BillingMode",
            table_throughput_mode: Text<'a> = "TableThroughputMode",
            provisioned_throughput: ProvisionedThroughput = "ProvisionedThroughput",
            global_secondary_index_updates: Vec<GlobalSecondaryIndexUpdate<'a>> = "GlobalSecondaryIndexUpdates",
            vector_index_updates: Vec<VectorIndexUpdate<'a>> = "VectorIndexUpdates",
            stream_specification: StreamSpecification<'a> = "StreamSpecification",
            sse_specification: SSESpecification<'a> = "SSESpecification",
            replica_updates: Vec<ReplicationGroupUpdate<'a>> = "ReplicaUpdates",
            table_class: Text<'a> = "TableClass",
            deletion_protection_enabled: bool = "DeletionProtectionEnabled",
            multi_region_consistency: Text<'a> = "MultiRegionConsistency",
            global_table_witness_updates: Vec<GlobalTableWitnessGroupUpdate<'a>> = "GlobalTableWitnessUpdates",
            on_demand_throughput: OnDemandThroughput = "OnDemandThroughput",
            warm_throughput: WarmThroughput = "WarmThroughput",
        }

        /// One change of an index.
        pub(crate) struct GlobalSecondaryIndexUpdate<'a> {
            update: UpdateGlobalSecondaryIndexAction<'a> = "Update",
            create: GlobalSecondaryIndex<'a> = "Create",
            delete: DeleteGlobalSecondaryIndexAction<'a> = "Delete",
        }

        /// A change of an index's throughput.
        pub(crate) struct UpdateGlobalSecondaryIndexAction<'a> {
            index_name: Text<'a> = "IndexName",
            provisioned_throughput: ProvisionedThroughput = "ProvisionedThroughput",
            on_demand_throughput: OnDemandThroughput = "OnDemandThroughput",
            warm_throughput: WarmThroughput = "WarmThroughput",
        }

        /// An index to delete.
        pub(crate) struct DeleteGlobalSecondaryIndexAction<'a> {
            index_name: Text<'a> = "IndexName",
        }

        /// One change of a vector index.
        pub(crate) struct VectorIndexUpdate<'a> {
            create: VectorIndex<'a> = "Create",
            delete: DeleteVectorIndexAction<'a> = "Delete",
        }

        /// A vector index to delete.
        pub(crate) struct DeleteVectorIndexAction<'a> {
            index_name: Text<'a> = "IndexName",
        }

        /// A change of a replica.
        pub(crate) struct ReplicationGroupUpdate<'a> {
            create: ReplicaRegion<'a> = "Create",
            update: ReplicaRegion<'a> = "Update",
            delete: ReplicaRegion<'a> = "Delete",
        }

        /// A change of a witness.
        pub(crate) struct GlobalTableWitnessGroupUpdate<'a> {
            create: ReplicaRegion<'a> = "Create",
            delete: ReplicaRegion<'a> = "Delete",
        }

        /// Where a replica or witness is; no more matters, as all are refused.
        pub(crate) struct ReplicaRegion<'a> {
            region_name: Text<'a> = "RegionName",
        }
    }
}

/// Runs `UpdateTable`.
pub(crate) fn update_table(wire: &Wire, body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let given: shapes::UpdateTableInput<'_> = decode_body(body)?;
    let table_name = input::table_name(wire, given.table_name.as_ref())?;

    let mut check = Constraints::new(Texts::CLASSIC);
    let attribute_definitions = input::attribute_definitions(
        &mut check,
        &at("AttributeDefinitions"),
        given.attribute_definitions.as_ref(),
    );
    let provisioned_throughput =
        input::throughput(&mut check, &at("ProvisionedThroughput"), given.provisioned_throughput.as_ref());
    let billing_mode =
        input::throughput_mode(&mut check, given.billing_mode.as_ref(), given.table_throughput_mode.as_ref());
    let at_updates = at("GlobalSecondaryIndexUpdates");
    let mut updates = given.global_secondary_index_updates.as_ref().map(|_| Vec::new());
    for (n, update) in given.global_secondary_index_updates.iter().flatten().enumerate() {
        let update = index_update(&mut check, &at_updates.element(n), update);
        updates.get_or_insert_default().push(update);
    }
    let at_updates = at("VectorIndexUpdates");
    let mut vector_updates = given.vector_index_updates.as_ref().map(|_| Vec::new());
    for (n, update) in given.vector_index_updates.iter().flatten().enumerate() {
        let update = vector_update(&mut check, &at_updates.element(n), update);
        vector_updates.get_or_insert_default().push(update);
    }
    let stream_specification = input::stream(&mut check, given.stream_specification.as_ref());
    let sse_specification =
        input::encryption(&mut check, "SSESpecification", given.sse_specification.as_ref());
    let warm_throughput = input::warm(&mut check, &at("WarmThroughput"), given.warm_throughput.as_ref());
    check.finish()?;
    let table_class = input::table_class(given.table_class.as_ref())?;

    let changes_replicas = given.replica_updates.is_some()
        || given.multi_region_consistency.is_some()
        || given.global_table_witness_updates.is_some();
    let description = wire.pretender.update_table(UpdateTableInput {
        table_name,
        attribute_definitions: given.attribute_definitions.map(|_| attribute_definitions),
        billing_mode,
        provisioned_throughput,
        global_secondary_index_updates: updates,
        vector_index_updates: vector_updates,
        stream_specification,
        sse_specification,
        changes_replicas,
        table_class,
        deletion_protection_enabled: given.deletion_protection_enabled,
        warm_throughput,
        on_demand_throughput: input::on_demand(given.on_demand_throughput.as_ref()),
    })?;
    Ok(JsonWriter::object_of(|json| write_table(json.name("TableDescription"), &description)))
}

fn vector_update(
    check: &mut Constraints,
    path: &Path<'_>,
    given: &shapes::VectorIndexUpdate<'_>,
) -> VectorIndexUpdate {
    let create = given.create.as_ref().and_then(|create| vector_index(check, &path.member("Create"), create));
    let delete = given
        .delete
        .as_ref()
        .and_then(|delete| input::index_name(check, &path.member("Delete"), delete.index_name.as_ref()));
    VectorIndexUpdate { create, delete }
}

fn index_update(
    check: &mut Constraints,
    path: &Path<'_>,
    given: &shapes::GlobalSecondaryIndexUpdate<'_>,
) -> GlobalIndexUpdate {
    let create =
        given.create.as_ref().and_then(|create| input::global_index(check, &path.member("Create"), create));
    let update = given.update.as_ref().and_then(|update| {
        let path = path.member("Update");
        let index_name = input::index_name(check, &path, update.index_name.as_ref());
        let provisioned_throughput = input::throughput(
            check,
            &path.member("ProvisionedThroughput"),
            update.provisioned_throughput.as_ref(),
        );
        let warm_throughput =
            input::changed_warm(check, &path.member("WarmThroughput"), update.warm_throughput.as_ref());
        Some(GlobalIndexThroughputUpdate {
            index_name: index_name?,
            provisioned_throughput,
            on_demand_throughput: input::on_demand(update.on_demand_throughput.as_ref()),
            warm_throughput,
        })
    });
    let delete: Option<IndexName> = given
        .delete
        .as_ref()
        .and_then(|delete| input::index_name(check, &path.member("Delete"), delete.index_name.as_ref()));
    GlobalIndexUpdate { create, update, delete }
}
