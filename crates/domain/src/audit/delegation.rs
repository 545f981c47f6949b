//! People and their offices, proofing, grants and approvals (DOMAIN 15 to 17).

use serde_json::{Value, json};

use super::{AuditCode, Facts, Outcome, facts};
use crate::access::RoleGrant;
use crate::application::{Application, ApplicationState};
use crate::approval::{Approval, ApprovalRequest, Verdict};
use crate::batch::{Batch, BatchRow, BatchState};
use crate::certificate::Certificate;
use crate::grant::{Grant, GrantState, GrantUsage};
use crate::id::{ApplicationId, ApprovalId, ContainerId, GrantId, OrganisationId, UserId};
use crate::issuer::{IssuerState, TrustedIssuer};
use crate::person::{Delegate, Person, Representative};
use crate::proofing::{ProofingRecord, Subject};
use crate::time::Timestamp;

/// People and their offices, proofing, grants and approvals (DOMAIN 15 to 17).
#[derive(Clone, Debug, PartialEq)]
pub enum DelegationEvent {
    /// A person was recorded.
    PersonRecorded {
        /// The person.
        person: Person,
    },
    /// A representative was recorded.
    RepresentativeRecorded {
        /// The office.
        representative: Representative,
    },
    /// A representative left.
    RepresentativeEnded {
        /// The office with its end.
        representative: Representative,
    },
    /// A delegate was named.
    DelegateAdded {
        /// The office.
        delegate: Delegate,
    },
    /// A delegate left.
    DelegateRemoved {
        /// The office with its end.
        delegate: Delegate,
    },
    /// An identity was checked.
    Proofed {
        /// The record.
        record: ProofingRecord,
    },
    /// An issuer was proposed; it is believed when the request is approved.
    IssuerProposed {
        /// The issuer.
        issuer: TrustedIssuer,
        /// The request, where approvals are needed.
        request: Option<Box<ApprovalRequest>>,
    },
    /// An issuer is believed, refused or no longer believed.
    IssuerMoved {
        /// The issuer as it is now.
        issuer: TrustedIssuer,
        /// Its state before.
        from: IssuerState,
    },
    /// A grant was written.
    GrantDrafted {
        /// The grant.
        grant: Box<Grant>,
    },
    /// A grant was signed, came into use, was paused or ended.
    GrantMoved {
        /// The grant as it is now.
        grant: Box<Grant>,
        /// Its state before.
        from: GrantState,
        /// The request that was opened with it.
        request: Option<Box<ApprovalRequest>>,
    },
    /// A grant waits for the word of a new representative, or got it (DG-6).
    GrantReviewed {
        /// The grant as it is now.
        grant: Box<Grant>,
    },
    /// An application took its place in the quota of a grant.
    QuotaReserved {
        /// The grant.
        grant: GrantId,
        /// Whose it is.
        organisation: OrganisationId,
        /// The application.
        application: ApplicationId,
        /// What is used with it.
        usage: GrantUsage,
    },
    /// An application gave its place in the quota back.
    QuotaReleased {
        /// The grant.
        grant: GrantId,
        /// Whose it is.
        organisation: OrganisationId,
        /// The application.
        application: ApplicationId,
    },
    /// A container needs a new custodian by a day.
    CustodianWanted {
        /// The container.
        container: ContainerId,
        /// Whose it is.
        organisation: OrganisationId,
        /// The grant whose end it follows from.
        grant: GrantId,
        /// Until when.
        due: Timestamp,
    },
    /// No new custodian was named; the instances in the container were suspended.
    CustodianMissing {
        /// The container.
        container: ContainerId,
        /// Whose it is.
        organisation: OrganisationId,
    },
    /// An application moved on.
    ApplicationMoved {
        /// The application as it was before.
        application: Application,
        /// Its state now.
        to: ApplicationState,
        /// The request that was opened with it.
        request: Option<Box<ApprovalRequest>>,
    },
    /// Something in an application changed after it was submitted; approvals are void.
    ApplicationChanged {
        /// The application as it is now: submitted.
        application: Application,
        /// Its state before.
        from: ApplicationState,
        /// The request that is void by it.
        voided: Option<ApprovalId>,
    },
    /// An applicant took an application back.
    ApplicationWithdrawn {
        /// The application as it was before.
        application: Application,
        /// The request that is void by it.
        voided: Option<ApprovalId>,
    },
    /// An officer or the organisation said no to an application.
    ApplicationDeclined {
        /// The application as it was before.
        application: Application,
        /// The request that was rejected, where there was one.
        request: Option<ApprovalId>,
        /// The words of whoever decided.
        reason: String,
    },
    /// A role with power over issuance was asked for; another administrator must approve it.
    RoleAsked {
        /// The request.
        request: Box<ApprovalRequest>,
        /// For whom.
        user: UserId,
        /// Which role.
        grant: RoleGrant,
    },
    /// The end of a hold was asked for; officers must approve it.
    ReleaseAsked {
        /// The certificate on hold.
        certificate: Box<Certificate>,
        /// The request.
        request: Box<ApprovalRequest>,
        /// The words of whoever asked; may be empty.
        comment: String,
    },
    /// A list of branch offices was applied for as a whole.
    BatchLoaded {
        /// The batch.
        batch: Batch,
        /// Its rows.
        rows: Vec<BatchRow>,
        /// The request, where an approval is needed.
        request: Option<Box<ApprovalRequest>>,
    },
    /// A batch was approved, refused, paused, taken back, or is done.
    BatchMoved {
        /// The batch as it is now.
        batch: Batch,
        /// Its state before.
        from: BatchState,
    },
    /// One person decided on one step.
    Decided {
        /// The request with the decision.
        request: Box<ApprovalRequest>,
        /// The decision.
        decision: Approval,
    },
}

