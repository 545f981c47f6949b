//! Table `keys`: every key the platform ever knew, its fingerprint claimed for ever (DOMAIN 8.4).

use diesel::prelude::*;
use tenkoku_domain::id::{AuthorityId, InstanceId, KeyId, UserId};
use tenkoku_domain::key::{
    Fingerprint, Key, KeyAlgorithm, KeyHolder, KeyRole, KeyState, OriginClass,
};
use tenkoku_domain::time::Timestamp;

use crate::column::Place;
use crate::error::StoreError;
use crate::schema::keys;
use crate::tx::{Tx, one};

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = keys)]
pub(crate) struct KeyRow {
    id: String,
    role: String,
    holder_kind: String,
    holder: String,
    algorithm: String,
    fingerprint: String,
    public_key: Vec<u8>,
    origin: String,
    state: String,
    created_at: i64,
}

impl From<&Key> for KeyRow {
    fn from(key: &Key) -> Self {
        let (holder_kind, holder) = match &key.holder {
            KeyHolder::Instance(id) => ("instance", id.to_string()),
            KeyHolder::Authority(id) => ("authority", id.to_string()),
            KeyHolder::Scheme(code) => ("scheme", code.clone()),
            KeyHolder::Account(id) => ("account", id.to_string()),
        };
        Self {
            id: key.id.to_string(),
            role: key.role.to_string(),
            holder_kind: holder_kind.to_owned(),
            holder,
            algorithm: key.algorithm.to_string(),
            fingerprint: key.fingerprint.to_string(),
            public_key: key.public_key.clone(),
            origin: key.origin.to_string(),
            state: key.state.to_string(),
            created_at: key.created_at.millis(),
        }
    }
}

impl KeyRow {
    pub(crate) fn read(self) -> Result<Key, StoreError> {
        let place = Place::new("key", &self.id);
        let holder = match self.holder_kind.as_str() {
            "instance" => InstanceId::parse(&self.holder).ok().map(KeyHolder::Instance),
            "authority" => AuthorityId::parse(&self.holder).ok().map(KeyHolder::Authority),
            "scheme" => Some(KeyHolder::Scheme(self.holder)),
            "account" => UserId::parse(&self.holder).ok().map(KeyHolder::Account),
            _ => None,
        };
        Ok(Key {
            id: place.ok("id", KeyId::parse(&self.id))?,
            role: place.some("role", KeyRole::from_word(&self.role))?,
            holder: place.some("holder", holder)?,
            algorithm: place.ok("algorithm", KeyAlgorithm::parse(&self.algorithm))?,
            fingerprint: Fingerprint(place.digest("fingerprint", &self.fingerprint)?),
            public_key: self.public_key,
            origin: place.some("origin", OriginClass::from_word(&self.origin))?,
            state: place.some("state", KeyState::from_word(&self.state))?,
            created_at: Timestamp::from_millis(self.created_at),
        })
    }
}

impl Tx<'_> {
    /// The key with a fingerprint, whoever holds it.
    pub fn find_key_by_fingerprint(
        &mut self,
        fingerprint: &Fingerprint,
    ) -> Result<Option<Key>, StoreError> {
        keys::table
            .filter(keys::fingerprint.eq(fingerprint.to_string()))
            .select(KeyRow::as_select())
            .first(self.conn)
            .optional()?
            .map(KeyRow::read)
            .transpose()
    }

    /// The newest key of a role that is still in use.
    pub fn newest_key(&mut self, role: KeyRole) -> Result<Option<Key>, StoreError> {
        let live = [KeyState::Generated, KeyState::Bound].map(KeyState::word);
        keys::table
            .filter(keys::role.eq(role.word()))
            .filter(keys::state.eq_any(live))
            .order(keys::id.desc())
            .select(KeyRow::as_select())
            .first(self.conn)
            .optional()?
            .map(KeyRow::read)
            .transpose()
    }

    /// A key, whoever holds it.
    pub fn load_key(&mut self, id: &KeyId) -> Result<Key, StoreError> {
        keys::table
            .find(id.as_str())
            .select(KeyRow::as_select())
            .first(self.conn)
            .optional()?
            .ok_or(StoreError::NotFound { what: "key" })?
            .read()
    }

    /// Keys of every role and state in the order of their identifiers, from behind one on.
    pub fn list_keys(&mut self, after: Option<&KeyId>, limit: i64) -> Result<Vec<Key>, StoreError> {
        let rows = keys::table
            .filter(keys::id.gt(after.map_or("", KeyId::as_str)))
            .order(keys::id)
            .limit(limit)
            .select(KeyRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(KeyRow::read).collect()
    }

    /// Claims a key's fingerprint for ever.
    pub(crate) fn insert_key(&mut self, key: &Key) -> Result<(), StoreError> {
        diesel::insert_into(keys::table).values(KeyRow::from(key)).execute(self.conn)?;
        Ok(())
    }

    /// A key is in a certificate. From a later state no key returns (DOMAIN 6.5).
    pub(crate) fn bind_key(&mut self, id: &KeyId) -> Result<(), StoreError> {
        let from = [KeyState::Generated, KeyState::Proven, KeyState::Bound].map(KeyState::word);
        let rows = diesel::update(keys::table.find(id.as_str()).filter(keys::state.eq_any(from)))
            .set(keys::state.eq(KeyState::Bound.word()))
            .execute(self.conn)?;
        one(rows, "key state")
    }

    /// A key moves on from one of some states.
    pub(crate) fn move_key(
        &mut self,
        id: &KeyId,
        from: &[KeyState],
        to: KeyState,
    ) -> Result<(), StoreError> {
        let words: Vec<_> = from.iter().map(|state| state.word()).collect();
        let standing = keys::table.find(id.as_str()).filter(keys::state.eq_any(words));
        let rows = diesel::update(standing).set(keys::state.eq(to.word())).execute(self.conn)?;
        one(rows, "key state")
    }

    /// A key's certificate was revoked. What is known about a key that is gone stays: destroyed, or
    /// lost.
    pub(crate) fn end_key(&mut self, id: &KeyId, to: KeyState) -> Result<(), StoreError> {
        let gone = [KeyState::Destroyed, KeyState::Lost].map(KeyState::word);
        let standing = keys::table.find(id.as_str()).filter(keys::state.ne_all(gone));
        diesel::update(standing).set(keys::state.eq(to.word())).execute(self.conn)?;
        Ok(())
    }

    /// A key reached a state from which none leads back.
    pub(crate) fn set_key_state(&mut self, id: &KeyId, state: KeyState) -> Result<(), StoreError> {
        let rows = diesel::update(keys::table.find(id.as_str()))
            .set(keys::state.eq(state.word()))
            .execute(self.conn)?;
        one(rows, "key")
    }
}
