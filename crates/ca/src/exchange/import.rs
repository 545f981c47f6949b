//! The online side imports an answer: the code, the signature, the request it answers, and each
//! certificate once more through the lint, octet for octet.

use tenkoku_domain::access::{OperateAuthority, Permit, Scope};
use tenkoku_domain::audit::{
    AuditCode, AuthorityEvent, CrlList, Event, IssuedCrl, ObjectRef, ReceivedRoot, SignedCrl,
};
use tenkoku_domain::authority::{
    Authority, AuthorityAct, AuthorityCode, AuthorityKind, AuthorityName, AuthorityOrder,
    AuthorityState, Custody, NEVER, ShardCount,
};
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::certificate::{Certificate, CertificateState, Serial, Validity};
use tenkoku_domain::exchange::{Answer, BundleKind, Given, Octets, Request, Sealed, Want};
use tenkoku_domain::id::{AuthorityId, CertificateId, KeyId};
use tenkoku_domain::key::{Key, KeyHolder, KeyRole, KeyState, OriginClass};
use tenkoku_domain::name::Name;
use tenkoku_domain::time::Timestamp;
use tenkoku_pki::cert;
use tenkoku_pki::crl::Crl;
use tenkoku_pki::key::PublicKey;
use tenkoku_pki::lint::lint;
use tenkoku_pki::name::DistinguishedName;
use tenkoku_pki::oid;
use tenkoku_pki::profile::{Content, Issuer, Order, draft};
use tenkoku_ports::{Attempt, Env};
use tenkoku_store::StoreError;

use super::{believe, exchange, not_believed, read_bundle, replayed};
use crate::authority::{AuthorityError, content, load};
use crate::signing::{issuer, repository};

/// What received with an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// The root, when it became known with this answer.
    pub root: Option<AuthorityCode>,
    /// Authorities that were certified and are in service now.
    pub authorities: Vec<AuthorityCode>,
    /// Whether the list signer was certified.
    pub list_signer: bool,
    /// Cross-certificates.
    pub cross: usize,
    /// The number of the CRL.
    pub crl: Option<i64>,
}

/// Imports the answer of an offline root, once. `typed` is the code that was compared by voice.
pub fn import_answer(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    answer: &Sealed<Answer>,
    typed: &str,
) -> Result<Imported, AuthorityError> {
    let now = env.clock.now();
    import(env, permit, answer, typed, now).or_else(|error| {
        let refusal = error.refused()?;
        let attempt = Attempt {
            code: AuditCode::CaKeyUsedOffline,
            object: ObjectRef::new("exchange", &answer.bundle.id),
            organisation: None,
            policy: None,
        };
        Err(env.refuse(permit.origin(), now, attempt, refusal)?.into())
    })
}

/// What an answer is checked against, and what comes of it.
struct Case<'a> {
    env: &'a Env,
    permit: &'a Permit<OperateAuthority>,
    now: Timestamp,
    policy: Digest,
    root: Authority,
    root_key: PublicKey,
    root_issuer: Issuer,
    events: Vec<AuthorityEvent>,
    active: Vec<Event>,
    imported: Imported,
}

fn import(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    answer: &Sealed<Answer>,
    typed: &str,
    now: Timestamp,
) -> Result<Imported, AuthorityError> {
    let told = &answer.bundle;
    let sealer = believe(answer, BundleKind::Answer, told.v, typed)?;
    let request = request_of(env, told)?;
    let (root, first) = match env.store.read(|tx| tx.find_authority(told.root.as_str()))? {
        Some(_) => (load(env, permit, &told.root)?, None),
        None => received(env, permit, &request.wants, told, now)
            .map(|root| (root.authority.clone(), Some(root)))?,
    };
    let der = root.certificate.as_deref().unwrap_or_default();
    let root_key = cert::Certificate::parse(der)?.public_key()?;
    if root_key != sealer {
        return Err(not_believed("bundle-sealer").into());
    }
    let mut case = Case {
        env,
        permit,
        now,
        policy: env.store.read(|tx| tx.current_policy(now))?.digest()?,
        root_issuer: issuer(der)?,
        root_key,
        events: Vec::new(),
        active: Vec::new(),
        imported: Imported {
            root: first.as_ref().map(|_| root.code.clone()),
            ..Imported::default()
        },
        root,
    };
    if let Some(root) = first {
        case.events.push(AuthorityEvent::RootReceived { root: Box::new(root) });
    }
    if request.wants.len() != told.gives.len() {
        return Err(not_believed("bundle-answer").into());
    }
    for (want, given) in request.wants.iter().zip(&told.gives) {
        case.take(want, given)?;
    }
    let received = exchange(answer, &told.id, &told.root, &sealer, now)?;
    case.events.push(AuthorityEvent::Exchanged { exchange: Box::new(received) });
    case.write()
}

