//! Proof of destruction: what evidence must contain, who decides on it, and what follows when a
//! destroyed key is seen again (DOMAIN 11).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::canonical::Digest;
use crate::id::{EvidenceId, KeyId, OrganisationId};
use crate::key::{Fingerprint, Key, KeyRole, KeyState, words};
use crate::level::Level;
use crate::policy::{DestructionClass, KeyPolicy};
use crate::refusal::{Refusal, RefusalCode};
use crate::time::Timestamp;

words! {
    /// How a copy was ended.
    Method {
        /// Deleted by command.
        Delete = "delete",
        /// The device was zeroised.
        Zeroise = "zeroise",
        /// The device was reset.
        Reset = "reset",
        /// The medium was shredded.
        Shred = "shred",
    }
}

words! {
    /// What somebody who signs evidence was.
    SignerRole {
        /// Answers for the container.
        Custodian = "custodian",
        /// Saw it.
        Witness = "witness",
        /// Did it for the platform.
        Operator = "operator",
        /// A contracted disposer.
        Disposer = "disposer",
    }
}

/// One copy, and what became of it; `method` is empty while the line is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyLine {
    /// The label in the backup inventory; `primary` for the key itself.
    pub copy: String,
    /// How it was ended.
    pub method: Option<Method>,
    /// When.
    pub at: Option<Timestamp>,
}

/// Somebody who signed the evidence. The signature itself was verified before.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Signatory {
    /// Name.
    pub name: String,
    /// What they were.
    pub role: SignerRole,
    /// The key they signed with.
    pub key: Fingerprint,
}

/// Evidence of destruction as it was handed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Identifier.
    pub id: EvidenceId,
    /// The key.
    pub key: KeyId,
    /// The class that it claims.
    pub class: DestructionClass,
    /// One line for each copy (DE-1).
    pub lines: Vec<CopyLine>,
    /// Serial numbers of the devices.
    pub serials: Vec<String>,
    /// Who signed, each with a verified signature.
    pub signatories: Vec<Signatory>,
    /// Photographs, device logs, disposal certificates, by digest.
    pub attachments: Vec<Digest>,
    /// D1: what the key store reported.
    pub report: Option<Digest>,
    /// A statement made with the key before deletion; proves nothing by itself (DE-3).
    pub last_act: Option<Digest>,
    /// Who handed it in.
    pub handed_by: String,
    /// When.
    pub handed_at: Timestamp,
}

words! {
    /// State of evidence.
    EvidenceState {
        /// Waits for decisions.
        Handed = "handed",
        /// More is needed.
        MoreNeeded = "more-needed",
        /// Accepted: the key is destroyed.
        Accepted = "accepted",
        /// Refused.
        Refused = "refused",
    }
}

words! {
    /// One person's decision on evidence.
    Decision {
        /// It shows that every copy is gone.
        Accept = "accept",
        /// Something is missing.
        More = "more",
        /// It does not show it.
        Refuse = "refuse",
    }
}

/// What evidence is judged against.
#[derive(Clone, Debug)]
pub struct Standard<'a> {
    /// The policy in force.
    pub policy: &'a KeyPolicy,
    /// The level of the seal; `None` for keys of authorities.
    pub level: Option<Level>,
    /// The key.
    pub key: &'a Key,
    /// The copies of the container's inventory.
    pub copies: Vec<&'a str>,
    /// The device's serial number, where a container is recorded.
    pub device: Option<&'a str>,
}

fn lacking(rule: &str, what: &str) -> Refusal {
    Refusal::new(RefusalCode::EvidenceInsufficient, rule).with("lacking", what)
}

impl Evidence {
    /// Everything that must hold before anybody decides on it (DOMAIN 11).
    pub fn check(&self, standard: &Standard<'_>) -> Result<(), Refusal> {
        check_state(standard.key)?;
        self.check_class(standard)?;
        self.check_signatures(standard)?;
        self.check_content(standard)?;
        self.check_lines(standard)
    }

