//! Tables `key_lives`, `life_marks` and `acknowledgements`: what happens to a key and its
//! certificate after they were bound.

use diesel::prelude::*;
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::certificate::{Certificate, CertificateState, Profile};
use tenkoku_domain::id::{BranchId, CertificateId, ContainerId, KeyId};
use tenkoku_domain::key::{Key, KeyRole, KeyState};
use tenkoku_domain::policy::DestructionClass;
use tenkoku_domain::time::Timestamp;

use crate::certificates::{CertificateRow, LIVE};
use crate::column::{Place, instant};
use crate::error::StoreError;
use crate::keys::KeyRow;
use crate::schema::{acknowledgements, certificates, key_lives, keys, life_marks};
use crate::tx::{Tx, one};

/// What is known about the life of a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyLife {
    /// Where it lives.
    pub container: Option<ContainerId>,
    /// When it began to seal, where that was acknowledged.
    pub activated_at: Option<Timestamp>,
    /// When it stopped sealing.
    pub retired_at: Option<Timestamp>,
    /// When evidence of destruction is due.
    pub due_at: Option<Timestamp>,
    /// When it was destroyed, by accepted evidence.
    pub destroyed_at: Option<Timestamp>,
    /// The class of that evidence.
    pub class: Option<DestructionClass>,
    /// When it was marked as not evidenced (KM-17).
    pub not_evidenced_at: Option<Timestamp>,
    /// The last count of uses that was reported.
    pub uses: Option<i64>,
    /// When it was reported.
    pub reported_at: Option<Timestamp>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = key_lives)]
struct LifeRow {
    key_id: String,
    container_id: Option<String>,
    activated_at: Option<i64>,
    retired_at: Option<i64>,
    due_at: Option<i64>,
    destroyed_at: Option<i64>,
    class: Option<String>,
    not_evidenced_at: Option<i64>,
    uses: Option<i64>,
    reported_at: Option<i64>,
}

impl LifeRow {
    fn read(self) -> Result<KeyLife, StoreError> {
        let place = Place::new("key life", &self.key_id);
        let container =
            self.container_id.map(|id| place.ok("container_id", ContainerId::parse(&id)));
        let class = self.class.map(|word| place.some("class", DestructionClass::from_word(&word)));
        Ok(KeyLife {
            container: container.transpose()?,
            activated_at: instant(self.activated_at),
            retired_at: instant(self.retired_at),
            due_at: instant(self.due_at),
            destroyed_at: instant(self.destroyed_at),
            class: class.transpose()?,
            not_evidenced_at: instant(self.not_evidenced_at),
            uses: self.uses,
            reported_at: instant(self.reported_at),
        })
    }
}

/// A certificate that waits for its key's acknowledgement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    /// Until when.
    pub due_at: Timestamp,
    /// The challenge, where one was asked for.
    pub challenge: Option<Digest>,
    /// Until when the challenge may be answered.
    pub challenge_until: Option<Timestamp>,
    /// When it was acknowledged.
    pub acknowledged_at: Option<Timestamp>,
}

/// Sets columns of a key's life, whose row is made when it is missing.
macro_rules! set_life {
    ($tx:expr, $key:expr, $changes:expr) => {{
        let known: i64 = key_lives::table.find($key.as_str()).count().get_result($tx.conn)?;
        if known == 0 {
            diesel::insert_into(key_lives::table)
                .values(key_lives::key_id.eq($key.as_str()))
                .execute($tx.conn)?;
        }
        let rows =
            diesel::update(key_lives::table.find($key.as_str())).set($changes).execute($tx.conn)?;
        one(rows, "key life")
    }};
}

