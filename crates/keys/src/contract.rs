//! The tests that every key store must pass, in software and in hardware alike.
//!
//! Each test is a function that says in a sentence what the store did wrong, and takes away the
//! keys it made. Deliberately not here: what only one kind of store can be asked, such as what its
//! files look like.

use tenkoku_domain::id::{Entropy, KeyId};
use tenkoku_domain::key::{KeyAlgorithm, OriginClass};
use tenkoku_domain::time::Timestamp;
use tenkoku_pki::key::PublicKey;

use crate::trial::{Step, try_out};
use crate::{Body, Container, GeneratedKey, KeyError, KeyStore, StoreKind};

pub(crate) mod specimen;

/// What every store must make; of the other algorithms it may say that it does not use them.
const DEMANDED: [KeyAlgorithm; 2] = [KeyAlgorithm::P256, KeyAlgorithm::P384];

/// Runs every test of the contract. The store must hold no key of the names that this module
/// makes, which nobody else makes: their time is 1970.
pub fn check(store: &dyn KeyStore) -> Result<(), String> {
    the_store_answers(store)?;
    keys_are_made_and_read_back(store)?;
    the_origin_fits_the_kind(store)?;
    a_name_is_given_once(store)?;
    two_keys_differ(store)?;
    bodies_are_signed(store)?;
    a_body_for_another_key_is_refused(store)?;
    an_unknown_key_is_not_found(store)?;
    what_is_destroyed_is_gone(store)?;
    keys_are_listed(store)?;
    a_trial_leaves_nothing_behind(store)
}

/// A store that can be asked for keys says that it works.
pub fn the_store_answers(store: &dyn KeyStore) -> Result<(), String> {
    store.check().map_err(failed("asking whether the store works"))
}

/// Only hardware shows by itself that a key was made in it.
pub fn the_origin_fits_the_kind(store: &dyn KeyStore) -> Result<(), String> {
    let made = Made::new(store, 1, KeyAlgorithm::P256)?;
    let origin = &made.key.origin;
    let fits = match store.kind() {
        StoreKind::Software => {
            origin.class == OriginClass::K1 && matches!(origin.container, Container::Files { .. })
        }
        StoreKind::Hardware => {
            origin.class == OriginClass::K2 && matches!(origin.container, Container::Token { .. })
        }
    };
    demand(fits && !origin.object.is_empty(), "a key's origin does not fit its store")?;
    made.destroy()
}

/// A key of each algorithm reads back as it was made, and is of that algorithm.
pub fn keys_are_made_and_read_back(store: &dyn KeyStore) -> Result<(), String> {
    for algorithm in KeyAlgorithm::ALL {
        let Some(made) = Made::try_new(store, 1, algorithm)? else { continue };
        let read = store.load_public(&made.key.id).map_err(failed("reading a public key"))?;
        demand(read == made.key, "a public key does not read back as it was made")?;
        demand(
            read.algorithm == algorithm,
            "a key is called another algorithm than was asked for",
        )?;
        demand(
            made.public.algorithm() == algorithm,
            "a key is of another algorithm than asked for",
        )?;
        made.destroy()?;
    }
    Ok(())
}

/// A name that is taken is refused, and the key behind it stays what it was.
pub fn a_name_is_given_once(store: &dyn KeyStore) -> Result<(), String> {
    let made = Made::new(store, 1, KeyAlgorithm::P256)?;
    let again = store.generate(&made.key.id, KeyAlgorithm::P384);
    demand(
        matches!(&again, Err(KeyError::Exists(id)) if *id == made.key.id),
        "a name that is taken was given again",
    )?;
    let read = store.load_public(&made.key.id).map_err(failed("reading a public key"))?;
    demand(read == made.key, "a key changed when its name was asked for again")?;
    made.destroy()
}

/// No key is made twice.
pub fn two_keys_differ(store: &dyn KeyStore) -> Result<(), String> {
    let (first, second) =
        (Made::new(store, 1, KeyAlgorithm::P256)?, Made::new(store, 2, KeyAlgorithm::P256)?);
    demand(
        first.public.fingerprint() != second.public.fingerprint(),
        "two names were given the same key",
    )?;
    first.destroy()?;
    second.destroy()
}

/// Bodies of every kind are signed by keys of every algorithm, and the signatures verify.
pub fn bodies_are_signed(store: &dyn KeyStore) -> Result<(), String> {
    let other = Made::new(store, 1, KeyAlgorithm::P256)?;
    for algorithm in KeyAlgorithm::ALL {
        let Some(made) = Made::try_new(store, 2, algorithm)? else { continue };
        made.signs_certificates(&other)?;
        made.signs_revocation_lists()?;
        made.signs_answers(&other)?;
        made.signs_lists(&other)?;
        made.destroy()?;
    }
    other.destroy()
}

