//! The ceremony that an evaluation installation holds at once, with the person at the console as its
//! only participant; its record says so. In production it is refused (KM-19).

use tenkoku_ca::authority::AuthorityError;
use tenkoku_ca::ceremony::{Attendance, Deeds, run_ceremony};
use tenkoku_ca::signer::renew_ocsp_signers;
use tenkoku_domain::access::{OperateAuthority, Permit, Principal, PublishStatus};
use tenkoku_domain::authority::AuthorityCode;
use tenkoku_domain::ceremony::record::{CeremonyRecord, Output};
use tenkoku_domain::ceremony::script::WrittenTick;
use tenkoku_domain::ceremony::template::{OfflineIssuer, Wish, script};
use tenkoku_domain::ceremony::{
    CeremonyKind, CeremonyRole, Consent, CrossWish, Participant, Step, StepAct, Subject,
};
use tenkoku_domain::id::CeremonyId;
use tenkoku_domain::name::Name;
use tenkoku_domain::organisation::Language;
use tenkoku_domain::policy::Installation;
use tenkoku_ports::Env;
use tenkoku_publisher::publish::renew_lists;
use tenkoku_responder::crl::{CrlError, current_crl, issue_last_crl};
use tenkoku_store::StoreError;

use crate::granted::Visit;
use crate::problem::Problem;

/// Who holds it, and in which language.
pub(super) struct Holding {
    person: Name,
    language: Language,
    /// CRLs and signers are the platform's own work.
    platform: Principal,
}

impl Holding {
    pub(super) fn of(visit: &Visit) -> Result<Self, Problem> {
        let person = Name::parse(&visit.account.display_name);
        Ok(Self {
            person: person.map_err(|refusal| Problem::from_refusal(&refusal))?,
            language: visit.words.language(),
            platform: Principal::system("console", visit.caller.request.clone()),
        })
    }
}

/// The one person ticks everything.
struct Alone(Name);

impl Alone {
    fn tick(&self, step: &Step) -> WrittenTick {
        WrittenTick {
            step: step.number,
            role: CeremonyRole::Leader,
            person: self.0.clone(),
            deviation: None,
        }
    }
}

impl Attendance for Alone {
    fn before(&mut self, step: &Step) -> Result<Vec<WrittenTick>, AuthorityError> {
        Ok(vec![self.tick(step)])
    }

    fn after(&mut self, _: &Step, _: &[Output]) -> Result<Vec<WrittenTick>, AuthorityError> {
        Ok(Vec::new())
    }
}

struct Status<'a> {
    env: &'a Env,
    permit: Permit<PublishStatus>,
}

impl Deeds for Status<'_> {
    fn first_crl(&self, code: &AuthorityCode) -> Result<Vec<Output>, AuthorityError> {
        let crl = current_crl(self.env, code).map_err(of_crl)?;
        Ok(vec![Output::new("crl", crl.number), Output::new("next-update", crl.next_update)])
    }

    fn last_crl(&self, code: &AuthorityCode) -> Result<Vec<Output>, AuthorityError> {
        let crl = issue_last_crl(self.env, &self.permit, code).map_err(of_crl)?;
        Ok(vec![Output::new("crl", crl.number), Output::new("next-update", crl.next_update)])
    }

    fn answer(&self, _: &Consent) -> Result<Vec<Output>, AuthorityError> {
        // Requests are answered where the offline key is: at the command line.
        Err(StoreError::NotFound { what: "request bundle" }.into())
    }
}

fn of_crl(error: CrlError) -> AuthorityError {
    match error {
        CrlError::Refused(refusal) => refusal.into(),
        CrlError::Lint(lint) => lint.into(),
        CrlError::Keys(keys) => keys.into(),
        CrlError::Assemble(assemble) => assemble.into(),
        CrlError::StoredCertificate(certificate) => certificate.into(),
        CrlError::StoredKey(key) => key.into(),
        CrlError::Address(address) => address.into(),
        CrlError::Store(store) => store.into(),
    }
}

/// Holds a ceremony from its beginning to its end.
pub(super) fn hold(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    kind: CeremonyKind,
    subject: Subject,
    holding: &Holding,
) -> Result<CeremonyRecord, AuthorityError> {
    let now = env.clock.now();
    let crosses = match &subject {
        Subject::Rollover { cross, .. } => *cross == CrossWish::Both,
        Subject::Create(_)
        | Subject::Cross { .. }
        | Subject::Authority { .. }
        | Subject::SealKey { .. } => true,
    };
    let mut ceremony = script(Wish {
        id: CeremonyId::new(now, &*env.entropy),
        kind,
        subject,
        language: holding.language,
        installation: Installation::Evaluation,
        roles: vec![Participant { role: CeremonyRole::Leader, person: holding.person.clone() }],
        recording: None,
        offline_issuer: OfflineIssuer::Here,
    });
    // There is nothing to put away, and a cross-certificate only where one was wished for.
    ceremony.steps.retain(|step| {
        step.act != StepAct::ByHand && (crosses || step.act != StepAct::CrossCertify)
    });
    for (number, step) in (1..).zip(&mut ceremony.steps) {
        step.number = number;
    }
    let status = Status { env, permit: holding.platform.permit(now)? };
    let mut alone = Alone(holding.person.clone());
    let record = run_ceremony(env, permit, ceremony, &mut alone, &status)?;
    if kind == CeremonyKind::Rollover {
        supply(env, &holding.platform);
    }
    Ok(record)
}

/// What a new generation needs besides: signers, its place in the list. The scheduled work makes up
/// for what does not succeed here.
fn supply(env: &Env, platform: &Principal) {
    let now = env.clock.now();
    let lacking = |error: &dyn std::error::Error| {
        tracing::warn!(%error, "the scheduled work will supply the new generation");
    };
    if let Ok(permit) = platform.permit(now) {
        let _ = renew_ocsp_signers(env, &permit).inspect_err(|error| lacking(error));
    }
    if let Ok(permit) = platform.permit(now) {
        let _ = renew_lists(env, &permit).inspect_err(|error| lacking(error));
    }
}
