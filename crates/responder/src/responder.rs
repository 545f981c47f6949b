//! The responder: follows the status log, keeps what it signed, and answers from memory.
//!
//! A request is read and looked up without the store, without a lock that anybody holds for long,
//! and without a line in a log. What must be signed is handed back as a `Task`, so that whoever
//! serves decides where it is signed. Deliberately not here: HTTP, threads, and the clock that says
//! when to look into the store again.
//!
//! No answer claims to know more than the last look into the log: `thisUpdate` is the instant up to
//! which the log is known whole. When that is too long ago, nothing is answered.

pub mod http;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use tenkoku_domain::id::AuthorityId;
use tenkoku_domain::time::Timestamp;
use tenkoku_pki::ocsp::{self, CertId, Request, Single, Status};
use tenkoku_ports::Env;
use tenkoku_ports::settings::{StatusSettings, Unissued};
use tenkoku_store::{StatusChange, StatusListener, StatusSource, StoreError, Told};

use crate::answer::{AnswerError, Audience, sign, single, status_of};
use crate::budget::Budget;
use crate::cache::{AnswerCache, AnswerKey, Kept};
use crate::figures::{Count, Figures};
use crate::index::{Known, SerialKey};
use crate::issuer::{Issuer, Signer};

/// Changes that are read at once, at least and at most.
const PAGE: (usize, usize) = (20_000, 500_000);
/// How often an answer is made again because its certificate changed meanwhile.
const ATTEMPTS: usize = 4;
/// Answers that are signed at once, at most.
const FLIGHTS: usize = 256;
/// Failures are logged no oftener than this, in seconds: requests come by thousands.
const COMPLAIN_SECONDS: i64 = 10;
/// No look into the log succeeded yet.
const NEVER: i64 = i64::MIN;

type Codes = HashMap<String, Arc<Issuer>>;

/// How far the log was followed.
#[derive(Debug, Default)]
struct Followed {
    /// The last change that is in the index.
    last: Option<StatusChange>,
    /// Every authority met so far; `None` for one without a responder.
    issuers: HashMap<AuthorityId, Option<Arc<Issuer>>>,
}

impl Followed {
    fn rev(&self) -> i64 {
        self.last.as_ref().map_or(0, |change| change.rev)
    }
}

/// The responder of an installation, or of a node that does nothing but answer.
pub struct Responder {
    env: Env,
    settings: StatusSettings,
    codes: RwLock<Arc<Codes>>,
    followed: Mutex<Followed>,
    /// The last change that is known, for the metrics.
    revision: AtomicI64,
    /// Up to which instant the log is known whole, in milliseconds.
    synced_at: AtomicI64,
    numbers: AtomicU32,
    cache: AnswerCache,
    budget: Budget,
    figures: Figures,
    waiting: AtomicUsize,
    /// Held while an answer is signed that is kept, so that it is signed once.
    flights: Vec<Mutex<()>>,
    /// When the last failure was logged, in seconds.
    complained_at: AtomicI64,
}

/// What a client gets.
#[derive(Clone, Debug)]
pub(crate) enum Given {
    /// An answer that is kept for many.
    Kept(Arc<Kept>),
    /// An answer for this request alone, and what it is counted as.
    Live(Count, Vec<u8>),
    /// An answer that says only why there is none, unsigned.
    Plain(Plain),
}

/// Why there is no signed answer (RFC 6960, 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plain {
    /// The request could not be read.
    Malformed,
    /// Nothing is known about the certificate here.
    Unauthorized,
    /// Not now.
    TryLater,
}

impl Plain {
    /// The OCSPResponse, DER.
    pub(crate) const fn der(self) -> &'static [u8] {
        match self {
            Self::Malformed => ocsp::MALFORMED_REQUEST,
            Self::Unauthorized => ocsp::UNAUTHORIZED,
            Self::TryLater => ocsp::TRY_LATER,
        }
    }
}

impl Given {
    fn der(&self) -> &[u8] {
        match self {
            Self::Kept(kept) => &kept.der,
            Self::Live(_, der) => der,
            Self::Plain(plain) => plain.der(),
        }
    }

