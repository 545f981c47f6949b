//! Table `certificates`: what was issued, or is about to be.

use std::collections::BTreeMap;

use diesel::dsl::max;
use diesel::prelude::*;
use tenkoku_domain::access::Scope;
use tenkoku_domain::certificate::{
    Certificate, CertificateState, Profile, SealBinding, Serial, Validity,
};
use tenkoku_domain::id::{
    ApplicationId, AuthorityId, BranchId, CertificateId, InstanceId, KeyId, OrganisationId,
};
use tenkoku_domain::key::{Fingerprint, KeyState};
use tenkoku_domain::name::comparable;
use tenkoku_domain::revocation::{Cause, Revocation};
use tenkoku_domain::time::Timestamp;

use crate::column::{Place, instant, millis};
use crate::connection::AnyBackend;
use crate::error::StoreError;
use crate::page::{Page, beginning, containing};
use crate::schema::{certificates, keys};
use crate::scope::within;
use crate::tx::{Tx, lock_row, one};

/// States of a certificate that people see as living.
pub(crate) const LIVE: [&str; 3] = ["issued", "active", "suspended"];
/// States in which a certificate occupies its instance (I-3).
pub(crate) const OCCUPYING: [&str; 4] = ["pending", "issued", "active", "suspended"];
/// States from which a revocation leads (DOMAIN 6.4); a pending certificate counts as issued.
pub(crate) const OPEN: [&str; 5] = ["pending", "issued", "active", "suspended", "retired"];

/// Which certificates of seals a list shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateFilter {
    /// The beginning of a serial number, or a part of the common name; empty for all.
    pub search: String,
    /// Those of an organisation.
    pub organisation: Option<OrganisationId>,
    /// Those of a branch.
    pub branch: Option<BranchId>,
    /// Those in a state, by its stored word.
    pub state: Option<&'static str>,
}

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = certificates)]
pub(crate) struct CertificateRow {
    id: String,
    authority_id: String,
    serial: String,
    profile: String,
    profile_version: i32,
    key_id: String,
    organisation_id: Option<String>,
    branch_id: Option<String>,
    instance_id: Option<String>,
    application_id: Option<String>,
    common_name: String,
    not_before: i64,
    not_after: i64,
    sealing_not_after: Option<i64>,
    policy: String,
    tbs: Vec<u8>,
    der: Option<Vec<u8>>,
    state: String,
    cause: Option<String>,
    revoked_at: Option<i64>,
    invalid_since: Option<i64>,
    created_at: i64,
    searchable: String,
}

impl From<&Certificate> for CertificateRow {
    fn from(certificate: &Certificate) -> Self {
        let seal = certificate.seal.as_ref();
        let revocation = certificate.state.revocation();
        Self {
            id: certificate.id.to_string(),
            authority_id: certificate.authority.to_string(),
            serial: certificate.serial.to_string(),
            profile: certificate.profile.to_string(),
            profile_version: Profile::VERSION,
            key_id: certificate.key.to_string(),
            organisation_id: seal.map(|seal| seal.organisation.to_string()),
            branch_id: seal.map(|seal| seal.branch.to_string()),
            instance_id: seal.map(|seal| seal.instance.to_string()),
            application_id: seal.map(|seal| seal.application.to_string()),
            common_name: certificate.common_name.clone(),
            not_before: certificate.validity.not_before.millis(),
            not_after: certificate.validity.not_after.millis(),
            sealing_not_after: millis(certificate.sealing_not_after),
            policy: certificate.policy.to_string(),
            tbs: certificate.tbs.clone(),
            der: certificate.der.clone(),
            state: certificate.state.word().to_owned(),
            cause: revocation.map(|revocation| revocation.cause.to_string()),
            revoked_at: revocation.map(|revocation| revocation.at.millis()),
            invalid_since: revocation.and_then(|revocation| millis(revocation.invalid_since)),
            created_at: certificate.created_at.millis(),
            searchable: comparable(&certificate.common_name),
        }
    }
}

/// The columns that a state is kept in.
pub(crate) struct StateColumns<'a> {
    pub(crate) state: &'a str,
    pub(crate) cause: Option<String>,
    pub(crate) revoked_at: Option<i64>,
    pub(crate) invalid_since: Option<i64>,
}

/// The columns of a hold or a revocation; all empty where there is none.
macro_rules! hold_columns {
    ($revocation:expr) => {{
        let revocation: Option<&Revocation> = $revocation;
        (
            certificates::cause.eq(revocation.map(|told| told.cause.word())),
            certificates::revoked_at.eq(revocation.map(|told| told.at.millis())),
            certificates::invalid_since.eq(revocation.and_then(|told| millis(told.invalid_since))),
        )
    }};
}

