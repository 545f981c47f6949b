//! Certificates and their keys: shown, revoked, put on hold.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Path, Query};
use serde::{Deserialize, Serialize};
use tenkoku_ca::revoke::{self, RevokeOrder};
use tenkoku_ca::suspend::{self, HoldOrder, Release, SuspendOrder};
use tenkoku_domain::access::{Revoke, Scope, ViewRegistry};
use tenkoku_domain::authority::Authority;
use tenkoku_domain::certificate::{Certificate, Serial};
use tenkoku_domain::id::{BranchId, KeyId, OrganisationId};
use tenkoku_domain::key::Key;
use tenkoku_domain::revocation::Cause;
use tenkoku_domain::suspension::HoldCause;
use tenkoku_domain::time::Timestamp;
use tenkoku_pki::pem;
use tenkoku_store::{CertificateFilter, StoreError, Tx};
use utoipa::ToSchema;

use super::BASE;
use super::answer::{PageQuery, Paged, done, one, unchanged, wanted};
use super::applications::{ApprovalJson, chosen};
use super::door::{Call, Called};
use crate::problem::Problem;

/// States that a list can be narrowed to.
pub const STATES: &[&str] = &["issued", "active", "suspended", "retired", "revoked"];

/// A certificate. Its identity is authority and serial number.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Certificate)]
pub struct CertificateJson {
    /// The code of the issuing authority.
    authority: String,
    /// The serial number, in upper-case hexadecimal.
    serial: String,
    /// The profile (DOMAIN 12).
    profile: String,
    /// Common name of the subject.
    common_name: String,
    /// Its state (DOMAIN 6.4).
    state: String,
    /// Why it is on hold or revoked.
    cause: Option<String>,
    /// Since when it is on hold or revoked (RFC 3339, UTC).
    since: Option<String>,
    /// First second of its validity (RFC 3339, UTC).
    not_before: String,
    /// Last second of its validity (RFC 3339, UTC).
    not_after: String,
    /// The last instant at which its key may seal (RFC 3339, UTC).
    sealing_not_after: Option<String>,
    /// The organisation.
    organisation: Option<String>,
    /// The branch office.
    branch: Option<String>,
    /// The instance of the seal.
    instance: Option<String>,
    /// The application it rests on.
    application: Option<String>,
    /// The key.
    key: String,
    /// The certificate (PEM); absent while it is being signed.
    pem: Option<String>,
}

impl CertificateJson {
    pub(super) fn of(one: &Certificate, authority: &Authority) -> Self {
        let seal = one.seal.as_ref();
        let revocation = one.state.revocation();
        Self {
            authority: authority.code.to_string(),
            serial: one.serial.to_string(),
            profile: one.profile.to_string(),
            common_name: one.common_name.clone(),
            state: one.state.word().to_owned(),
            cause: revocation.map(|revocation| revocation.cause.to_string()),
            since: revocation.map(|revocation| revocation.at.to_string()),
            not_before: one.validity.not_before.to_string(),
            not_after: one.validity.not_after.to_string(),
            sealing_not_after: one.sealing_not_after.map(|end| end.to_string()),
            organisation: seal.map(|seal| seal.organisation.to_string()),
            branch: seal.map(|seal| seal.branch.to_string()),
            instance: seal.map(|seal| seal.instance.to_string()),
            application: seal.map(|seal| seal.application.to_string()),
            key: one.key.to_string(),
            pem: one.der.as_ref().map(|der| pem::encode("CERTIFICATE", der)),
        }
    }

    pub(super) fn location(&self) -> String {
        format!("{BASE}/certificates/{}?authority={}", self.serial, self.authority)
    }
}

/// What certificates are narrowed to.
#[derive(Debug, Default, Deserialize)]
pub struct CertificateQuery {
    search: Option<String>,
    state: Option<String>,
    organisation: Option<String>,
    branch: Option<String>,
}

