//! Known-key feeds between authorities (DOMAIN 8.5): made for others where the operator says so, and
//! taken from those that are trusted.
//!
//! What a feed says of a key counts when somebody brings that key (KM-6, KM-5) and, when the feed is
//! taken, for what rests on it here.

use std::collections::BTreeMap;

use tenkoku_domain::access::{OperateAuthority, Origin, Permit};
use tenkoku_domain::audit::{AuditCode, Event, IdentityEvent, ObjectRef};
use tenkoku_domain::canonical::{CanonicalError, Digest, canonical};
use tenkoku_domain::feed::{Feed, FeedAuthority, FeedKey, FeedSource, FeedState, VERSION};
use tenkoku_domain::id::KeyId;
use tenkoku_domain::incident::IncidentKind;
use tenkoku_domain::key::{Fingerprint, Key, KeyAlgorithm, KeyHolder, KeyRole};
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::time::Timestamp;
use tenkoku_keys::{Body, KeyError};
use tenkoku_pki::jws::compact::{self as jws, JwsError, JwsType};
use tenkoku_pki::key::{KeyError as PublicKeyError, PublicKey};
use tenkoku_pki::signed::AssembleError;
use tenkoku_ports::{Attempt, Env};
use tenkoku_store::{StoreError, Tx};

use crate::authority::{AuthorityError, generate};
use crate::block::{end_resting, lock_resting, meet};

/// Keys read in one transaction.
const PAGE: i64 = 1000;