    fn count(&self) -> Count {
        match self {
            Self::Kept(kept) => counted(kept.known),
            Self::Live(count, _) => *count,
            Self::Plain(Plain::Malformed) => Count::Malformed,
            Self::Plain(Plain::Unauthorized) => Count::Unauthorized,
            Self::Plain(Plain::TryLater) => Count::TryLater,
        }
    }
}

const fn counted(known: Known) -> Count {
    match known {
        Known::Good => Count::Good,
        Known::Revoked { .. } => Count::Revoked,
    }
}

impl From<Plain> for Outcome {
    fn from(plain: Plain) -> Self {
        Self::Given(Given::Plain(plain))
    }
}

/// What a request comes to before anything is signed.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Here it is.
    Given(Given),
    /// Here it is, and a newer one should be made while it is given.
    Refresh(Arc<Kept>, Task),
    /// It must be signed.
    Sign(Task),
}

/// Something to be signed.
#[derive(Debug)]
pub(crate) struct Task {
    issuer: Arc<Issuer>,
    work: Work,
}

#[derive(Debug)]
enum Work {
    /// An answer to be kept: under which key, for which CertID.
    Keep { key: AnswerKey, cert_id: Vec<u8> },
    /// An answer for one request: the CertIDs with their serial numbers.
    Live { asked: Vec<(Vec<u8>, Option<SerialKey>)>, nonce: Option<Vec<u8>> },
}

/// How the responder stands, for health checks and metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The last change of status that is known.
    pub revision: i64,
    /// Up to which instant the log is known whole; `None` when it was never read.
    pub synced_at: Option<Timestamp>,
    /// Whether answers are given: the log was read lately.
    pub is_fresh: bool,
    /// Authorities that are answered for.
    pub authorities: usize,
    /// Certificates in the index.
    pub certificates: usize,
    /// The octets that the index takes.
    pub index_octets: usize,
    /// Answers that are kept.
    pub kept: usize,
    /// Their octets.
    pub kept_octets: usize,
    /// Signatures that are waited for.
    pub waiting: usize,
}

impl Responder {
    /// Reads the whole log and is told of every change from then on that this process makes.
    pub fn open(env: Env) -> Result<Arc<Self>, StoreError> {
        let responder = Self::idle(env);
        responder.follow()?;
        Ok(responder)
    }

    /// As [`Self::open`], without having read anything: it answers `tryLater` until
    /// [`Self::follow`] has succeeded. For a node whose database may be away when it starts.
    pub fn idle(env: Env) -> Arc<Self> {
        let settings = env.settings.status;
        let responder = Arc::new(Self {
            codes: RwLock::default(),
            followed: Mutex::default(),
            revision: AtomicI64::new(0),
            synced_at: AtomicI64::new(NEVER),
            numbers: AtomicU32::new(0),
            cache: AnswerCache::new(settings.cache_octets),
            budget: Budget::new(settings.live_per_second, settings.live_per_address),
            figures: Figures::default(),
            waiting: AtomicUsize::new(0),
            flights: (0..FLIGHTS).map(|_| Mutex::default()).collect(),
            complained_at: AtomicI64::new(NEVER),
            settings,
            env,
        });
        let listener: Arc<dyn StatusListener> = Arc::<Self>::clone(&responder);
        responder.env.store.tell_status(Arc::downgrade(&listener));
        responder
    }

    /// The numbers that the responder counts.
    pub const fn figures(&self) -> &Figures {
        &self.figures
    }

    /// How the responder stands now.
    pub fn standing(&self) -> Standing {
        let now = self.env.clock.now();
        let codes = self.codes();
        let (kept, kept_octets) = self.cache.size();
        let synced_at = self.synced_at.load(Ordering::SeqCst);
        Standing {
            revision: self.revision.load(Ordering::Relaxed),
            synced_at: (synced_at != NEVER).then(|| Timestamp::from_millis(synced_at)),
            is_fresh: self.known_at(now).is_some(),
            authorities: codes.len(),
            certificates: codes.values().map(|issuer| issuer.index.len()).sum(),
            index_octets: codes.values().map(|issuer| issuer.index.octets()).sum(),
            kept,
            kept_octets,
            waiting: self.waiting.load(Ordering::Relaxed),
        }
    }