/// `GET /certificates`
pub async fn list_certificates(
    called: Called<ViewRegistry>,
    query: Query<CertificateQuery>,
    page: Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let (after, limit) = (page.after()?, page.limit()?);
    let CertificateQuery { search, state, organisation, branch } = query.into_inner();
    let known = |word: &str| STATES.iter().find(|known| **known == word).copied().ok_or(());
    let filter = CertificateFilter {
        search: wanted(search),
        state: chosen(state.as_ref(), "state", known)?,
        organisation: chosen(organisation.as_ref(), "organisation", OrganisationId::parse)?,
        branch: chosen(branch.as_ref(), "branch", BranchId::parse)?,
    };
    let found = call
        .run(move |env| {
            env.store.read(|tx| {
                let page =
                    tx.list_certificates(permit.scope(), &filter, after.as_deref(), limit)?;
                let authorities = tx.list_authorities()?;
                Ok::<_, StoreError>((page, authorities))
            })
        })
        .await?;
    let (mut page, authorities) = found;
    // What lies outside the authorities that are there cannot be shown; there is no such thing.
    page.items.retain(|one| authorities.iter().any(|known| known.id == one.authority));
    let shown: Vec<CertificateJson> = page
        .items
        .iter()
        .filter_map(|one| {
            let authority = authorities.iter().find(|known| known.id == one.authority)?;
            Some(CertificateJson::of(one, authority))
        })
        .collect();
    let rest = Paged::of(page, |_| ());
    one(&call, &Paged { items: shown, next: rest.next })
}

/// Which of two certificates of one serial number.
#[derive(Debug, Default, Deserialize)]
pub struct AuthorityQuery {
    pub(super) authority: Option<String>,
}

/// AB-1: the one certificate of authority and serial number within the scope.
fn find(
    tx: &mut Tx<'_>,
    scope: &Scope,
    serial: &Serial,
    authority: Option<&str>,
) -> Result<(Certificate, Authority), StoreError> {
    const MISSING: StoreError = StoreError::NotFound { what: "certificate" };
    let mut found = Vec::new();
    for certificate in tx.find_certificates_by_serial(scope, serial)? {
        let issuer = tx.load_authority(&certificate.authority)?;
        if authority.is_none_or(|code| issuer.code.as_str() == code) {
            found.push((certificate, issuer));
        }
    }
    match (found.pop(), found.is_empty()) {
        (Some(one), true) => Ok(one),
        (Some(_), false) | (None, _) => Err(MISSING),
    }
}

pub(super) async fn load(
    call: &Call,
    scope: Scope,
    serial: &str,
    authority: Option<String>,
) -> Result<(Certificate, Authority), Problem> {
    let serial = Serial::parse(serial).map_err(|_| Problem::not_found())?;
    call.run(move |env| env.store.read(|tx| find(tx, &scope, &serial, authority.as_deref()))).await
}

/// `GET /certificates/{serial}`
pub async fn show_certificate(
    called: Called<ViewRegistry>,
    serial: Path<String>,
    query: Query<AuthorityQuery>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let authority = query.into_inner().authority;
    let (certificate, authority) = load(&call, permit.scope().clone(), &serial, authority).await?;
    one(&call, &CertificateJson::of(&certificate, &authority))
}

/// A revocation that is asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Revocation, example = json!({ "cause": "replaced", "comment": "new server" }))]
pub struct RevocationJson {
    /// `key-exposed`, `office-closed`, `name-changed`, `replaced` or `right-withdrawn`.
    cause: String,
    /// Since when the key must be taken as exposed (RFC 3339, UTC).
    #[serde(default)]
    invalid_since: Option<String>,
    /// Words for the audit trail; at most 500 characters.
    #[serde(default)]
    comment: String,
}

fn wrong(pointer: &str, detail: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "request-malformed").with_field(pointer, detail)
}

/// `POST /certificates/{serial}/revocation`
pub async fn revoke_certificate(
    called: Called<Revoke>,
    serial: Path<String>,
    query: Query<AuthorityQuery>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let new: RevocationJson = call.json()?;
    let authority = query.into_inner().authority;
    let (certificate, authority) = load(&call, permit.scope().clone(), &serial, authority).await?;
    unchanged(&call, &CertificateJson::of(&certificate, &authority))?;
    let cause = Cause::from_word(&new.cause).filter(|cause| Cause::OFFERED.contains(cause));
    let invalid_since = match &new.invalid_since {
        None => None,
        Some(text) => {
            Some(Timestamp::parse(text).ok_or_else(|| wrong("/invalid_since", "RFC 3339"))?)
        }
    };
    let order = RevokeOrder {
        authority: certificate.authority,
        serial: certificate.serial,
        cause: cause.ok_or_else(|| wrong("/cause", "?"))?,
        invalid_since,
        comment: new.comment,
    };
    let revoked = call.run(move |env| revoke::revoke_certificate(env, &permit, &order)).await?;
    done(&CertificateJson::of(&revoked, &authority))
}