/// Why a feed was not made, or not taken.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// A rule refuses it; the refusal is in the audit trail.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The feed has no canonical form.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
    /// The key store did not make or use the key.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// A kept key cannot be read back.
    #[error("a public key cannot be read: {0}")]
    PublicKey(#[from] PublicKeyError),
    /// The key cannot sign feeds.
    #[error(transparent)]
    Jws(#[from] JwsError),
    /// What came back from the key store is no signature over the feed.
    #[error(transparent)]
    Assemble(#[from] AssembleError),
    /// The key could not be made.
    #[error(transparent)]
    Signing(#[from] AuthorityError),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A feed that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportedFeed {
    /// The signed file: JWS in compact form.
    pub signed: String,
    /// What it says.
    pub feed: Feed,
    /// The key that signed, SubjectPublicKeyInfo (DER): others need it once, by a trusted way.
    pub public_key: Vec<u8>,
}

/// A feed that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedFeed {
    /// What it says.
    pub feed: Feed,
    /// Keys of it that the platform holds too, and that it did not know to be in this feed before, or
    /// not in this state.
    pub hits: usize,
}

/// The key that signs this installation's feeds; made with the first of them.
pub fn feed_key(env: &Env, permit: &Permit<OperateAuthority>) -> Result<Key, FeedError> {
    if let Some(key) = env.store.read(|tx| tx.newest_key(KeyRole::Feed))? {
        return Ok(key);
    }
    let now = env.clock.now();
    let holder = KeyHolder::Scheme(env.settings.scheme.code.clone());
    let made = generate(env, permit.origin(), KeyRole::Feed, holder, KeyAlgorithm::P384)?;
    env.store.write(|tx| tx.record(permit.origin(), now, &made.event()))?;
    Ok(made.key)
}

/// Makes the feed of everything that this platform knows, for other authorities. Refused unless the
/// operator set a name to make feeds under.
pub fn export_feed(
    env: &Env,
    permit: &Permit<OperateAuthority>,
) -> Result<ExportedFeed, FeedError> {
    let now = env.clock.now();
    let Some(authority) = env.settings.key_feed.clone() else {
        let attempt = Attempt {
            code: AuditCode::KeyFeedExported,
            object: ObjectRef::new("feed", "own"),
            organisation: None,
            policy: None,
        };
        let refusal =
            Refusal::new(RefusalCode::StateConflict, "8.5").with("problem", "feed-export-off");
        return Err(env.refuse(permit.origin(), now, attempt, refusal)?.into());
    };
    let key = feed_key(env, permit)?;
    let public = PublicKey::parse(&key.public_key)?;
    let keys = known_keys(env)?;
    let sequence = env.store.read(|tx| tx.last_feed_sequence(&authority))?.saturating_add(1);
    let feed = Feed { v: VERSION, authority, issued_at: now.floor(), sequence, keys };
    let text = canonical(&serde_json::json!(feed))?;
    let prepared = jws::prepare(JwsType::KeyFeed, &text, &public)?;
    let signature = env.keys.sign(&key.id, &Body::Jws(&prepared))?;
    let signed = prepared.finish(&signature)?;
    let exported = IdentityEvent::FeedExported {
        authority: feed.authority.clone(),
        sequence,
        digest: Digest::of(signed.as_bytes()),
        keys: feed.keys.len(),
    };
    env.store.write(|tx| tx.record(permit.origin(), now, &Event::Identity(exported)))?;
    Ok(ExportedFeed { signed, feed, public_key: key.public_key })
}

/// Every fingerprint that was ever claimed here, and those that are blocked; by fingerprint.
fn known_keys(env: &Env) -> Result<Vec<FeedKey>, StoreError> {
    let blocked = env.store.read(|tx| tx.list_blocked_keys())?;
    let mut known: BTreeMap<Fingerprint, (FeedState, Timestamp)> = blocked
        .into_iter()
        .map(|key| (key.fingerprint, (FeedState::Compromised, key.since)))
        .collect();
    let mut last: Option<KeyId> = None;
    loop {
        let page = env.store.read(|tx| tx.list_keys(last.as_ref(), PAGE))?;
        let Some(end) = page.last() else { break };
        last = Some(end.id.clone());
        for key in page {
            let blocked = known.contains_key(&key.fingerprint);
            let state = FeedState::of(key.state, blocked);
            known.insert(key.fingerprint, (state, key.created_at));
        }
    }
    let told = |(fingerprint, (state, since)): (Fingerprint, (FeedState, Timestamp))| FeedKey {
        fingerprint,
        state,
        first_seen: since.to_date(),
    };
    Ok(known.into_iter().map(told).collect())
}

/// Takes the feed of a trusted authority: the signature, the sequence and the age are checked, then
/// everything it names is known from now on. What rests here on a key that it calls exposed is
/// revoked (KM-5); what rests on a key that the other authority holds too is an incident (DOMAIN
/// 8.3).
pub fn import_feed(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    signed: &str,
) -> Result<ImportedFeed, FeedError> {
    let now = env.clock.now();
    let signed = signed.trim();
    let mut named = None;
    let taken = env.store.write(|tx| {
        let source = claimed_source(tx, signed)?;
        named = Some(source.authority.clone());
        let feed = believed(&source, signed, now)?;
        let counts = tx.current_policy(now)?.uniqueness.include_other_authorities;
        let before: BTreeMap<_, _> = tx.feed_hits(&source.authority)?.into_iter().collect();
        let digest = Digest::of(signed.as_bytes());
        let imported = IdentityEvent::FeedImported { feed: Box::new(feed.clone()), digest };
        tx.record(permit.origin(), now, &Event::Identity(imported))?;
        let hits: Vec<_> = tx
            .feed_hits(&source.authority)?
            .into_iter()
            .filter(|(fingerprint, state)| before.get(fingerprint) != Some(state))
            .collect();
        Ok::<_, FeedError>((ImportedFeed { feed, hits: hits.len() }, hits, counts))
    });
    match taken {
        Ok((imported, hits, counts)) => {
            if counts {
                for hit in hits {
                    env.store.write(|tx| answer_hit(env, tx, permit.origin(), hit, now))?;
                }
            }
            Ok(imported)
        }
        Err(FeedError::Refused(refusal)) => {
            let name = named.map_or_else(|| "unknown".to_owned(), |name| name.to_string());
            let attempt = Attempt {
                code: AuditCode::KeyFeedImported,
                object: ObjectRef::new("feed", name),
                organisation: None,
                policy: None,
            };
            Err(env.refuse(permit.origin(), now, attempt, refusal)?.into())
        }
        Err(other) => Err(other),
    }
}

fn not_believed(problem: &str) -> Refusal {
    Refusal::new(RefusalCode::IdentifierMismatch, "8.5").with("problem", problem)
}

/// The trusted authority that a feed claims to be from.
fn claimed_source(tx: &mut Tx<'_>, signed: &str) -> Result<FeedSource, FeedError> {
    let payload = jws::unverified_payload(signed).map_err(|_| not_believed("feed-malformed"))?;
    let claimed: Feed =
        serde_json::from_str(&payload).map_err(|_| not_believed("feed-malformed"))?;
    let source = tx.lock_feed_source(&claimed.authority)?;
    Ok(source.ok_or_else(|| not_believed("feed-authority"))?)
}

fn believed(source: &FeedSource, signed: &str, now: Timestamp) -> Result<Feed, FeedError> {
    let key = PublicKey::parse(&source.public_key)?;
    let payload =
        jws::verify(signed, JwsType::KeyFeed, &key).map_err(|_| not_believed("feed-signature"))?;
    let feed: Feed = serde_json::from_str(&payload).map_err(|_| not_believed("feed-malformed"))?;
    source.check(&feed, now)?;
    Ok(feed)
}

/// DOMAIN 8.3: another authority holds or exposed a key that rests here.
fn answer_hit(
    env: &Env,
    tx: &mut Tx<'_>,
    origin: &Origin,
    (fingerprint, state): (Fingerprint, FeedState),
    now: Timestamp,
) -> Result<(), StoreError> {
    let resting = lock_resting(tx, &fingerprint)?;
    match state {
        FeedState::Compromised => end_resting(env, tx, origin, resting, now),
        FeedState::Live | FeedState::Ended => {
            meet(env, tx, origin, resting, IncidentKind::FeedKey, now)
        }
    }
}

/// Whether a feed may be taken from now on: under a name that is not taken, with a key that can sign
/// feeds.
pub(crate) fn check_trust(
    tx: &mut Tx<'_>,
    authority: &FeedAuthority,
    public_key: &[u8],
) -> Result<Result<(), Refusal>, StoreError> {
    if tx.find_feed_source(authority)?.is_some() {
        let taken = Refusal::new(RefusalCode::StateConflict, "8.5").with("problem", "taken");
        return Ok(Err(taken.with("code", authority)));
    }
    let fits = PublicKey::parse(public_key)
        .is_ok_and(|key| jws::prepare(JwsType::KeyFeed, "{}", &key).is_ok());
    let unfit = || Refusal::new(RefusalCode::KeyAlgorithm, "8.5").with("problem", "feed-key");
    Ok(if fits { Ok(()) } else { Err(unfit()) })
}

pub(crate) fn check_end(
    tx: &mut Tx<'_>,
    authority: &FeedAuthority,
) -> Result<Result<(), Refusal>, StoreError> {
    match tx.find_feed_source(authority)? {
        Some(source) if source.ended_at.is_none() => Ok(Ok(())),
        Some(_) => {
            let ended = Refusal::new(RefusalCode::StateConflict, "8.5");
            Ok(Err(ended.with("problem", "feed-source-ended").with("authority", authority)))
        }
        None => Err(StoreError::NotFound { what: "feed source" }),
    }
}

pub(crate) fn trust(
    tx: &mut Tx<'_>,
    origin: &Origin,
    (authority, public_key): (&FeedAuthority, &[u8]),
    now: Timestamp,
) -> Result<(), StoreError> {
    let source = FeedSource {
        authority: authority.clone(),
        public_key: public_key.to_vec(),
        sequence: 0,
        issued_at: None,
        trusted_at: now,
        ended_at: None,
    };
    tx.record(origin, now, &Event::Identity(IdentityEvent::FeedTrusted { source }))?;
    Ok(())
}

pub(crate) fn end(
    tx: &mut Tx<'_>,
    origin: &Origin,
    authority: &FeedAuthority,
    now: Timestamp,
) -> Result<(), StoreError> {
    let source = tx.find_feed_source(authority)?;
    let source = source.ok_or(StoreError::NotFound { what: "feed source" })?;
    let source = FeedSource { ended_at: Some(now), ..source };
    tx.record(origin, now, &Event::Identity(IdentityEvent::FeedEnded { source }))?;
    Ok(())
}