impl DelegationEvent {
    /// What the record says beyond who, when and where from.
    pub(super) fn facts(&self) -> Facts {
        match self {
            Self::PersonRecorded { person } => {
                facts(AuditCode::AccountCreated, "person", &person.id, json!({}))
            }
            Self::RepresentativeRecorded { representative } => {
                representative_facts(AuditCode::RepRecorded, representative)
            }
            Self::RepresentativeEnded { representative } => {
                representative_facts(AuditCode::RepEnded, representative)
            }
            Self::DelegateAdded { delegate } => delegate_facts(AuditCode::DelegateAdded, delegate),
            Self::DelegateRemoved { delegate } => {
                delegate_facts(AuditCode::DelegateRemoved, delegate)
            }
            Self::Proofed { record } => proofed_facts(record),
            Self::IssuerProposed { issuer, request } => {
                let mut facts = issuer_facts(issuer);
                put_request(&mut facts, request.as_deref());
                facts
            }
            Self::IssuerMoved { issuer, .. } => issuer_facts(issuer),
            Self::GrantDrafted { grant } => grant_facts(AuditCode::GrantDrafted, grant),
            Self::GrantMoved { grant, from, request } => {
                let mut facts = grant_facts(grant_code(grant.state), grant);
                facts.detail.insert("from".to_owned(), json!(from));
                put_request(&mut facts, request.as_deref());
                facts
            }
            Self::GrantReviewed { grant } => {
                let mut facts = grant_facts(AuditCode::GrantAmended, grant);
                let until = grant.review_until.map(|until| until.to_string());
                facts.detail.insert("review_until".to_owned(), json!(until));
                facts
            }
            Self::QuotaReserved { grant, organisation, application, usage } => facts(
                AuditCode::GrantQuotaReserved,
                "grant",
                grant,
                json!({ "application": application, "usage": usage }),
            )
            .of(organisation),
            Self::QuotaReleased { grant, organisation, application } => facts(
                AuditCode::GrantQuotaReleased,
                "grant",
                grant,
                json!({ "application": application }),
            )
            .of(organisation),
            Self::CustodianWanted { container, organisation, grant, due } => facts(
                AuditCode::ContainerCustodianChanged,
                "container",
                container,
                json!({ "wanted_until": due.to_string(), "grant": grant }),
            )
            .of(organisation),
            Self::CustodianMissing { container, organisation } => facts(
                AuditCode::ContainerCustodianChanged,
                "container",
                container,
                json!({ "missing": true }),
            )
            .of(organisation),
            Self::ApplicationMoved { application, to, request } => {
                let mut facts = moved_facts(application, *to);
                put_request(&mut facts, request.as_deref());
                facts
            }
            Self::ApplicationChanged { application, from, voided } => {
                let code = match voided {
                    Some(_) => AuditCode::AppApprovalsVoided,
                    None => AuditCode::AppChanged,
                };
                let detail = json!({
                    "from": from,
                    "digest": application.digest,
                    "voided": voided,
                });
                application_facts(code, application, detail)
            }
            Self::ApplicationWithdrawn { application, voided } => application_facts(
                AuditCode::AppWithdrawn,
                application,
                json!({ "from": application.state, "voided": voided }),
            ),
            Self::ApplicationDeclined { application, request, reason } => {
                let detail = json!({
                    "from": application.state,
                    "request": request,
                    "comment": reason,
                });
                application_facts(AuditCode::AppRejected, application, detail)
            }
            Self::RoleAsked { request, user, grant } => asked_facts(request, user, grant),
            Self::ReleaseAsked { certificate: c, request: r, comment } => hold_end(c, r, comment),
            Self::BatchLoaded { batch, request, .. } => loaded_facts(batch, request.as_deref()),
            Self::BatchMoved { batch, from } => {
                batch_facts(batch, json!({ "from": from, "to": batch.state }))
            }
            Self::Decided { request, decision } => decided_facts(request, decision),
        }
    }
}

