//! The search for a path: what is remembered between tries, and the budget.

use std::collections::HashMap;

use super::bag::{Bag, Held, HeldList};
use super::climb::Climb;
use super::signature::{Outcome, check};
use super::{Budget, Fault, PolicyDemands, Question, Reason, ValidPath};

/// Why something came to no good end.
#[derive(Debug)]
pub(crate) enum Halt {
    /// It is not valid.
    Fault(Fault),
    /// It is not valid by the target alone, so that no other path can be.
    Final(Fault),
    /// The budget is used up.
    Spent,
}

impl From<Fault> for Halt {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// What one search looks for.
#[derive(Clone, Debug)]
pub(crate) struct Quest<'q> {
    /// The certificate at the end of the path.
    pub(crate) target: &'q Held,
    /// The only anchor to use: that of the certificate whose CRL is signed (6.3.3 f).
    pub(crate) anchor: Option<usize>,
    pub(crate) policies: &'q PolicyDemands,
    /// The signers of CRLs on the way to which this search was begun, by number.
    pub(crate) signing: Vec<usize>,
}

/// Who signed a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signer {
    Known(usize),
    Nobody(Reason),
}

/// What is known so far of one question.
#[derive(Debug)]
pub(crate) struct Search<'q> {
    pub(crate) bag: &'q Bag,
    pub(crate) question: &'q Question<'q>,
    left: Budget,
    signers: HashMap<usize, Signer>,
    signed_lists: HashMap<(usize, usize), bool>,
    /// Whether the names of a certificate lie within the constraints of another.
    pub(crate) names: HashMap<(Source, usize), bool>,
    /// Whether a certificate is not revoked, by anchor, issuer and certificate.
    pub(crate) statuses: HashMap<(usize, Option<usize>, usize), Result<(), Fault>>,
    /// Whether a signer of CRLs has a valid path, by anchor and certificate.
    pub(crate) list_signers: HashMap<(usize, usize), bool>,
}

/// Where constraints come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Source {
    Anchor(usize),
    Certificate(usize),
}

impl<'q> Search<'q> {
    pub(crate) fn new(bag: &'q Bag, question: &'q Question<'q>) -> Self {
        Self {
            bag,
            question,
            left: question.budget,
            signers: HashMap::new(),
            signed_lists: HashMap::new(),
            names: HashMap::new(),
            statuses: HashMap::new(),
            list_signers: HashMap::new(),
        }
    }

    /// The first valid path to the target, shortest first.
    pub(crate) fn find(&mut self, quest: Quest<'q>) -> Result<ValidPath, Halt> {
        Climb::new(self, quest)?.run()
    }

    /// Pays for looking at certificates, lists or policies.
    pub(crate) fn step(&mut self, count: usize) -> Result<(), Halt> {
        self.left.steps = self.left.steps.checked_sub(count).ok_or(Halt::Spent)?;
        Ok(())
    }

    /// Pays for comparing names.
    pub(crate) fn compare(&mut self, count: usize) -> Result<(), Halt> {
        self.left.comparisons = self.left.comparisons.checked_sub(count).ok_or(Halt::Spent)?;
        Ok(())
    }

    fn verify(&mut self) -> Result<(), Halt> {
        self.left.signatures = self.left.signatures.checked_sub(1).ok_or(Halt::Spent)?;
        Ok(())
    }

    /// Who signed a certificate, of all who bear its issuer's name (6.1.3 a 1, a 4).
    pub(crate) fn signer(&mut self, held: &Held) -> Result<Signer, Halt> {
        if let Some(known) = self.signers.get(&held.id) {
            return Ok(*known);
        }
        let certificate = &held.certificate;
        let mark = certificate.extensions.issuer_key.as_ref();
        let mut found = Signer::Nobody(Reason::NoIssuer);
        for holder in self.bag.named(&certificate.issuer, mark) {
            self.verify()?;
            found = match (check(&certificate.envelope, &holder.key), found) {
                (Outcome::Holds, _) => Signer::Known(holder.id),
                (Outcome::Broken, _) => Signer::Nobody(Reason::Signature),
                (Outcome::Refused, Signer::Nobody(Reason::Signature)) => found,
                (Outcome::Refused, _) => Signer::Nobody(Reason::Algorithm),
            };
            if matches!(found, Signer::Known(_)) {
                break;
            }
        }
        self.signers.insert(held.id, found);
        Ok(found)
    }

    /// Whether a holder signed a list.
    pub(crate) fn is_signed_by(&mut self, held: &HeldList, holder: usize) -> Result<bool, Halt> {
        if let Some(known) = self.signed_lists.get(&(held.id, holder)) {
            return Ok(*known);
        }
        self.verify()?;
        let key = self.bag.holder(holder).map(|holder| holder.key.as_slice());
        let holds = key.is_some_and(|key| check(&held.list.envelope, key) == Outcome::Holds);
        self.signed_lists.insert((held.id, holder), holds);
        Ok(holds)
    }
}