/// The request that an answer names: made here, the same to the last octet, not answered yet.
fn request_of(env: &Env, answer: &Answer) -> Result<Request, AuthorityError> {
    let (request, answered) = env.store.read(|tx| {
        let request = tx.find_bundle(&answer.id, BundleKind::Request)?;
        Ok::<_, StoreError>((request, tx.find_bundle(&answer.id, BundleKind::Answer)?))
    })?;
    let request = request.ok_or_else(|| not_believed("bundle-request"))?;
    let request: Sealed<Request> = read_bundle(&request)?;
    if request.digest()? != answer.request || request.bundle.root != answer.root {
        return Err(not_believed("bundle-request").into());
    }
    if answered.is_some() { Err(replayed().into()) } else { Ok(request.bundle) }
}

/// A root that is met for the first time: its certificate must be exactly what this operator's root
/// looks like.
fn received(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    wants: &[Want],
    answer: &Answer,
    now: Timestamp,
) -> Result<ReceivedRoot, AuthorityError> {
    if *permit.scope() != Scope::Platform || !wants.contains(&Want::Root) {
        return Err(StoreError::NotFound { what: "authority" }.into());
    }
    let der = answer.gives.iter().find_map(|given| match given {
        Given::Root { certificate } => Some(&certificate.0),
        Given::Crl { .. } | Given::Certificate { .. } => None,
    });
    let der = der.ok_or_else(|| not_believed("bundle-answer"))?;
    let certificate = cert::Certificate::parse(der)?;
    let key = certificate.public_key()?;
    let name = certificate.subject().first(oid::COMMON_NAME).unwrap_or_default();
    let names = own_names(env, Name::parse(name)?);
    let serial = certificate.serial().map_err(|_| not_believed("bundle-answer"))?;
    let subject = DistinguishedName::of_authority(&names)?;
    let order = Order::root(serial.clone(), certificate.validity(), subject, key.clone());
    same(env, &order, &certificate, &key)?;
    let id = AuthorityId::new(now, &*env.entropy);
    let held = Key {
        id: KeyId::new(now, &*env.entropy),
        role: KeyRole::Authority,
        holder: KeyHolder::Authority(id.clone()),
        algorithm: key.algorithm(),
        fingerprint: key.fingerprint(),
        public_key: key.spki_der().to_vec(),
        origin: OriginClass::K0,
        state: KeyState::Bound,
        created_at: now,
    };
    let authority = Authority {
        id: id.clone(),
        code: answer.root.clone(),
        kind: AuthorityKind::Root,
        generation: generation(&names.common_name)?,
        name: names,
        issuer: None,
        key: held.id.clone(),
        algorithm: held.algorithm,
        serial,
        validity: certificate.validity(),
        certificate: Some(der.clone()),
        state: AuthorityState::Active,
        created_at: now,
        custody: Custody::Offline,
        dedicated: None,
        predecessor: None,
        crl_shards: ShardCount::ONE,
    };
    let policy = env.store.read(|tx| tx.current_policy(now))?.digest()?;
    let row = row(env, &order, &certificate, (&id, &held.id), policy, now);
    Ok(ReceivedRoot { authority, key: held, certificate: row })
}

fn own_names(env: &Env, common_name: Name) -> AuthorityName {
    let operator = &env.settings.operator;
    AuthorityName {
        country: operator.country.clone(),
        organisation: operator.name.clone(),
        identifier: operator.identifier.clone(),
        common_name,
    }
}

/// The generation that a common name ends with (RO-4).
fn generation(name: &Name) -> Result<i32, AuthorityError> {
    let digits = name.as_str().rsplit_once(" G").map(|(_, digits)| digits);
    let number = digits.and_then(|digits| digits.parse().ok());
    number.ok_or_else(|| not_believed("bundle-answer").into())
}

/// The certificate is octet for octet what the order encodes to, passes the lint, and is signed by
/// the key.
fn same(
    env: &Env,
    order: &Order,
    certificate: &cert::Certificate,
    signer: &PublicKey,
) -> Result<(), AuthorityError> {
    let drafted = draft(order);
    if drafted.der() != certificate.tbs() {
        return Err(not_believed("bundle-certificate").into());
    }
    let _linted = lint(drafted, order, env.keys.throwaway())?;
    signer
        .verify(order.signature_algorithm(), certificate.tbs(), certificate.signature())
        .map_err(|_| not_believed("bundle-signature"))?;
    Ok(())
}

