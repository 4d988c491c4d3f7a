//! An object that is uploaded in parts.

use std::time::Duration;

use object_store::multipart::{MultipartStore, PartId};
use object_store::{MultipartId, ObjectStoreExt};

use super::failure::{self, Missing};
use super::{Target, tag};
use crate::ObjectError;

/// How long a writer that is dropped waits until its upload is aborted.
const ABORT: Duration = Duration::from_secs(5);

/// An upload. Dropping it aborts it.
pub(super) struct Upload {
    target: Target,
    id: MultipartId,
    parts: Vec<PartId>,
    is_finished: bool,
}

impl Upload {
    pub(super) fn begin(target: &Target) -> Result<Self, ObjectError> {
        let (store, location) = (target.store.clone(), target.location.clone());
        let id = target.wait(Missing::Bucket, async move { store.create_multipart(&location).await })?;
        Ok(Self { target: target.clone(), id, parts: Vec::new(), is_finished: false })
    }

    pub(super) fn append(&mut self, part: Vec<u8>) -> Result<(), ObjectError> {
        let (store, location) = (self.target.store.clone(), self.target.location.clone());
        let (id, number) = (self.id.clone(), self.parts.len());
        let part = self.target.wait(Missing::Bucket, async move {
            store.put_part(&location, &id, number, part.into()).await
        })?;
        self.parts.push(part);
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<Option<String>, ObjectError> {
        let (store, location) = (self.target.store.clone(), self.target.location.clone());
        let (id, parts) = (self.id.clone(), self.parts.clone());
        let outcome = self.target.shared.runtime.wait(async move {
            match store.complete_multipart(&location, &id, parts.clone()).await {
                Err(error) if failure::is_unknown_upload(&error) => {
                    // The answer of an earlier attempt, which has finished the upload, may have been lost. Then the object has our tag.
                    let expected = tag::of_parts(parts.iter().map(|part| part.content_id.as_str()));
                    let found = store.head(&location).await.ok().and_then(|found| found.e_tag);
                    if expected.is_some() && found == expected { Ok(found) } else { Err(error) }
                }
                outcome => outcome.map(|put| put.e_tag),
            }
        });
        let outcome = outcome.map_err(|error| self.target.failed(error))?;
        let tag = outcome.map_err(|error| self.target.failure(error, Missing::Bucket))?;
        self.is_finished = true;
        Ok(tag)
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if self.is_finished {
            return;
        }
        let (store, location) = (self.target.store.clone(), self.target.location.clone());
        let id = std::mem::take(&mut self.id);
        // What cannot be aborted is left to a lifecycle rule of the bucket.
        self.target.shared.runtime.wait_some_time(ABORT, async move {
            let _ = store.abort_multipart(&location, &id).await;
        });
    }
}
