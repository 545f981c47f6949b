//! Holds ceremonies: opens one from its file, takes its steps one by one, closes its record.
//!
//! A step asks the persons, does its act, shows what came out, and asks the witnesses (UX 4.2). What
//! belongs to the status service is brought by whoever holds the ceremony ([`Deeds`]). A ceremony
//! that was cut short goes on with the step after the last one recorded; acts that were done
//! already are not done twice.

use tenkoku_domain::access::{OperateAuthority, Permit, Role, Scope};
use tenkoku_domain::audit::{AuditCode, AuthorityEvent, Event, ObjectRef};
use tenkoku_domain::authority::{Authority, AuthorityCode, AuthorityKind, AuthorityState};
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::ceremony::record::{CeremonyRecord, KEY_FINGERPRINT, Output, StepRecord};
use tenkoku_domain::ceremony::script::WrittenTick;
use tenkoku_domain::ceremony::template::{OfflineIssuer, Wish, generation_of, script};
use tenkoku_domain::ceremony::{
    Ceremony, CeremonyKind, CeremonyRole, Consent, CrossWish, Deviation, NewAuthority, Participant,
    Step, StepAct, Subject, Tick,
};
use tenkoku_domain::certificate::Certificate;
use tenkoku_domain::id::{ApplicationId, CeremonyId, ContainerId};
use tenkoku_domain::name::{Name, comparable, plain_text};
use tenkoku_domain::organisation::Language;
use tenkoku_domain::policy::Installation;
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::time::Timestamp;
use tenkoku_pki::csr::PresentedRequest;
use tenkoku_ports::{Attempt, Env};
use tenkoku_store::StoreError;

use crate::authority::{
    AuthorityError, AuthorityOrder, activate_authority, begin_authority, ceremony_rules,
    certify_authority, cross_certify, dedication_of, end_authority, load, plan_authority,
    resume_authority, retire_authority, successor_order,
};

/// The version that goes into records.
const SOFTWARE: &str = concat!("tenkoku ", env!("CARGO_PKG_VERSION"));

/// What a ceremony needs from outside this crate: CRLs, and the answer to a request.
pub trait Deeds {
    /// Signs the first CRL of an authority.
    fn first_crl(&self, code: &AuthorityCode) -> Result<Vec<Output>, AuthorityError>;

    /// Signs the last CRL of an authority; one that is there already stays.
    fn last_crl(&self, code: &AuthorityCode) -> Result<Vec<Output>, AuthorityError>;

    /// Answers the request that the ceremony is held for.
    fn answer(&self, consent: &Consent) -> Result<Vec<Output>, AuthorityError>;

    /// The certification request of a seal's key that was made before everybody's eyes; none where
    /// none was handed over.
    fn request(&self) -> Result<Vec<u8>, AuthorityError> {
        Err(StoreError::NotFound { what: "certification request" }.into())
    }
}

/// Who is asked: a terminal, a file of ticks, a page.
pub trait Attendance {
    /// The ticks of those who do the step, before its act.
    fn before(&mut self, step: &Step) -> Result<Vec<WrittenTick>, AuthorityError>;

    /// The ticks of those who saw it, after what came out was shown.
    fn after(
        &mut self,
        step: &Step,
        outputs: &[Output],
    ) -> Result<Vec<WrittenTick>, AuthorityError>;
}

/// Opens a ceremony: KM-19 is checked, what it will make is planned.
///
/// One that is open already is given as it is, if its file says the same.
pub fn open_ceremony(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    ceremony: Ceremony,
) -> Result<CeremonyRecord, AuthorityError> {
    let id = ceremony.id.clone();
    refusing(env, permit, &id, AuditCode::CeremonyOpened, || open(env, permit, ceremony))
}