    /// Answers a request as of now: looks into the log first, and signs in this thread what must be
    /// signed. Always an OCSPResponse, DER.
    pub fn answer(&self, code: &str, request: &[u8]) -> Vec<u8> {
        if let Err(error) = self.follow() {
            tracing::warn!(%error, "the status log could not be read");
        }
        self.answer_as_known(code, request)
    }

    /// As [`Self::answer`], without looking into the log: as a server answers.
    pub fn answer_as_known(&self, code: &str, request: &[u8]) -> Vec<u8> {
        let given = self.give(code, request);
        self.tally(&given);
        given.der().to_vec()
    }

    /// Counts an answer that is given.
    pub(crate) fn tally(&self, given: &Given) {
        self.figures.add(given.count());
    }

    /// The time by which answers are judged.
    pub(crate) fn now(&self) -> Timestamp {
        self.env.clock.now()
    }

    /// Answers a request from what is known, and signs in this thread what must be signed.
    fn give(&self, code: &str, request: &[u8]) -> Given {
        match self.look(code, request, None) {
            Outcome::Given(given) => given,
            Outcome::Sign(task) => self.perform(&task),
            Outcome::Refresh(kept, task) => match self.perform(&task) {
                Given::Plain(_) => Given::Kept(kept),
                newer @ (Given::Kept(_) | Given::Live(..)) => newer,
            },
        }
    }

    // Following the log.

    /// Brings the index up to the present end of the log. Many may call it: they queue.
    pub fn follow(&self) -> Result<(), StoreError> {
        self.follow_from(&mut self.followed())
    }

    fn followed(&self) -> MutexGuard<'_, Followed> {
        self.followed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An authority that is answered for.
    pub(crate) fn issuer(&self, id: &AuthorityId) -> Option<Arc<Issuer>> {
        self.followed().issuers.get(id).and_then(Option::as_ref).map(Arc::clone)
    }

