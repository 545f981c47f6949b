//! Issuers whose certificates and statements about people are believed: proposed by one, accepted by
//! two others (DOMAIN 16, 17); and the judgement of a signature that rests on one.

use std::collections::BTreeSet;

use serde_json::json;
use tenkoku_domain::access::{ApprovePolicy, OperateAuthority, Permit, Scope};
use tenkoku_domain::approval::{Approvable, ApprovalState, Step, needs};
use tenkoku_domain::audit::{AuditCode, DelegationEvent, ObjectRef};
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::id::{IssuerId, OrganisationId};
use tenkoku_domain::issuer::{IssuerState, IssuerUse, TrustedIssuer};
use tenkoku_domain::name::Name;
use tenkoku_domain::policy::Installation;
use tenkoku_domain::proofing::Source;
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::time::Timestamp;
use tenkoku_pki::cms::DetachedSignature;
use tenkoku_pki::path::{
    Budget, Holder, PolicyDemands, Question, Revocation, Verdict as Judgement, validate,
};
use tenkoku_ports::Env;
use tenkoku_store::{StoreError, Tx};

use crate::act::{ActError, told};
use crate::approval::{Opening, Ruling, open, rule};
use crate::office::record;

/// Longest time for which an issuer is believed, in days.
const LONGEST_DAYS: i64 = 1096;

/// An issuer to be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerOrder {
    /// What people call it.
    pub name: String,
    /// Its certificate, DER.
    pub certificate: Vec<u8>,
    /// What for.
    pub uses: BTreeSet<IssuerUse>,
    /// The only organisation, or none for all.
    pub organisation: Option<OrganisationId>,
    /// Until when.
    pub until: Timestamp,
}

/// A document signed with a certificate that an issuer vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedFile {
    /// A detached CMS signature, PEM or DER.
    pub signature: Vec<u8>,
    /// Certificates between signer and issuer that are not in the signature, DER.
    pub intermediates: Vec<Vec<u8>>,
    /// Revocation lists, DER. Without a current one for every certificate nothing is believed.
    pub crls: Vec<Vec<u8>>,
}

/// Proposes an issuer. In an evaluation it is believed at once.
pub fn propose_issuer(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    order: &IssuerOrder,
) -> Result<TrustedIssuer, ActError> {
    let now = env.clock.now();
    let done = env.store.write(|tx| {
        let holder = Holder::read(&order.certificate).ok_or_else(|| wrong("certificate"))?;
        if order.uses.is_empty() {
            return Err(wrong("uses").into());
        }
        let latest = now.plus_days(LONGEST_DAYS).min(holder.not_after);
        if order.until <= now || order.until > latest {
            return Err(wrong("period").with("until", latest).into());
        }
        let mut issuer = TrustedIssuer {
            id: IssuerId::new(now, &*env.entropy),
            name: Name::parse(&order.name)?,
            certificate: order.certificate.clone(),
            uses: order.uses.clone(),
            organisation: order.organisation.clone(),
            from: now,
            until: order.until,
            state: IssuerState::Proposed,
        };
        let request = match env.settings.installation {
            Installation::Evaluation => {
                issuer.state = IssuerState::Trusted;
                None
            }
            Installation::Production => {
                let asker = tx.party(&permit.origin().actor)?;
                Some(Box::new(open(&*env.entropy, asker_of(&issuer, asker), now)?))
            }
        };
        let event = DelegationEvent::IssuerProposed { issuer: issuer.clone(), request };
        record(tx, permit.origin(), now, event)?;
        Ok(issuer)
    });
    let act = (AuditCode::TrustedIssuerChanged, ObjectRef::new("trusted-issuer", "new"));
    told(env, permit.origin(), act, order.organisation.clone(), done)
}

fn asker_of(issuer: &TrustedIssuer, asker: tenkoku_domain::person::Party) -> Opening {
    Opening {
        object: ObjectRef::new("trusted-issuer", &issuer.id),
        organisation: None,
        shown: json!({
            "v": 1,
            "issuer": issuer,
            "certificate": Digest::of(&issuer.certificate),
        }),
        askers: BTreeSet::from([asker]),
        needs: needs(Approvable::Policy),
    }
}