fn open(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    ceremony: Ceremony,
) -> Result<CeremonyRecord, AuthorityError> {
    let now = env.clock.now();
    if ceremony.installation != env.settings.installation {
        // A file for trying things out names fewer persons.
        return Err(dual("installation").into());
    }
    ceremony.check_persons(&ceremony_rules(env)?)?;
    if let Some(there) = env.store.read(|tx| tx.find_ceremony(&ceremony.id))? {
        if there.script == ceremony.digest()? && there.closed_at.is_none() {
            return Ok(there);
        }
        return Err(Refusal::new(RefusalCode::StateConflict, "KM-19")
            .with("problem", "ceremony-held")
            .into());
    }
    check_witnesses(env, permit, &ceremony)?;
    if let Some(order) = order_of(env, permit, &ceremony.subject)? {
        plan_authority(env, permit, &order, &ceremony.id)?;
    }
    let record = CeremonyRecord::open(ceremony, SOFTWARE, now)?;
    let opened = AuthorityEvent::CeremonyOpened { record: Box::new(record.clone()) };
    env.store.write(|tx| tx.record(permit.origin(), now, &Event::Authority(opened)))?;
    Ok(record)
}

/// DOMAIN 9, K4: the application and the container are there, and whoever counts is a person of the
/// platform, the auditor one of its auditors: an account that holds such a role now. An evaluation
/// has one account.
fn check_witnesses(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    ceremony: &Ceremony,
) -> Result<(), AuthorityError> {
    if ceremony.kind != CeremonyKind::WitnessedKey {
        return Ok(());
    }
    let now = env.clock.now();
    let (application, container) = seal_key(&ceremony.subject)?;
    let accounts = env.store.read(|tx| {
        let application = tx.load_application(permit.scope(), application)?;
        application.may_prove(now)?;
        tx.load_container(&Scope::organisation(application.organisation), container)?;
        Ok::<_, AuthorityError>(tx.list_accounts()?)
    })?;
    if env.settings.installation == Installation::Evaluation {
        return Ok(());
    }
    for participant in &ceremony.roles {
        let fits = |role: Role| match participant.role {
            CeremonyRole::Witness => false,
            CeremonyRole::Auditor => role == Role::Auditor,
            CeremonyRole::Leader | CeremonyRole::Officer => {
                role != Role::Auditor && !role.is_of_organisation()
            }
        };
        let is_known = accounts
            .iter()
            .filter(|account| account.disabled_at.is_none())
            .filter(|one| comparable(&one.display_name) == comparable(participant.person.as_str()))
            .any(|account| account.roles.iter().any(|held| held.until > now && fits(held.role)));
        if participant.role != CeremonyRole::Witness && !is_known {
            return Err(dual("not-of-platform").with("person", &participant.person).into());
        }
    }
    Ok(())
}

/// Holds a ceremony from where it is to its end.
pub fn run_ceremony(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    ceremony: Ceremony,
    attendance: &mut dyn Attendance,
    deeds: &dyn Deeds,
) -> Result<CeremonyRecord, AuthorityError> {
    let id = ceremony.id.clone();
    let mut record = open_ceremony(env, permit, ceremony)?;
    while record.closed_at.is_none() {
        record = take_step(env, permit, &id, attendance, deeds)?;
    }
    Ok(record)
}

/// Takes the next step of an open ceremony and records it.
pub fn take_step(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    id: &CeremonyId,
    attendance: &mut dyn Attendance,
    deeds: &dyn Deeds,
) -> Result<CeremonyRecord, AuthorityError> {
    refusing(env, permit, id, AuditCode::CeremonyStep, || {
        let record = env.store.read(|tx| tx.find_ceremony(id))?;
        let record = record.ok_or(StoreError::NotFound { what: "ceremony" })?;
        let step = match record.next_step() {
            Some(step) if record.closed_at.is_none() => step.clone(),
            Some(_) | None => {
                return Err(Refusal::new(RefusalCode::StateConflict, "KM-19")
                    .with("problem", "ceremony-held")
                    .into());
            }
        };
        take(env, permit, record, &step, attendance, deeds)
    })
}

