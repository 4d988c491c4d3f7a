//! The resources that typed calls are about, and the permissions that their parts need.

use pdb_items::partiql::{
    BatchExecuteStatementInput, ExecuteStatementInput, ExecuteTransactionInput, StatementKind,
    access_named_by,
};
use pdb_items::tables::{
    CreateTableInput, ListBackupsInput, ListTablesInput, RestoreOverrides, RestoreToPointInTimeInput, Tag,
    TimeToLiveSpecification, UpdateContributorInsightsInput, UpdateTableInput,
};
use pdb_items::{
    BatchGetItemInput, BatchWriteItemInput, DeleteItemInput, GetItemInput, PutItemInput, QueryInput,
    ScanInput, SearchVectorsInput, TransactAction, TransactGetItemsInput, TransactWriteItemsInput,
    UpdateItemInput,
};
use pdb_model::{IndexName, TableName, TimePrecision};
use pdb_streams::{DescribeStreamInput, GetShardIteratorInput, ListStreamsInput};
use pdb_transfers::{
    ExportTableInput, ImportTableInput, ListBulkOperationsInput, ListExportsInput, ListImportsInput,
    StartBulkPutItemsInput,
};

use super::{Effect, Resource};
use crate::faults::named_tables::{Arguments, NamesTables, tables_of};

/// An action of IAM, its effect, and the resource it is about.
pub(crate) type Part = (&'static str, Effect, Resource);

/// An input of a call that may be limited.
pub(crate) trait NeedsPermissions: NamesTables {
    /// Adds the resources that the call is about: its tables, unless the input is more specific.
    fn add_resources(&self, resources: &mut Vec<Resource>) {
        let mut tables = tables_of(self);
        // Batches name a table once for each item.
        tables.dedup();
        resources.extend(tables.into_iter().map(Resource::Table));
    }

    /// Returns what each part of the call needs: its items or statements.
    fn parts(&self) -> Vec<Part> {
        Vec::new()
    }
}

macro_rules! of_tables {
    ($($input:ty),+ $(,)?) => {
        $(impl NeedsPermissions for $input {})+
    };
}

of_tables! {
    PutItemInput,
    UpdateItemInput,
    DeleteItemInput,
    GetItemInput,
    BatchGetItemInput,
    BatchWriteItemInput,
    CreateTableInput,
    UpdateTableInput,
    ListTablesInput,
    ListBackupsInput,
    ListImportsInput,
    ListExportsInput,
    ListBulkOperationsInput,
    ImportTableInput,
    StartBulkPutItemsInput,
    TimeToLiveSpecification,
    RestoreOverrides,
    Vec<Tag>,
    Vec<String>,
    TimePrecision,
    TableName,
    bool,
    u32,
}

/// The name of an index, of a table that another argument names.
impl NeedsPermissions for IndexName {}

macro_rules! of_indexes {
    ($($input:ty: |$given:ident| $index:expr;)+) => {
        $(impl NeedsPermissions for $input {
            fn add_resources(&self, resources: &mut Vec<Resource>) {
                let $given = self;
                resources.push(Resource::table_or_index(&self.table_name, $index));
            }
        })+
    };
}

of_indexes! {
    QueryInput: |input| input.index_name.as_ref();
    ScanInput: |input| input.index_name.as_ref();
    SearchVectorsInput: |input| Some(&input.index_name);
    UpdateContributorInsightsInput: |input| input.index_name.as_ref();
}

/// An ARN that is not understood must not be missing among the resources.
impl NeedsPermissions for ExportTableInput {
    fn add_resources(&self, resources: &mut Vec<Resource>) {
        let before = resources.len();
        self.table_arn.as_str().add_resources(resources);
        if resources.len() == before {
            resources.push(Resource::Any);
        }
    }
}

/// A source that is not understood must not be missing among the resources.
impl NeedsPermissions for RestoreToPointInTimeInput {
    fn add_resources(&self, resources: &mut Vec<Resource>) {
        let tables = tables_of(self);
        if tables.len() < 2 {
            resources.push(Resource::Any);
        }
        resources.extend(tables.into_iter().map(Resource::Table));
    }
}

impl NeedsPermissions for DescribeStreamInput {
    fn add_resources(&self, resources: &mut Vec<Resource>) {
        resources.push(Resource::Arn(self.stream_arn.table.name.clone(), self.stream_arn.to_string()));
    }
}

impl NeedsPermissions for GetShardIteratorInput {
    fn add_resources(&self, resources: &mut Vec<Resource>) {
        resources.push(Resource::Arn(self.stream_arn.table.name.clone(), self.stream_arn.to_string()));
    }
}

impl NeedsPermissions for ListStreamsInput {
    fn add_resources(&self, resources: &mut Vec<Resource>) {
        resources.extend(self.table_name.clone().map(Resource::Streams));
    }
}

/// An ARN of a table, or of what belongs to one. Another text is no resource.
impl NeedsPermissions for str {
    fn add_resources(&self, resources: &mut Vec<Resource>) {
        resources.extend(tables_of(self).into_iter().map(|table| Resource::Arn(table, self.to_owned())));
    }
}

impl<T: NeedsPermissions + ?Sized> NeedsPermissions for &T {
    fn add_resources(&self, resources: &mut Vec<Resource>) {
        (**self).add_resources(resources);
    }

    fn parts(&self) -> Vec<Part> {
        (**self).parts()
    }
}

impl<T: NeedsPermissions> NeedsPermissions for Option<T> {
    fn add_resources(&self, resources: &mut Vec<Resource>) {
        if let Some(input) = self {
            input.add_resources(resources);
        }
    }
}

impl NeedsPermissions for Arguments<'_> {
    fn add_resources(&self, resources: &mut Vec<Resource>) {
        self.0.iter().for_each(|argument| argument.add_resources(resources));
    }
}