/// One person's decision about a proposed issuer.
pub fn decide_issuer(
    env: &Env,
    permit: &Permit<ApprovePolicy>,
    id: &IssuerId,
    ruling: &Ruling,
) -> Result<TrustedIssuer, ActError> {
    let now = env.clock.now();
    let done = env.store.write(|tx| {
        let issuer = tx.load_issuer(id)?;
        let request = tx
            .find_approval_request(&ObjectRef::new("trusted-issuer", id))?
            .ok_or(StoreError::NotFound { what: "approval request" })?;
        let request = rule(tx, permit.origin(), request, (Step::Officer, false), ruling, now)?;
        let state = match request.state {
            ApprovalState::Approved => IssuerState::Trusted,
            ApprovalState::Rejected => IssuerState::Refused,
            ApprovalState::Open | ApprovalState::Void => return Ok(issuer),
        };
        moved(tx, permit.origin(), issuer, state, now)
    });
    let act = (AuditCode::TrustedIssuerChanged, ObjectRef::new("trusted-issuer", id));
    told(env, permit.origin(), act, None, done)
}

/// An issuer is not believed any more, from now on.
pub fn end_issuer(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    id: &IssuerId,
) -> Result<TrustedIssuer, ActError> {
    let now = env.clock.now();
    let done = env.store.write(|tx| {
        let issuer = tx.load_issuer(id)?;
        match issuer.state {
            IssuerState::Proposed | IssuerState::Trusted => {
                moved(tx, permit.origin(), issuer, IssuerState::Ended, now)
            }
            IssuerState::Refused | IssuerState::Ended => Err(wrong("ended").into()),
        }
    });
    let act = (AuditCode::TrustedIssuerChanged, ObjectRef::new("trusted-issuer", id));
    told(env, permit.origin(), act, None, done)
}

fn moved(
    tx: &mut Tx<'_>,
    origin: &tenkoku_domain::access::Origin,
    issuer: TrustedIssuer,
    state: IssuerState,
    now: Timestamp,
) -> Result<TrustedIssuer, ActError> {
    let from = issuer.state;
    let issuer = TrustedIssuer { state, ..issuer };
    let event = DelegationEvent::IssuerMoved { issuer: issuer.clone(), from };
    record(tx, origin, now, event)?;
    Ok(issuer)
}

fn wrong(problem: &str) -> Refusal {
    Refusal::new(RefusalCode::StateConflict, "16").with("state", problem)
}

/// Who signed a text, as the certificate says.
#[derive(Clone, Debug)]
pub(crate) struct Signatory {
    /// The holder of the certificate.
    pub(crate) holder: Holder,
    /// How the certificate was judged.
    pub(crate) source: Source,
}

/// Judges a signature over a text: the key signed it, and there is a valid path from an issuer that
/// is believed for the use (RFC 5280), revocation included.
pub(crate) fn judge(
    tx: &mut Tx<'_>,
    used: IssuerUse,
    organisation: &OrganisationId,
    (file, text): (&SignedFile, &str),
    now: Timestamp,
) -> Result<Result<Signatory, Refusal>, StoreError> {
    let believed = tx.list_issuers()?.into_iter();
    let believed = believed.filter(|one| one.is_believed(used, organisation, now));
    let anchors: Vec<Vec<u8>> = believed.map(|one| one.certificate).collect();
    Ok(judge_with(&anchors, file, text, now))
}

fn judge_with(
    anchors: &[Vec<u8>],
    file: &SignedFile,
    text: &str,
    now: Timestamp,
) -> Result<Signatory, Refusal> {
    let refused = |problem: &str| {
        Refusal::new(RefusalCode::ProofingMissing, "P3").with("problem", problem.to_owned())
    };
    let signature = DetachedSignature::parse(&file.signature)
        .map_err(|error| refused("signature").with("detail", error))?;
    let leaf = signature.certificate().to_vec();
    let intermediates: Vec<Vec<u8>> =
        signature.certificates().iter().chain(&file.intermediates).cloned().collect();
    signature.verify(text).map_err(|error| refused("signature").with("detail", error))?;
    let holder = Holder::read(&leaf).ok_or_else(|| refused("unreadable"))?;
    if !holder.signs_documents() {
        return Err(refused("key-usage"));
    }
    let judgement = validate(&Question {
        anchors,
        intermediates: &intermediates,
        crls: &file.crls,
        leaf: &leaf,
        at: now,
        policies: &PolicyDemands::default(),
        revocation: Revocation::Required,
        budget: Budget::default(),
    });
    match judgement {
        Judgement::Valid(path) => {
            let source = Source {
                certificate: holder.digest,
                not_after: holder.not_after,
                path: path.subjects,
                judged_at: now,
            };
            Ok(Signatory { holder, source })
        }
        Judgement::Invalid(fault) => {
            Err(refused(fault.reason.word()).with("certificate", &fault.about))
        }
    }
}

/// Everything, for look-ups that no reader asked for.
pub(crate) const EVERYWHERE: Scope = Scope::Platform;
