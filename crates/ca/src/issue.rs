//! Issues the certificate of a ready application: every guard again, the lint, then the order that
//! survives a power cut.

use tenkoku_domain::access::{Issue, Permit, Scope};
use tenkoku_domain::application::{Application, ApplicationState, application_digest};
use tenkoku_domain::audit::{AuditCode, ObjectRef};
use tenkoku_domain::authority::{Authority, issuing_for};
use tenkoku_domain::certificate::{Certificate, SealBinding, Validity};
use tenkoku_domain::id::ApplicationId;
use tenkoku_domain::key::{Key, KeyHolder, KeyState};
use tenkoku_domain::policy::{Installation, KeyPolicy};
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::subject::SealSubject;
use tenkoku_domain::time::Timestamp;
use tenkoku_pki::key::PublicKey;
use tenkoku_pki::name::DistinguishedName;
use tenkoku_pki::profile::{Content, Order};
use tenkoku_pki::qc::Claim;
use tenkoku_pki::seal::Extras;
use tenkoku_pki::uri::HttpUri;
use tenkoku_ports::{Attempt, Env};
use tenkoku_store::Tx;

use crate::apply::{check_instances, check_key_rules, check_submission};
use crate::clock::check_clock;
use crate::container::place_within;
use crate::known::check_feeds;
use crate::origin::tied_container;
use crate::policy::policy_of_level;
use crate::progress::{changed_meanwhile, check_proofing, stand_again};
use crate::restore::check_restored;
use crate::rotate::check_successor;
pub use crate::signing::SigningError as IssueError;
use crate::signing::{Paper, issuer, repository, sign_certificate};
use crate::weak::check_key as check_weak;
use crate::wishes::{self, Whose};

/// Everything an issuance rests on, loaded and checked in one transaction.
struct Case {
    application: Application,
    authority: Authority,
    key: Key,
    subject: SealSubject,
    policy: KeyPolicy,
    /// Until when the proofing it rests on lets a certificate be valid (I-8).
    proofed_until: Option<Timestamp>,
    claim: Claim,
    extras: Extras,
}

/// Issues the certificate of a ready application.
///
/// Nothing is released before it is stored; an application is issued once, however often and from
/// however many sides this is called.
pub fn issue_certificate(
    env: &Env,
    permit: &Permit<Issue>,
    application: &ApplicationId,
) -> Result<Certificate, IssueError> {
    let now = env.clock.now();
    let loaded = env.store.read(|tx| tx.load_application(permit.scope(), application))?;
    let issued = env
        .store
        .write(|tx| load_case(env, tx, permit, application, now))
        .and_then(|case| sign(env, permit, now, &case));
    issued.or_else(|error| {
        let refusal = error.refused()?;
        if refusal.rule == "I-9" {
            void_what_changed(env, permit, application, now)?;
        }
        let linted = refusal.code == RefusalCode::LintFailed;
        let code = if linted { AuditCode::CertLintFailed } else { AuditCode::CertIssued };
        let attempt = Attempt {
            code,
            object: ObjectRef::new("application", application),
            organisation: Some(loaded.organisation.clone()),
            policy: Some(loaded.policy),
        };
        Err(env.refuse(permit.origin(), now, attempt, refusal)?.into())
    })
}

/// Scenario 9: an application that is not what was decided on falls back to *submitted*, and its
/// approvals are void. An evaluation has none, and its application stays where it is.
fn void_what_changed(
    env: &Env,
    permit: &Permit<Issue>,
    id: &ApplicationId,
    now: Timestamp,
) -> Result<(), IssueError> {
    if env.settings.installation == Installation::Evaluation {
        return Ok(());
    }
    env.store.write(|tx| {
        let application = tx.lock_application(permit.scope(), id)?;
        if application.state == ApplicationState::Ready {
            changed_meanwhile(tx, permit.origin(), &application, now)?;
        }
        Ok(())
    })
}

fn load_case(
    env: &Env,
    tx: &mut Tx<'_>,
    permit: &Permit<Issue>,
    id: &ApplicationId,
    now: Timestamp,
) -> Result<Case, IssueError> {
    let application = tx.lock_application(permit.scope(), id)?;
    let organisation = tx.load_organisation(permit.scope(), &application.organisation)?;
    let branch = tx.load_branch(permit.scope(), &application.branch)?;
    let policy = policy_of_level(tx, application.level, now)?;
    let wishes = &application.wishes;
    let subject = wishes::subject(&organisation, &branch, application.instance_number, wishes)?;
    check_clock(env, tx, &policy, now)??;
    check_restored(tx)??;
    let (level, days) = (application.level, application.validity_days);
    let grant = application.grant.as_ref();
    let digest = application_digest(&subject, level, days, &application.policy, (grant, wishes))?;
    let key = tx.load_key(&application.may_issue(&digest)?.id)?;
    check_key(&key, &application)?;
    check_weak(tx, &policy, PublicKey::parse(&key.public_key)?.presented())??;
    check_feeds(tx, &policy, &key.fingerprint)??;
    check_submission(&policy, &organisation, &branch, level, days)
        .and_then(|()| check_key_rules(&policy, level, (key.algorithm, key.origin), now))
        .map_err(|refusal| policy_changed(refusal, &policy, &application))?;
    let standing = stand_again(env, tx, &application, &branch, now)?;
    let proofed_until = check_proofing(env, tx, &application, &standing, now)?;
    let all = tx.list_authorities()?;
    let authority = issuing_for(&all, level, &application.organisation, now)?;
    if env.settings.installation == Installation::Production && env.settings.arc.is_documentation()
    {
        return Err(Refusal::new(RefusalCode::LintFailed, "PR-1").into());
    }
    let whose = Whose { organisation: &organisation, branch: &branch, level };
    let claim = wishes::claim(tx, &authority, (&application, &key), now)?;
    let extras = wishes::extras(env, tx, whose, (&application, &key), now)?;
    Ok(Case { application, authority, key, subject, policy, proofed_until, claim, extras })
}

