//! The identity of keys: challenges, proofs, known-key feeds, incidents (DOMAIN 8, 9).

use serde_json::json;

use super::{AuditCode, Facts, facts, key_facts};
use crate::application::{Application, ApplicationState};
use crate::canonical::Digest;
use crate::challenge::Challenge;
use crate::feed::{Feed, FeedAuthority, FeedSource};
use crate::id::{KeyId, OrganisationId};
use crate::incident::{Incident, IncidentKind};
use crate::key::BlockedKey;
use crate::key::Key;
use crate::origin::{EvidenceFormat, KeyEvidence};
use crate::policy::PossessionMethod;
use crate::refusal::RefusalCode;

/// The identity of keys: challenges, proofs, known-key feeds, incidents (DOMAIN 8, 9).
#[derive(Clone, Debug, PartialEq)]
pub enum IdentityEvent {
    /// An application was handed in and waits for its key; the applicant got a challenge.
    ApplicationOpened {
        /// The application.
        application: Application,
        /// Its first challenge.
        challenge: Challenge,
    },
    /// An applicant got another challenge; the one before is no longer accepted.
    ChallengeIssued {
        /// The challenge.
        challenge: Challenge,
        /// Whose application it is.
        organisation: OrganisationId,
    },
    /// Possession of a key was shown over an application's challenge, which is used by it.
    PossessionShown {
        /// The challenge.
        challenge: Challenge,
        /// How.
        method: PossessionMethod,
        /// The key.
        key: KeyId,
        /// Whose application it is.
        organisation: OrganisationId,
    },
    /// Evidence of where a key was made was taken and is kept with it.
    OriginShown {
        /// The key.
        key: Key,
        /// Whose.
        organisation: OrganisationId,
        /// The evidence.
        evidence: KeyEvidence,
    },
    /// An application has its key and is ready to be issued.
    ApplicationReady {
        /// The application.
        application: Application,
    },
    /// The platform made a key for itself, in its own key store (K2 of DOMAIN 9).
    KeyMade {
        /// The key.
        key: Key,
        /// What the key store reported: token and object.
        evidence: KeyEvidence,
    },
    /// An application ended because its key was refused for good.
    ApplicationRejected {
        /// The application as it was before.
        application: Application,
        /// Why.
        reason: RefusalCode,
    },
    /// An application ended for lack of progress. What it claimed stays claimed.
    ApplicationLapsed {
        /// The application as it was before.
        application: Application,
    },
    /// An incident was opened.
    IncidentOpened {
        /// The incident.
        incident: Incident,
    },
    /// An incident was decided.
    IncidentClosed {
        /// The incident with its decision.
        incident: Incident,
    },
    /// A key is never accepted again (KM-5).
    KeyBlocked {
        /// The key.
        blocked: BlockedKey,
    },
    /// The feed of another authority is taken from now on.
    FeedTrusted {
        /// The authority.
        source: FeedSource,
    },
    /// The feed of another authority is no longer taken; what it named stays known.
    FeedEnded {
        /// The authority.
        source: FeedSource,
    },
    /// A feed of another authority was taken.
    FeedImported {
        /// The feed.
        feed: Box<Feed>,
        /// The digest of the signed file.
        digest: Digest,
    },
    /// A feed was made for other authorities.
    FeedExported {
        /// The authority as it calls itself.
        authority: FeedAuthority,
        /// Its sequence.
        sequence: i64,
        /// The digest of the signed file.
        digest: Digest,
        /// How many keys it names.
        keys: usize,
    },
}

