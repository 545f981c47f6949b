//! Makes the key of an application in the platform's own key store and shows possession in the same
//! session (`hsm-session`, DOMAIN 9).

use tenkoku_domain::access::{Apply, Permit};
use tenkoku_domain::application::Application;
use tenkoku_domain::audit::{AuditCode, ObjectRef};
use tenkoku_domain::id::{ApplicationId, KeyId};
use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_domain::policy::PossessionMethod;
use tenkoku_keys::{Body, KeyError};
use tenkoku_pki::csr::{Request, RequestBody};
use tenkoku_pki::key::PublicKey;
use tenkoku_ports::{Attempt, Env};

use crate::incident::refuse_misheld;
use crate::origin::Made;
use crate::prove::{Answer, ProveError, Shown, request_challenge, settle};
use crate::seal_key::may_hold;

/// Makes the key of an application in the platform's key store; the application is then ready.
///
/// A key that could not be claimed is destroyed again.
pub fn make_platform_key(
    env: &Env,
    permit: &Permit<Apply>,
    id: &ApplicationId,
    algorithm: KeyAlgorithm,
) -> Result<Application, ProveError> {
    let now = env.clock.now();
    let application = env.store.read(|tx| tx.load_application(permit.scope(), id))?;
    if let Err(refusal) = may_hold(env.keys.kind(), application.level) {
        let attempt = Attempt {
            code: AuditCode::KeyOrdered,
            object: ObjectRef::new("application", id),
            organisation: Some(application.organisation),
            policy: Some(application.policy),
        };
        return Err(env.refuse(permit.origin(), now, attempt, refusal)?.into());
    }
    let challenge = request_challenge(env, permit, id)?;
    let key = KeyId::new(now, &*env.entropy);
    let answer = match generate(env, &key, algorithm, &challenge.text) {
        Ok(shown) => Answer::of(shown, &challenge),
        Err(ProveError::Keys(error)) => {
            let refused = refuse_misheld(env, permit.origin(), &error, Some(&application))?;
            return Err(refused.map_or_else(|| error.into(), Into::into));
        }
        Err(other) => return Err(other),
    };
    settle(env, permit, id, answer, now).inspect_err(|_| {
        // The name was drawn for this key alone, and nothing rests on it.
        let _: Result<_, KeyError> = env.keys.destroy(&key);
    })
}

fn generate(
    env: &Env,
    id: &KeyId,
    algorithm: KeyAlgorithm,
    challenge: &str,
) -> Result<Shown, ProveError> {
    let made = env.keys.generate(id, algorithm)?;
    let public = PublicKey::parse(&made.public_key)?;
    let body = RequestBody::new(&public, challenge);
    let signature = env.keys.sign(id, &Body::Request(&body))?;
    let der = body.assemble(&signature)?;
    Ok(Shown {
        method: PossessionMethod::HsmSession,
        public,
        made: Some(Made { id: id.clone(), origin: made.origin }),
        request: Request::parse(&der).ok(),
    })
}
