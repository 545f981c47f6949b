//! From a certificate to the services that are listed for it (TS 119 615, 4.3).
//!
//! An index is made once for a set of lists and asked often: by the certificate itself, or by its
//! issuer's name and key. What a service was at an instant is read from its history; a history that
//! contradicts itself gives no answer.
//! Deliberately not in this module: path validation. An issuer found by name is a candidate; whoever
//! validates the path decides, and may ask with [`Index::by_key`] for every authority of the path.

use std::collections::HashMap;
use std::sync::Arc;

use thiserror::Error;

use crate::certificate::Certificate;
use crate::model::{Provider, Service, State, TakenOverBy, TrustedList, Uri};
use crate::ns;
use tenkoku_domain::level::Level;
use tenkoku_domain::time::Timestamp;

mod qualifiers;

pub use qualifiers::{Qualifiers, qualifiers};

/// Where a service is, each counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The list, in the order in which the index was given them.
    pub list: usize,
    /// The provider, in the order of the list.
    pub provider: usize,
    /// The service, in the order of the provider.
    pub service: usize,
}

/// Lists, and the services in them by certificate and by name.
#[derive(Debug, Default)]
pub struct Index {
    lists: Vec<Arc<TrustedList>>,
    /// The subject's `Name`, as it is encoded, of every listed certificate.
    by_subject: HashMap<Box<[u8]>, Vec<Place>>,
}

/// How a certificate leads to a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// The certificate, or its key under its name, is listed.
    Listed,
    /// The name of its issuer is listed, and no key identifier says otherwise.
    Issuer,
}

/// A service in its list.
#[derive(Clone, Copy, Debug)]
pub struct Found<'i> {
    /// The list.
    pub list: &'i TrustedList,
    /// The provider.
    pub provider: &'i Provider,
    /// The service.
    pub service: &'i Service,
    /// Where it is, so that it can be cited.
    pub place: Place,
}

/// Why a history gives no answer (PRO-4.3.4-03A).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum HistoryFault {
    /// A state begins after the one that is said to follow it.
    #[error("the history is not in order")]
    OutOfOrder,
    /// Two states begin at the same instant.
    #[error("two states begin at {0}")]
    SameInstant(Timestamp),
}

/// What is listed for a certificate at an instant.
#[derive(Debug)]
pub struct Standing<'i> {
    /// The service.
    pub found: Found<'i>,
    /// How the certificate leads there.
    pub link: Link,
    /// What the service was.
    pub state: State<'i>,
    /// What the certificate is by the list's qualifications.
    pub qualifiers: Qualifiers<'i>,
}