/// The row of a certificate that received whole.
fn row(
    env: &Env,
    order: &Order,
    certificate: &cert::Certificate,
    (authority, key): (&AuthorityId, &KeyId),
    policy: Digest,
    now: Timestamp,
) -> Certificate {
    let name = order.subject.first(oid::COMMON_NAME).unwrap_or_default();
    Certificate {
        id: CertificateId::new(now, &*env.entropy),
        authority: authority.clone(),
        serial: order.serial.clone(),
        profile: order.content.profile(),
        key: key.clone(),
        seal: None,
        common_name: name.to_owned(),
        validity: order.validity,
        sealing_not_after: None,
        policy,
        tbs: certificate.tbs().to_vec(),
        der: Some(certificate.der().to_vec()),
        state: CertificateState::Active,
        created_at: now,
    }
}

impl Case<'_> {
    fn take(&mut self, want: &Want, given: &Given) -> Result<(), AuthorityError> {
        match (want, given) {
            // Checked when the root was met.
            (Want::Root, Given::Root { .. }) => Ok(()),
            (Want::Crl { revoked }, Given::Crl { crl }) => {
                let serials = revoked.iter().map(|listed| listed.serial.clone()).collect();
                self.take_crl(serials, crl)
            }
            (Want::Certificate { order, .. }, Given::Certificate { certificate }) => {
                self.take_authority(order, certificate)
            }
            (Want::ListSigner { names, public_key, days }, Given::Certificate { certificate }) => {
                self.take_signer(names, public_key, *days, certificate)
            }
            (Want::Cross { certificate: own }, Given::Certificate { certificate }) => {
                self.take_cross(own, certificate)
            }
            (
                Want::Root
                | Want::Crl { .. }
                | Want::Certificate { .. }
                | Want::ListSigner { .. }
                | Want::Cross { .. },
                Given::Root { .. } | Given::Crl { .. } | Given::Certificate { .. },
            ) => Err(not_believed("bundle-answer").into()),
        }
    }

    /// The order of a certificate as it should be, with what the root chose: serial and validity.
    fn order(
        &self,
        certificate: &cert::Certificate,
        (subject, key): (DistinguishedName, PublicKey),
        content: Content,
        most_days: i64,
    ) -> Result<Order, AuthorityError> {
        let serial = certificate.serial().map_err(|_| not_believed("bundle-certificate"))?;
        let validity = certificate.validity();
        let most = Validity::days(validity.not_before, most_days).not_after;
        let early = validity.not_before > self.now.plus_seconds(300);
        if early || validity.not_after > most.min(self.root_issuer.validity.not_after) {
            return Err(not_believed("bundle-certificate").into());
        }
        let issuer = self.root_issuer.clone();
        Ok(Order { serial, validity, subject, key, issuer, content })
    }

    fn receive(
        &mut self,
        order: &Order,
        certificate: &cert::Certificate,
        key: &KeyId,
    ) -> Result<Certificate, AuthorityError> {
        same(self.env, order, certificate, &self.root_key)?;
        let ids = (&self.root.id, key);
        let row = row(self.env, order, certificate, ids, self.policy, self.now);
        let event = AuthorityEvent::CertificateReceived { certificate: row.clone() };
        self.events.push(event);
        Ok(row)
    }

    fn take_authority(
        &mut self,
        order: &AuthorityOrder,
        certificate: &Octets,
    ) -> Result<(), AuthorityError> {
        let waiting = load(self.env, self.permit, &order.code)?;
        let key = self.env.store.read(|tx| tx.load_key(&waiting.key))?;
        let certificate = cert::Certificate::parse(&certificate.0)?;
        let dedicated = order.dedicated.as_ref();
        let content = content(self.env, waiting.kind, &waiting.name, dedicated, &self.root)?;
        let subject = DistinguishedName::of_authority(&waiting.name)?;
        let public = PublicKey::parse(&key.public_key)?;
        let most = waiting.kind.validity_days();
        let order = self.order(&certificate, (subject, public), content, most)?;
        let row = self.receive(&order, &certificate, &waiting.key)?;
        let certified = Authority {
            certificate: row.der,
            serial: row.serial,
            validity: row.validity,
            ..waiting.after(AuthorityAct::Certify)?
        };
        self.events.push(AuthorityEvent::Certified { authority: certified.clone() });
        let active = certified.after(AuthorityAct::Activate)?;
        self.imported.authorities.push(active.code.clone());
        self.active.push(Event::AuthorityCertified { authority: active });
        Ok(())
    }

    fn take_signer(
        &mut self,
        names: &AuthorityName,
        public_key: &Octets,
        days: i64,
        certificate: &Octets,
    ) -> Result<(), AuthorityError> {
        let public = PublicKey::parse(&public_key.0)?;
        let fingerprint = public.fingerprint();
        let key = self.env.store.read(|tx| tx.find_key_by_fingerprint(&fingerprint))?;
        let key = key.ok_or(StoreError::NotFound { what: "key" })?;
        let certificate = cert::Certificate::parse(&certificate.0)?;
        let content = Content::ListSigner {
            arc: self.env.settings.arc,
            repository: repository(self.env, &self.root)?,
        };
        let subject = DistinguishedName::of_authority(names)?;
        let order = self.order(&certificate, (subject, public), content, days)?;
        self.receive(&order, &certificate, &key.id)?;
        self.imported.list_signer = true;
        Ok(())
    }

    fn take_cross(&mut self, own: &Octets, certificate: &Octets) -> Result<(), AuthorityError> {
        let own = cert::Certificate::parse(&own.0)?.as_issuer()?;
        let fingerprint = own.key.fingerprint();
        let key = self.env.store.read(|tx| tx.find_key_by_fingerprint(&fingerprint))?;
        let key = key.ok_or(StoreError::NotFound { what: "key" })?;
        let KeyHolder::Authority(certified) = key.holder else {
            return Err(not_believed("bundle-key").into());
        };
        let certificate = cert::Certificate::parse(&certificate.0)?;
        let repository = repository(self.env, &self.root)?;
        let content = Content::Cross { own: own.validity, repository };
        let most = AuthorityKind::Root.validity_days();
        let order = self.order(&certificate, (own.name, own.key), content, most)?;
        let row = self.receive(&order, &certificate, &key.id)?;
        self.events.push(AuthorityEvent::CrossCertified { certified, certificate: row });
        self.imported.cross += 1;
        Ok(())
    }

    /// A CRL by the root's key with a higher number than the last, that lists everything asked for.
    fn take_crl(&mut self, asked: Vec<Serial>, der: &Octets) -> Result<(), AuthorityError> {
        let wrong = || AuthorityError::from(not_believed("bundle-crl"));
        let crl = Crl::parse(&der.0).map_err(|_| wrong())?;
        crl.verify(&self.root_key).map_err(|_| wrong())?;
        let number = crl.number().and_then(|n| i64::try_from(n).ok()).ok_or_else(wrong)?;
        let entries: Vec<Serial> = crl
            .entries()
            .map(|e| e.map(|e| e.serial))
            .collect::<Result<_, _>>()
            .map_err(|_| wrong())?;
        let (last, known, revision) = self.env.store.read(|tx| {
            let known = tx.revoked_entries(&self.root.id)?;
            let revision = tx.revocation_revision(&self.root.id)?;
            Ok::<_, StoreError>((tx.latest_crl(&self.root.id)?, known, revision))
        })?;
        let rises = last.as_ref().is_none_or(|last| number > last.number);
        let timely = crl.this_update() <= self.now.plus_seconds(300)
            && crl.next_update() > self.now
            && crl.next_update() < NEVER;
        let own = *crl.issuer() == self.root_issuer.name;
        if !rises || !timely || !own || !asked.iter().all(|serial| entries.contains(serial)) {
            return Err(wrong());
        }
        let complete = known.iter().all(|entry| entries.contains(&entry.serial));
        self.imported.crl = Some(number);
        self.events.push(AuthorityEvent::CrlReceived {
            crl: SignedCrl {
                head: IssuedCrl {
                    authority: self.root.id.clone(),
                    number,
                    this_update: crl.this_update(),
                    next_update: crl.next_update(),
                    // What was revoked since the request waits for the next list.
                    revision: if complete {
                        revision
                    } else {
                        last.map_or(0, |last| last.revision)
                    },
                    entries: i64::try_from(entries.len()).unwrap_or(i64::MAX),
                    octets: i64::try_from(der.0.len()).unwrap_or(i64::MAX),
                    digest: Digest::of(&der.0),
                    list: CrlList::Full,
                    base: None,
                },
                der: der.0.clone(),
            },
        });
        Ok(())
    }

    fn write(self) -> Result<Imported, AuthorityError> {
        let Self { env, permit, now, events, active, imported, .. } = self;
        env.store.write(|tx| {
            for event in events {
                tx.record(permit.origin(), now, &Event::Authority(event))?;
            }
            for event in active {
                tx.record(permit.origin(), now, &event)?;
            }
            Ok::<_, StoreError>(())
        })?;
        Ok(imported)
    }
}