/// A body that was checked for one key is not signed by another, even of the same algorithm.
pub fn a_body_for_another_key_is_refused(store: &dyn KeyStore) -> Result<(), String> {
    let right = Made::new(store, 1, KeyAlgorithm::P256)?;
    let body = specimen::crl(&right.public)?;
    for algorithm in DEMANDED {
        let wrong = Made::new(store, 2, algorithm)?;
        let signed = store.sign(&wrong.key.id, &Body::Crl(&body));
        demand(
            matches!(&signed, Err(KeyError::Signing { id, .. }) if *id == wrong.key.id),
            "a body was signed by a key that it was not checked for",
        )?;
        wrong.destroy()?;
    }
    right.destroy()
}

/// A name that no key has is not found, whatever is asked.
pub fn an_unknown_key_is_not_found(store: &dyn KeyStore) -> Result<(), String> {
    let other = Made::new(store, 1, KeyAlgorithm::P256)?;
    let body = specimen::crl(&other.public)?;
    is_not_there(store, &id(9), &Body::Crl(&body))?;
    other.destroy()
}

/// A destroyed key neither signs nor shows its public half, and its name can be given anew.
pub fn what_is_destroyed_is_gone(store: &dyn KeyStore) -> Result<(), String> {
    let made = Made::new(store, 1, KeyAlgorithm::P256)?;
    let body = specimen::crl(&made.public)?;
    let (id, before) = (made.key.id.clone(), made.public.fingerprint());
    store.sign(&id, &Body::Crl(&body)).map_err(failed("signing"))?;
    made.destroy()?;
    is_not_there(store, &id, &Body::Crl(&body))?;
    let anew = Made::new(store, 1, KeyAlgorithm::P256)?;
    demand(anew.public.fingerprint() != before, "a destroyed key came back")?;
    anew.destroy()
}

/// The list of names has each key that is there, once, and none that is not.
pub fn keys_are_listed(store: &dyn KeyStore) -> Result<(), String> {
    let count = |name: &KeyId| {
        let names = store.list().map_err(failed("listing the keys"))?;
        Ok::<_, String>(names.iter().filter(|listed| *listed == name).count())
    };
    let (first, second) =
        (Made::new(store, 1, KeyAlgorithm::P256)?, Made::new(store, 2, KeyAlgorithm::P256)?);
    let (gone, kept) = (first.key.id.clone(), second.key.id.clone());
    demand(count(&gone)? == 1 && count(&kept)? == 1, "a key is not listed once")?;
    first.destroy()?;
    demand(count(&gone)? == 0, "a destroyed key is listed")?;
    demand(count(&kept)? == 1, "a key went from the list with another")?;
    second.destroy()
}

/// A trial shows every step in order, and leaves no key behind.
pub fn a_trial_leaves_nothing_behind(store: &dyn KeyStore) -> Result<(), String> {
    let before = store.list().map_err(failed("listing the keys"))?;
    let mut steps = Vec::new();
    try_out(store, &id(1), KeyAlgorithm::P256, &mut |step| steps.push(step))
        .map_err(failed("a trial"))?;
    let is_whole = matches!(
        steps.as_slice(),
        [Step::Reached, Step::Made(_), Step::Signed, Step::RefusedForeign, Step::Destroyed(_)]
    );
    demand(is_whole, "a trial did not show every step")?;
    let after = store.list().map_err(failed("listing the keys"))?;
    demand(after == before, "a trial left a key behind")
}

/// A key that a test made.
struct Made<'a> {
    store: &'a dyn KeyStore,
    key: GeneratedKey,
    public: PublicKey,
}

impl<'a> Made<'a> {
    /// Makes a key of an algorithm that every store has.
    fn new(store: &'a dyn KeyStore, number: u8, algorithm: KeyAlgorithm) -> Result<Self, String> {
        Self::try_new(store, number, algorithm)?
            .ok_or_else(|| format!("{algorithm} keys are demanded of every store"))
    }

    /// Makes a key; `None` when the store does not use the algorithm and need not.
    fn try_new(
        store: &'a dyn KeyStore,
        number: u8,
        algorithm: KeyAlgorithm,
    ) -> Result<Option<Self>, String> {
        let key = match store.generate(&id(number), algorithm) {
            Err(KeyError::Unsupported { .. }) if !DEMANDED.contains(&algorithm) => return Ok(None),
            made => made.map_err(failed("making a key"))?,
        };
        let public = PublicKey::parse(&key.public_key).map_err(failed("reading a public key"))?;
        Ok(Some(Self { store, key, public }))
    }