/// Reads a state back.
pub(crate) fn read_state(
    place: Place<'_>,
    columns: StateColumns<'_>,
) -> Result<CertificateState, StoreError> {
    let cause = columns.cause.as_deref().and_then(Cause::from_word);
    let invalid_since = instant(columns.invalid_since);
    let revocation = cause.zip(instant(columns.revoked_at)).map(|(cause, at)| Revocation {
        cause,
        at,
        invalid_since,
    });
    let state = match (columns.state, revocation) {
        ("pending", None) => Some(CertificateState::Pending),
        ("issued", None) => Some(CertificateState::Issued),
        ("issued", Some(revocation)) => Some(CertificateState::Held(revocation)),
        ("active", None) => Some(CertificateState::Active),
        ("retired", None) => Some(CertificateState::Retired),
        ("suspended", Some(revocation)) => Some(CertificateState::Suspended(revocation)),
        ("revoked", Some(revocation)) => Some(CertificateState::Revoked(revocation)),
        _ => None,
    };
    place.some("state", state)
}

impl CertificateRow {
    pub(crate) fn read(self) -> Result<Certificate, StoreError> {
        let place = Place::new("certificate", &self.id);
        let parts = (
            self.organisation_id.as_deref(),
            self.branch_id.as_deref(),
            self.instance_id.as_deref(),
            self.application_id.as_deref(),
        );
        let seal = match parts {
            (None, None, None, None) => None,
            (Some(organisation), Some(branch), Some(instance), Some(application)) => {
                Some(SealBinding {
                    organisation: place
                        .ok("organisation_id", OrganisationId::parse(organisation))?,
                    branch: place.ok("branch_id", BranchId::parse(branch))?,
                    instance: place.ok("instance_id", InstanceId::parse(instance))?,
                    application: place.ok("application_id", ApplicationId::parse(application))?,
                })
            }
            _ => place.some("application_id", None)?,
        };
        let columns = StateColumns {
            state: &self.state,
            cause: self.cause,
            revoked_at: self.revoked_at,
            invalid_since: self.invalid_since,
        };
        Ok(Certificate {
            id: place.ok("id", CertificateId::parse(&self.id))?,
            authority: place.ok("authority_id", AuthorityId::parse(&self.authority_id))?,
            serial: place.ok("serial", Serial::parse(&self.serial))?,
            profile: place.some("profile", Profile::from_word(&self.profile))?,
            key: place.ok("key_id", KeyId::parse(&self.key_id))?,
            seal,
            common_name: self.common_name,
            validity: Validity {
                not_before: Timestamp::from_millis(self.not_before),
                not_after: Timestamp::from_millis(self.not_after),
            },
            sealing_not_after: instant(self.sealing_not_after),
            policy: place.digest("policy", &self.policy)?,
            tbs: self.tbs,
            der: self.der,
            state: read_state(place, columns)?,
            created_at: Timestamp::from_millis(self.created_at),
        })
    }
}

/// The certificates within a scope, as a boxed query. Those of authorities and services belong to
/// no organisation, so only the whole platform holds them.
macro_rules! visible {
    ($scope:expr) => {
        within!(
            certificates::table.into_boxed::<AnyBackend>(),
            $scope,
            certificates::organisation_id,
            certificates::branch_id
        )
    };
}

