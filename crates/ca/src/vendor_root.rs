//! Roots of vendors of key devices: proposed and ended by one officer of authorities, with the
//! agreement of two others; alone in an evaluation (DOMAIN 9, 17).

use tenkoku_domain::access::{DraftPolicy, Permit, Scope};
use tenkoku_domain::audit::{AuditCode, Event, ObjectRef, PolicyEvent};
use tenkoku_domain::policy::draft::Verdict;
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::vendor_root::{VendorRoot, VendorRootDecision, parse_code};
use tenkoku_pki::attestation::root_certificate;
use tenkoku_ports::Env;
use tenkoku_store::StoreError;

use crate::life::{LifeError, told};
use crate::policy::{checked_reason, person};

/// Proposes a root under a code that no other ever had: a certificate, PEM or DER, that signed
/// itself.
pub fn add_vendor_root(
    env: &Env,
    permit: &Permit<DraftPolicy>,
    code: &str,
    certificate: &[u8],
) -> Result<VendorRoot, LifeError> {
    let now = env.clock.now();
    change(env, permit, code, || {
        let code = parse_code(code)?;
        let certificate = root_certificate(certificate).map_err(|fault| fault.refusal())?;
        env.store.write(|tx| {
            if tx.list_vendor_roots()?.iter().any(|known| known.code == code) {
                let refusal = Refusal::new(RefusalCode::StateConflict, "17").with("root", &code);
                return Err(refusal.with("state", "code-taken").into());
            }
            let author = person(tx, &permit.origin().actor)?;
            let installation = env.settings.installation;
            let root = VendorRoot::propose((code, certificate), author, installation, now);
            let event = PolicyEvent::VendorRootAsked { root: root.clone() };
            tx.record(permit.origin(), now, &Event::Policy(event))?;
            Ok(root)
        })
    })
}

/// Asks for the end of a root. Nothing is verified with it from now on.
pub fn end_vendor_root(
    env: &Env,
    permit: &Permit<DraftPolicy>,
    code: &str,
) -> Result<VendorRoot, LifeError> {
    let now = env.clock.now();
    change(env, permit, code, || {
        env.store.write(|tx| {
            let root = tx.load_vendor_root(code)?;
            let author = person(tx, &permit.origin().actor)?;
            let root = root.ask_end(author, env.settings.installation, now)?;
            let event = PolicyEvent::VendorRootAsked { root: root.clone() };
            tx.record(permit.origin(), now, &Event::Policy(event))?;
            Ok(root)
        })
    })
}

/// Agrees to, or rejects, the change of a root that waits; a rejection needs a reason.
pub fn decide_vendor_root(
    env: &Env,
    permit: &Permit<DraftPolicy>,
    code: &str,
    (verdict, reason): (Verdict, &str),
) -> Result<VendorRoot, LifeError> {
    let now = env.clock.now();
    change(env, permit, code, || {
        env.store.write(|tx| {
            let root = tx.load_vendor_root(code)?;
            let decision = VendorRootDecision {
                person: person(tx, &permit.origin().actor)?,
                verdict,
                at: now,
                reason: checked_reason(reason, verdict)?,
                actor: permit.origin().actor.clone(),
            };
            let root = root.decide(decision.clone())?;
            let event = PolicyEvent::VendorRootDecided { root: root.clone(), decision };
            tx.record(permit.origin(), now, &Event::Policy(event))?;
            Ok(root)
        })
    })
}

/// Roots are the platform's: whoever reaches less does not see them.
fn change(
    env: &Env,
    permit: &Permit<DraftPolicy>,
    code: &str,
    act: impl FnOnce() -> Result<VendorRoot, LifeError>,
) -> Result<VendorRoot, LifeError> {
    if *permit.scope() != Scope::Platform {
        return Err(StoreError::NotFound { what: "vendor root" }.into());
    }
    let object = ObjectRef::new("vendor-root", code);
    told(env, permit.origin(), (AuditCode::VendorRootChanged, object), None, act())
}
