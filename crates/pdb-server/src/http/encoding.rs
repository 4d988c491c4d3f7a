//! Compression of bodies: the encoding of a request's body, and the encodings that it accepts for its answer.

use std::io::Write;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use hyper::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap, HeaderName, HeaderValue};

/// A content encoding. AWS supports these two, in both directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// RFC 1952.
    Gzip,
    /// RFC 1950, as HTTP uses the name: the zlib format, which contains the deflate format.
    Deflate,
}

/// A `Content-Encoding` that is not supported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnknownEncoding(pub(crate) String);

impl Encoding {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
        }
    }

    fn find(name: &[u8]) -> Option<Self> {
        [Self::Gzip, Self::Deflate]
            .into_iter()
            .find(|encoding| name.eq_ignore_ascii_case(encoding.as_str().as_bytes()))
    }

    /// Returns the encoding of a request's body; `None` if it is not compressed.
    pub(crate) fn of_request(headers: &HeaderMap) -> Result<Option<Self>, UnknownEncoding> {
        // Nearly all requests lack this header.
        let mut values = headers.get_all(CONTENT_ENCODING).iter();
        let Some(first) = values.next() else { return Ok(None) };
        let name = first.as_bytes().trim_ascii();
        let is_plain =
            // The last one is AWS's own name for no encoding, used in examples for its older JSON services.
            [&b""[..], b"identity", b"amz-1.0"].iter().any(|plain| name.eq_ignore_ascii_case(plain));
        match Self::find(name) {
            // With a list, the body would be compressed several times.
            _ if values.next().is_some() => Err(UnknownEncoding("more than one".to_owned())),
            None if is_plain => Ok(None),
            None => Err(UnknownEncoding(String::from_utf8_lossy(name).into_owned())),
            found => Ok(found),
        }
    }

    /// Returns the encoding for an answer: the one that the request prefers, gzip if it prefers neither; `None` if it
    /// accepts neither.
    pub(crate) fn of_answer(headers: &HeaderMap) -> Option<Self> {
        let mut best = None;
        for value in headers.get_all(ACCEPT_ENCODING) {
            for part in value.as_bytes().split(|&byte| byte == b',') {
                let mut parameters = part.split(|&byte| byte == b';').map(<[u8]>::trim_ascii);
                // `*` is not a name: a client that sends it may understand neither encoding.
                let Some(encoding) = parameters.next().and_then(Self::find) else { continue };
                let quality = parameters.next().map_or(1.0, quality);
                let is_better = best.is_none_or(|(other, other_quality)| {
                    quality > other_quality || (quality == other_quality && other != Self::Gzip)
                });
                if quality > 0.0 && is_better {
                    best = Some((encoding, quality));
                }
            }
        }
        best.map(|(encoding, _)| encoding)
    }

    /// Returns the header of an answer with this encoding.
    pub(crate) fn header(self) -> (HeaderName, HeaderValue) {
        (CONTENT_ENCODING, HeaderValue::from_static(self.as_str()))
    }

    /// Compresses an answer, for speed rather than size: answers are rarely sent far.
    pub(crate) fn compress(self, plain: &[u8]) -> Vec<u8> {
        let compressed = Vec::with_capacity(plain.len() / 4);
        let compressed = match self {
            Self::Gzip => {
                let mut encoder = GzEncoder::new(compressed, Compression::fast());
                encoder.write_all(plain).and_then(|()| encoder.finish())
            }
            Self::Deflate => {
                let mut encoder = ZlibEncoder::new(compressed, Compression::fast());
                encoder.write_all(plain).and_then(|()| encoder.finish())
            }
        };
        let mut compressed = compressed.expect("writing into memory never fails");
        // The budget counts the length, not the capacity.
        compressed.shrink_to_fit();
        compressed
    }
}

/// Returns the weight in `q=0.5`. Anything else counts as 0, so that nothing is compressed for a client that may not
/// want it.
fn quality(parameter: &[u8]) -> f32 {
    let text = std::str::from_utf8(parameter).ok();
    let weight = text.and_then(|text| text.strip_prefix("q=").or_else(|| text.strip_prefix("Q=")));
    weight
        .and_then(|weight| weight.trim().parse().ok())
        .filter(|weight| (0.0..=1.0).contains(weight))
        .unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, lines: &[&str]) -> HeaderMap {
        lines.iter().map(|line| (name.clone(), HeaderValue::from_str(line).unwrap())).collect()
    }

    #[test]
    fn a_request_has_one_encoding_or_none() {
        let of = |lines: &[&str]| Encoding::of_request(&headers(CONTENT_ENCODING, lines));
        for plain in [&[][..], &[""], &["identity"], &["Identity"], &["amz-1.0"], &[" "]] {
            assert_eq!(of(plain), Ok(None), "{plain:?}");
        }
        assert_eq!(of(&["gzip"]), Ok(Some(Encoding::Gzip)));
        assert_eq!(of(&["GZip "]), Ok(Some(Encoding::Gzip)));
        assert_eq!(of(&["Deflate"]), Ok(Some(Encoding::Deflate)));
        for unknown in [
            &["br"][..],
            &["x-gzip"],
            &["gzip, deflate"],
            &["gzip", "gzip"],
            &["identity", "gzip"],
            &["gzipp"],
        ] {
            assert!(of(unknown).is_err(), "{unknown:?}");
        }
    }

    #[test]
    fn an_answer_has_the_encoding_that_the_request_prefers() {
        for (lines, expected) in [
            (&[][..], None),
            (&["identity"], None),
            (&["*"], None),
            (&["br, zstd"], None),
            (&["gzip"], Some(Encoding::Gzip)),
            (&["GZIP;q=0.2"], Some(Encoding::Gzip)),
            (&["deflate"], Some(Encoding::Deflate)),
            (&["deflate, gzip"], Some(Encoding::Gzip)),
            (&["gzip, deflate, br"], Some(Encoding::Gzip)),
            (&["gzip;q=0.5, deflate"], Some(Encoding::Deflate)),
            (&["gzip ; q=0, deflate;q=0.001"], Some(Encoding::Deflate)),
            (&["gzip;q=0", "identity"], None),
            (&["identity", "deflate"], Some(Encoding::Deflate)),
            (&["gzip;q=nan"], None),
            (&["gzip;q=2"], None),
            (&["gzip;level=1"], None),
            (&[",,;,gzip"], Some(Encoding::Gzip)),
        ] {
            assert_eq!(Encoding::of_answer(&headers(ACCEPT_ENCODING, lines)), expected, "{lines:?}");
        }
    }
}