    /// The class is one that the policy takes at the level.
    fn check_class(&self, standard: &Standard<'_>) -> Result<(), Refusal> {
        let taken = match standard.level {
            Some(level) => standard.policy.destruction.level(level),
            None => &standard.policy.destruction.authority,
        };
        if taken.contains(&self.class) {
            return Ok(());
        }
        let words: Vec<_> = taken.iter().map(|class| class.word()).collect();
        Err(Refusal::new(RefusalCode::EvidenceInsufficient, "KM-17")
            .with("class", self.class)
            .with("needed", words.join(", ")))
    }

    /// DE-2 and DE-3: signed with another key, and at level 3 never by the custodian alone.
    fn check_signatures(&self, standard: &Standard<'_>) -> Result<(), Refusal> {
        if self.class == DestructionClass::D1 {
            return self.check_two_names();
        }
        let others: Vec<_> =
            self.signatories.iter().filter(|who| who.key != standard.key.fingerprint).collect();
        if others.is_empty() {
            let rule = if self.last_act.is_some() { "DE-3" } else { "DE-2" };
            return Err(lacking(rule, "signature"));
        }
        if others.len() < self.signatories.len() {
            return Err(lacking("DE-2", "another-key"));
        }
        let names: BTreeSet<_> = others.iter().map(|who| who.name.as_str()).collect();
        let keys: BTreeSet<_> = others.iter().map(|who| who.key).collect();
        if standard.level == Some(Level::Three) && names.len().min(keys.len()) < 2 {
            return Err(Refusal::new(RefusalCode::DualControl, "DE-2"));
        }
        Ok(())
    }

    /// D1 is the platform's own report: an operator and a witness who is somebody else.
    fn check_two_names(&self) -> Result<(), Refusal> {
        let names: BTreeSet<_> = self.signatories.iter().map(|who| who.name.as_str()).collect();
        if names.len() >= 2 { Ok(()) } else { Err(Refusal::new(RefusalCode::DualControl, "DE-2")) }
    }

    fn signed_by(&self, role: SignerRole) -> bool {
        self.signatories.iter().any(|who| who.role == role)
    }

    /// What each class must contain.
    fn check_content(&self, standard: &Standard<'_>) -> Result<(), Refusal> {
        let device = standard.device.is_none_or(|device| self.serials.iter().any(|s| s == device));
        let attached = !self.attachments.is_empty();
        match self.class {
            DestructionClass::D1 if self.report.is_none() => Err(lacking("11", "report")),
            DestructionClass::D1 => Ok(()),
            _ if !device => Err(lacking("11", "serial")),
            DestructionClass::D2 if !attached => Err(lacking("11", "device-log")),
            DestructionClass::D3 if !attached => Err(lacking("11", "photographs")),
            DestructionClass::D3 => self.check_witnessed(standard),
            DestructionClass::D4 | DestructionClass::D5
                if !self.signed_by(SignerRole::Custodian) =>
            {
                Err(lacking("11", "custodian-signature"))
            }
            DestructionClass::D5 if !attached => Err(lacking("11", "disposal-certificate")),
            DestructionClass::D2 | DestructionClass::D4 | DestructionClass::D5 => Ok(()),
        }
    }

    /// D3: two named persons, three for keys of authorities.
    fn check_witnessed(&self, standard: &Standard<'_>) -> Result<(), Refusal> {
        let needed = if standard.key.role == KeyRole::Seal { 2 } else { 3 };
        let names: BTreeSet<_> = self.signatories.iter().map(|who| who.name.as_str()).collect();
        if names.len() >= needed {
            return Ok(());
        }
        Err(Refusal::new(RefusalCode::DualControl, "11").with("needed", needed))
    }

    /// DE-1: each copy of the inventory has its own closed line.
    fn check_lines(&self, standard: &Standard<'_>) -> Result<(), Refusal> {
        let closed = |copy: &&str| {
            self.lines.iter().any(|line| {
                line.copy == **copy
                    && line.method.is_some()
                    && line.at.is_some_and(|at| at <= self.handed_at)
            })
        };
        let open: Vec<&str> =
            standard.copies.iter().copied().filter(|copy| !closed(copy)).collect();
        if open.is_empty() {
            return Ok(());
        }
        Err(Refusal::new(RefusalCode::EvidenceIncomplete, "DE-1").with("open", open.join(", ")))
    }

