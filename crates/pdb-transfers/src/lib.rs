#![doc = include_str!("../README.md")]

mod bulk_put;
mod error;
mod export;
mod failure;
mod import;
mod input;
mod job;
mod load;
mod manager;
mod page;
mod queue;
mod runner;
mod running;
mod source;

pub use bulk_put::{
    BulkOperationDescription, BulkOperationStatus, BulkOperationSummary, ListBulkOperationsInput,
    ListBulkOperationsOutput, StartBulkPutItemsInput,
};
pub use error::TransferError;
pub use export::{
    ExportDescription, ExportFormat, ExportStatus, ExportSummary, ExportTableInput, ExportType,
    ExportViewType, FilterSpecification, IncrementalExportSpecification, ListExportsInput, ListExportsOutput,
};
pub use failure::Failure;
pub use import::{
    ErrorEvent, ImportDescription, ImportStatus, ImportSummary, ImportTableInput, ListImportsInput,
    ListImportsOutput, TableCreationParameters,
};
pub use input::{
    CsvInput, InputCompression, InputFormat, OutputType, PerformanceTier, S3Output, S3Source, SseAlgorithm,
};
pub use runner::TransferManager;