    fn codes(&self) -> Arc<Codes> {
        Arc::clone(&self.codes.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn follow_from(&self, followed: &mut Followed) -> Result<(), StoreError> {
        loop {
            let before = self.env.clock.now();
            let limit = usize::try_from(followed.rev()).unwrap_or_default() / 8;
            let limit = limit.clamp(PAGE.0, PAGE.1);
            let rows = i64::try_from(limit).unwrap_or(i64::MAX);
            let after = followed.rev().saturating_sub(1);
            let (source, mut page) = self.env.store.read(|tx| {
                Ok::<_, StoreError>((tx.status_source()?, tx.status_changes(after, rows)?))
            })?;
            let is_end = page.len() < limit;
            if let Some(last) = &followed.last {
                // The last known change is read again. When it is not there, or another one is in
                // its place, a copy that had not received everything became the database.
                if page.first() != Some(last) {
                    self.begin_anew(followed)?;
                    continue;
                }
                page.remove(0);
            }
            self.apply(followed, &page)?;
            if is_end {
                let known_at = match source {
                    StatusSource::Original => Some(before),
                    StatusSource::Copy(beat) => beat.map(|beat| beat.min(before)),
                };
                // Set back too: a clock that was set back, or another copy.
                let known_at = known_at.map_or(NEVER, Timestamp::millis);
                self.synced_at.store(known_at, Ordering::SeqCst);
                return Ok(());
            }
        }
    }

    /// The log is another one than the one that was followed: everything is read from its
    /// beginning, and what was known serves until that is done.
    fn begin_anew(&self, followed: &mut Followed) -> Result<(), StoreError> {
        tracing::error!(
            revision = followed.rev(),
            "the status log was cut back: changes are missing that were known here. Every status \
             is read anew"
        );
        let mut anew = Followed::default();
        loop {
            let rows = i64::try_from(PAGE.1).unwrap_or(i64::MAX);
            let page = self.env.store.read(|tx| tx.status_changes(anew.rev(), rows))?;
            if page.is_empty() {
                break;
            }
            self.put(&mut anew, &page)?;
        }
        *followed = anew;
        self.publish(followed);
        for number in 0..self.numbers.load(Ordering::SeqCst) {
            if !followed.issuers.values().flatten().any(|issuer| issuer.number == number) {
                self.cache.forget_issuer(number);
            }
        }
        self.revision.store(followed.rev(), Ordering::Relaxed);
        Ok(())
    }

    /// Puts changes that follow the last known one into the index.
    fn apply(&self, followed: &mut Followed, changes: &[StatusChange]) -> Result<(), StoreError> {
        let Some(last) = changes.last() else { return Ok(()) };
        let met = followed.issuers.len();
        self.put(followed, changes)?;
        if followed.issuers.len() != met {
            self.publish(followed);
        }
        self.revision.store(followed.rev(), Ordering::Relaxed);
        // Every change that was decided before this one was decided has a lower number.
        let known_at = last.at.min(self.env.clock.now()).millis();
        self.synced_at.fetch_max(known_at, Ordering::SeqCst);
        Ok(())
    }

    /// Lets requests find the authorities that were met.
    fn publish(&self, followed: &Followed) {
        let codes = followed.issuers.values().flatten();
        let codes = codes.map(|issuer| (issuer.code.clone(), Arc::clone(issuer))).collect();
        *self.codes.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(codes);
    }

    fn put(&self, followed: &mut Followed, changes: &[StatusChange]) -> Result<(), StoreError> {
        let Some(last) = changes.last() else { return Ok(()) };
        for change in changes {
            if !followed.issuers.contains_key(&change.authority) {
                self.meet(followed, &change.authority)?;
            }
        }
        for (issuer, changes) in by_issuer(followed, changes) {
            self.put_for(&issuer, &changes);
        }
        followed.last = Some(last.clone());
        Ok(())
    }

    /// The index first, then the count that keeps a wrong answer from being kept, then the answers
    /// that were kept.
    fn put_for(&self, issuer: &Arc<Issuer>, changes: &[(SerialKey, &Told)]) {
        issuer.index.apply(changes.iter().map(|(serial, told)| (*serial, known_of(told))));
        if changes.iter().any(|(_, told)| !is_issue(told)) {
            issuer.note_change();
        }
        for (serial, told) in changes {
            match told {
                Told::Issued => {}
                Told::SignerIssued => issuer.note_signer(),
                Told::Released => self.cache.forget(issuer.number, *serial),
                Told::Revoked(_) => {
                    self.cache.forget(issuer.number, *serial);
                    if issuer.drop_signer(*serial) {
                        self.cache.forget_issuer(issuer.number);
                    }
                }
            }
        }
    }

    /// Learns of an authority that has its first entry in the log.
    fn meet(&self, followed: &mut Followed, id: &AuthorityId) -> Result<(), StoreError> {
        // At the start everybody is met at once.
        let authorities = if followed.issuers.is_empty() {
            self.env.store.read(|tx| tx.list_authorities())?
        } else {
            vec![self.env.store.read(|tx| tx.load_authority(id))?]
        };
        for authority in authorities {
            // Without a certificate it has nothing in the log yet; it is met when it has.
            if authority.certificate.is_none() && authority.id != *id {
                continue;
            }
            let number = self.numbers.fetch_add(1, Ordering::SeqCst);
            let issuer = Issuer::of(&authority, number).unwrap_or_else(|error| {
                tracing::error!(authority = %authority.code, %error, "nothing can be answered for an authority");
                None
            });
            followed.issuers.insert(authority.id, issuer.map(Arc::new));
        }
        followed.issuers.entry(id.clone()).or_insert(None);
        Ok(())
    }

    // Answering.

    /// Up to which instant status is known; `None` when that is too long ago to answer, or lies in
    /// the future because the clock was set back.
    pub(crate) fn known_at(&self, now: Timestamp) -> Option<Timestamp> {
        let synced_at = self.synced_at.load(Ordering::SeqCst);
        let known_at = Timestamp::from_millis(synced_at);
        let oldest = now.plus_seconds(self.settings.freshness_seconds.saturating_neg());
        (synced_at != NEVER && oldest <= known_at && known_at <= now.plus_seconds(1))
            .then_some(known_at.min(now))
    }

    /// What a request comes to. Takes microseconds; asks neither the store nor the keys.
    pub(crate) fn look(&self, code: &str, request: &[u8], from: Option<IpAddr>) -> Outcome {
        let Ok(request) = Request::parse(request) else {
            return Plain::Malformed.into();
        };
        let found = self.codes.read().unwrap_or_else(PoisonError::into_inner).get(code).cloned();
        let now = self.env.clock.now();
        if self.known_at(now).is_none() {
            return Plain::TryLater.into();
        }
        let Some(issuer) = found else {
            return Plain::Unauthorized.into();
        };
        if !request.cert_ids().iter().all(|cert_id| issuer.is_named(cert_id)) {
            return Plain::Unauthorized.into();
        }
        match (request.cert_ids(), request.nonce()) {
            ([cert_id], None) => self.look_for_kept(&issuer, cert_id, from, now),
            ([cert_id], Some(nonce)) => {
                if self.speaks_of(&issuer, request.cert_ids()) {
                    if self.budget.take(now.seconds(), from) {
                        return Outcome::Sign(live(&issuer, request.cert_ids(), Some(nonce)));
                    }
                    self.figures.add(Count::NonceLeft);
                }
                self.look_for_kept(&issuer, cert_id, from, now)
            }
            (several, nonce) => {
                if !self.speaks_of(&issuer, several) {
                    return Plain::Unauthorized.into();
                }
                if self.budget.take(now.seconds(), from) {
                    return Outcome::Sign(live(&issuer, several, nonce));
                }
                Plain::TryLater.into()
            }
        }
    }

    /// Whether something may be said of every certificate asked about.
    fn speaks_of(&self, issuer: &Issuer, cert_ids: &[CertId<'_>]) -> bool {
        let known = |cert_id: &CertId<'_>| {
            SerialKey::of(cert_id.serial_octets()).and_then(|serial| issuer.index.get(serial))
        };
        self.settings.unissued == Unissued::Revoked
            || cert_ids.iter().all(|cert_id| known(cert_id).is_some())
    }

    /// The answer without a nonce, which is kept; one about a certificate that was never issued is
    /// not, because there is no end of those.
    fn look_for_kept(
        &self,
        issuer: &Arc<Issuer>,
        cert_id: &CertId<'_>,
        from: Option<IpAddr>,
        now: Timestamp,
    ) -> Outcome {
        let key = answer_key(issuer, cert_id);
        let kept = key.and_then(|key| self.cache.get(key)).filter(|kept| kept.serves(now));
        if let (Some(key), Some(kept)) = (key, kept) {
            self.figures.add(Count::Kept);
            let is_due = kept.refresh_at <= now || kept.signer != issuer.signers();
            if is_due && kept.claim_refresh(now) {
                let work = Work::Keep { key, cert_id: cert_id.der().to_vec() };
                return Outcome::Refresh(kept, Task { issuer: Arc::clone(issuer), work });
            }
            return Outcome::Given(Given::Kept(kept));
        }
        match key.filter(|key| issuer.index.get(key.serial).is_some()) {
            Some(key) => {
                let work = Work::Keep { key, cert_id: cert_id.der().to_vec() };
                Outcome::Sign(Task { issuer: Arc::clone(issuer), work })
            }
            None if self.settings.unissued == Unissued::Unauthorized => Plain::Unauthorized.into(),
            None if self.budget.take(now.seconds(), from) => {
                Outcome::Sign(live(issuer, std::slice::from_ref(cert_id), None))
            }
            None => Plain::TryLater.into(),
        }
    }

    /// Whether a task is signed within microseconds: the signer is open and in software. Such a
    /// task is performed where the request was read.
    pub(crate) fn is_quick(&self, task: &Task) -> bool {
        let signer = task.issuer.open_signer(self.env.clock.now());
        signer.is_some_and(|signer| signer.is_quick)
    }

    /// A place among the signatures that are waited for; `None` when there are too many.
    pub(crate) fn place(self: &Arc<Self>) -> Option<Place> {
        let most = self.settings.waiting_signatures;
        let taken = self.waiting.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |waiting| {
            (waiting < most).then_some(waiting + 1)
        });
        if taken.is_err() {
            self.figures.add(Count::Crowded);
        }
        taken.is_ok().then(|| Place(Arc::clone(self)))
    }

    /// What is said when a task could not be performed at once: the present answer about the same
    /// certificate, if there is one, else `tryLater`.
    pub(crate) fn instead(&self, key: Option<AnswerKey>) -> Given {
        let now = self.env.clock.now();
        let kept = key.and_then(|key| self.cache.get(key)).filter(|kept| kept.serves(now));
        kept.map_or(Given::Plain(Plain::TryLater), Given::Kept)
    }

    /// Signs. May wait for the store and for the key store.
    pub(crate) fn perform(&self, task: &Task) -> Given {
        let performed = match &task.work {
            Work::Keep { key, cert_id } => self.keep(&task.issuer, *key, cert_id),
            Work::Live { asked, nonce } => self.live(&task.issuer, asked, nonce.as_deref()),
        };
        performed.unwrap_or_else(|error| {
            self.figures.add(Count::Failed);
            self.complain(&task.issuer, &error);
            self.instead(task.key())
        })
    }

    /// Logs a failure, unless one was logged a moment ago.
    fn complain(&self, issuer: &Issuer, error: &AnswerError) {
        let now = self.env.clock.now().seconds();
        let last = self.complained_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| {
            (last == NEVER || now < last || last + COMPLAIN_SECONDS <= now).then_some(now)
        });
        if last.is_ok() {
            tracing::error!(authority = %issuer.code, %error, "no OCSP answer could be made");
        }
    }

