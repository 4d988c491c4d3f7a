//! Where the buckets of exports, imports and archives are: `--objects`.

use std::error::Error;
use std::sync::Arc;

use clap::Args;
use pretender::objects::ObjectStore;

/// Heading of these options, and of others about data, in the help.
pub(super) const DATA: &str = "Data";

/// These settings.
#[derive(Args, Debug)]
pub(super) struct ObjectSettings {
    /// Where the buckets of exports, imports and archives are: in a folder, which must exist, or in "s3"
    ///
    /// A bucket is a folder in this folder. "s3" stands for AWS's S3 or the service of --s3-endpoint, with the keys in
    /// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN and the region in AWS_REGION. Without this option, no
    /// bucket exists. See docs/objects.md.
    #[arg(long, env = "PRETENDER_OBJECTS", value_name = "DIR|s3", help_heading = DATA)]
    objects: Option<String>,

    /// Address of the S3-compatible service of --objects s3, such as http://127.0.0.1:9000 [default: AWS_ENDPOINT_URL_S3, or AWS]
    #[arg(long, env = "PRETENDER_S3_ENDPOINT", value_name = "URL", help_heading = DATA)]
    s3_endpoint: Option<String>,
}

/// The store of objects of a server, if it has one.
#[derive(Clone, Debug, Default)]
pub(super) struct ServedObjects {
    pub(super) store: Option<Arc<dyn ObjectStore>>,
    /// Where the objects are, for people.
    pub(super) location: Option<String>,
}

impl ObjectSettings {
    /// Opens the store. That of S3 is not asked for anything yet.
    pub(super) fn open(&self, region: &str) -> Result<ServedObjects, Box<dyn Error>> {
        let Some(objects) = &self.objects else {
            if self.s3_endpoint.is_some() {
                tracing::warn!("--s3-endpoint has no effect without --objects s3");
            }
            return Ok(ServedObjects::default());
        };
        if objects != "s3" && self.s3_endpoint.is_some() {
            tracing::warn!("--s3-endpoint has no effect without --objects s3");
        }
        self.open_named(objects, region)
    }

    #[cfg(not(feature = "objects"))]
    fn open_named(&self, objects: &str, _region: &str) -> Result<ServedObjects, Box<dyn Error>> {
        Err(format!("cannot use `--objects {objects}`: this program was built without the feature `objects`")
            .into())
    }

    #[cfg(feature = "objects")]
    fn open_named(&self, objects: &str, region: &str) -> Result<ServedObjects, Box<dyn Error>> {
        let (store, location): (Arc<dyn ObjectStore>, _) = if objects == "s3" {
            let store = self.s3(region)?;
            let location = format!("the buckets of {}", store.endpoint());
            (Arc::new(store), location)
        } else {
            let folder = std::path::Path::new(objects);
            let store = pretender::objects::FolderObjects::open(folder).map_err(|error| {
                let reason = match error.kind() {
                    std::io::ErrorKind::NotFound => crate::paths::missing(folder),
                    _ => error.to_string(),
                };
                format!("cannot use `{objects}` as the folder of buckets: {reason}")
            })?;
            let location = store.folder().display().to_string();
            (Arc::new(store), location)
        };
        Ok(ServedObjects { store: Some(store), location: Some(location) })
    }

    #[cfg(feature = "objects")]
    fn s3(&self, region: &str) -> Result<pretender::objects::S3Objects, Box<dyn Error>> {
        use pretender::objects::{S3Credentials, S3Objects, S3Settings};

        let keys = (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY"));
        let (Some(id), Some(secret)) = keys else {
            return Err(
                "--objects s3 needs keys: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY for the server"
                    .into(),
            );
        };
        let mut credentials = S3Credentials::new(id, secret);
        if let Some(token) = variable("AWS_SESSION_TOKEN") {
            credentials = credentials.session_token(token);
        }
        let region = variable("AWS_REGION")
            .or_else(|| variable("AWS_DEFAULT_REGION"))
            .unwrap_or_else(|| region.to_owned());
        let mut settings = S3Settings::new(region, credentials);
        if let Some(url) = self.s3_endpoint.clone().or_else(|| variable("AWS_ENDPOINT_URL_S3")) {
            settings = settings.endpoint(url);
        }
        if let Some(file) = variable("AWS_CA_BUNDLE") {
            let pem = std::fs::read(&file)
                .map_err(|error| format!("cannot read `{file}`, which AWS_CA_BUNDLE names: {error}"))?;
            settings = settings.authorities(pem);
        }
        Ok(S3Objects::new(settings)?)
    }
}

/// Returns the value of an environment variable, if it is set and not empty.
#[cfg(feature = "objects")]
#[expect(
    clippy::disallowed_methods,
    reason = "AWS's variables are settings of many programs, and secrets cannot be options, which everybody on the machine sees"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