/// A hold that is asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Suspension, example = json!({ "because": "unclear-facts" }))]
pub struct SuspensionJson {
    /// `unclear-facts`, `copy-suspected` or `custodian-gone`.
    because: String,
    /// Words for the audit trail; at most 500 characters.
    #[serde(default)]
    comment: String,
}

/// Why somebody may put a certificate on hold; the others follow from acts of their own.
const HOLDS: [HoldCause; 3] =
    [HoldCause::UnclearFacts, HoldCause::CopySuspected, HoldCause::CustodianGone];

/// `POST /certificates/{serial}/suspension`
pub async fn suspend_certificate(
    called: Called<Revoke>,
    serial: Path<String>,
    query: Query<AuthorityQuery>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let new: SuspensionJson = call.json()?;
    let authority = query.into_inner().authority;
    let (certificate, authority) = load(&call, permit.scope().clone(), &serial, authority).await?;
    unchanged(&call, &CertificateJson::of(&certificate, &authority))?;
    let because = HoldCause::from_word(&new.because).filter(|one| HOLDS.contains(one));
    let order = SuspendOrder {
        authority: certificate.authority,
        serial: certificate.serial,
        because: because.ok_or_else(|| wrong("/because", "?"))?,
        comment: new.comment,
    };
    let held = call.run(move |env| suspend::suspend_certificate(env, &permit, &order)).await?;
    done(&CertificateJson::of(&held, &authority))
}

/// Words for the audit trail.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Comment, example = json!({ "comment": "the facts are clear" }))]
pub struct CommentJson {
    /// At most 500 characters.
    pub(super) comment: String,
}

/// What became of the wish to lift a hold.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Release)]
pub struct ReleaseJson {
    /// The certificate as it is now.
    certificate: CertificateJson,
    /// The request that officers decide on, where they must.
    approval: Option<ApprovalJson>,
}

/// `POST /certificates/{serial}/release`
pub async fn release_certificate(
    called: Called<Revoke>,
    serial: Path<String>,
    query: Query<AuthorityQuery>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    call.by_person()?;
    let CommentJson { comment } = call.json()?;
    let authority = query.into_inner().authority;
    let (certificate, authority) = load(&call, permit.scope().clone(), &serial, authority).await?;
    let order = HoldOrder {
        authority: certificate.authority.clone(),
        serial: certificate.serial.clone(),
        comment,
    };
    let became = call.run(move |env| suspend::release_certificate(env, &permit, &order)).await?;
    done(&match became {
        Release::Lifted(lifted) => {
            ReleaseJson { certificate: CertificateJson::of(&lifted, &authority), approval: None }
        }
        Release::Waits(request) => ReleaseJson {
            certificate: CertificateJson::of(&certificate, &authority),
            approval: Some(ApprovalJson::from(*request)),
        },
    })
}

/// The key of a seal.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Key)]
pub struct KeyJson {
    /// Its identifier.
    id: String,
    /// `P-256`, `RSA-3072` …
    algorithm: String,
    /// What it is known by, for ever (DOMAIN 8.1).
    fingerprint: String,
    /// How far its origin is shown (DOMAIN 9).
    origin: String,
    /// Its state (DOMAIN 6.5).
    state: String,
    /// When it was claimed (RFC 3339, UTC).
    created_at: String,
    /// The serial numbers of its certificates, newest first.
    certificates: Vec<String>,
}

/// `GET /keys/{key}`
pub async fn show_key(
    called: Called<ViewRegistry>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Called { permit, call } = called;
    let id = KeyId::parse(&id).map_err(|_| Problem::not_found())?;
    let (key, certificates) = call
        .run(move |env| {
            env.store.read(|tx| {
                let mut seen = Vec::new();
                for certificate in tx.certificates_of_key(&id)? {
                    if certificate.seal.is_some() {
                        // Whoever may see a certificate of it may see the key.
                        seen.push(tx.load_certificate(permit.scope(), &certificate.id)?);
                    }
                }
                if seen.is_empty() {
                    return Err(StoreError::NotFound { what: "key" });
                }
                Ok::<(Key, Vec<Certificate>), StoreError>((tx.load_key(&id)?, seen))
            })
        })
        .await?;
    one(
        &call,
        &KeyJson {
            id: key.id.to_string(),
            algorithm: key.algorithm.name().to_owned(),
            fingerprint: key.fingerprint.to_string(),
            origin: key.origin.to_string(),
            state: key.state.to_string(),
            created_at: key.created_at.to_string(),
            certificates: certificates.iter().rev().map(|one| one.serial.to_string()).collect(),
        },
    )
}
