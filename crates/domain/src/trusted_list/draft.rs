//! Drafts of trusted lists: edited, put forward, agreed to by others, published (DOMAIN 17).
//!
//! A draft is a copy of the live sequence with changes. Agreement falls on the digest of the whole
//! document, so that nobody agrees to something that was changed; any change voids it (AB-13).
//! Deliberately not here: what a list says, and the checks of the standard.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::SchemeCode;
use crate::ballot::Ballot;
use crate::canonical::Digest;
use crate::id::ListDraftId;
use crate::key::words;
use crate::policy::Installation;
use crate::policy::draft::PolicyDecision;
use crate::refusal::{Refusal, RefusalCode};
use crate::time::Timestamp;

words! {
    /// State of a draft. Stored: add, never change one.
    ListDraftState {
        /// Is being written.
        Editing = "editing",
        /// Waits for others to agree.
        Submitted = "submitted",
        /// One person sent it back.
        SentBack = "sent-back",
        /// Agreed to; waits to be signed.
        Approved = "approved",
        /// Its list was published.
        Published = "published",
        /// Given up.
        Abandoned = "abandoned",
    }
}

impl ListDraftState {
    /// Whether the draft may still become a list. A scheme has one such draft at most.
    pub const fn is_open(self) -> bool {
        match self {
            Self::Editing | Self::Submitted | Self::SentBack | Self::Approved => true,
            Self::Published | Self::Abandoned => false,
        }
    }
}

/// A part of a list, counted from 1 in its order: `scheme`, `pointer-2`, `provider-1`,
/// `service-1-3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ListPart {
    /// What the list says about the scheme.
    Scheme,
    /// A pointer to another list.
    Pointer(usize),
    /// A provider.
    Provider(usize),
    /// A service of a provider.
    Service {
        /// The provider.
        provider: usize,
        /// The service.
        service: usize,
    },
}

impl ListPart {
    /// Reads a part; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let number = |text: &str| text.parse().ok().filter(|number| *number > 0);
        let mut words = text.split('-');
        let part = match (words.next()?, words.next(), words.next()) {
            ("scheme", None, None) => Self::Scheme,
            ("pointer", Some(pointer), None) => Self::Pointer(number(pointer)?),
            ("provider", Some(provider), None) => Self::Provider(number(provider)?),
            ("service", Some(provider), Some(service)) => {
                Self::Service { provider: number(provider)?, service: number(service)? }
            }
            _ => return None,
        };
        words.next().is_none().then_some(part)
    }

    /// The word of its kind, for catalogues.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Scheme => "scheme",
            Self::Pointer(_) => "pointer",
            Self::Provider(_) => "provider",
            Self::Service { .. } => "service",
        }
    }
}

impl fmt::Display for ListPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scheme => f.write_str("scheme"),
            Self::Pointer(pointer) => write!(f, "pointer-{pointer}"),
            Self::Provider(provider) => write!(f, "provider-{provider}"),
            Self::Service { provider, service } => write!(f, "service-{provider}-{service}"),
        }
    }
}

impl TryFrom<String> for ListPart {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("not a part of a list: {text:?}"))
    }
}

impl From<ListPart> for String {
    fn from(part: ListPart) -> Self {
        part.to_string()
    }
}

/// What a form says, by the names of its fields.
pub type Fields = BTreeMap<String, String>;

/// One change to a draft. Stored as JSON: add variants, never change one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "edit", deny_unknown_fields)]
pub enum ListEdit {
    /// A part says something else; fields that are not named stay.
    Change {
        /// Which part.
        part: ListPart,
        /// What it says now.
        fields: Fields,
    },
    /// A new part, at the end of its kind.
    Add {
        /// Where it stands: one more than there were.
        part: ListPart,
        /// What it says.
        fields: Fields,
    },
    /// A part that was never published is taken out again.
    Remove {
        /// Which part.
        part: ListPart,
    },
    /// A service gets another status.
    Status {
        /// The service.
        part: ListPart,
        /// The new status.
        status: String,
        /// From when; nothing for the instant of the publication.
        from: Option<Timestamp>,
        /// What was decided, and why.
        ground: StatusGround,
    },
    /// The list is closed: no other follows it.
    Close {
        /// Why.
        reason: String,
    },
}

/// What a change of status rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusGround {
    /// Why, in the words of whoever decided.
    pub reason: String,
    /// The legal text in Japanese.
    pub legal_ja: String,
    /// The legal text in English.
    pub legal_en: String,
}

