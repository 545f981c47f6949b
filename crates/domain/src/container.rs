//! Key containers: where private keys live, who answers for them, and which copies exist
//! (DOMAIN 6.6, KM-15, KM-16).

use serde::{Deserialize, Serialize};

use crate::branch::Custodian;
use crate::id::{BranchId, ContainerId, OrganisationId};
use crate::key::words;
use crate::level::Level;
use crate::refusal::{Refusal, RefusalCode};
use crate::time::Timestamp;

words! {
    /// Kind of a container.
    ContainerKind {
        /// Hardware security module, or a partition of one.
        Hsm = "hsm",
        /// USB token.
        Token = "token",
        /// Smart card.
        Card = "card",
        /// Trusted platform module of a machine.
        Tpm = "tpm",
        /// Protected file.
        File = "file",
    }
}

words! {
    /// State of a container (DOMAIN 6.6).
    ContainerState {
        /// Entered.
        Registered = "registered",
        /// Model, serial, custodian and evidence were checked.
        Verified = "verified",
        /// Holds a live key.
        InUse = "in-use",
        /// Nothing new goes in.
        Quarantined = "quarantined",
        /// Holds no live key any more.
        Retired = "retired",
        /// Gone, with a disposal record.
        Disposed = "disposed",
    }
}

/// A copy in the backup inventory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupCopy {
    /// What the copy is called: evidence names it by this.
    pub label: String,
    /// Where it is kept.
    pub location: String,
}

/// A container of keys. A partition is a container of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// Identifier.
    pub id: ContainerId,
    /// Whose it is.
    pub organisation: OrganisationId,
    /// The one branch that uses it; `None` where several do.
    pub branch: Option<BranchId>,
    /// Kind.
    pub kind: ContainerKind,
    /// Model, as the maker writes it.
    pub model: String,
    /// Serial number of the device.
    pub serial: String,
    /// Firmware.
    pub firmware: String,
    /// Text of its certification; empty where there is none.
    pub certification: String,
    /// Partition, slot or applet; empty where the device has none.
    pub partition: String,
    /// Who answers for it.
    pub custodian: Custodian,
    /// Where it stands.
    pub location: String,
    /// Every backup that exists of what is in it.
    pub inventory: Vec<BackupCopy>,
    /// State.
    pub state: ContainerState,
    /// When it was entered.
    pub registered_at: Timestamp,
}

/// The label of the one copy that every container has: the key itself.
pub const PRIMARY: &str = "primary";

impl Container {
    /// Whether a device that evidence names is this one. Zeros before a number do not count, and
    /// neither do case and space.
    pub fn is_device(&self, serial: &str) -> bool {
        let plain = |text: &str| {
            let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
            text.trim_start_matches('0').to_ascii_lowercase()
        };
        plain(&self.serial) == plain(serial) && !plain(serial).is_empty()
    }

    /// KM-15 at registration: no other organisation has anything in this device.
    pub fn may_register(&self, same_device: &[Self]) -> Result<(), Refusal> {
        let other = same_device.iter().any(|known| known.organisation != self.organisation);
        let taken = same_device.iter().any(|known| known.partition == self.partition);
        if !other && !taken {
            return Ok(());
        }
        Err(self.shared())
    }

    /// Nothing is said about whoever has it.
    fn shared(&self) -> Refusal {
        Refusal::new(RefusalCode::ContainerShared, "KM-15").with("device", &self.serial)
    }

    /// KM-15 and 6.6 when a key goes in: the branch's organisation owns the container, and at level
    /// 3 no key of another branch is in it. `neighbours` are the branches with keys in it.
    pub fn may_hold(
        &self,
        organisation: &OrganisationId,
        branch: &BranchId,
        level: Level,
        neighbours: &[BranchId],
    ) -> Result<(), Refusal> {
        match self.state {
            ContainerState::Verified | ContainerState::InUse => {}
            ContainerState::Registered
            | ContainerState::Quarantined
            | ContainerState::Retired
            | ContainerState::Disposed => return Err(self.conflict()),
        }
        let reserved = self.branch.as_ref().is_some_and(|own| own != branch);
        let crowded = level == Level::Three && neighbours.iter().any(|other| other != branch);
        if self.organisation != *organisation || reserved || crowded {
            return Err(self.shared());
        }
        Ok(())
    }

    fn conflict(&self) -> Refusal {
        Refusal::new(RefusalCode::StateConflict, "6.6").with("state", self.state)
    }

    /// Whether the state of DOMAIN 6.6 leads on to another. `live` says how many live keys it holds:
    /// with one it is not retired.
    pub fn may_become(&self, to: ContainerState, live: usize) -> Result<(), Refusal> {
        use ContainerState::{Disposed, InUse, Quarantined, Registered, Retired, Verified};
        let emptied = live == 0;
        let listed = match self.state {
            Registered => to == Verified || to == Quarantined || (to == Retired && emptied),
            Verified => to == InUse || to == Quarantined || (to == Retired && emptied),
            InUse => to == Quarantined || (to == Retired && emptied),
            Quarantined => to == InUse || (to == Retired && emptied),
            Retired => to == Disposed,
            Disposed => false,
        };
        if listed { Ok(()) } else { Err(self.conflict()) }
    }

    /// Every copy that evidence must account for (DE-1): the key itself, then each backup.
    pub fn copies(&self) -> Vec<&str> {
        let backups = self.inventory.iter().map(|copy| copy.label.as_str());
        std::iter::once(PRIMARY).chain(backups).collect()
    }
}

/// KM-16: a branch whose keys live has a custodian.
pub fn check_custodian(custodian: Option<&Custodian>, branch: &str) -> Result<(), Refusal> {
    match custodian {
        Some(_) => Ok(()),
        None => Err(Refusal::new(RefusalCode::CustodianMissing, "KM-16").with("branch", branch)),
    }
}