    /// When the last copy ended.
    pub fn destroyed_at(&self) -> Timestamp {
        self.lines.iter().filter_map(|line| line.at).max().unwrap_or(self.handed_at).floor()
    }

    /// How many accepting decisions are needed.
    pub const fn decisions_needed(level: Option<Level>) -> usize {
        match level {
            Some(Level::One | Level::Two) => 1,
            Some(Level::Three) | None => 2,
        }
    }
}

/// DOMAIN 6.5: evidence is taken of a key that no longer seals and is not yet destroyed.
fn check_state(key: &Key) -> Result<(), Refusal> {
    match key.state {
        KeyState::Retiring | KeyState::DestructionDue | KeyState::Compromised | KeyState::Lost => {
            Ok(())
        }
        KeyState::Ordered
        | KeyState::Generated
        | KeyState::Presented
        | KeyState::Proven
        | KeyState::Bound
        | KeyState::Destroyed => Err(Refusal::new(RefusalCode::StateConflict, "6.5")
            .with("key", &key.id)
            .with("state", key.state)),
    }
}

/// Who decides, as far as the rule DE-4 asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decider<'a> {
    /// The person.
    pub person: &'a str,
    /// The organisation whose officer the person is; `None` for an officer of the operator.
    pub organisation: Option<&'a OrganisationId>,
}

/// DE-4: the officer is of another organisation than the custodian's, did not hand it in, signed
/// nothing of it, and decides once (I-6).
pub fn may_decide(
    evidence: &Evidence,
    custodian_of: &OrganisationId,
    decider: &Decider<'_>,
    decided_already: &[String],
) -> Result<(), Refusal> {
    let own = decider.organisation == Some(custodian_of)
        || evidence.handed_by == decider.person
        || evidence.signatories.iter().any(|who| who.name == decider.person);
    if own {
        return Err(Refusal::new(RefusalCode::SelfApproval, "DE-4"));
    }
    if decided_already.iter().any(|person| person == decider.person) {
        return Err(Refusal::new(RefusalCode::DualControl, "I-6"));
    }
    Ok(())
}

/// What the public is told about a destroyed key (DE-6): no names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DestructionNote {
    /// What the key is recognised by.
    pub fingerprint: Fingerprint,
    /// The class of the accepted evidence.
    pub class: DestructionClass,
    /// The day of destruction, `YYYY-MM-DD`.
    pub date: String,
}

/// DE-5: whether a seal with a proven time contradicts the destruction of its key.
pub fn is_contradicted(destroyed_at: Option<Timestamp>, seal_time: Timestamp) -> bool {
    destroyed_at.is_some_and(|destroyed| seal_time > destroyed)
}

words! {
    /// What is to be done with the key of a time-stamping unit (DE-7).
    TsaDuty {
        /// It may be used.
        Use = "use",
        /// Not longer than 15 months from notBefore: it is no more to be used.
        Stop = "stop",
        /// Removed from the online device within 18 months, by two persons.
        Remove = "remove",
    }
}

/// DE-7: used no longer than 15 months from notBefore, removed from the device within 18 months.
/// Months are counted as the policy counts them: 457 and 548 days.
pub fn tsa_duty(not_before: Timestamp, policy: &KeyPolicy, now: Timestamp) -> TsaDuty {
    if now >= not_before.plus_days(policy.sealing_period.tsa.saturating_add(91)) {
        TsaDuty::Remove
    } else if now >= not_before.plus_days(policy.sealing_period.tsa) {
        TsaDuty::Stop
    } else {
        TsaDuty::Use
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn de_7_a_time_stamping_key_stops_after_15_months_and_goes_within_18() {
        let policy = KeyPolicy::initial(crate::policy::Installation::Production);
        let since = Timestamp::from_seconds(1_795_371_000);
        for (day, duty) in [
            (0, TsaDuty::Use),
            (456, TsaDuty::Use),
            (457, TsaDuty::Stop),
            (547, TsaDuty::Stop),
            (548, TsaDuty::Remove),
        ] {
            assert_eq!(tsa_duty(since, &policy, since.plus_days(day)), duty, "day {day}");
        }
    }
}