fn asked_facts(request: &ApprovalRequest, user: &UserId, grant: &RoleGrant) -> Facts {
    let mut facts = facts(AuditCode::RoleGranted, "user", user, json!({ "grant": grant }));
    put_request(&mut facts, Some(request));
    facts
}

fn hold_end(certificate: &Certificate, request: &ApprovalRequest, comment: &str) -> Facts {
    let detail = json!({ "serial": certificate.serial, "comment": comment });
    let mut facts = facts(AuditCode::CertReleaseAsked, "certificate", &certificate.id, detail);
    if let Some(organisation) = &request.organisation {
        facts = facts.of(organisation);
    }
    put_request(&mut facts, Some(request));
    facts
}

fn loaded_facts(batch: &Batch, request: Option<&ApprovalRequest>) -> Facts {
    let mut facts = batch_facts(batch, json!({ "rows": batch.rows }));
    put_request(&mut facts, request);
    facts
}

fn batch_facts(batch: &Batch, mut detail: Value) -> Facts {
    if let Some(members) = detail.as_object_mut() {
        members.insert("digest".to_owned(), json!(batch.digest));
    }
    facts(AuditCode::AppBulkLoaded, "batch", &batch.id, detail).of(&batch.organisation)
}

fn representative_facts(code: AuditCode, one: &Representative) -> Facts {
    let detail = json!({
        "person": one.person,
        "evidence": one.evidence,
        "from": one.from.to_string(),
        "until": one.until.map(|until| until.to_string()),
    });
    facts(code, "representative", &one.id, detail).of(&one.organisation)
}

fn delegate_facts(code: AuditCode, one: &Delegate) -> Facts {
    let detail = json!({
        "person": one.person,
        "branch": one.branch,
        "from": one.from.to_string(),
        "until": one.until.to_string(),
    });
    facts(code, "delegate", &one.id, detail).of(&one.organisation)
}

fn proofed_facts(record: &ProofingRecord) -> Facts {
    let code = match record.subject {
        Subject::Organisation => AuditCode::OrgProofed,
        Subject::Person(_) | Subject::Branch(_) => AuditCode::AppEvidenceAdded,
    };
    let detail = json!({
        "subject": record.subject,
        "method": record.method,
        "level": record.level,
        "valid_until": record.valid_until.to_string(),
        "evidence": record.evidence,
        "source": record.source.as_ref().map(|source| source.certificate),
    });
    facts(code, "proofing", &record.id, detail).of(&record.organisation)
}

