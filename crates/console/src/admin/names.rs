//! How things are called on pages, in the script of the reader first.

use std::collections::HashMap;

use tenkoku_domain::access::Scope;
use tenkoku_domain::branch::Branch;
use tenkoku_domain::certificate::Certificate;
use tenkoku_domain::id::{ApplicationId, BranchId, CertificateId, OrganisationId, UserId};
use tenkoku_domain::name::Name;
use tenkoku_domain::organisation::{Language, Organisation};
use tenkoku_store::{StoreError, Tx};

use crate::text::Words;

/// A name in the script of the reader, with the other beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Called {
    /// As the page shows it.
    pub name: String,
    /// Its language, where it is not the page's.
    pub lang: &'static str,
    /// In the other script.
    pub other: Option<String>,
    /// The language of the other.
    pub other_lang: &'static str,
}

/// The language that a name is read out in, told by its letters.
pub fn script(name: &str) -> &'static str {
    if name.is_ascii() { "en" } else { "ja" }
}

fn called(words: Words, name: &Name, latin: Option<&Name>) -> Called {
    let script = if name.is_latin() { "en" } else { script(name.as_str()) };
    match (words.language(), latin) {
        (Language::En, Some(latin)) if latin != name => Called {
            name: latin.to_string(),
            lang: "en",
            other: Some(name.to_string()),
            other_lang: script,
        },
        (Language::Ja, Some(latin)) if latin != name => Called {
            name: name.to_string(),
            lang: script,
            other: Some(latin.to_string()),
            other_lang: "en",
        },
        (Language::En | Language::Ja, _) => {
            Called { name: name.to_string(), lang: script, other: None, other_lang: "en" }
        }
    }
}

/// The name of an organisation.
pub fn organisation(words: Words, organisation: &Organisation) -> Called {
    called(words, &organisation.legal_name, organisation.latin_name.as_ref())
}

/// The name of a branch.
pub fn branch(words: Words, branch: &Branch) -> Called {
    called(words, &branch.name, branch.latin_name.as_ref())
}

/// The address of an organisation's page.
pub fn organisation_href(id: &OrganisationId) -> String {
    format!("/console/organisations/{id}")
}

/// The address of a branch's page.
pub fn branch_href(organisation: &OrganisationId, id: &BranchId) -> String {
    format!("/console/organisations/{organisation}/branches/{id}")
}

/// The address of a certificate's page.
pub fn certificate_href(certificate: &Certificate) -> String {
    format!("/console/certificates/{}", certificate.serial)
}

/// The address of an application's page.
pub fn application_href(id: &ApplicationId) -> String {
    format!("/console/applications/{id}")
}

/// A thing that an audit record names: what it is called, and where it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thing {
    /// What it is called.
    pub name: String,
    /// The language of the name.
    pub lang: &'static str,
    /// Where it is shown.
    pub href: Option<String>,
}

/// Looks up what audit records name. What the reader may not see keeps its bare identifier.
pub struct Directory<'a> {
    words: Words,
    scope: &'a Scope,
    known: HashMap<(String, String), Thing>,
}

impl<'a> Directory<'a> {
    /// An empty directory within a scope.
    pub fn new(words: Words, scope: &'a Scope) -> Self {
        Self { words, scope, known: HashMap::new() }
    }

    /// What a thing is called.
    pub fn name(&mut self, tx: &mut Tx<'_>, kind: &str, id: &str) -> Result<Thing, StoreError> {
        let key = (kind.to_owned(), id.to_owned());
        if let Some(thing) = self.known.get(&key) {
            return Ok(thing.clone());
        }
        let thing = match self.find(tx, kind, id) {
            Ok(Some(thing)) => thing,
            Ok(None) | Err(StoreError::NotFound { .. }) => {
                let kind = self.words.word("admin.object", kind);
                Thing { name: format!("{kind} {id}"), lang: self.words.tag(), href: None }
            }
            Err(error) => return Err(error),
        };
        self.known.insert(key, thing.clone());
        Ok(thing)
    }

    fn find(&self, tx: &mut Tx<'_>, kind: &str, id: &str) -> Result<Option<Thing>, StoreError> {
        let w = self.words;
        let found = match kind {
            "organisation" => match OrganisationId::parse(id) {
                Ok(id) => {
                    let found = tx.load_organisation(self.scope, &id)?;
                    Some((organisation(w, &found).name, Some(organisation_href(&id))))
                }
                Err(_) => None,
            },
            "branch" => match BranchId::parse(id) {
                Ok(id) => {
                    let found = tx.load_branch(self.scope, &id)?;
                    let href = branch_href(&found.organisation, &id);
                    Some((branch(w, &found).name, Some(href)))
                }
                Err(_) => None,
            },
            "certificate" => match CertificateId::parse(id) {
                Ok(id) => {
                    let found = tx.load_certificate(self.scope, &id)?;
                    let href = certificate_href(&found);
                    Some((found.common_name, Some(href)))
                }
                Err(_) => None,
            },
            "application" => match ApplicationId::parse(id) {
                Ok(id) => {
                    let found = tx.load_application(self.scope, &id)?;
                    let branch_found = tx.load_branch(self.scope, &found.branch)?;
                    Some((branch(w, &branch_found).name, Some(application_href(&id))))
                }
                Err(_) => None,
            },
            "authority" => tx.find_authority(id)?.map(|found| {
                let href = format!("/console/authorities/{}", found.code);
                (found.name.common_name.to_string(), Some(href))
            }),
            "user" => match UserId::parse(id) {
                Ok(id) => Some((tx.load_account(&id)?.display_name, None)),
                Err(_) => None,
            },
            "list" => {
                let name = w.say("admin.object-list").with("scheme", id).text();
                Some((name, Some("/console/lists".to_owned())))
            }
            _ => None,
        };
        Ok(found.map(|(name, href)| Thing { lang: script(&name), name, href }))
    }
}