impl ListEdit {
    /// The word of the change, for people and catalogues.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Change { .. } => "change",
            Self::Add { .. } => "add",
            Self::Remove { .. } => "remove",
            Self::Status { .. } => "status",
            Self::Close { .. } => "close",
        }
    }

    /// The part it concerns.
    pub const fn part(&self) -> ListPart {
        match self {
            Self::Change { part, .. }
            | Self::Add { part, .. }
            | Self::Remove { part }
            | Self::Status { part, .. } => *part,
            Self::Close { .. } => ListPart::Scheme,
        }
    }
}

/// A change with who made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftEdit {
    /// What.
    pub edit: ListEdit,
    /// The person.
    pub person: String,
    /// When.
    pub at: Timestamp,
    /// The digest of the document after it.
    pub content: Digest,
}

/// A draft with everything that was done to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListDraft {
    /// Identifier.
    pub id: ListDraftId,
    /// The scheme whose next list it is to be.
    pub scheme: SchemeCode,
    /// What the list said from which it was copied, number and dates aside; `None` where none was
    /// live.
    pub base: Option<Digest>,
    /// The person who opened it.
    pub author: String,
    /// When.
    pub opened_at: Timestamp,
    /// The list as it would be, unsigned.
    pub document: String,
    /// The digest of the document.
    pub content: Digest,
    /// State.
    pub state: ListDraftState,
    /// Since when others are asked; nothing while it is being written.
    pub submitted_at: Option<Timestamp>,
    /// What was changed, oldest first.
    pub edits: Vec<DraftEdit>,
    /// What was decided about the document as it is now, oldest first. What was decided about a
    /// former one is void.
    pub decisions: Vec<PolicyDecision>,
}

impl ListDraft {
    /// How often it was changed: decisions belong to a revision.
    pub const fn revision(&self) -> usize {
        self.edits.len()
    }

    /// Whether it may be changed by somebody who saw `shown`: two who write at once do not undo each
    /// other's work.
    ///
    /// # Errors
    /// It is published or given up, or was changed meanwhile.
    pub fn may_be_edited(&self, shown: &Digest) -> Result<(), Refusal> {
        if !self.state.is_open() {
            return Err(self.conflict());
        }
        if self.content != *shown {
            return Err(Refusal::new(RefusalCode::PolicyChanged, "I-9").with("draft", &self.id));
        }
        Ok(())
    }

    /// Whether it may be put forward. What was sent back is changed first: one rejection ends the
    /// request.
    ///
    /// # Errors
    /// It is not being written.
    pub fn may_be_submitted(&self) -> Result<(), Refusal> {
        match self.state {
            ListDraftState::Editing => Ok(()),
            ListDraftState::SentBack
            | ListDraftState::Submitted
            | ListDraftState::Approved
            | ListDraftState::Published
            | ListDraftState::Abandoned => Err(self.conflict()),
        }
    }

    /// Whether a person who was shown `digest` may decide about it now. An evaluation is held by one
    /// person, who agrees to what that person wrote.
    ///
    /// # Errors
    /// It does not wait for decisions, the time is over, it is the person's own work, the person
    /// decided before (I-6), or something else was shown (AB-13).
    pub fn may_be_decided(
        &self,
        person: &str,
        shown: &Digest,
        installation: Installation,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let (ListDraftState::Submitted, Some(since)) = (self.state, self.submitted_at) else {
            return Err(self.conflict());
        };
        let authors = match installation {
            Installation::Evaluation => Vec::new(),
            Installation::Production => self.authors(),
        };
        let (digest, decisions) = (&self.content, self.decisions.as_slice());
        Ballot { authors: &authors, digest, since, decisions }
            .may_decide(person, shown, now)
            .map_err(|refusal| refusal.with("draft", &self.id))
    }

    /// Everybody who wrote in it.
    pub fn authors(&self) -> Vec<&str> {
        let wrote = self.edits.iter().map(|edit| edit.person.as_str());
        std::iter::once(self.author.as_str()).chain(wrote).collect()
    }

    /// How many agreed to it as it is now.
    pub fn agreed(&self) -> usize {
        let since = self.submitted_at.unwrap_or(self.opened_at);
        let decisions = self.decisions.as_slice();
        Ballot { authors: &[], digest: &self.content, since, decisions }.agreed()
    }

    /// Whether enough persons agreed.
    pub fn is_agreed(&self, installation: Installation) -> bool {
        self.agreed() >= approvals_needed(installation)
    }