fn issuer_facts(issuer: &TrustedIssuer) -> Facts {
    let detail = json!({
        "state": issuer.state,
        "uses": issuer.uses,
        "certificate": crate::canonical::Digest::of(&issuer.certificate),
        "organisation": issuer.organisation,
        "until": issuer.until.to_string(),
    });
    facts(AuditCode::TrustedIssuerChanged, "trusted-issuer", &issuer.id, detail)
}

const fn grant_code(state: GrantState) -> AuditCode {
    match state {
        GrantState::Draft => AuditCode::GrantDrafted,
        GrantState::Signed => AuditCode::GrantSigned,
        GrantState::Active => AuditCode::GrantActivated,
        GrantState::Paused => AuditCode::GrantPaused,
        GrantState::Ended => AuditCode::GrantEnded,
    }
}

fn grant_facts(code: AuditCode, grant: &Grant) -> Facts {
    let detail = json!({
        "digest": grant.terms.digest().ok(),
        "grantee": grant.terms.grantee,
        "representative": grant.representative,
        "parent": grant.terms.parent,
        "form": grant.form,
        "end": grant.end,
    });
    facts(code, "grant", &grant.terms.id, detail).of(&grant.organisation).under(grant.terms.policy)
}

fn moved_facts(application: &Application, to: ApplicationState) -> Facts {
    let code = match to {
        ApplicationState::Draft => AuditCode::AppCreated,
        ApplicationState::Submitted => AuditCode::AppSubmitted,
        ApplicationState::Proofing => AuditCode::AppProofingStarted,
        ApplicationState::Approval => AuditCode::AppProofingResult,
        ApplicationState::KeyProof | ApplicationState::Issued => AuditCode::AppChanged,
        ApplicationState::Ready => AuditCode::AppReady,
        ApplicationState::Rejected => AuditCode::AppRejected,
        ApplicationState::Withdrawn => AuditCode::AppWithdrawn,
        ApplicationState::Lapsed => AuditCode::AppLapsed,
    };
    application_facts(code, application, json!({ "from": application.state, "to": to }))
}

fn application_facts(code: AuditCode, application: &Application, detail: Value) -> Facts {
    facts(code, "application", &application.id, detail)
        .of(&application.organisation)
        .under(application.policy)
}

/// Names the request for approvals that an event opens.
pub(super) fn put_request(facts: &mut Facts, request: Option<&ApprovalRequest>) {
    if let Some(request) = request {
        facts.detail.insert("request".to_owned(), json!(request.id));
        facts.detail.insert("shown".to_owned(), json!(request.digest));
        facts.detail.insert("needs".to_owned(), json!(request.needs));
    }
}

fn decided_facts(request: &ApprovalRequest, decision: &Approval) -> Facts {
    let code = match (request.object.kind.as_str(), decision.verdict) {
        ("application" | "batch", Verdict::Approved) => AuditCode::AppApprovalGiven,
        ("application" | "batch", Verdict::Rejected) => AuditCode::AppApprovalRefused,
        ("release", _) => AuditCode::CertReleaseAsked,
        ("grant", Verdict::Approved) => AuditCode::GrantSigned,
        ("grant", Verdict::Rejected) => AuditCode::GrantRefused,
        ("trusted-issuer", _) => AuditCode::TrustedIssuerChanged,
        ("restore", _) => AuditCode::SysBackupRestored,
        (_, Verdict::Approved | Verdict::Rejected) => AuditCode::RoleGranted,
    };
    let detail = json!({
        "request": request.id,
        "step": decision.step,
        "person": decision.person,
        "shown": decision.digest,
        "verdict": decision.verdict,
        "comment": decision.reason,
        "state": request.state,
    });
    let outcome = match decision.verdict {
        Verdict::Approved => Outcome::Ok,
        Verdict::Rejected => Outcome::Refused,
    };
    let mut facts = facts(code, &request.object.kind, &request.object.id, detail);
    facts.organisation.clone_from(&request.organisation);
    Facts { outcome, ..facts }
}