impl NeedsPermissions for TransactGetItemsInput {
    fn parts(&self) -> Vec<Part> {
        let table = |table: &TableName| Resource::Table(table.clone());
        self.transact_items.iter().map(|get| ("GetItem", Effect::Read, table(&get.table_name))).collect()
    }
}

impl NeedsPermissions for TransactWriteItemsInput {
    fn parts(&self) -> Vec<Part> {
        let part = |write: &pdb_items::TransactWrite| {
            let (action, effect) = match &write.action {
                TransactAction::ConditionCheck { .. } => ("ConditionCheckItem", Effect::Read),
                TransactAction::Put { .. } => ("PutItem", Effect::Write),
                TransactAction::Delete { .. } => ("DeleteItem", Effect::Write),
                TransactAction::Update { .. } => ("UpdateItem", Effect::Write),
            };
            (action, effect, Resource::Table(write.table_name.clone()))
        };
        self.transact_items.iter().map(part).collect()
    }
}

/// Returns what a statement needs. One that is not understood is refused before it reads or writes anything, so it needs nothing.
fn part_of(statement: &str) -> Option<Part> {
    let (kind, table, index) = access_named_by(statement)?;
    let (action, effect) = match kind {
        StatementKind::Select => ("PartiQLSelect", Effect::Read),
        StatementKind::Insert => ("PartiQLInsert", Effect::Write),
        StatementKind::Update => ("PartiQLUpdate", Effect::Write),
        StatementKind::Delete => ("PartiQLDelete", Effect::Write),
    };
    let resource = match index {
        Some(index) => Resource::Index(table, index),
        None => Resource::Table(table),
    };
    Some((action, effect, resource))
}

impl NeedsPermissions for ExecuteStatementInput {
    fn parts(&self) -> Vec<Part> {
        part_of(&self.statement).into_iter().collect()
    }
}

impl NeedsPermissions for BatchExecuteStatementInput {
    fn parts(&self) -> Vec<Part> {
        self.statements.iter().filter_map(|statement| part_of(&statement.statement)).collect()
    }
}

impl NeedsPermissions for ExecuteTransactionInput {
    fn parts(&self) -> Vec<Part> {
        self.transact_statements.iter().filter_map(|statement| part_of(&statement.statement)).collect()
    }
}