/// DOMAIN 6.5: a key that was exposed, retired or destroyed never comes back. I-1, I-2: it is the
/// key of this application's instance, under the fingerprint that was claimed for it.
fn check_key(key: &Key, application: &Application) -> Result<(), Refusal> {
    let claimed = application.key.as_ref().is_some_and(|own| own.fingerprint == key.fingerprint);
    if !claimed || key.holder != KeyHolder::Instance(application.instance.clone()) {
        return Err(Refusal::new(RefusalCode::KeyDuplicate, "I-2").with("holder", "other"));
    }
    match key.state {
        KeyState::Proven | KeyState::Bound => Ok(()),
        KeyState::Ordered
        | KeyState::Generated
        | KeyState::Presented
        | KeyState::Retiring
        | KeyState::DestructionDue
        | KeyState::Destroyed
        | KeyState::Compromised
        | KeyState::Lost => Err(Refusal::new(RefusalCode::StateConflict, "6.5")
            .with("key", &key.id)
            .with("state", key.state)),
    }
}

/// KM-21: when the policy changed since submission, the refusal says so.
fn policy_changed(refusal: Refusal, policy: &KeyPolicy, application: &Application) -> Refusal {
    match policy.digest() {
        Ok(digest) if digest != application.policy => {
            Refusal::new(RefusalCode::PolicyChanged, "KM-21").with("because", refusal.code)
        }
        Ok(_) | Err(_) => refusal,
    }
}

/// I-1: the key is placed in the container that it was tied to, for its whole life, before it is
/// certified. A retry finds it there.
fn place_key(
    tx: &mut Tx<'_>,
    permit: &Permit<Issue>,
    case: &Case,
    now: Timestamp,
) -> Result<(), IssueError> {
    let Case { application, key, .. } = case;
    let Some(id) = tied_container(tx, &key.id)? else { return Ok(()) };
    if tx.load_key_life(&key.id)?.container.is_some() {
        return Ok(());
    }
    let scope = Scope::organisation(application.organisation.clone());
    let container = tx.load_container(&scope, &id)?;
    let seal = (&application.organisation, &application.branch, application.level);
    Ok(place_within(tx, permit.origin(), key.clone(), seal, container, now)??)
}

/// The subject as the authority may certify it: region and city stand before the organisation and
/// would leave the subtree that a dedicated authority is held to (DOMAIN 12.4).
fn written_subject(subject: &SealSubject, authority: &Authority) -> SealSubject {
    match authority.dedicated {
        Some(_) => SealSubject { region: None, locality: None, ..subject.clone() },
        None => subject.clone(),
    }
}

fn sign(
    env: &Env,
    permit: &Permit<Issue>,
    now: Timestamp,
    case: &Case,
) -> Result<Certificate, IssueError> {
    let application = &case.application;
    let authority = &case.authority;
    let issuer = issuer(authority.may_issue(now)?)?;
    // I-8: never beyond the issuer's own end, nor beyond what the proofing carries.
    let validity = Validity::days(now, application.validity_days).capped(issuer.validity.not_after);
    let validity = case.proofed_until.map_or(validity, |until| validity.capped(until.floor()));
    let sealing = now.floor().plus_days(case.policy.level(application.level).sealing_days);
    let paper = Paper {
        authority: authority.id.clone(),
        signing_key: authority.key.clone(),
        profile: application.wishes.profile(application.level),
        key: case.key.id.clone(),
        seal: Some(SealBinding {
            organisation: application.organisation.clone(),
            branch: application.branch.clone(),
            instance: application.instance.clone(),
            application: application.id.clone(),
        }),
        common_name: case.subject.common_name.as_str().to_owned(),
        sealing_not_after: Some(sealing.min(validity.not_after)),
        policy: application.policy,
    };
    let written = written_subject(&case.subject, authority);
    let content = Content::Seal {
        level: application.level,
        latin: DistinguishedName::of_seal_latin(&written)?,
        claim: case.claim.clone(),
        arc: env.settings.arc,
        repository: repository(env, authority)?,
        ocsp: HttpUri::parse(&env.settings.public_address.ocsp(&authority.code))?,
        extras: case.extras.clone(),
    };
    let subject = DistinguishedName::of_seal(&written)?;
    let key = PublicKey::parse(&case.key.public_key)?;
    let order = |serial| Order {
        serial,
        validity,
        subject: subject.clone(),
        key: key.clone(),
        issuer: issuer.clone(),
        content: content.clone(),
    };
    let unchanged = |tx: &mut Tx<'_>| {
        // Between the check and this transaction another process may have been faster.
        let locked = tx.lock_application(permit.scope(), &application.id)?;
        locked.may_issue(&application.digest)?;
        // AB-10: the grant is locked in the transaction that occupies the instance.
        let standing = tx.load_branch(permit.scope(), &application.branch)?;
        stand_again(env, tx, &locked, &standing, now)?;
        // KM-14: counted under the branch's lock, in the transaction that occupies the instance.
        let branch = tx.lock_branch(permit.scope(), &application.branch)?;
        // I-3: so many may have applied for one instance; each of them was right when it did.
        check_successor(tx, &application.instance, now)??;
        // I-10: it may have begun to close since.
        branch.may_apply()?;
        tx.load_organisation(permit.scope(), &application.organisation)?.may_apply()?;
        check_instances(tx, &case.policy, &branch, application.level, now)??;
        place_key(tx, permit, case, now)
    };
    sign_certificate(env, permit.origin(), now, &paper, order, unchanged, |_, _| Ok(()))
}