impl Tx<'_> {
    /// Writes down what is about to be signed, before the key moves. A serial number that the
    /// authority has used, or an application that already has its certificate, is a conflict.
    pub fn insert_pending(&mut self, certificate: &Certificate) -> Result<(), StoreError> {
        self.change(|tx| {
            let row = CertificateRow {
                der: None,
                state: CertificateState::Pending.word().to_owned(),
                ..CertificateRow::from(certificate)
            };
            diesel::insert_into(certificates::table).values(row).execute(tx.conn)?;
            Ok(())
        })
    }

    /// What was to be signed and never completed, oldest first.
    pub fn list_pending(&mut self) -> Result<Vec<Certificate>, StoreError> {
        let rows = certificates::table
            .filter(certificates::state.eq(CertificateState::Pending.word()))
            .order(certificates::id)
            .select(CertificateRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(CertificateRow::read).collect()
    }

    /// The certificate of an authority with a serial number, within the scope.
    pub fn find_certificate(
        &mut self,
        scope: &Scope,
        authority: &AuthorityId,
        serial: &Serial,
    ) -> Result<Option<Certificate>, StoreError> {
        visible!(scope)
            .filter(certificates::authority_id.eq(authority.as_str()))
            .filter(certificates::serial.eq(serial.to_string()))
            .select(CertificateRow::as_select())
            .first(self.conn)
            .optional()?
            .map(CertificateRow::read)
            .transpose()
    }

    /// The certificates with a serial number, of any authority, within the scope.
    pub fn find_certificates_by_serial(
        &mut self,
        scope: &Scope,
        serial: &Serial,
    ) -> Result<Vec<Certificate>, StoreError> {
        let rows = visible!(scope)
            .filter(certificates::serial.eq(serial.to_string()))
            .order(certificates::id)
            .select(CertificateRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(CertificateRow::read).collect()
    }

    /// A certificate within the scope.
    pub fn load_certificate(
        &mut self,
        scope: &Scope,
        id: &CertificateId,
    ) -> Result<Certificate, StoreError> {
        visible!(scope)
            .filter(certificates::id.eq(id.as_str()))
            .select(CertificateRow::as_select())
            .first(self.conn)
            .optional()?
            .ok_or(StoreError::NotFound { what: "certificate" })?
            .read()
    }

    /// A certificate within the scope, locked until the end of the transaction.
    pub fn lock_certificate(
        &mut self,
        scope: &Scope,
        id: &CertificateId,
    ) -> Result<Certificate, StoreError> {
        lock_row!(self, certificates, id.as_str());
        self.load_certificate(scope, id)
    }

    /// Certificates of seals within the scope, newest first.
    pub fn list_certificates(
        &mut self,
        scope: &Scope,
        filter: &CertificateFilter,
        after: Option<&str>,
        limit: i64,
    ) -> Result<Page<Certificate>, StoreError> {
        let mut query = visible!(scope).filter(certificates::application_id.is_not_null());
        if let Some(organisation) = &filter.organisation {
            query = query.filter(certificates::organisation_id.eq(organisation.as_str()));
        }
        if let Some(branch) = &filter.branch {
            query = query.filter(certificates::branch_id.eq(branch.as_str()));
        }
        if let Some(state) = filter.state {
            query = query.filter(certificates::state.eq(state));
        }
        let search = filter.search.trim();
        if !search.is_empty() {
            let digits = search.replace([' ', ':'], "").to_ascii_uppercase();
            let serial = certificates::serial.like(beginning(&digits)).escape('\\');
            let name = containing(&comparable(search));
            query = query.filter(serial.or(certificates::searchable.like(name).escape('\\')));
        }
        if let Some(after) = after {
            query = query.filter(certificates::id.lt(after));
        }
        let rows = query
            .order(certificates::id.desc())
            .limit(limit.saturating_add(1))
            .select(CertificateRow::as_select())
            .load(self.conn)?;
        Page::of(rows, limit, |row| row.id.clone()).try_map(CertificateRow::read)
    }

    /// The certificates of a key that are neither revoked nor expired by their state.
    pub fn list_open_certificates_of_key(
        &mut self,
        key: &KeyId,
    ) -> Result<Vec<Certificate>, StoreError> {
        let rows = certificates::table
            .filter(certificates::key_id.eq(key.as_str()))
            .filter(certificates::state.eq_any(OPEN))
            .order(certificates::id)
            .select(CertificateRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(CertificateRow::read).collect()
    }

    /// The certificates of a branch that are neither revoked nor expired (I-10), oldest first. One
    /// that is being signed is among them.
    pub fn open_certificates_of_branch(
        &mut self,
        branch: &BranchId,
        now: Timestamp,
    ) -> Result<Vec<Certificate>, StoreError> {
        let rows = certificates::table
            .filter(certificates::branch_id.eq(branch.as_str()))
            .filter(certificates::state.eq_any(OPEN))
            .filter(certificates::not_after.ge(now.floor().millis()))
            .order(certificates::id)
            .select(CertificateRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(CertificateRow::read).collect()
    }

    /// How many keys of an organisation were in a certificate and are not shown to be destroyed.
    pub fn count_keys_without_evidence(
        &mut self,
        organisation: &OrganisationId,
    ) -> Result<i64, StoreError> {
        let certified = certificates::table
            .filter(certificates::organisation_id.eq(organisation.as_str()))
            .select(certificates::key_id);
        Ok(keys::table
            .filter(keys::id.eq_any(certified))
            .filter(keys::state.ne(KeyState::Destroyed.word()))
            .count()
            .get_result(self.conn)?)
    }

    /// The newest certificate of a service's signer that may be used now: signed, valid, neither
    /// revoked nor suspended.
    pub fn current_signer(
        &mut self,
        authority: &AuthorityId,
        profile: Profile,
        now: Timestamp,
    ) -> Result<Option<Certificate>, StoreError> {
        Ok(self.list_signers(authority, profile, now)?.into_iter().next())
    }

    /// The certificates of a service's signers that may be used now, newest first. The former one
    /// is still among them for as long as it is valid.
    pub fn list_signers(
        &mut self,
        authority: &AuthorityId,
        profile: Profile,
        now: Timestamp,
    ) -> Result<Vec<Certificate>, StoreError> {
        let rows = certificates::table
            .filter(certificates::authority_id.eq(authority.as_str()))
            .filter(certificates::profile.eq(profile.word()))
            .filter(certificates::state.eq_any(["issued", "active"]))
            .filter(certificates::der.is_not_null())
            .filter(certificates::not_before.le(now.millis()))
            .filter(certificates::not_after.ge(now.floor().millis()))
            .order((certificates::created_at.desc(), certificates::id.desc()))
            .select(CertificateRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(CertificateRow::read).collect()
    }

    /// The certificates of one key, oldest first: of an authority, its own and its
    /// cross-certificates.
    pub fn certificates_of_key(&mut self, key: &KeyId) -> Result<Vec<Certificate>, StoreError> {
        let rows = certificates::table
            .filter(certificates::key_id.eq(key.as_str()))
            .order(certificates::id)
            .select(CertificateRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(CertificateRow::read).collect()
    }

    /// Some certificates of an authority that are neither expired nor revoked, oldest first. The
    /// authority's own is not among them.
    pub fn list_open(
        &mut self,
        authority: &AuthorityId,
        own: &KeyId,
        now: Timestamp,
        limit: i64,
    ) -> Result<Vec<Certificate>, StoreError> {
        let rows = certificates::table
            .filter(certificates::authority_id.eq(authority.as_str()))
            .filter(certificates::key_id.ne(own.as_str()))
            .filter(certificates::state.eq_any(OPEN))
            .filter(certificates::state.ne(CertificateState::Pending.word()))
            .filter(certificates::not_after.ge(now.floor().millis()))
            .order(certificates::id)
            .limit(limit)
            .select(CertificateRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(CertificateRow::read).collect()
    }

    /// How many certificates of an authority are neither expired nor revoked, by their profile.
    /// The authority's own and those of its OCSP signers do not count: they end with it.
    pub fn open_certificates(
        &mut self,
        authority: &AuthorityId,
        own: &KeyId,
        now: Timestamp,
    ) -> Result<BTreeMap<String, i64>, StoreError> {
        use diesel::dsl::count_star;
        let rows: Vec<(String, i64)> = certificates::table
            .group_by(certificates::profile)
            .filter(certificates::authority_id.eq(authority.as_str()))
            .filter(certificates::key_id.ne(own.as_str()))
            .filter(certificates::profile.ne(Profile::OcspSigner.word()))
            .filter(certificates::state.eq_any(OPEN))
            .filter(certificates::not_after.ge(now.floor().millis()))
            .select((certificates::profile, count_star()))
            .load(self.conn)?;
        Ok(rows.into_iter().collect())
    }

    /// How many branches hold a certificate of an authority that is neither expired nor revoked.
    pub fn count_served_branches(
        &mut self,
        authority: &AuthorityId,
        now: Timestamp,
    ) -> Result<i64, StoreError> {
        Ok(certificates::table
            .filter(certificates::authority_id.eq(authority.as_str()))
            .filter(certificates::branch_id.is_not_null())
            .filter(certificates::state.eq_any(OPEN))
            .filter(certificates::not_after.ge(now.floor().millis()))
            .select(diesel::dsl::count(certificates::branch_id).aggregate_distinct())
            .first(self.conn)?)
    }

    /// Keeps a certificate that an offline key signed: it comes whole.
    pub(crate) fn insert_received(&mut self, certificate: &Certificate) -> Result<(), StoreError> {
        let row = CertificateRow::from(certificate);
        diesel::insert_into(certificates::table).values(row).execute(self.conn)?;
        self.bind_key(&certificate.key)
    }

    /// The newest certificate of each of some branches, by the branch.
    pub(crate) fn newest_certificates(
        &mut self,
        branches: &[&str],
    ) -> Result<BTreeMap<String, Certificate>, StoreError> {
        let newest = certificates::table
            .group_by(certificates::branch_id)
            .filter(certificates::branch_id.eq_any(branches))
            .select(max(certificates::id))
            .load::<Option<String>>(self.conn)?;
        let newest: Vec<String> = newest.into_iter().flatten().collect();
        let rows = certificates::table
            .filter(certificates::id.eq_any(newest))
            .select(CertificateRow::as_select())
            .load(self.conn)?;
        rows.into_iter()
            .map(|row| Ok((row.branch_id.clone().unwrap_or_default(), row.read()?)))
            .collect()
    }

    /// Certificates over the key of a fingerprint that people see as living, whoever holds them.
    pub fn list_live_certificates_of_key(
        &mut self,
        fingerprint: &Fingerprint,
    ) -> Result<Vec<Certificate>, StoreError> {
        let of_key =
            keys::table.filter(keys::fingerprint.eq(fingerprint.to_string())).select(keys::id);
        let rows: Vec<CertificateRow> = certificates::table
            .filter(certificates::key_id.eq_any(of_key))
            .filter(certificates::state.eq_any(LIVE))
            .order(certificates::id)
            .select(CertificateRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(CertificateRow::read).collect()
    }

    /// A pending certificate was signed and is released; its application is answered, its key
    /// bound.
    pub(crate) fn complete_certificate(
        &mut self,
        certificate: &Certificate,
    ) -> Result<(), StoreError> {
        // The application first, as whoever begins an issuance locks it: two that meet in the other
        // order would stop each other.
        if let Some(seal) = &certificate.seal {
            self.issue_application(&seal.application, &certificate.id)?;
        }
        let pending = certificates::table
            .filter(certificates::authority_id.eq(certificate.authority.as_str()))
            .filter(certificates::serial.eq(certificate.serial.to_string()))
            .filter(certificates::state.eq(CertificateState::Pending.word()));
        let rows = diesel::update(pending)
            .set((
                certificates::der.eq(certificate.der.as_deref()),
                certificates::state.eq(certificate.state.word()),
                hold_columns!(certificate.state.revocation()),
            ))
            .execute(self.conn)?;
        one(rows, "certificate state")?;
        self.bind_key(&certificate.key)
    }

    /// A pending certificate, which nobody received, is revoked; its application may be answered
    /// anew. The key stays as it is: nothing was bound to it.
    pub(crate) fn withdraw_certificate(
        &mut self,
        certificate: &Certificate,
        revocation: &Revocation,
    ) -> Result<(), StoreError> {
        if let Some(seal) = &certificate.seal {
            self.reopen_application(&seal.application)?;
        }
        self.set_revoked(certificate, revocation, &["pending"])
    }

    /// A certificate is revoked for ever; its key is exposed, or due to be destroyed.
    pub(crate) fn revoke_certificate(
        &mut self,
        certificate: &Certificate,
        revocation: &Revocation,
    ) -> Result<(), StoreError> {
        self.set_revoked(certificate, revocation, &OPEN)?;
        if revocation.cause == Cause::KeyExposed {
            self.block_exposed(&certificate.key, revocation.at)?;
            return self.end_key(&certificate.key, KeyState::Compromised);
        }
        match &certificate.seal {
            Some(_) => self.end_key(&certificate.key, KeyState::DestructionDue),
            None => Ok(()),
        }
    }

    /// A certificate moves to another state of its life, from one of some states.
    pub(crate) fn move_certificate(
        &mut self,
        certificate: &Certificate,
        from: &[&str],
        to: &CertificateState,
    ) -> Result<(), StoreError> {
        let standing = certificates::table
            .find(certificate.id.as_str())
            .filter(certificates::state.eq_any(from));
        let rows = diesel::update(standing)
            .set((certificates::state.eq(to.word()), hold_columns!(to.revocation())))
            .execute(self.conn)?;
        one(rows, "certificate state")
    }

    fn set_revoked(
        &mut self,
        certificate: &Certificate,
        revocation: &Revocation,
        from: &[&str],
    ) -> Result<(), StoreError> {
        let unrevoked = certificates::table
            .filter(certificates::authority_id.eq(certificate.authority.as_str()))
            .filter(certificates::serial.eq(certificate.serial.to_string()))
            .filter(certificates::state.eq_any(from));
        let rows = diesel::update(unrevoked)
            .set((
                certificates::state.eq("revoked"),
                certificates::cause.eq(revocation.cause.word()),
                certificates::revoked_at.eq(revocation.at.millis()),
                certificates::invalid_since.eq(millis(revocation.invalid_since)),
            ))
            .execute(self.conn)?;
        one(rows, "certificate state")
    }
}
