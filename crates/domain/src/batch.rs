//! Batches: a list of branch offices that is applied for as a whole (DOMAIN 15, bulk orders). One
//! approval falls on the digest of the list; then each row becomes an application of its own.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::access::Actor;
use crate::branch::BranchCode;
use crate::canonical::{CanonicalError, Digest};
use crate::id::{ApplicationId, BatchId, BranchId, CertificateId, GrantId, OrganisationId};
use crate::key::words;
use crate::level::Level;
use crate::refusal::{Refusal, RefusalCode};
use crate::time::Timestamp;

/// Rows of a list at most.
pub const ROWS_MAX: usize = 10_000;

words! {
    /// State of a batch. Stored: add, never change one.
    BatchState {
        /// Waits for approval.
        Asked = "asked",
        /// Approved; a job works on it.
        Approved = "approved",
        /// Waits until somebody lets it go on.
        Paused = "paused",
        /// Every row is issued or given up.
        Done = "done",
        /// Refused.
        Rejected = "rejected",
        /// Taken back.
        Cancelled = "cancelled",
    }
}

words! {
    /// State of a row. Stored: add, never change one.
    RowState {
        /// Nothing was done yet.
        Waiting = "waiting",
        /// Applied for; its key is awaited, or what else the application waits for.
        Applied = "applied",
        /// The certificate is issued.
        Issued = "issued",
        /// A rule refused it; it waits for a correction.
        Failed = "failed",
    }
}

/// A list that is applied for as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// Identifier.
    pub id: BatchId,
    /// Whose branch offices.
    pub organisation: OrganisationId,
    /// The level of the seals.
    pub level: Level,
    /// Validity in days; the policy's longest where none is asked for.
    pub validity_days: Option<i64>,
    /// The grant that every application is made under; none in an evaluation.
    pub grant: Option<GrantId>,
    /// The digest of the list: what is approved.
    pub digest: Digest,
    /// How many rows it has.
    pub rows: i64,
    /// Who asked.
    pub asked_by: Actor,
    /// When.
    pub asked_at: Timestamp,
    /// State.
    pub state: BatchState,
}

/// A row of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchRow {
    /// The batch.
    pub batch: BatchId,
    /// The line of the file, or the place in the document, from 1.
    pub line: i64,
    /// The branch office.
    pub branch: BranchId,
    /// Its code.
    pub code: BranchCode,
    /// State.
    pub state: RowState,
    /// The application, once it is made.
    pub application: Option<ApplicationId>,
    /// What shows possession of the key (PKCS #10 with the application's challenge), once handed in.
    pub proof: Option<Vec<u8>>,
    /// Why a rule refused it.
    pub refusal: Option<Refusal>,
    /// The certificate, once issued.
    pub certificate: Option<CertificateId>,
}

impl BatchRow {
    /// Whether the job can do something for it now.
    pub const fn is_due(&self) -> bool {
        match self.state {
            RowState::Waiting => true,
            RowState::Applied => self.proof.is_some(),
            RowState::Issued | RowState::Failed => false,
        }
    }
}

impl Batch {
    /// The document that is approved: what is asked for, and every branch in the order of the list.
    pub fn document(&self, codes: &[BranchCode]) -> Value {
        json!({
            "v": 1,
            "organisation": self.organisation,
            "level": self.level,
            "validity_days": self.validity_days,
            "grant": self.grant,
            "branches": codes,
        })
    }

    /// The digest of the document.
    pub fn digest_of(&self, codes: &[BranchCode]) -> Result<Digest, CanonicalError> {
        Digest::of_json(&self.document(codes))
    }

    /// The batch in another state; anything but the listed ways is refused.
    pub fn turn(&self, to: BatchState) -> Result<Self, Refusal> {
        use BatchState as S;
        let known = matches!(
            (self.state, to),
            (S::Asked, S::Approved | S::Rejected | S::Cancelled)
                | (S::Approved, S::Paused | S::Done | S::Cancelled)
                | (S::Paused, S::Approved | S::Cancelled)
        );
        if known {
            return Ok(Self { state: to, ..self.clone() });
        }
        Err(Refusal::new(RefusalCode::StateConflict, "15").with("state", self.state))
    }
}

/// How far a batch is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BatchProgress {
    /// Rows of which nothing was done yet.
    pub waiting: i64,
    /// Rows that are applied for.
    pub applied: i64,
    /// Rows that are issued.
    pub issued: i64,
    /// Rows that wait for a correction.
    pub failed: i64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Entropy;

    struct Zero;
    impl Entropy for Zero {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }

    fn batch(state: BatchState) -> Batch {
        Batch {
            id: BatchId::new(Timestamp::EPOCH, &Zero),
            organisation: OrganisationId::new(Timestamp::EPOCH, &Zero),
            level: Level::One,
            validity_days: None,
            grant: None,
            digest: Digest([0; 32]),
            rows: 2,
            asked_by: Actor::system("test"),
            asked_at: Timestamp::EPOCH,
            state,
        }
    }

    #[test]
    fn a_batch_goes_its_ways_and_no_other() {
        use BatchState as S;
        let ways = [
            (S::Asked, S::Approved),
            (S::Asked, S::Rejected),
            (S::Asked, S::Cancelled),
            (S::Approved, S::Paused),
            (S::Approved, S::Done),
            (S::Approved, S::Cancelled),
            (S::Paused, S::Approved),
            (S::Paused, S::Cancelled),
        ];
        for from in S::ALL {
            for to in S::ALL {
                let turned = batch(*from).turn(*to);
                assert_eq!(turned.is_ok(), ways.contains(&(*from, *to)), "{from} {to}");
            }
        }
    }

    #[test]
    fn what_is_approved_is_the_list_in_its_order() {
        let codes = ["BR-1", "BR-2"].map(|code| BranchCode::parse(code).unwrap());
        let turned = [codes[1].clone(), codes[0].clone()];
        let one = batch(BatchState::Asked);
        let digest = one.digest_of(&codes).unwrap();
        assert_ne!(digest, one.digest_of(&turned).unwrap());
        assert_ne!(digest, one.digest_of(&codes[..1]).unwrap());
        let other = Batch { level: Level::Two, ..one };
        assert_ne!(digest, other.digest_of(&codes).unwrap());
    }
}
