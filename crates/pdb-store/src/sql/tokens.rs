//! Tokens with which clients mark their transactions.

use pdb_model::EpochMillis;

use crate::{
    checksum::{self, Checksum},
    error::StoreError,
    params::Param,
    read_tx::ReadTx,
    rows::tokens::TokenRow,
    tx::Tx,
};

impl ReadTx<'_> {
    /// Returns what succeeded under a token that is still remembered at `now`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`], [`StoreError::Corrupt`].
    pub fn token(&mut self, token: &str, now: EpochMillis) -> Result<Option<TokenRow>, StoreError> {
        self.driver.first(
            "look for a token",
            "SELECT fingerprint, answer, expires_at, checksum FROM pdb_token WHERE token = ?1 AND expires_at > ?2",
            &[Param::Text(token), Param::Integer(now.0)],
            |row| {
                let sum = sum(token, row.blob(0)?, row.text(1)?, row.integer(2)?);
                sum.verify_fixed(row.optional_integer(3)?, "token")?;
                Ok(TokenRow {
                    fingerprint: row.blob(0)?.to_vec(),
                    answer: row.text(1)?.to_owned(),
                    expires: EpochMillis(row.integer(2)?),
                })
            },
        )
    }
}

impl Tx<'_> {
    /// Remembers that a transaction succeeded under a token that was not remembered at `now`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`].
    pub fn remember_token(
        &mut self,
        token: &str,
        now: EpochMillis,
        row: &TokenRow,
    ) -> Result<(), StoreError> {
        let sum = sum(token, &row.fingerprint, &row.answer, row.expires.0);
        let noted = self.change(
            "remember a token",
            "INSERT INTO pdb_token (token, fingerprint, answer, expires_at, checksum) VALUES (?1, ?2, ?3, ?4, ?6) \
             ON CONFLICT (token) DO UPDATE SET fingerprint = excluded.fingerprint, \
             answer = excluded.answer, expires_at = excluded.expires_at, \
             checksum = excluded.checksum WHERE pdb_token.expires_at <= ?5",
            &[
                Param::Text(token),
                Param::Blob(&row.fingerprint),
                Param::Text(&row.answer),
                Param::Integer(row.expires.0),
                Param::Integer(now.0),
                Param::Integer(sum.fixed()),
            ],
        )?;
        // Somebody else has used it meanwhile.
        if noted == 1 { Ok(()) } else { Err(self.driver.stale()) }
    }

    /// Forgets up to `limit` tokens that expired at `now` or before; returns how many.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`].
    pub fn forget_tokens(&mut self, now: EpochMillis, limit: u32) -> Result<u64, StoreError> {
        let gone = self.change(
            "forget tokens",
            self.driver.dialect().forget_tokens(),
            &[Param::Integer(now.0), Param::Integer(limit.into())],
        )?;
        Ok(gone as u64)
    }
}

/// The checksum of a token.
pub(crate) fn sum(token: &str, fingerprint: &[u8], answer: &str, expires_at: i64) -> Checksum {
    let sum = checksum::of_fixed("token", &[token.as_bytes(), fingerprint, answer.as_bytes()]);
    sum.number(expires_at.unsigned_abs())
}