    fn keep(
        &self,
        issuer: &Arc<Issuer>,
        key: AnswerKey,
        cert_id: &[u8],
    ) -> Result<Given, AnswerError> {
        let flight = self.flights.get(key.serial.spread(key.issuer) % FLIGHTS);
        let _flight = flight.map(|flight| flight.lock().unwrap_or_else(PoisonError::into_inner));
        for _ in 0..ATTEMPTS {
            let now = self.env.clock.now();
            let signer = issuer.signer(&self.env, now)?;
            // Somebody else may have made it while this one waited.
            if let Some(kept) = self.cache.get(key)
                && kept.serves(now)
                && now < kept.refresh_at
                && kept.signer == signer.number
            {
                return Ok(Given::Kept(kept));
            }
            let changes = issuer.changes();
            // The instant first: the index is never behind it.
            let Some(this_update) = self.known_at(now) else { break };
            let Some(known) = issuer.index.get(key.serial) else { break };
            let Some(status) = status_of(Some(known), self.settings.unissued) else { break };
            let singles = [single(issuer, &signer, cert_id.to_vec(), status, this_update)];
            let der = sign(&self.env, &signer, &singles, None, now, Audience::Many)?;
            self.figures.add(Count::Signed);
            let kept = Arc::new(kept_answer(der, known, this_update, &signer));
            if self.cache.put(key, Arc::clone(&kept), || issuer.changes() == changes) {
                return Ok(Given::Kept(kept));
            }
        }
        Ok(Given::Plain(Plain::TryLater))
    }

