//! What a request says about its signature, and what is wrong with that by itself.

use std::borrow::Cow;
use std::fmt;

use hyper::header::{AUTHORIZATION, DATE, HeaderMap, HeaderName};
use pdb_model::ApiError;

use super::{ALGORITHM, ALGORITHM_4A, Moment, SignedRequest, incomplete, invalid, percent, shortened};

const AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");
const SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
/// The beginning of the names of AWS's headers. All that are in the request must be signed.
const AMZ: &str = "x-amz-";
/// The longest validity of a presigned request: seven days.
const MAX_EXPIRES: u32 = 604_800;

/// How long a signature is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lifetime {
    /// As long as the clocks of client and server may differ.
    Header,
    /// So many seconds.
    Presigned(u32),
}

/// What a request says about its signature. `Debug` shows no session token.
#[derive(Clone)]
pub(crate) struct Claim<'r> {
    /// The five parts of the credential: key ID, date, region, service, terminator.
    credential: [Cow<'r, str>; 5],
    signed_headers: Cow<'r, str>,
    pub(super) signature: Cow<'r, str>,
    pub(super) moment: Moment,
    pub(super) lifetime: Lifetime,
    session_token: Option<Cow<'r, str>>,
    is_presigned: bool,
}

impl fmt::Debug for Claim<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim").field("credential", &self.credential).finish_non_exhaustive()
    }
}

impl<'r> Claim<'r> {
    /// Reads the claim of a request that has a signature, in the header or in the query.
    ///
    /// # Errors
    ///
    /// AWS's text for a signature that is incomplete or malformed, or that does not cover what it has to cover.
    pub(crate) fn of(request: &SignedRequest<'r>) -> Result<Self, ApiError> {
        let claim = match request.headers.get(AUTHORIZATION) {
            Some(header) => {
                if request.headers.get_all(AUTHORIZATION).iter().nth(1).is_some() {
                    return Err(incomplete("The request has more than one 'Authorization' header."));
                }
                let header = header.to_str().map_err(|_| incomplete("Authorization header is not ASCII."))?;
                Self::in_header(header, request.headers)?
            }
            None => Self::in_query(request.query)?,
        };
        claim.check_signed_headers(request.headers)?;
        Ok(claim)
    }

    /// Returns the access key ID.
    pub(crate) fn key_id(&self) -> &str {
        &self.credential[0]
    }

    /// Returns the session token of temporary credentials.
    pub(crate) fn session_token(&self) -> Option<&str> {
        self.session_token.as_deref()
    }

    /// Returns the region that the request is signed for.
    pub(crate) fn region(&self) -> &str {
        &self.credential[2]
    }

    pub(super) fn date(&self) -> &str {
        &self.credential[1]
    }

    pub(super) fn service(&self) -> &str {
        &self.credential[3]
    }

    pub(super) fn terminator(&self) -> &str {
        &self.credential[4]
    }

    /// Returns the names of the signed headers, in the order of the request.
    pub(super) fn signed_headers(&self) -> impl Iterator<Item = &str> {
        self.signed_headers.split(';')
    }

    /// Returns whether the signature is in the query.
    pub(super) fn is_presigned(&self) -> bool {
        self.is_presigned
    }

    fn in_header(header: &'r str, headers: &'r HeaderMap) -> Result<Self, ApiError> {
        let (algorithm, parameters) = header.split_once(' ').unwrap_or((header, ""));
        check_algorithm(algorithm)?;
        let [mut credential, mut signed_headers, mut signature] = [None; 3];
        for part in parameters.split([' ', ',']).filter(|part| !part.is_empty()) {
            let Some((name, value)) = part.split_once('=') else {
                return Err(incomplete(format!(
                    "'{}' not a valid key=value pair (missing equal-sign) in Authorization header: '{}'.",
                    shortened(part),
                    shortened(header)
                )));
            };
            let place = match name {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut signed_headers,
                "Signature" => &mut signature,
                // AWS ignores others.
                _ => continue,
            };
            if place.replace(value).is_some() {
                return Err(incomplete(format!(
                    "Authorization header has more than one '{name}' parameter."
                )));
            }
        }
        // What is missing was found before: see `http/auth.rs`.
        let moment = match (headers.get(AMZ_DATE), headers.get(DATE)) {
            (Some(date), _) => Moment::parse(&String::from_utf8_lossy(date.as_bytes()))?,
            (None, Some(date)) => Moment::parse_date(&String::from_utf8_lossy(date.as_bytes()))?,
            (None, None) => Moment::parse("")?,
        };
        Ok(Self {
            credential: credential_parts(credential.unwrap_or_default().into())?,
            signed_headers: signed_headers.unwrap_or_default().into(),
            signature: signature.unwrap_or_default().into(),
            moment,
            lifetime: Lifetime::Header,
            session_token: headers.get(SECURITY_TOKEN).map(|token| String::from_utf8_lossy(token.as_bytes())),
            is_presigned: false,
        })
    }