impl Tx<'_> {
    /// What is known about the life of a key; nothing before anything happened.
    pub fn load_key_life(&mut self, key: &KeyId) -> Result<KeyLife, StoreError> {
        let row = key_lives::table
            .find(key.as_str())
            .select(LifeRow::as_select())
            .first(self.conn)
            .optional()?;
        row.map_or_else(|| Ok(KeyLife::default()), LifeRow::read)
    }

    /// Keys of seals in some states.
    pub fn list_seal_keys_in(&mut self, states: &[KeyState]) -> Result<Vec<Key>, StoreError> {
        let words: Vec<_> = states.iter().map(|state| state.word()).collect();
        let rows = keys::table
            .filter(keys::role.eq(KeyRole::Seal.word()))
            .filter(keys::state.eq_any(words))
            .order(keys::id)
            .select(KeyRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(KeyRow::read).collect()
    }

    /// The newest certificate over a key, once it was signed.
    pub fn newest_certificate_of_key(
        &mut self,
        key: &KeyId,
    ) -> Result<Option<Certificate>, StoreError> {
        certificates::table
            .filter(certificates::key_id.eq(key.as_str()))
            .filter(certificates::state.ne("pending"))
            .order(certificates::id.desc())
            .select(CertificateRow::as_select())
            .first(self.conn)
            .optional()?
            .map(CertificateRow::read)
            .transpose()
    }

    /// Certificates of an instance, newest first.
    pub fn certificates_of_instance(
        &mut self,
        instance: &tenkoku_domain::id::InstanceId,
    ) -> Result<Vec<Certificate>, StoreError> {
        let rows = certificates::table
            .filter(certificates::instance_id.eq(instance.as_str()))
            .order(certificates::id.desc())
            .select(CertificateRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(CertificateRow::read).collect()
    }

    /// Certificates of seals that are not revoked, expired ones included, after an
    /// identifier; by identifier, at most `limit`.
    pub fn live_seals_after(
        &mut self,
        after: &str,
        limit: i64,
    ) -> Result<Vec<Certificate>, StoreError> {
        let rows = certificates::table
            .filter(certificates::state.eq_any(LIVE).or(certificates::state.eq("retired")))
            .filter(certificates::instance_id.is_not_null())
            .filter(certificates::id.gt(after))
            .order(certificates::id)
            .limit(limit)
            .select(CertificateRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(CertificateRow::read).collect()
    }

    /// Live certificates of a service's profile, oldest first.
    pub fn live_of_profile(&mut self, profile: Profile) -> Result<Vec<Certificate>, StoreError> {
        let rows = certificates::table
            .filter(certificates::state.eq_any(LIVE))
            .filter(certificates::profile.eq(profile.word()))
            .order(certificates::id)
            .select(CertificateRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(CertificateRow::read).collect()
    }

    /// The certificates that are alive and whose keys are in a container.
    pub fn live_certificates_in(
        &mut self,
        container: &ContainerId,
    ) -> Result<Vec<CertificateId>, StoreError> {
        let ids: Vec<String> = certificates::table
            .inner_join(key_lives::table.on(key_lives::key_id.eq(certificates::key_id)))
            .filter(key_lives::container_id.eq(container.as_str()))
            .filter(certificates::state.eq_any(LIVE))
            .order(certificates::id)
            .select(certificates::id)
            .load(self.conn)?;
        let read = |id: String| Place::new("certificate", &id).ok("id", CertificateId::parse(&id));
        ids.into_iter().map(read).collect()
    }

    /// Branches with a key that is not destroyed in a container.
    pub fn branches_in_container(
        &mut self,
        container: &ContainerId,
    ) -> Result<Vec<BranchId>, StoreError> {
        let gone = [KeyState::Destroyed, KeyState::Lost].map(KeyState::word);
        let rows = certificates::table
            .inner_join(keys::table.on(keys::id.eq(certificates::key_id)))
            .inner_join(key_lives::table.on(key_lives::key_id.eq(keys::id)))
            .filter(key_lives::container_id.eq(container.as_str()))
            .filter(keys::state.ne_all(gone))
            .filter(certificates::branch_id.is_not_null())
            .select(certificates::branch_id.assume_not_null())
            .distinct()
            .load::<String>(self.conn)?;
        rows.iter()
            .map(|id| Place::new("certificate", id).ok("branch_id", BranchId::parse(id)))
            .collect()
    }

    /// Whether something was told about an object, and when.
    pub fn find_mark(&mut self, object: &str, kind: &str) -> Result<Option<Timestamp>, StoreError> {
        let at = life_marks::table
            .find((object, kind))
            .select(life_marks::at)
            .first(self.conn)
            .optional()?;
        Ok(at.map(Timestamp::from_millis))
    }

    /// Notes that something was told once, beside a record of its own; a second note is a conflict.
    pub fn insert_mark(
        &mut self,
        object: &str,
        kind: &str,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        diesel::insert_into(life_marks::table)
            .values((
                life_marks::object.eq(object),
                life_marks::kind.eq(kind),
                life_marks::at.eq(at.millis()),
            ))
            .execute(self.conn)?;
        Ok(())
    }

    /// What a certificate waits for.
    pub fn find_acknowledgement(
        &mut self,
        certificate: &CertificateId,
    ) -> Result<Option<Acknowledgement>, StoreError> {
        type Row = (i64, Option<String>, Option<i64>, Option<i64>);
        let row = acknowledgements::table
            .find(certificate.as_str())
            .select((
                acknowledgements::due_at,
                acknowledgements::challenge,
                acknowledgements::challenge_until,
                acknowledgements::acknowledged_at,
            ))
            .first::<Row>(self.conn)
            .optional()?;
        let place = Place::new("acknowledgement", certificate.as_str());
        row.map(|(due_at, challenge, until, done)| {
            let challenge = challenge.map(|text| place.digest("challenge", &text));
            Ok(Acknowledgement {
                due_at: Timestamp::from_millis(due_at),
                challenge: challenge.transpose()?,
                challenge_until: instant(until),
                acknowledged_at: instant(done),
            })
        })
        .transpose()
    }

    /// Certificates whose acknowledgement did not come in time.
    pub fn list_unacknowledged(
        &mut self,
        now: Timestamp,
    ) -> Result<Vec<CertificateId>, StoreError> {
        let rows = acknowledgements::table
            .filter(acknowledgements::acknowledged_at.is_null())
            .filter(acknowledgements::due_at.le(now.millis()))
            .order(acknowledgements::due_at)
            .select(acknowledgements::certificate_id)
            .load::<String>(self.conn)?;
        rows.iter()
            .map(|id| Place::new("acknowledgement", id).ok("id", CertificateId::parse(id)))
            .collect()
    }

    /// A certificate begins to wait.
    pub(crate) fn insert_acknowledgement(
        &mut self,
        certificate: &Certificate,
        due_at: Timestamp,
    ) -> Result<(), StoreError> {
        diesel::insert_into(acknowledgements::table)
            .values((
                acknowledgements::certificate_id.eq(certificate.id.as_str()),
                acknowledgements::due_at.eq(due_at.millis()),
            ))
            .execute(self.conn)?;
        Ok(())
    }

    pub(crate) fn set_challenge(
        &mut self,
        certificate: &CertificateId,
        challenge: &Digest,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        let rows = diesel::update(acknowledgements::table.find(certificate.as_str()))
            .set((
                acknowledgements::challenge.eq(challenge.to_string()),
                acknowledgements::challenge_until.eq(until.millis()),
            ))
            .execute(self.conn)?;
        one(rows, "acknowledgement")
    }

    /// The wait is over: acknowledged, or given up.
    pub(crate) fn end_acknowledgement(
        &mut self,
        certificate: &CertificateId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let open = acknowledgements::table
            .find(certificate.as_str())
            .filter(acknowledgements::acknowledged_at.is_null());
        diesel::update(open)
            .set(acknowledgements::acknowledged_at.eq(at.millis()))
            .execute(self.conn)?;
        Ok(())
    }

    pub(crate) fn activate_key(&mut self, key: &KeyId, at: Timestamp) -> Result<(), StoreError> {
        set_life!(self, key, key_lives::activated_at.eq(at.millis()))
    }

    pub(crate) fn place_key(
        &mut self,
        key: &KeyId,
        container: &ContainerId,
    ) -> Result<(), StoreError> {
        set_life!(self, key, key_lives::container_id.eq(container.as_str()))
    }

    /// A certificate retires with its key; the status stays good (RO-1).
    pub(crate) fn retire_certificate(
        &mut self,
        certificate: &Certificate,
        due_at: Timestamp,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.move_certificate(certificate, &["active"], &CertificateState::Retired)?;
        self.move_key(&certificate.key, &[KeyState::Bound], KeyState::Retiring)?;
        let dates = (key_lives::retired_at.eq(at.millis()), key_lives::due_at.eq(due_at.millis()));
        set_life!(self, certificate.key, dates)
    }

    pub(crate) fn set_destruction_due(
        &mut self,
        key: &Key,
        due_at: Timestamp,
    ) -> Result<(), StoreError> {
        if key.state == KeyState::Retiring {
            self.move_key(&key.id, &[KeyState::Retiring], KeyState::DestructionDue)?;
        }
        set_life!(self, key.id, key_lives::due_at.eq(due_at.millis()))
    }

    pub(crate) fn set_not_evidenced(
        &mut self,
        key: &KeyId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        set_life!(self, key, key_lives::not_evidenced_at.eq(at.millis()))
    }

    pub(crate) fn set_destroyed(
        &mut self,
        key: &KeyId,
        class: DestructionClass,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let from =
            [KeyState::Retiring, KeyState::DestructionDue, KeyState::Compromised, KeyState::Lost];
        self.move_key(key, &from, KeyState::Destroyed)?;
        let facts = (key_lives::destroyed_at.eq(at.millis()), key_lives::class.eq(class.word()));
        set_life!(self, key, facts)
    }

    pub(crate) fn set_uses(
        &mut self,
        key: &KeyId,
        uses: i64,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        set_life!(self, key, (key_lives::uses.eq(uses), key_lives::reported_at.eq(at.millis())))
    }
}
