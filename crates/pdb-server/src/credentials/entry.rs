//! One key of a file, as it is written there, and what it must look like.

use std::sync::Arc;

use pretender::access::Access;

use super::{AccessKey, Secret};
use crate::parse_time;

/// One key, before it is checked.
pub(super) struct Entry {
    /// The line where the key is.
    pub(super) line: usize,
    pub(super) access_key_id: String,
    pub(super) secret_access_key: String,
    pub(super) session_token: Option<String>,
    pub(super) expiration: Option<String>,
    pub(super) user_name: Option<String>,
    pub(super) read_only: bool,
    pub(super) table_prefixes: Option<Vec<String>>,
}

/// Returns whether a text is a name of 1 to `longest` letters, digits and some other characters.
fn is_name(text: &str, longest: usize, others: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || others.contains(c);
    (1..=longest).contains(&text.len()) && text.chars().all(is_allowed)
}

/// Returns whether AWS could have a user of this name.
pub(super) fn is_user_name(text: &str) -> bool {
    is_name(text, 64, "_+=,.@-")
}

impl Entry {
    /// Checks the key. An error is a text for people, without secrets.
    pub(super) fn check(self) -> Result<AccessKey, String> {
        if !is_name(&self.access_key_id, 128, "_.-") {
            return Err("`accessKeyId` needs 1 to 128 letters, digits, `_`, `.` and `-`".to_owned());
        }
        if self.secret_access_key.is_empty() {
            return Err("`secretAccessKey` is empty".to_owned());
        }
        if self.session_token.as_ref().is_some_and(String::is_empty) {
            return Err("`sessionToken` is empty: leave it out for a key that needs none".to_owned());
        }
        if self.expiration.is_some() && self.session_token.is_none() {
            return Err("`expiration` needs a `sessionToken`: only temporary credentials expire".to_owned());
        }
        let expiration = self.expiration.map(|text| parse_time(&text)).transpose()?;
        // The ID of a key need not be the name of a user, but it can be shown as one.
        let user_name = self.user_name.unwrap_or_else(|| self.access_key_id.chars().take(64).collect());
        if !is_user_name(&user_name) {
            return Err("`userName` needs 1 to 64 letters, digits and `_+=,.@-`".to_owned());
        }
        let mut access = Access::new(user_name);
        if self.read_only {
            access = access.read_only();
        }
        if let Some(prefixes) = self.table_prefixes {
            if prefixes.is_empty() {
                return Err(
                    "`tablePrefixes` is empty: leave it out for a key that may use all tables".to_owned()
                );
            }
            if let Some(bad) = prefixes.iter().find(|prefix| !is_name(prefix, 255, "_.-")) {
                let shown: String = bad.chars().take(64).flat_map(char::escape_default).collect();
                return Err(format!(
                    "`{shown}` in `tablePrefixes` is not the beginning of a table's name: 1 to 255 letters, digits, `_`, `.` \
                     and `-`"
                ));
            }
            access = access.tables_with_prefixes(prefixes);
        }
        Ok(AccessKey {
            id: self.access_key_id,
            secret: Secret(self.secret_access_key),
            session_token: self.session_token.map(Secret),
            expiration,
            access: Arc::new(access),
        })
    }
}
