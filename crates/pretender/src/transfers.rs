//! Imports, exports and bulk operations: items from and to the objects of a bucket, in the background.
//!
//! The buckets are those of [`Builder::objects`](crate::Builder::objects). A job goes on after the database was closed and opened again.
//!
//! # Examples
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//! use pretender::objects::{MemoryObjects, ObjectStore};
//! use pretender::prelude::*;
//! use pretender::transfers::{ImportStatus, ImportTableInput, InputFormat, S3Source, TableCreationParameters};
//!
//! let objects = MemoryObjects::new();
//! objects.create_bucket("seeds");
//! objects.put("seeds", "orders/1.json", br#"{"Item":{"id":{"S":"o1"},"total":{"N":"42"}}}"#)?;
//! let db = Pretender::builder().objects(Arc::new(objects)).open()?;
//!
//! let table = CreateTableInput::new("Orders".parse()?, ("id", ScalarType::S), None);
//! let import = db.import_table(ImportTableInput::new(
//!     S3Source::new("seeds").with_prefix("orders/"),
//!     InputFormat::DynamoDbJson,
//!     TableCreationParameters::from(table),
//! ))?;
//! assert_eq!(import.import_status, ImportStatus::InProgress);
//! assert!(db.wait_for_transfers(Duration::from_secs(30)));
//! let import = db.describe_import(&import.import_arn)?;
//! assert_eq!((import.import_status, import.imported_item_count), (ImportStatus::Completed, 1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::time::Duration;

#[doc(inline)]
pub use pdb_items::BulkUsage;
use pdb_model::{ApiError, ErrorCode, Operation};
#[doc(inline)]
pub use pdb_transfers::{
    BulkOperationDescription, BulkOperationStatus, BulkOperationSummary, CsvInput, ErrorEvent,
    ExportDescription, ExportFormat, ExportStatus, ExportSummary, ExportTableInput, ExportType,
    ExportViewType, Failure, FilterSpecification, ImportDescription, ImportStatus, ImportSummary,
    ImportTableInput, IncrementalExportSpecification, InputCompression, InputFormat, ListBulkOperationsInput,
    ListBulkOperationsOutput, ListExportsInput, ListExportsOutput, ListImportsInput, ListImportsOutput,
    OutputType, PerformanceTier, S3Output, S3Source, SseAlgorithm, StartBulkPutItemsInput,
    TableCreationParameters,
};
use pdb_transfers::{TransferError, TransferManager};

use crate::Pretender;
use crate::arguments::{Keep, Lend, operations};
use crate::faults::named_tables::Arguments;

operations! { transfers, transfer_error:
    /// Creates a table and begins to fill it from the objects of a bucket. The table is `CREATING` until the import has ended. An import whose
    /// bucket is not there fails later, as on AWS.
    ImportTable: import_table, import_table_async(input: ImportTableInput) -> ImportDescription;
    /// Describes an import, with its progress.
    DescribeImport: describe_import, describe_import_async(import_arn: &str) -> ImportDescription;
    /// Lists the imports of the last 90 days, newest first.
    ListImports: list_imports, list_imports_async(input: &ListImportsInput) -> ListImportsOutput;
    /// Begins to export a table as it was at a moment, or its changes between two moments, to a bucket. The table needs point-in-time recovery. An
    /// export whose bucket is not there fails later, as on AWS.
    ExportTableToPointInTime: export_table_to_point_in_time, export_table_to_point_in_time_async(input: ExportTableInput) -> ExportDescription;
    /// Describes an export, with its progress.
    DescribeExport: describe_export, describe_export_async(export_arn: &str) -> ExportDescription;
    /// Lists the exports of the last 90 days, in the reverse order of their ARNs.
    ListExports: list_exports, list_exports_async(input: &ListExportsInput) -> ListExportsOutput;
    /// Begins to put items from the objects of a bucket into a table. The puts are as real as others, with stream records.
    StartBulkPutItems: start_bulk_put_items, start_bulk_put_items_async(input: StartBulkPutItemsInput) -> BulkOperationDescription;
    /// Describes a bulk operation, with its progress.
    DescribeBulkOperation: describe_bulk_operation, describe_bulk_operation_async(bulk_operation_arn: &str) -> BulkOperationDescription;
    /// Lists the bulk operations of the last 90 days, newest first.
    ListBulkOperations: list_bulk_operations, list_bulk_operations_async(input: &ListBulkOperationsInput) -> ListBulkOperationsOutput;
    /// Cancels a bulk operation. What was written stays.
    CancelBulkOperation: cancel_bulk_operation, cancel_bulk_operation_async(bulk_operation_arn: &str) -> BulkOperationStatus;
}

impl Pretender {
    /// Waits until the imports, exports and bulk operations of this process have ended, no longer than `timeout`. Returns whether they have.
    #[must_use]
    pub fn wait_for_transfers(&self, timeout: Duration) -> bool {
        self.inner.transfers.wait_until_idle(timeout)
    }

    fn transfers(&self) -> &TransferManager {
        &self.inner.transfers
    }

    fn transfer_error(&self, error: TransferError) -> ApiError {
        match error {
            TransferError::Items(error) => self.api_error(error),
            TransferError::ImportConflict(_) => {
                ApiError::new(ErrorCode::ImportConflictException, error.to_string())
            }
            TransferError::ExportConflict(_) => {
                ApiError::new(ErrorCode::ExportConflictException, error.to_string())
            }
            TransferError::InvalidExportTime(_) => {
                ApiError::new(ErrorCode::InvalidExportTimeException, error.to_string())
            }
        }
    }
}