    fn in_query(query: &'r str) -> Result<Self, ApiError> {
        let mut missing = String::new();
        let mut needed = |name: &str| {
            let value = parameter(query, name)?.filter(|value| !value.is_empty());
            if value.is_none() {
                missing.push_str(&format!("AWS query-string parameters must include '{name}'. "));
            }
            Ok(value.unwrap_or_default())
        };
        let algorithm = needed("X-Amz-Algorithm")?;
        let credential = needed("X-Amz-Credential")?;
        let signature = needed("X-Amz-Signature")?;
        let signed_headers = needed("X-Amz-SignedHeaders")?;
        let date = needed("X-Amz-Date")?;
        if !missing.is_empty() {
            return Err(incomplete(format!("{missing}Re-examine the query-string parameters.")));
        }
        check_algorithm(&algorithm)?;
        let lifetime = match parameter(query, "X-Amz-Expires")? {
            None => Lifetime::Header,
            Some(expires) => {
                let is_number = expires.bytes().all(|byte| byte.is_ascii_digit());
                let seconds =
                    expires.parse().ok().filter(|seconds| is_number && (1..=MAX_EXPIRES).contains(seconds));
                Lifetime::Presigned(seconds.ok_or_else(|| {
                    incomplete(format!(
                        "X-Amz-Expires must be a number of seconds between 1 and {MAX_EXPIRES}, not '{}'.",
                        shortened(&expires)
                    ))
                })?)
            }
        };
        Ok(Self {
            credential: credential_parts(credential)?,
            signed_headers,
            signature,
            moment: Moment::parse(&date)?,
            lifetime,
            session_token: parameter(query, "X-Amz-Security-Token")?,
            is_presigned: true,
        })
    }

    /// Checks that the signature covers the host, and all of AWS's headers that are in the request.
    fn check_signed_headers(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        let mut names: Vec<&str> = self.signed_headers().collect();
        names.sort_unstable();
        // Each name adds its header to what is signed, and a small request would have a huge one.
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            let name = shortened(pair[0]);
            return Err(incomplete(format!("'SignedHeaders' has '{name}' more than once.")));
        }
        let is_signed = |name: &str| names.binary_search(&name).is_ok();
        if !is_signed("host") {
            return Err(invalid("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."));
        }
        // The time is signed by itself, but the header must be the one that was signed.
        let dates = headers.contains_key(DATE) && !headers.contains_key(AMZ_DATE) && !self.is_presigned;
        let of_aws = headers.keys().map(HeaderName::as_str).filter(|name| name.starts_with(AMZ));
        let unsigned = dates.then_some("date").into_iter().chain(of_aws).find(|name| !is_signed(name));
        match unsigned {
            None => Ok(()),
            Some(name) => Err(invalid(format!(
                "'{}' must be a 'SignedHeader' in the AWS Authorization.",
                in_title_case(name)
            ))),
        }
    }
}

/// Checks that a signature has the algorithm that is verified here.
fn check_algorithm(algorithm: &str) -> Result<(), ApiError> {
    match algorithm {
        ALGORITHM => Ok(()),
        ALGORITHM_4A => Err(invalid(format!(
            "pretender does not verify signatures of version 4A ({ALGORITHM_4A}), and this server accepts only verified ones: \
             sign with {ALGORITHM}"
        ))),
        other => Err(incomplete(format!("Unsupported AWS 'algorithm': '{}'.", shortened(other)))),
    }
}

/// Takes a credential apart.
fn credential_parts(credential: Cow<'_, str>) -> Result<[Cow<'_, str>; 5], ApiError> {
    let given = shortened(&credential).to_owned();
    let parts: Vec<Cow<'_, str>> = match credential {
        Cow::Borrowed(text) => text.split('/').map(Cow::Borrowed).collect(),
        Cow::Owned(text) => text.split('/').map(|part| Cow::Owned(part.to_owned())).collect(),
    };
    parts.try_into().map_err(|_| {
        incomplete(format!(
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{given}'"
        ))
    })
}

/// Returns a parameter of the query, decoded.
///
/// # Errors
///
/// A parameter that is there twice: others could take the other one for the parameter.
fn parameter<'r>(query: &'r str, name: &str) -> Result<Option<Cow<'r, str>>, ApiError> {
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    // The name is signed in its decoded form, so it may be sent in any.
    let is_named = |key: &str| key == name || (key.contains('%') && percent::decode(key) == name.as_bytes());
    let mut values = pairs.filter(|(key, _)| is_named(key)).map(|(_, value)| value);
    let value = values.next();
    if values.next().is_some() {
        return Err(incomplete(format!("The query has more than one '{name}' parameter.")));
    }
    Ok(value.map(|value| {
        if value.contains(['%', '+']) {
            Cow::Owned(String::from_utf8_lossy(&percent::decode(value)).into_owned())
        } else {
            Cow::Borrowed(value)
        }
    }))
}

/// Returns the name of a header as people write it: `X-Amz-Target`.
fn in_title_case(name: &str) -> String {
    let words = name.split('-').map(|word| match word.split_at_checked(1) {
        Some((first, rest)) => first.to_ascii_uppercase() + rest,
        None => String::new(),
    });
    words.collect::<Vec<_>>().join("-")
}
