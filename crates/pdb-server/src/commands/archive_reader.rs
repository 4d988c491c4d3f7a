//! The archive that a command reads: `--archive` and `--objects`.

use std::error::Error;

use pretender::archive::{ArchiveLocation, ArchiveOptions, ArchiveReader};

use super::object_settings::ObjectSettings;

/// Opens the archive.
pub(super) fn reader_of(
    archive: &ArchiveOptions,
    objects: &ObjectSettings,
) -> Result<ArchiveReader, Box<dyn Error>> {
    let objects = objects.open("us-east-1")?.store;
    let objects = objects.ok_or("--archive needs --objects, which says where the buckets are")?;
    Ok(ArchiveReader::new(Some(ArchiveLocation::new(objects, archive))))
}