fn take(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    mut record: CeremonyRecord,
    step: &Step,
    attendance: &mut dyn Attendance,
    deeds: &dyn Deeds,
) -> Result<CeremonyRecord, AuthorityError> {
    let mut given = attendance.before(step)?;
    let outputs = if step.act == StepAct::RollCall {
        Vec::new()
    } else {
        // KM-19: whoever acts has ticked, and everybody was there, before the key moves.
        let early = ticks(&given, step, env.clock.now());
        doer_ticked(&record.ceremony, step, &early)?;
        let consent = record.ceremony.consent(&ceremony_rules(env)?, &record.ticks())?;
        perform(env, permit, &record, step, &consent, deeds)?
    };
    given.extend(attendance.after(step, &outputs)?);
    let now = env.clock.now();
    let ticks = ticks(&given, step, now);
    record.ceremony.check_ticks(step, &ticks)?;
    if step.act == StepAct::RollCall {
        let _consent = record.ceremony.consent(&ceremony_rules(env)?, &ticks)?;
    }
    let done = StepRecord {
        number: step.number,
        at: now,
        ticks,
        outputs,
        deviation: deviation(&given, step)?,
    };
    record.steps.push(done.clone());
    write_step(env, permit, &mut record, done, now)?;
    Ok(record)
}

fn write_step(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    record: &mut CeremonyRecord,
    done: StepRecord,
    now: Timestamp,
) -> Result<(), AuthorityError> {
    let ceremony = record.ceremony.id.clone();
    let mut events = Vec::new();
    if done.deviation.is_some() {
        let step = done.number;
        events.push(AuthorityEvent::CeremonyDeviated { ceremony: ceremony.clone(), step });
    }
    events.push(AuthorityEvent::CeremonyStep { ceremony, step: done });
    if record.next_step().is_none() {
        record.closed_at = Some(now);
        events.push(AuthorityEvent::CeremonyClosed { record: Box::new(record.clone()) });
    }
    env.store.write(|tx| {
        for event in events {
            tx.record(permit.origin(), now, &Event::Authority(event))?;
        }
        Ok::<_, StoreError>(())
    })?;
    Ok(())
}

fn ticks(given: &[WrittenTick], step: &Step, at: Timestamp) -> Vec<Tick> {
    given
        .iter()
        .filter(|tick| tick.step == step.number)
        .map(|tick| Tick { step: step.number, role: tick.role, person: tick.person.clone(), at })
        .collect()
}

fn doer_ticked(ceremony: &Ceremony, step: &Step, ticks: &[Tick]) -> Result<(), Refusal> {
    let witnesses = |p: &&Participant| p.role != CeremonyRole::Witness;
    let without = Ceremony {
        roles: ceremony.roles.iter().filter(witnesses).cloned().collect(),
        ..ceremony.clone()
    };
    without.check_ticks(step, ticks)
}

/// What went otherwise, in one line; the reason is mandatory.
fn deviation(given: &[WrittenTick], step: &Step) -> Result<Option<Deviation>, Refusal> {
    let told = given.iter().filter(|tick| tick.step == step.number);
    let reasons: Vec<&str> = told.filter_map(|tick| tick.deviation.as_deref()).collect();
    if reasons.is_empty() {
        return Ok(None);
    }
    let reason = plain_text(&reasons.join("; ").replace(['\r', '\n', '\t'], " "))?;
    Ok(Some(Deviation { step: step.number, reason }))
}

fn dual(problem: &str) -> Refusal {
    Refusal::new(RefusalCode::DualControl, "KM-19").with("problem", problem)
}

fn refusing<T>(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    id: &CeremonyId,
    code: AuditCode,
    run: impl FnOnce() -> Result<T, AuthorityError>,
) -> Result<T, AuthorityError> {
    let now = env.clock.now();
    run().or_else(|error| {
        let refusal = error.refused()?;
        let object = ObjectRef::new("ceremony", id);
        let attempt = Attempt { code, object, organisation: None, policy: None };
        Err(env.refuse(permit.origin(), now, attempt, refusal)?.into())
    })
}

