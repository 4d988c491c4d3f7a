//! What the clients of a database are made from.

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_async::time::SystemTimeSource;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use pretender::Pretender;

use crate::InProcessClient;

/// The endpoint in the configuration. No name below `.invalid` ever resolves (RFC 6761), so a client that gets another HTTP client by mistake
/// does not reach AWS.
const ENDPOINT: &str = "http://pretender.invalid";
/// The credentials, which are not checked.
const ACCESS_KEY: &str = "pretender";

/// What a [`Pretender`] gives to programs that use the official SDK.
///
/// Both methods may be called any number of times. Their results hold a clone of the database, so it stays open as long as one of its
/// clients exists.
pub trait PretenderExt {
    /// Returns the configuration from which clients of this database are made, for DynamoDB and for DynamoDB Streams.
    ///
    /// It has the region of the database, credentials with its account that are not checked, the timer that retries, waiters and
    /// timeouts need, and [`http_client`](Self::http_client). The rest is as the SDK has it, so that code
    /// under test is retried as it is at AWS; `into_builder()` changes it.
    ///
    /// `aws_config::load_from_env().await` in its place makes clients of AWS.
    fn sdk_config(&self) -> SdkConfig;

    /// Returns the HTTP client that answers from this database, for a configuration made elsewhere.
    fn http_client(&self) -> InProcessClient;
}

impl PretenderExt for Pretender {
    fn sdk_config(&self) -> SdkConfig {
        let account = self.account();
        let credentials = Credentials::builder()
            .access_key_id(ACCESS_KEY)
            .secret_access_key(ACCESS_KEY)
            .account_id(account.id.as_str())
            .provider_name("pretender")
            .build();
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(account.region.clone()))
            .endpoint_url(ENDPOINT)
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(self.http_client())
            .sleep_impl(TokioSleep::new())
            .time_source(SystemTimeSource::new())
            // There is no connection that could stall, but in a test that pauses tokio's time every call would look stalled.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build()
    }

    fn http_client(&self) -> InProcessClient {
        InProcessClient::new(self.clone())
    }
}
