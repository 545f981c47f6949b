//! Where a key was made, in words: the evidence that is kept with it, and the container it lives in.
//!
//! Deliberately not here: the evidence itself, which holds serial numbers of devices and people's
//! names; its digest says which it was.

use tenkoku_domain::access::Scope;
use tenkoku_domain::container::Container;
use tenkoku_domain::id::KeyId;
use tenkoku_domain::origin::KeyEvidence;
use tenkoku_store::{StoreError, Tx};

use super::views::Fact;
use crate::format;
use crate::text::Words;

/// What is known of the origin of a key.
#[derive(Default)]
pub(super) struct Origin {
    pub(super) evidence: Vec<KeyEvidence>,
    pub(super) container: Option<Container>,
}

/// Loads it; a container outside the scope is not there.
pub(super) fn load(tx: &mut Tx<'_>, scope: &Scope, key: &KeyId) -> Result<Origin, StoreError> {
    let evidence = tx.origin_of_key(key)?;
    let tied = evidence.iter().find_map(|one| one.container.clone());
    let container = match tx.load_key_life(key)?.container.or(tied) {
        None => None,
        Some(id) => match tx.load_container(scope, &id) {
            Ok(container) => Some(container),
            Err(StoreError::NotFound { .. }) => None,
            Err(error) => return Err(error),
        },
    };
    Ok(Origin { evidence, container })
}

/// The facts of a page.
pub(super) fn facts(w: Words, origin: &Origin) -> Vec<Fact> {
    let mut facts = vec![match &origin.container {
        Some(one) => {
            let state = w.word("admin.container-state", one.state.word());
            let text = format!("{} {} ({state})", one.model, one.serial);
            Fact::new(w.t("admin.evidence.container"), text)
        }
        None => Fact::new(w.t("admin.evidence.container"), w.t("admin.evidence.unplaced")),
    }];
    facts.extend(evidence_facts(w, &origin.evidence));
    facts
}

/// What was shown of where a key was made: for a key of the platform its token and object.
pub(super) fn evidence_facts(w: Words, evidence: &[KeyEvidence]) -> Vec<Fact> {
    let mut facts = Vec::new();
    if evidence.is_empty() {
        facts.push(Fact::new(w.t("admin.evidence.title"), w.t("admin.evidence.none")));
    }
    for one in evidence {
        let format_name = w.word("admin.evidence", one.format.word());
        let date = format::date_time(one.at);
        let text = match (&one.serial, &one.object) {
            (Some(device), Some(object)) => {
                let said = w.say("admin.evidence.by-device").with("device", device);
                said.with("object", object)
            }
            (Some(_) | None, _) => w.say("admin.evidence.plain"),
        };
        let text = text.with("format", format_name).with("date", date).text();
        facts.push(Fact::new(w.t("admin.evidence.title"), text));
        let digest = format::grouped(&one.digest.to_string());
        facts.push(Fact::mono(w.t("admin.evidence.digest"), digest));
    }
    facts
}
