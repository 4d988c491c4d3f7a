//! Reading a request's body, which may be streamed.

use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};

/// The largest body: 16 MiB, as the server has it.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// Reads a body; `None` if it is too large.
///
/// # Errors
///
/// If the stream of the body fails.
pub(crate) async fn read(body: SdkBody) -> Result<Option<Bytes>, ConnectorError> {
    // Nearly all bodies are in memory, in one piece, which is handed on without a copy.
    match Limited::new(body, MOST_BYTES).collect().await {
        Ok(body) => Ok(Some(body.to_bytes())),
        Err(error) if error.is::<LengthLimitError>() => Ok(None),
        Err(error) => Err(ConnectorError::user(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bodies_are_read_up_to_their_limit() {
        let whole = read(SdkBody::from("{}")).await.unwrap();
        assert_eq!(whole.as_deref(), Some(b"{}".as_slice()));
        assert_eq!(read(SdkBody::empty()).await.unwrap().as_deref(), Some(b"".as_slice()));
        let largest = read(SdkBody::from(vec![b' '; MOST_BYTES])).await.unwrap();
        assert_eq!(largest.map(|body| body.len()), Some(MOST_BYTES));
        assert_eq!(read(SdkBody::from(vec![b' '; MOST_BYTES + 1])).await.unwrap(), None);
    }
}
