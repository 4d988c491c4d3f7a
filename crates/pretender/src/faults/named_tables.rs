//! The tables that typed calls name.

use pdb_items::partiql::{
    BatchExecuteStatementInput, ExecuteStatementInput, ExecuteTransactionInput, table_named_by,
};
use pdb_items::tables::{
    CreateTableInput, ListBackupsInput, ListTablesInput, RestoreOverrides, RestoreToPointInTimeInput, Tag,
    TimeToLiveSpecification, UpdateContributorInsightsInput, UpdateTableInput,
};
use pdb_items::{
    BatchGetItemInput, BatchWriteItemInput, DeleteItemInput, GetItemInput, PutItemInput, QueryInput,
    ScanInput, SearchVectorsInput, TransactGetItemsInput, TransactWriteItemsInput, UpdateItemInput,
};
use pdb_model::{IndexName, TableArn, TableName, TimePrecision};
use pdb_streams::{DescribeStreamInput, GetShardIteratorInput, ListStreamsInput};
use pdb_transfers::{
    ExportTableInput, ImportTableInput, ListBulkOperationsInput, ListExportsInput, ListImportsInput,
    StartBulkPutItemsInput,
};

use crate::access::NeedsPermissions;

/// An input that names tables: of batches and transactions one for each item or action, in order.
pub(crate) trait NamesTables {
    /// Adds the tables.
    fn add_tables(&self, tables: &mut Vec<TableName>);
}

/// The arguments of a call, which together name its tables.
pub(crate) struct Arguments<'a>(pub(crate) &'a [&'a (dyn NeedsPermissions + Sync)]);

impl NamesTables for Arguments<'_> {
    fn add_tables(&self, tables: &mut Vec<TableName>) {
        self.0.iter().for_each(|argument| argument.add_tables(tables));
    }
}

/// Returns the tables that an input names.
pub(crate) fn tables_of(input: &(impl NamesTables + ?Sized)) -> Vec<TableName> {
    let mut tables = Vec::new();
    input.add_tables(&mut tables);
    tables
}

macro_rules! one_table {
    ($($input:ty: $($path:ident).+;)+) => {
        $(impl NamesTables for $input {
            fn add_tables(&self, tables: &mut Vec<TableName>) {
                tables.push(self.$($path).+.clone());
            }
        })+
    };
}

one_table! {
    PutItemInput: table_name;
    UpdateItemInput: table_name;
    DeleteItemInput: table_name;
    GetItemInput: table_name;
    QueryInput: table_name;
    ScanInput: table_name;
    SearchVectorsInput: table_name;
    CreateTableInput: table_name;
    UpdateTableInput: table_name;
    UpdateContributorInsightsInput: table_name;
    DescribeStreamInput: stream_arn.table.name;
    GetShardIteratorInput: stream_arn.table.name;
    ImportTableInput: table.table_name;
    StartBulkPutItemsInput: table_name;
}

macro_rules! no_table {
    ($($input:ty),+ $(,)?) => {
        $(impl NamesTables for $input {
            fn add_tables(&self, _tables: &mut Vec<TableName>) {}
        })+
    };
}

no_table! {
    ListTablesInput,
    ListBulkOperationsInput,
    TimeToLiveSpecification,
    RestoreOverrides,
    Vec<Tag>,
    Vec<String>,
    IndexName,
    TimePrecision,
    bool,
    u32,
}

impl NamesTables for TableName {
    fn add_tables(&self, tables: &mut Vec<TableName>) {
        tables.push(self.clone());
    }
}

/// An ARN of a table, of a stream, of a backup or of an index names the table; other texts name none.
impl NamesTables for str {
    fn add_tables(&self, tables: &mut Vec<TableName>) {
        tables.extend(TableArn::at_start_of(self).map(|arn| arn.name));
    }
}

impl<T: NamesTables + ?Sized> NamesTables for &T {
    fn add_tables(&self, tables: &mut Vec<TableName>) {
        (**self).add_tables(tables);
    }
}

impl<T: NamesTables> NamesTables for Option<T> {
    fn add_tables(&self, tables: &mut Vec<TableName>) {
        if let Some(input) = self {
            input.add_tables(tables);
        }
    }
}

impl NamesTables for ListStreamsInput {
    fn add_tables(&self, tables: &mut Vec<TableName>) {
        tables.extend(self.table_name.clone());
    }
}

impl NamesTables for ListBackupsInput {
    fn add_tables(&self, tables: &mut Vec<TableName>) {
        tables.extend(self.table_name.clone());
    }
}

impl NamesTables for ExportTableInput {
    fn add_tables(&self, tables: &mut Vec<TableName>) {
        self.table_arn.as_str().add_tables(tables);
    }
}

impl NamesTables for ListExportsInput {
    fn add_tables(&self, tables: &mut Vec<TableName>) {
        self.table_arn.as_deref().add_tables(tables);
    }
}

impl NamesTables for ListImportsInput {
    fn add_tables(&self, tables: &mut Vec<TableName>) {
        self.table_arn.as_deref().add_tables(tables);
    }
}

impl NamesTables for RestoreToPointInTimeInput {
    fn add_tables(&self, tables: &mut Vec<TableName>) {
        match self.source_table.parse() {
            Ok(name) => tables.push(name),
            Err(_) => self.source_table.as_str().add_tables(tables),
        }
        tables.push(self.target_table_name.clone());
    }
}

impl NamesTables for BatchGetItemInput {
    fn add_tables(&self, tables: &mut Vec<TableName>) {
        for (table, entry) in &self.request_items {
            tables.extend(entry.keys.iter().map(|_| table.clone()));
        }
    }
}

impl NamesTables for BatchWriteItemInput {
    fn add_tables(&self, tables: &mut Vec<TableName>) {
        for (table, writes) in &self.request_items {
            tables.extend(writes.iter().map(|_| table.clone()));
        }
    }
}

impl NamesTables for TransactGetItemsInput {
    fn add_tables(&self, tables: &mut Vec<TableName>) {
        tables.extend(self.transact_items.iter().map(|get| get.table_name.clone()));
    }
}

impl NamesTables for TransactWriteItemsInput {
    fn add_tables(&self, tables: &mut Vec<TableName>) {
        tables.extend(self.transact_items.iter().map(|write| write.table_name.clone()));
    }
}

impl NamesTables for ExecuteStatementInput {
    fn add_tables(&self, tables: &mut Vec<TableName>) {
        tables.extend(table_named_by(&self.statement));
    }
}

impl NamesTables for BatchExecuteStatementInput {
    fn add_tables(&self, tables: &mut Vec<TableName>) {
        tables.extend(self.statements.iter().filter_map(|statement| table_named_by(&statement.statement)));
    }
}

impl NamesTables for ExecuteTransactionInput {
    fn add_tables(&self, tables: &mut Vec<TableName>) {
        let statements = self.transact_statements.iter();
        tables.extend(statements.filter_map(|statement| table_named_by(&statement.statement)));
    }
}
