//! Where stream records are archived: `--archive`.

use std::error::Error;
use std::ops::ControlFlow;

use clap::Args;
use pdb_server::Span;
use pretender::archive::ArchiveOptions;
use pretender::objects::{ObjectError, ObjectStore};

/// Heading of the options about streams in the help.
pub(super) const STREAMS: &str = "Streams and time to live";

/// These settings of a server.
#[derive(Args, Debug)]
pub(super) struct ArchiveSettings {
    /// Archive stream records in this bucket of --objects before they are trimmed; the trim waits for the archive
    ///
    /// Each hour of each shard becomes an object of compressed JSON lines. `pretender tail --archive` reads them, and goes on
    /// in the live stream. Databases of --databases are not archived. See docs/archive.md.
    #[arg(long, env = "PRETENDER_ARCHIVE", value_name = "BUCKET[/PREFIX]", help_heading = STREAMS)]
    archive: Option<ArchiveOptions>,

    /// How long records wait for an archive that cannot be written, after --retention; then they are lost [default: 7d]
    #[arg(long, env = "PRETENDER_ARCHIVE_MAX_DELAY", value_name = "TIME", help_heading = STREAMS)]
    archive_max_delay: Option<Span>,
}

impl ArchiveSettings {
    /// Returns where to archive, if anywhere. A bucket that does not exist is an error now, because later it would only be one in the log.
    pub(super) fn options(
        &self,
        objects: Option<&dyn ObjectStore>,
    ) -> Result<Option<ArchiveOptions>, Box<dyn Error>> {
        let Some(options) = &self.archive else {
            if self.archive_max_delay.is_some() {
                tracing::warn!("--archive-max-delay has no effect without --archive");
            }
            return Ok(None);
        };
        let store = objects.ok_or("--archive needs --objects, which says where the buckets are")?;
        let max_delay = match self.archive_max_delay {
            None => ArchiveOptions::MAX_DELAY,
            Some(Span(time)) => time.ok_or("--archive-max-delay needs a time")?,
        };
        match store.list(&options.bucket, &options.prefix, &mut |_| ControlFlow::Break(())) {
            Err(error @ (ObjectError::NoSuchBucket { .. } | ObjectError::Denied { .. })) => {
                return Err(format!("cannot archive in `{options}`: {error}").into());
            }
            // It may answer later.
            Err(error) => tracing::warn!(%error, "the archive cannot be reached"),
            Ok(()) => {}
        }
        Ok(Some(options.clone().max_delay(max_delay)))
    }
}