    fn live(
        &self,
        issuer: &Arc<Issuer>,
        asked: &[(Vec<u8>, Option<SerialKey>)],
        nonce: Option<&[u8]>,
    ) -> Result<Given, AnswerError> {
        let now = self.env.clock.now();
        let signer = issuer.signer(&self.env, now)?;
        let Some(this_update) = self.known_at(now) else {
            return Ok(Given::Plain(Plain::TryLater));
        };
        let mut singles: Vec<Single> = Vec::with_capacity(asked.len());
        for (cert_id, serial) in asked {
            let known = serial.and_then(|serial| issuer.index.get(serial));
            let Some(status) = status_of(known, self.settings.unissued) else {
                return Ok(Given::Plain(Plain::Unauthorized));
            };
            singles.push(single(issuer, &signer, cert_id.clone(), status, this_update));
        }
        let audience = if signer.is_quick { Audience::One } else { Audience::Many };
        let der = sign(&self.env, &signer, &singles, nonce, now, audience)?;
        self.figures.add(Count::Live);
        let count = match singles.as_slice() {
            [Single { status: Status::Good, .. }] => Count::Good,
            [_] => Count::Revoked,
            _ => Count::Several,
        };
        Ok(Given::Live(count, der))
    }
}

impl StatusListener for Responder {
    /// Puts the changes into the index before the one who made them goes on. When nothing else was
    /// committed meanwhile the store is not asked.
    fn committed(&self, changes: &[StatusChange]) {
        let (Some(first), Some(last)) = (changes.first(), changes.last()) else { return };
        let mut followed = self.followed();
        if last.rev <= followed.rev() {
            return;
        }
        let done = if first.rev == followed.rev() + 1 && followed.last.is_some() {
            self.apply(&mut followed, changes)
        } else {
            self.follow_from(&mut followed)
        };
        if let Err(error) = done {
            // The log goes on from where it was. Until then these changes are told all the same.
            tracing::error!(%error, "the status log could not be read after a change");
            for (issuer, changes) in by_issuer(&followed, changes) {
                self.put_for(&issuer, &changes);
            }
        }
    }
}