/// The authority that a ceremony makes; none for one that makes none.
fn order_of(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    subject: &Subject,
) -> Result<Option<AuthorityOrder>, AuthorityError> {
    match subject {
        Subject::Create(new) => new_order(env, new).map(Some),
        Subject::Rollover { authority, .. } => successor_order(env, permit, authority).map(Some),
        Subject::Cross { .. } | Subject::Authority { .. } | Subject::SealKey { .. } => Ok(None),
    }
}

fn new_order(env: &Env, new: &NewAuthority) -> Result<AuthorityOrder, AuthorityError> {
    let dedicated = match &new.organisation {
        Some(identifier) => {
            let found = env
                .store
                .read(|tx| tx.find_organisation_by_identifier(&Scope::Platform, identifier))?;
            let found = found.ok_or(StoreError::NotFound { what: "organisation" })?;
            Some(dedication_of(&found))
        }
        None => None,
    };
    Ok(AuthorityOrder {
        code: new.code.clone(),
        kind: new.kind,
        generation: new.generation,
        common_name: new.name.clone(),
        algorithm: new.algorithm,
        validity_days: new.days,
        issuer: new.issuer.clone(),
        dedicated,
        predecessor: None,
        crl_shards: new.crl_shards,
    })
}

/// The code of the authority that a ceremony makes or acts on.
fn code_of(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    subject: &Subject,
) -> Result<AuthorityCode, AuthorityError> {
    match subject {
        Subject::Create(new) => Ok(new.code.clone()),
        Subject::Rollover { authority, .. } => {
            let former = load(env, permit, authority)?;
            Ok(former.code.of_generation(former.generation.saturating_add(1))?)
        }
        Subject::Cross { certified, .. } => Ok(certified.clone()),
        Subject::Authority { authority } => Ok(authority.clone()),
        Subject::SealKey { .. } => Err(StoreError::NotFound { what: "authority" }.into()),
    }
}

fn perform(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    record: &CeremonyRecord,
    step: &Step,
    consent: &Consent,
    deeds: &dyn Deeds,
) -> Result<Vec<Output>, AuthorityError> {
    let subject = &record.ceremony.subject;
    let code = || code_of(env, permit, subject);
    match step.act {
        StepAct::RollCall | StepAct::ByHand | StepAct::Sign => Ok(Vec::new()),
        StepAct::CheckSoftware => software(env),
        StepAct::WitnessKey => witnessed(env, permit, subject, &deeds.request()?),
        StepAct::GenerateKey => {
            let code = code()?;
            let order = match env.store.read(|tx| tx.find_authority(code.as_str()))? {
                Some(made) => return key_outputs(env, &made),
                None => order_of(env, permit, subject)?,
            };
            let order = order.ok_or(StoreError::NotFound { what: "authority" })?;
            key_outputs(env, &begin_authority(env, permit, &order, consent)?)
        }
        StepAct::Certify => {
            let code = code()?;
            let found = load(env, permit, &code)?;
            if found.state != AuthorityState::Ceremony {
                return Ok(certificate_outputs(&found));
            }
            Ok(certificate_outputs(&certify_authority(env, permit, &code, consent)?))
        }
        StepAct::Activate => activated(env, permit, &code()?, consent),
        StepAct::IssueCrl => deeds.first_crl(&code()?),
        StepAct::CrossCertify => crossed(env, permit, subject, &code()?, consent),
        StepAct::RetireFormer => retired(env, permit, subject),
        StepAct::AnswerRequest => deeds.answer(consent),
        StepAct::LastCrl => {
            let code = code()?;
            let found = load(env, permit, &code)?;
            let now = env.clock.now();
            let open = env.store.read(|tx| tx.open_certificates(&found.id, &found.key, now))?;
            found.end(open.values().sum(), Some(tenkoku_domain::authority::NEVER))?;
            deeds.last_crl(&code)
        }
        StepAct::DestroyKey => {
            let code = code()?;
            let found = load(env, permit, &code)?;
            let last = |code: &AuthorityCode| deeds.last_crl(code).map(|_| ());
            if found.state != AuthorityState::Ended {
                end_authority(env, permit, &code, consent, &last)?;
            }
            key_outputs(env, &found)
        }
        StepAct::Close => Ok(vec![Output::new("script", record.script)]),
    }
}