/// The services for a certificate at an instant, or why nothing can be said.
#[derive(Debug)]
pub enum Answer<'i> {
    /// No service was listed for it then.
    Unlisted,
    /// One service, or several of which each has its own type and all have one status.
    Listed(Vec<Standing<'i>>),
    /// Entries for one type say different things, or different providers claim the certificate.
    Conflict(Vec<Standing<'i>>),
    /// A history contradicts itself.
    Broken(Found<'i>, HistoryFault),
}

/// The scheme's addresses that stand for levels, as its scheme file gives them.
#[derive(Clone, Debug, Default)]
pub struct Levels(pub Vec<(Uri, Level)>);

impl Index {
    /// An index of these lists.
    pub fn new(lists: Vec<impl Into<Arc<TrustedList>>>) -> Self {
        let lists: Vec<Arc<TrustedList>> = lists.into_iter().map(Into::into).collect();
        let mut by_subject: HashMap<Box<[u8]>, Vec<Place>> = HashMap::new();
        for (list_at, list) in lists.iter().enumerate() {
            for (provider_at, provider) in list.providers.iter().enumerate() {
                for (service_at, service) in provider.services.iter().enumerate() {
                    let place = Place { list: list_at, provider: provider_at, service: service_at };
                    for certificate in service.identity.certificates() {
                        let places =
                            by_subject.entry(Box::from(certificate.subject_name())).or_default();
                        if places.last() != Some(&place) {
                            places.push(place);
                        }
                    }
                }
            }
        }
        Self { lists, by_subject }
    }

    /// The lists.
    pub fn lists(&self) -> &[Arc<TrustedList>] {
        &self.lists
    }

    fn at(&self, subject: &[u8]) -> impl Iterator<Item = Found<'_>> {
        self.by_subject.get(subject).into_iter().flatten().filter_map(|place| {
            let list = self.lists.get(place.list)?;
            let provider = list.providers.get(place.provider)?;
            let service = provider.services.get(place.service)?;
            Some(Found { list, provider, service, place: *place })
        })
    }

    /// The services of this key under this name: `SubjectPublicKeyInfo` and `Name` as encoded.
    pub fn by_key(&self, subject: &[u8], key: &[u8]) -> impl Iterator<Item = Found<'_>> {
        self.at(subject).filter(move |found| {
            found
                .service
                .identity
                .certificates()
                .any(|listed| listed.public_key() == key && listed.subject_name() == subject)
        })
    }

    /// Every service to which a certificate leads, in the order of the lists.
    pub fn find(&self, certificate: &Certificate) -> Vec<(Link, Found<'_>)> {
        let itself = self
            .by_key(certificate.subject_name(), certificate.public_key())
            .map(|found| (Link::Listed, found));
        let authority = certificate.authority_key_identifier();
        let fits = |found: &Found<'_>| {
            found.service.identity.certificates().any(|listed| {
                listed.subject_name() == certificate.issuer_name()
                    && match (&authority, listed.key_identifier()) {
                        (Some(wanted), Some(own)) => *wanted == own,
                        (Some(_) | None, _) => true,
                    }
            })
        };
        let issued = self
            .at(certificate.issuer_name())
            .filter(fits)
            .map(|found| (Link::Issuer, found))
            // A self-signed certificate is listed itself; its issuer adds nothing.
            .filter(|_| certificate.issuer_name() != certificate.subject_name());
        itself.chain(issued).collect()
    }

    /// What is listed for a certificate at an instant, for services of the types that `wanted`
    /// accepts.
    pub fn standing(
        &self,
        certificate: &Certificate,
        at: Timestamp,
        wanted: impl Fn(&Uri) -> bool,
    ) -> Answer<'_> {
        let mut standings = Vec::new();
        for (link, found) in self.find(certificate) {
            match state_at(found.service, at) {
                Ok(Some(state)) if wanted(state.service_type) => {
                    let qualifiers = qualifiers(&state, certificate);
                    standings.push(Standing { found, link, state, qualifiers });
                }
                Ok(_) => {}
                Err(fault) => return Answer::Broken(found, fault),
            }
        }
        if standings.is_empty() {
            Answer::Unlisted
        } else if contradict(&standings) {
            Answer::Conflict(standings)
        } else {
            Answer::Listed(standings)
        }
    }
}

/// PRO-4.3.4: entries of one type with different states, or of different providers, are errors.
fn contradict(standings: &[Standing<'_>]) -> bool {
    standings.iter().enumerate().any(|(position, one)| {
        standings.iter().skip(position + 1).any(|other| {
            one.state.service_type == other.state.service_type
                && (one.state.status != other.state.status
                    || one.found.provider.name != other.found.provider.name)
        })
    })
}

/// What a service was at an instant; `None` before it was first listed.
///
/// # Errors
///
/// [`HistoryFault`] when the history contradicts itself, wherever in it.
pub fn state_at(service: &Service, at: Timestamp) -> Result<Option<State<'_>>, HistoryFault> {
    let mut later: Option<Timestamp> = None;
    for state in service.states() {
        match later {
            Some(later) if state.since.seconds() == later.seconds() => {
                return Err(HistoryFault::SameInstant(later));
            }
            Some(later) if state.since > later => return Err(HistoryFault::OutOfOrder),
            Some(_) | None => later = Some(state.since),
        }
    }
    Ok(service.states().find(|state| state.since <= at))
}

impl<'i> Standing<'i> {
    /// What the service says of itself: the values of `AdditionalServiceInformation`.
    pub fn information(&self) -> impl Iterator<Item = &'i Uri> {
        self.state.extensions.iter().filter_map(|extension| extension.as_information())
    }

    /// Whether the service is for seals (5.5.9.4).
    pub fn is_for_seals(&self) -> bool {
        self.information().any(|value| {
            value.as_str().strip_prefix(ns::TRUSTED_LIST) == Some("SvcInfoExt/ForeSeals")
        })
    }

    /// The level, when the type or the information says one of the scheme's.
    pub fn level(&self, levels: &Levels) -> Option<Level> {
        let type_first = std::iter::once(self.state.service_type).chain(self.information());
        type_first
            .filter_map(|value| levels.0.iter().find(|(uri, _)| uri == value))
            .map(|(_, level)| *level)
            .next()
    }

    /// Who took the service over.
    pub fn takeover(&self) -> Option<&'i TakenOverBy> {
        self.state.extensions.iter().find_map(|extension| extension.as_takeover())
    }
}
