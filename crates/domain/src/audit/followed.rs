//! Trusted lists of others: believed, fetched, found wrong (TS 119 615).

use serde_json::{Value, json};

use super::{AuditCode, Facts, Outcome, facts};
use crate::canonical::Digest;
use crate::followed::{FollowedList, ListCode, ListSource, Snapshot};
use crate::key::words;

words! {
    /// What became of a list of others.
    FollowedStep {
        /// A list of lists points at it from now on.
        Announced = "announced",
        /// A new snapshot is in force.
        Taken = "taken",
        /// Something is wrong with it; what was in force stays in force.
        Troubled = "troubled",
        /// Nothing is wrong with it any more.
        Recovered = "recovered",
        /// It is at another address.
        Moved = "moved",
        /// Nothing points at it any more.
        Dropped = "dropped",
    }
}

/// Trusted lists of others: believed, fetched, found wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum FollowedEvent {
    /// A list, or list of lists, is believed from now on.
    SourceTrusted {
        /// It.
        source: ListSource,
    },
    /// It is believed no more; what was taken from it is kept, and counts no more.
    SourceEnded {
        /// It.
        source: ListSource,
    },
    /// A person took over the certificates of a newer publication.
    AnchorsTaken {
        /// The source with its new anchors.
        source: ListSource,
    },
    /// A list went a step further.
    Step {
        /// The list as it is now.
        list: Box<FollowedList>,
        /// The step.
        step: FollowedStep,
        /// What is in force from now on, where that is new.
        snapshot: Option<Box<Snapshot>>,
    },
    /// A former list of lists, a link of the chain to the journal, was fetched and kept.
    PivotKept {
        /// The list of lists.
        source: ListCode,
        /// Where the pivot is.
        address: String,
        /// Its octets.
        xml: Vec<u8>,
    },
}

impl FollowedEvent {
    /// What the record says beyond who, when and where from.
    pub(super) fn facts(&self) -> Facts {
        match self {
            Self::SourceTrusted { source } => about_source(source, "trusted"),
            Self::SourceEnded { source } => about_source(source, "ended"),
            Self::AnchorsTaken { source } => about_source(source, "anchors-taken"),
            Self::Step { list, step, snapshot } => about_list(list, *step, snapshot.as_deref()),
            Self::PivotKept { source, address, xml } => facts(
                AuditCode::ListFollowed,
                "followed-list",
                source,
                json!({ "step": "pivot-kept", "address": address, "digest": Digest::of(xml) }),
            ),
        }
    }
}

fn about_source(source: &ListSource, step: &str) -> Facts {
    let anchors = source.trust.anchors().iter().map(|one| json!(Digest::of(&one.0)));
    let detail = json!({
        "step": step,
        "location": source.location,
        "anchors": anchors.collect::<Vec<_>>(),
    });
    facts(AuditCode::ValAnchorChanged, "list-source", &source.code, detail)
}

fn about_list(list: &FollowedList, step: FollowedStep, snapshot: Option<&Snapshot>) -> Facts {
    let mut detail = json!({ "step": step, "location": list.location });
    let mut more = json!({});
    if let Some(snapshot) = snapshot {
        more = json!({
            "snapshot": snapshot.id,
            "sequence": snapshot.sequence,
            "digest": snapshot.digest,
            "signer": snapshot.signer,
        });
    }
    if let (FollowedStep::Troubled, Some(fault)) = (step, &list.fault) {
        more = json!({ "problem": fault.problem });
    }
    if let (Value::Object(all), Value::Object(more)) = (&mut detail, more) {
        all.extend(more);
    }
    let facts = facts(AuditCode::ListFollowed, "followed-list", &list.code, detail);
    match step {
        FollowedStep::Troubled => Facts { outcome: Outcome::Failed, ..facts },
        FollowedStep::Announced
        | FollowedStep::Taken
        | FollowedStep::Recovered
        | FollowedStep::Moved
        | FollowedStep::Dropped => facts,
    }
}
