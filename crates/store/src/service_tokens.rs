//! Table `service_tokens`: what systems call the API with.

use std::collections::BTreeSet;

use diesel::prelude::*;
use tenkoku_domain::access::Permission;
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::id::{TokenId, UserId};
use tenkoku_domain::key::Fingerprint;
use tenkoku_domain::service_account::{ServiceToken, TokenAlgorithm, TokenKey, TokenProof};
use tenkoku_domain::time::Timestamp;

use crate::column::{Place, instant, millis};
use crate::error::StoreError;
use crate::schema::{accounts, service_tokens};
use crate::tx::{Tx, lock_row, one};

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = service_tokens)]
struct TokenRow {
    id: String,
    account_id: String,
    label: String,
    secret_digest: Option<String>,
    algorithm: Option<String>,
    public_key: Option<Vec<u8>>,
    fingerprint: Option<String>,
    permissions: String,
    created_at: i64,
    until_at: i64,
    ended_at: Option<i64>,
}

impl TokenRow {
    fn of(token: &ServiceToken) -> Result<Self, StoreError> {
        let (secret, key) = match &token.proof {
            TokenProof::Secret(digest) => (Some(digest.to_string()), None),
            TokenProof::Key(key) => (None, Some(key)),
        };
        Ok(Self {
            id: token.id.to_string(),
            account_id: token.user.to_string(),
            label: token.label.clone(),
            secret_digest: secret,
            algorithm: key.map(|key| key.algorithm.to_string()),
            public_key: key.map(|key| key.public_key.clone()),
            fingerprint: key.map(|key| key.fingerprint.to_string()),
            permissions: serde_json::to_string(&token.permissions)
                .map_err(|error| StoreError::Database(Box::new(error)))?,
            created_at: token.created_at.millis(),
            until_at: token.until.millis(),
            ended_at: millis(token.ended_at),
        })
    }

    fn read(self) -> Result<ServiceToken, StoreError> {
        let place = Place::new("service token", &self.id);
        let proof = match (self.secret_digest, self.algorithm, self.public_key, self.fingerprint) {
            (Some(digest), None, None, None) => {
                TokenProof::Secret(place.digest("secret_digest", &digest)?)
            }
            (None, Some(algorithm), Some(public_key), Some(fingerprint)) => {
                TokenProof::Key(TokenKey {
                    algorithm: place.some("algorithm", TokenAlgorithm::from_word(&algorithm))?,
                    public_key,
                    fingerprint: Fingerprint(place.digest("fingerprint", &fingerprint)?),
                })
            }
            _ => return place.some("secret_digest", None),
        };
        let permissions: BTreeSet<Permission> =
            place.ok("permissions", serde_json::from_str(&self.permissions))?;
        Ok(ServiceToken {
            id: place.ok("id", TokenId::parse(&self.id))?,
            user: place.ok("account_id", UserId::parse(&self.account_id))?,
            label: self.label,
            proof,
            permissions,
            created_at: Timestamp::from_millis(self.created_at),
            until: Timestamp::from_millis(self.until_at),
            ended_at: instant(self.ended_at),
        })
    }
}

impl Tx<'_> {
    /// A token, locked in a writing transaction.
    pub fn load_token(&mut self, id: &TokenId) -> Result<ServiceToken, StoreError> {
        if self.writes() {
            lock_row!(self, service_tokens, id.as_str());
        }
        self.find_token(id)?.ok_or(StoreError::NotFound { what: "token" })
    }

    /// A token by its identifier.
    pub fn find_token(&mut self, id: &TokenId) -> Result<Option<ServiceToken>, StoreError> {
        let row = service_tokens::table
            .find(id.as_str())
            .select(TokenRow::as_select())
            .first(self.conn)
            .optional()?;
        row.map(TokenRow::read).transpose()
    }

    /// The token of a secret.
    pub fn find_token_by_secret(
        &mut self,
        digest: &Digest,
    ) -> Result<Option<ServiceToken>, StoreError> {
        let row = service_tokens::table
            .filter(service_tokens::secret_digest.eq(digest.to_string()))
            .select(TokenRow::as_select())
            .first(self.conn)
            .optional()?;
        row.map(TokenRow::read).transpose()
    }

    /// Whether a key signs the tokens of some system, or did.
    pub fn is_token_key(&mut self, fingerprint: &Fingerprint) -> Result<bool, StoreError> {
        let known: i64 = service_tokens::table
            .filter(service_tokens::fingerprint.eq(fingerprint.to_string()))
            .count()
            .get_result(self.conn)?;
        Ok(known > 0)
    }

    /// The tokens of an account, oldest first.
    pub fn tokens_of(&mut self, user: &UserId) -> Result<Vec<ServiceToken>, StoreError> {
        let rows = service_tokens::table
            .filter(service_tokens::account_id.eq(user.as_str()))
            .order(service_tokens::id)
            .select(TokenRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(TokenRow::read).collect()
    }

    pub(crate) fn insert_token(&mut self, token: &ServiceToken) -> Result<(), StoreError> {
        let row = TokenRow::of(token)?;
        diesel::insert_into(service_tokens::table).values(row).execute(self.conn)?;
        Ok(())
    }

    /// A token ends, once.
    pub(crate) fn end_token(&mut self, token: &ServiceToken) -> Result<(), StoreError> {
        let living = service_tokens::table
            .find(token.id.as_str())
            .filter(service_tokens::ended_at.is_null());
        let end = service_tokens::ended_at.eq(millis(token.ended_at));
        one(diesel::update(living).set(end).execute(self.conn)?, "token")
    }

    /// An account ends, once.
    pub(crate) fn disable_account(
        &mut self,
        user: &UserId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let living = accounts::table.find(user.as_str()).filter(accounts::disabled_at.is_null());
        let end = accounts::disabled_at.eq(Some(at.millis()));
        one(diesel::update(living).set(end).execute(self.conn)?, "account")
    }
}