/// A place among the signatures that are waited for, given back when it goes.
pub(crate) struct Place(Arc<Responder>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Task {
    /// Under which key an answer may be kept that would do in place of this one.
    pub(crate) const fn key(&self) -> Option<AnswerKey> {
        match &self.work {
            Work::Keep { key, .. } => Some(*key),
            Work::Live { .. } => None,
        }
    }
}

fn live(issuer: &Arc<Issuer>, cert_ids: &[CertId<'_>], nonce: Option<&[u8]>) -> Task {
    let asked = cert_ids
        .iter()
        .map(|cert_id| (cert_id.der().to_vec(), SerialKey::of(cert_id.serial_octets())))
        .collect();
    let nonce = nonce.map(<[u8]>::to_vec);
    Task { issuer: Arc::clone(issuer), work: Work::Live { asked, nonce } }
}

fn answer_key(issuer: &Issuer, cert_id: &CertId<'_>) -> Option<AnswerKey> {
    Some(AnswerKey {
        issuer: issuer.number,
        serial: SerialKey::of(cert_id.serial_octets())?,
        algorithm: cert_id.algorithm()?,
        null: cert_id.has_null_parameters(),
    })
}

fn kept_answer(der: Vec<u8>, known: Known, this_update: Timestamp, signer: &Signer) -> Kept {
    let this_update = this_update.floor();
    let next_update = signer.answers_until(this_update);
    let half = (next_update.millis() - this_update.millis()) / 2;
    Kept {
        etag: Bytes::from(format!("\"{}\"", hex::encode(Sha256::digest(&der)))),
        der: Bytes::from(der),
        known,
        this_update,
        next_update,
        refresh_at: Timestamp::from_millis(this_update.millis() + half),
        signer: signer.number,
        try_at: AtomicI64::new(0),
    }
}

fn known_of(told: &Told) -> Known {
    match told {
        Told::Issued | Told::SignerIssued | Told::Released => Known::Good,
        Told::Revoked(revocation) => {
            Known::Revoked { reason: revocation.cause.reason(), at: revocation.at }
        }
    }
}

const fn is_issue(told: &Told) -> bool {
    match told {
        Told::Issued | Told::SignerIssued => true,
        Told::Released | Told::Revoked(_) => false,
    }
}

type Changes<'a> = Vec<(SerialKey, &'a Told)>;

/// The changes of each authority with a responder, in their order.
fn by_issuer<'a>(
    followed: &Followed,
    changes: &'a [StatusChange],
) -> Vec<(Arc<Issuer>, Changes<'a>)> {
    let mut all: HashMap<u32, (Arc<Issuer>, Changes<'a>)> = HashMap::new();
    for change in changes {
        let issuer = followed.issuers.get(&change.authority).and_then(Option::as_ref);
        if let (Some(issuer), Some(serial)) = (issuer, SerialKey::of(change.serial.octets())) {
            let entry =
                all.entry(issuer.number).or_insert_with(|| (Arc::clone(issuer), Vec::new()));
            entry.1.push((serial, &change.told));
        }
    }
    all.into_values().collect()
}