/// Reads the request of a seal's key that was made just now: it answers the challenge of the
/// application, whose organisation has the container. Nothing is claimed here.
fn witnessed(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    subject: &Subject,
    file: &[u8],
) -> Result<Vec<Output>, AuthorityError> {
    let (application, container) = seal_key(subject)?;
    let (container, challenge) = env.store.read(|tx| {
        let application = tx.load_application(permit.scope(), application)?;
        let scope = Scope::organisation(application.organisation);
        Ok::<_, StoreError>((
            tx.load_container(&scope, container)?,
            tx.current_challenge(&application.id)?,
        ))
    })?;
    let request = PresentedRequest::parse(file).and_then(PresentedRequest::accept);
    let request = request.map_err(|error| error.refusal())?;
    challenge.check(request.challenge(), env.clock.now())?;
    Ok(vec![
        Output::new("application", application),
        Output::new("container", &container.id),
        Output::new("device", &container.serial),
        Output::new(KEY_FINGERPRINT, request.key().fingerprint()),
    ])
}

fn seal_key(subject: &Subject) -> Result<(&ApplicationId, &ContainerId), StoreError> {
    match subject {
        Subject::SealKey { application, container } => Ok((application, container)),
        Subject::Create(_)
        | Subject::Rollover { .. }
        | Subject::Cross { .. }
        | Subject::Authority { .. } => Err(StoreError::NotFound { what: "application" }),
    }
}

fn software(env: &Env) -> Result<Vec<Output>, AuthorityError> {
    let now = env.clock.now();
    let policy = env.store.read(|tx| tx.current_policy(now))?.digest()?;
    Ok(vec![Output::new("software", SOFTWARE), Output::new("policy", policy)])
}

fn key_outputs(env: &Env, authority: &Authority) -> Result<Vec<Output>, AuthorityError> {
    let key = env.store.read(|tx| tx.load_key(&authority.key))?;
    Ok(vec![
        Output::new("authority", &authority.code),
        Output::new("key", &key.id),
        Output::new(KEY_FINGERPRINT, key.fingerprint),
    ])
}

fn certificate_outputs(authority: &Authority) -> Vec<Output> {
    let der = authority.certificate.as_deref().unwrap_or_default();
    vec![
        Output::new("authority", &authority.code),
        Output::new("certificate-sha256", Digest::of(der)),
        Output::new("serial", &authority.serial),
        Output::new("not-after", authority.validity.not_after),
    ]
}

fn state_outputs(authority: &Authority) -> Vec<Output> {
    vec![Output::new("authority", &authority.code), Output::new("state", authority.state)]
}

fn activated(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    code: &AuthorityCode,
    consent: &Consent,
) -> Result<Vec<Output>, AuthorityError> {
    let found = load(env, permit, code)?;
    let active = match found.state {
        AuthorityState::Suspended => resume_authority(env, permit, code, consent)?,
        AuthorityState::Active => found,
        AuthorityState::Certified
        | AuthorityState::Planned
        | AuthorityState::Ceremony
        | AuthorityState::Retiring
        | AuthorityState::Ended => activate_authority(env, permit, code, consent)?,
    };
    Ok(state_outputs(&active))
}

fn crossed(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    subject: &Subject,
    code: &AuthorityCode,
    consent: &Consent,
) -> Result<Vec<Output>, AuthorityError> {
    let wanted: Vec<(AuthorityCode, AuthorityCode)> = match subject {
        Subject::Rollover { authority, cross: CrossWish::Both }
            if load(env, permit, authority)?.kind == AuthorityKind::Root =>
        {
            vec![(code.clone(), authority.clone()), (authority.clone(), code.clone())]
        }
        Subject::Cross { certified, by } => vec![(certified.clone(), by.clone())],
        Subject::Rollover { .. }
        | Subject::Create(_)
        | Subject::Authority { .. }
        | Subject::SealKey { .. } => Vec::new(),
    };
    let mut outputs = Vec::new();
    for (certified, by) in wanted {
        let there = crate::authority::cross_certificates(env, &load(env, permit, &certified)?)?;
        let signer = load(env, permit, &by)?;
        let made = match there.into_iter().find(|c| c.authority == signer.id) {
            Some(made) => made,
            None => cross_certify(env, permit, &certified, &by, consent)?,
        };
        outputs.push(Output::new("cross", format!("{by} → {certified}")));
        outputs.push(Output::new("certificate-sha256", sha256(&made)));
    }
    Ok(outputs)
}