    fn destroy(self) -> Result<(), String> {
        let search = || self.store.search(&self.key.id).map_err(failed("searching for a key"));
        let seen = search()?;
        let report = self.store.destroy(&self.key.id).map_err(failed("destroying a key"))?;
        demand(report.is_complete(), "a destruction leaves something, or found nothing before")?;
        let after = search()?.found;
        demand(
            seen.followed_by(after) == report,
            "a search finds something else than a destruction",
        )?;
        let (of, origin) = (&report.id, &self.key.origin);
        demand(
            *of == self.key.id
                && report.container == origin.container
                && report.object == origin.object,
            "a destruction is reported of another key or container",
        )
    }

    fn sign(&self, body: &Body<'_>) -> Result<Vec<u8>, String> {
        let signature = self.store.sign(&self.key.id, body).map_err(failed("signing"))?;
        self.public
            .verify(body.signature_algorithm(), body.octets(), &signature)
            .map_err(failed("verifying a signature"))?;
        Ok(signature)
    }

    /// Certifies the other key, as an authority does.
    fn signs_certificates(&self, other: &Self) -> Result<(), String> {
        let body = specimen::ocsp_signer(&other.public, &self.public, self.store.throwaway())?;
        let signature = self.sign(&Body::Certificate(&body))?;
        body.assemble(&signature).map(drop).map_err(failed("assembling a certificate"))
    }

    fn signs_revocation_lists(&self) -> Result<(), String> {
        let body = specimen::crl(&self.public)?;
        let signature = self.sign(&Body::Crl(&body))?;
        body.assemble(&signature).map(drop).map_err(failed("assembling a CRL"))
    }

    /// Answers with a certificate that the other key signed.
    fn signs_answers(&self, other: &Self) -> Result<(), String> {
        let certificate =
            specimen::ocsp_signer(&self.public, &other.public, self.store.throwaway())?;
        let signature = other.sign(&Body::Certificate(&certificate))?;
        let signer = certificate.assemble(&signature).map_err(failed("assembling"))?;
        let signer = specimen::answer_signer(&signer, &self.public)?;
        let singles = [specimen::single(&signer)?];
        let body = specimen::answer(&signer, &singles)?;
        let signature = self.sign(&Body::Answer(&body))?;
        body.assemble(&signature).map(drop).map_err(failed("assembling an OCSP answer"))
    }

    /// Signs a list with a certificate that the other key signed, where such keys may.
    fn signs_lists(&self, other: &Self) -> Result<(), String> {
        let Some(algorithm) = specimen::list_algorithm(self.key.algorithm) else { return Ok(()) };
        let certificate =
            specimen::list_signer(&self.public, &other.public, self.store.throwaway())?;
        let signature = other.sign(&Body::Certificate(&certificate))?;
        let signer = certificate.assemble(&signature).map_err(failed("assembling"))?;
        let body = specimen::list(&signer, algorithm)?;
        let signature = self.sign(&Body::List(&body))?;
        body.finish(&signature).map_err(failed("finishing a trusted list"))?;
        let body = specimen::list_in_json(&signer, algorithm)?;
        let signature = self.sign(&Body::ListJson(&body))?;
        body.finish(&signature).map(drop).map_err(failed("finishing a list in JSON"))
    }
}

/// Different octets for each number; the identifiers must only differ.
struct Numbered(u8);

impl Entropy for Numbered {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0);
    }
}

fn id(number: u8) -> KeyId {
    KeyId::new(Timestamp::EPOCH, &Numbered(number))
}

fn is_not_there(store: &dyn KeyStore, id: &KeyId, body: &Body<'_>) -> Result<(), String> {
    let answers = [
        store.load_public(id).map(drop),
        store.sign(id, body).map(drop),
        store.destroy(id).map(drop),
    ];
    let is_missed = |answer: &Result<(), KeyError>| matches!(answer, Err(KeyError::NotFound(named)) if named == id);
    demand(answers.iter().all(is_missed), "a key that is not there is not called that")
}

fn demand(holds: bool, otherwise: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise.to_owned()) }
}

fn failed<E: std::fmt::Display>(act: &'static str) -> impl FnOnce(E) -> String {
    move |err| format!("{act} failed: {err}")
}