    /// Until when it may be decided, where it waits for that.
    pub fn expires_at(&self) -> Option<Timestamp> {
        let since = self.submitted_at?;
        let decisions = self.decisions.as_slice();
        Some(Ballot { authors: &[], digest: &self.content, since, decisions }.expires_at())
    }

    /// A refusal because of the state it is in.
    pub fn conflict(&self) -> Refusal {
        Refusal::new(RefusalCode::StateConflict, "17")
            .with("draft", &self.id)
            .with("state", self.state)
    }
}

/// How many persons agree to a list before it is signed: two others than those who wrote it; an
/// evaluation is held by one person.
pub const fn approvals_needed(installation: Installation) -> usize {
    match installation {
        Installation::Evaluation => 1,
        Installation::Production => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Actor;
    use crate::id::Entropy;
    use crate::policy::draft::Verdict;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_371_000);

    struct Zero;
    impl Entropy for Zero {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }

    fn draft() -> ListDraft {
        let content = Digest::of(b"list");
        let part = ListPart::Provider(1);
        let edit = ListEdit::Remove { part };
        ListDraft {
            id: ListDraftId::new(NOW, &Zero),
            scheme: SchemeCode::parse("jp-2021").unwrap(),
            base: None,
            author: "author".to_owned(),
            opened_at: NOW,
            document: "list".to_owned(),
            content,
            state: ListDraftState::Submitted,
            submitted_at: Some(NOW),
            edits: vec![DraftEdit { edit, person: "editor".to_owned(), at: NOW, content }],
            decisions: Vec::new(),
        }
    }

    fn agreed(person: &str) -> PolicyDecision {
        PolicyDecision {
            person: person.to_owned(),
            verdict: Verdict::Approved,
            at: NOW,
            reason: String::new(),
            actor: Actor::system("test"),
        }
    }

    #[test]
    fn i_6_two_others_than_those_who_wrote_a_list_agree_to_it() {
        let mut draft = draft();
        let check = |draft: &ListDraft, person: &str| {
            let shown = draft.content;
            let may = draft.may_be_decided(person, &shown, Installation::Production, NOW);
            may.map_err(|refusal| refusal.code)
        };
        assert_eq!(check(&draft, "author"), Err(RefusalCode::SelfApproval));
        assert_eq!(check(&draft, "editor"), Err(RefusalCode::SelfApproval));
        assert_eq!(check(&draft, "one"), Ok(()));
        draft.decisions.push(agreed("one"));
        assert_eq!(check(&draft, "one"), Err(RefusalCode::DualControl));
        assert!(!draft.is_agreed(Installation::Production));
        draft.decisions.push(agreed("two"));
        assert!(draft.is_agreed(Installation::Production));
        draft.state = ListDraftState::Approved;
        assert_eq!(check(&draft, "three"), Err(RefusalCode::StateConflict));
    }

    #[test]
    fn an_evaluation_is_held_by_one_person_who_still_agrees() {
        let mut draft = draft();
        let shown = draft.content;
        let may = draft.may_be_decided("author", &shown, Installation::Evaluation, NOW);
        assert!(may.is_ok());
        assert!(!draft.is_agreed(Installation::Evaluation));
        draft.decisions.push(agreed("author"));
        assert!(draft.is_agreed(Installation::Evaluation));
    }

    #[test]
    fn ab_13_what_was_changed_meanwhile_is_neither_agreed_to_nor_overwritten() {
        let draft = draft();
        let other = Digest::of(b"another list");
        let refused = draft.may_be_decided("one", &other, Installation::Production, NOW);
        assert_eq!(refused.unwrap_err().code, RefusalCode::PolicyChanged);
        assert_eq!(draft.may_be_edited(&other).unwrap_err().code, RefusalCode::PolicyChanged);
        let late = NOW.plus_days(15);
        let shown = draft.content;
        let refused = draft.may_be_decided("one", &shown, Installation::Production, late);
        assert_eq!(refused.unwrap_err().code, RefusalCode::ApprovalExpired);
    }

    #[test]
    fn a_part_is_named_by_its_place() {
        for text in ["scheme", "pointer-1", "provider-12", "service-1-3"] {
            assert_eq!(ListPart::parse(text).unwrap().to_string(), text);
        }
        for text in
            ["", "scheme-1", "pointer", "pointer-0", "provider-x", "service-1", "service-1-2-3"]
        {
            assert_eq!(ListPart::parse(text), None, "{text}");
        }
    }
}