fn sha256(certificate: &Certificate) -> Digest {
    Digest::of(certificate.der.as_deref().unwrap_or_default())
}

fn retired(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    subject: &Subject,
) -> Result<Vec<Output>, AuthorityError> {
    let Subject::Rollover { authority, .. } = subject else { return Ok(Vec::new()) };
    let former = load(env, permit, authority)?;
    if former.state == AuthorityState::Retiring {
        return Ok(state_outputs(&former));
    }
    Ok(state_outputs(&retire_authority(env, permit, authority)?))
}

/// Writes the record of the ceremony that an evaluation installation holds in one step.
pub(crate) fn record_evaluation(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    made: &Authority,
) -> Result<(), AuthorityError> {
    let now = env.clock.now();
    let mut record = evaluation(env, made, now)?;
    let opened = AuthorityEvent::CeremonyOpened { record: Box::new(record.clone()) };
    let leader =
        Tick { step: 0, role: CeremonyRole::Leader, person: evaluation_person()?, at: now };
    let mut events = vec![opened];
    for step in record.ceremony.steps.clone() {
        let outputs = match step.act {
            StepAct::CheckSoftware => software(env)?,
            StepAct::GenerateKey => key_outputs(env, made)?,
            StepAct::Certify => certificate_outputs(made),
            StepAct::Activate => state_outputs(made),
            StepAct::RollCall
            | StepAct::IssueCrl
            | StepAct::CrossCertify
            | StepAct::RetireFormer
            | StepAct::AnswerRequest
            | StepAct::LastCrl
            | StepAct::DestroyKey
            | StepAct::WitnessKey
            | StepAct::ByHand
            | StepAct::Sign
            | StepAct::Close => Vec::new(),
        };
        let ticks = vec![Tick { step: step.number, ..leader.clone() }];
        record.steps.push(StepRecord {
            number: step.number,
            at: now,
            ticks,
            outputs,
            deviation: None,
        });
    }
    record.closed_at = Some(now);
    events.push(AuthorityEvent::CeremonyClosed { record: Box::new(record) });
    env.store.write(|tx| {
        for event in events {
            tx.record(permit.origin(), now, &Event::Authority(event))?;
        }
        Ok::<_, StoreError>(())
    })?;
    Ok(())
}

fn evaluation_person() -> Result<Name, Refusal> {
    Name::parse("Evaluation: one person")
}

fn evaluation(
    env: &Env,
    made: &Authority,
    now: Timestamp,
) -> Result<CeremonyRecord, AuthorityError> {
    let mut ceremony = script(Wish {
        id: CeremonyId::new(now, &*env.entropy),
        kind: generation_of(made.kind),
        subject: Subject::Create(Box::new(NewAuthority {
            code: made.code.clone(),
            kind: made.kind,
            generation: made.generation,
            name: made.name.common_name.clone(),
            algorithm: made.algorithm,
            days: None,
            issuer: None,
            organisation: None,
            crl_shards: made.crl_shards,
        })),
        language: Language::En,
        installation: Installation::Evaluation,
        roles: vec![Participant { role: CeremonyRole::Leader, person: evaluation_person()? }],
        recording: None,
        offline_issuer: OfflineIssuer::Here,
    });
    // Its CRL follows when the status service is asked for it; there is nothing to put away.
    ceremony.steps.retain(|step| !matches!(step.act, StepAct::IssueCrl | StepAct::ByHand));
    for (number, step) in (1..).zip(&mut ceremony.steps) {
        step.number = number;
    }
    Ok(CeremonyRecord::open(ceremony, SOFTWARE, now)?)
}