impl IdentityEvent {
    /// What the record says beyond who, when and where from.
    pub(super) fn facts(&self) -> Facts {
        match self {
            Self::ApplicationOpened { application, challenge } => {
                opened_facts(application, challenge)
            }
            Self::ChallengeIssued { challenge, organisation } => facts(
                AuditCode::AppChanged,
                "application",
                &challenge.application,
                json!({ "challenge_until": challenge.expires_at.to_string() }),
            )
            .of(organisation),
            Self::PossessionShown { challenge, method, key, organisation } => facts(
                AuditCode::KeyPopVerified,
                "key",
                key,
                json!({ "application": challenge.application, "method": method }),
            )
            .of(organisation),
            Self::OriginShown { key, organisation, evidence } => {
                origin_facts(key, evidence).of(organisation)
            }
            Self::KeyMade { key, evidence } => origin_facts(key, evidence),
            Self::ApplicationReady { application } => ready_facts(application),
            Self::ApplicationRejected { application, reason } => {
                let mut facts = ended_facts(AuditCode::AppRejected, application);
                facts.detail.insert("reason".to_owned(), json!(reason));
                facts
            }
            Self::ApplicationLapsed { application } => {
                ended_facts(AuditCode::AppLapsed, application)
            }
            Self::IncidentOpened { incident } | Self::IncidentClosed { incident } => {
                incident_facts(incident)
            }
            Self::KeyBlocked { blocked } => facts(
                AuditCode::KeyBlocked,
                "fingerprint",
                blocked.fingerprint,
                json!({ "list": blocked.list, "comment": blocked.reason }),
            ),
            Self::FeedTrusted { source } => source_facts(source, "trusted"),
            Self::FeedEnded { source } => source_facts(source, "ended"),
            Self::FeedImported { feed, digest } => facts(
                AuditCode::KeyFeedImported,
                "feed",
                &feed.authority,
                json!({
                    "sequence": feed.sequence,
                    "issued_at": feed.issued_at.to_string(),
                    "digest": digest,
                    "keys": feed.keys.len(),
                }),
            ),
            Self::FeedExported { authority, sequence, digest, keys } => facts(
                AuditCode::KeyFeedExported,
                "feed",
                authority,
                json!({ "sequence": sequence, "digest": digest, "keys": keys }),
            ),
        }
    }
}

/// Devices and digests; the evidence itself lies beside the key.
fn origin_facts(key: &Key, evidence: &KeyEvidence) -> Facts {
    let code = match evidence.format {
        EvidenceFormat::YubiHsm | EvidenceFormat::Ceremony => AuditCode::KeyAttestationVerified,
        EvidenceFormat::Platform => AuditCode::KeyGenerated,
        EvidenceFormat::Certificate
        | EvidenceFormat::Cms
        | EvidenceFormat::Json
        | EvidenceFormat::Unknown
        | EvidenceFormat::Statement => AuditCode::KeyPresented,
    };
    let mut facts = key_facts(code, key);
    for (name, value) in [
        ("evidence", json!(evidence.id)),
        ("format", json!(evidence.format)),
        ("class", json!(evidence.class)),
        ("vendor", json!(evidence.vendor)),
        ("device", json!(evidence.serial)),
        ("object", json!(evidence.object)),
        ("container", json!(evidence.container)),
        ("digest", json!(evidence.digest)),
    ] {
        if !value.is_null() {
            facts.detail.insert(name.to_owned(), value);
        }
    }
    facts
}

fn source_facts(source: &FeedSource, step: &str) -> Facts {
    let key = Digest::of(&source.public_key);
    let detail = json!({ "step": step, "key": key, "sequence": source.sequence });
    facts(AuditCode::TrustedIssuerChanged, "feed", &source.authority, detail)
}

fn opened_facts(application: &Application, challenge: &Challenge) -> Facts {
    facts(
        AuditCode::AppSubmitted,
        "application",
        &application.id,
        json!({
            "branch": application.branch,
            "level": application.level,
            "instance": application.instance_number,
            "digest": application.digest,
            "challenge_until": challenge.expires_at.to_string(),
        }),
    )
    .of(&application.organisation)
    .under(application.policy)
}

fn ready_facts(application: &Application) -> Facts {
    facts(
        AuditCode::AppReady,
        "application",
        &application.id,
        json!({
            "branch": application.branch,
            "level": application.level,
            "instance": application.instance_number,
            "digest": application.digest,
            "key": application.key.as_ref().map(|key| &key.id),
        }),
    )
    .of(&application.organisation)
    .under(application.policy)
}

fn ended_facts(code: AuditCode, application: &Application) -> Facts {
    let state: ApplicationState = application.state;
    facts(code, "application", &application.id, json!({ "from": state }))
        .of(&application.organisation)
        .under(application.policy)
}

fn incident_facts(incident: &Incident) -> Facts {
    let detail = json!({
        "kind": incident.kind,
        "state": incident.state(),
        "fingerprint": incident.fingerprint,
        "application": incident.application,
        "organisations": incident.organisations,
        "certificates": incident.certificates,
        "told": incident.told,
    });
    let code = match incident.kind {
        IncidentKind::SiblingKey
        | IncidentKind::ForeignKey
        | IncidentKind::FeedKey
        | IncidentKind::BlockedKey => AuditCode::KeyCopySuspected,
        IncidentKind::WrongAttributes => AuditCode::HsmError,
    };
    let mut facts = facts(code, "incident", &incident.id, detail);
    if let Some(closing) = &incident.closed {
        facts.detail.insert("decision".to_owned(), json!(closing.decision));
        facts.detail.insert("comment".to_owned(), json!(closing.reason));
    }
    facts
}
