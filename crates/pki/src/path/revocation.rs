//! Whether a certificate is revoked, by CRLs (RFC 5280, 6.3.3): distribution points, reasons over
//! several lists, indirect lists, deltas, and signers with a path of their own.

use super::bag::{Held, HeldList};
use super::certificate::Foreign;
use super::general::{DistributionPoint, Holders, ListKind, Reasons, Scope, directories};
use super::list::{List, Mention};
use super::search::{Halt, Quest, Search};
use super::{Fault, PolicyDemands, Reason};

/// How many signers of lists may depend on one another.
const NESTED: usize = 6;

/// The demands on the path to a signer of CRLs: none.
static NO_DEMANDS: PolicyDemands = PolicyDemands {
    acceptable: Vec::new(),
    require_explicit: false,
    inhibit_mapping: false,
    inhibit_any: false,
};

/// A certificate in question, where it stands, and at which of its points it is looked up.
#[derive(Clone, Copy, Debug)]
struct Case<'a, 'q> {
    anchor: &'q Held,
    held: &'q Held,
    /// Those above it, its issuer first; already found good.
    above: &'a [&'q Held],
    signing: &'a [usize],
}

impl<'q> Search<'q> {
    /// Faults unless current lists tell for every reason that the certificate is not revoked.
    pub(crate) fn check_status(
        &mut self,
        anchor: &'q Held,
        held: &'q Held,
        above: &[&'q Held],
        signing: &[usize],
    ) -> Result<(), Halt> {
        let key = (anchor.id, above.first().map(|issuer| issuer.id), held.id);
        if let Some(known) = self.statuses.get(&key) {
            return known.clone().map_err(Halt::Fault);
        }
        let case = Case { anchor, held, above, signing };
        let status = match self.look_up(&case) {
            Ok(()) => Ok(()),
            Err(Halt::Fault(fault) | Halt::Final(fault)) => Err(fault),
            Err(Halt::Spent) => return Err(Halt::Spent),
        };
        // On the way to a signer, a fault may only mean that the way went in a circle.
        if status.is_ok() || signing.is_empty() {
            self.statuses.insert(key, status.clone());
        }
        status.map_err(Halt::Fault)
    }

    fn look_up(&mut self, case: &Case<'_, 'q>) -> Result<(), Halt> {
        let certificate = &case.held.certificate;
        let own = DistributionPoint::of_issuer(&certificate.issuer);
        let mut told = Reasons::NONE;
        for point in certificate.extensions.points.iter().chain([&own]) {
            for list in self.bag.lists() {
                if !Reasons::ALL.exceeds(told) {
                    return Ok(());
                }
                self.step(1)?;
                told = told.or(self.consult(case, point, list, told)?);
            }
        }
        if Reasons::ALL.exceeds(told) {
            return Err(Fault::new(Reason::RevocationUnknown, &certificate.line).into());
        }
        Ok(())
    }

    /// For which reasons one list tells that the certificate is not revoked.
    fn consult(
        &mut self,
        case: &Case<'_, 'q>,
        point: &DistributionPoint,
        held: &'q HeldList,
        told: Reasons,
    ) -> Result<Reasons, Halt> {
        let (list, certificate) = (&held.list, &case.held.certificate);
        let is_good = list.usable && !list.is_delta() && list.is_current(self.question.at);
        if !is_good || !covers(list, point, certificate) {
            return Ok(Reasons::NONE);
        }
        let reasons = list.scope.as_ref().map_or(Reasons::ALL, |scope| scope.reasons);
        let reasons = reasons.and(point.reasons);
        if !reasons.exceeds(told) {
            return Ok(Reasons::NONE);
        }
        let Some(signer) = self.signer_of_list(case, point, held)? else {
            return Ok(Reasons::NONE);
        };
        match self.mention(held, signer, certificate)? {
            Some(Mention::Revoked(at)) => {
                Err(Fault::new(Reason::Revoked, &certificate.line).when(at).into())
            }
            Some(Mention::Removed) | None => Ok(reasons),
        }
    }

    /// What a list says, brought up to date by the newest delta (6.3.3 c, h to k).
    fn mention(
        &mut self,
        complete: &'q HeldList,
        signer: usize,
        certificate: &Foreign,
    ) -> Result<Option<Mention>, Halt> {
        for delta in self.bag.lists() {
            let fits = delta.list.usable
                && delta.list.is_current(self.question.at)
                && delta.list.updates(&complete.list);
            if fits && self.is_signed_by(delta, signer)? {
                let mention = delta.list.mention(certificate);
                return Ok(mention.or_else(|| complete.list.mention(certificate)));
            }
        }
        Ok(complete.list.mention(certificate))
    }

    /// Who signed a list, if the signer may (6.3.3 f, g).
    fn signer_of_list(
        &mut self,
        case: &Case<'_, 'q>,
        point: &DistributionPoint,
        held: &'q HeldList,
    ) -> Result<Option<usize>, Halt> {
        let mark = held.list.issuer_key.as_ref();
        for holder in self.bag.named(&held.list.issuer, mark) {
            if self.is_signed_by(held, holder.id)? && self.may_sign(case, point, holder.id)? {
                return Ok(Some(holder.id));
            }
        }
        Ok(None)
    }

    /// Whether a holder may sign the list for this certificate: it is the anchor, stands above the
    /// certificate, or has a valid path of its own from the same anchor.
    fn may_sign(
        &mut self,
        case: &Case<'_, 'q>,
        point: &DistributionPoint,
        holder: usize,
    ) -> Result<bool, Halt> {
        let signs = |held: &&Held| held.holder == holder && held.certificate.signs_lists();
        if signs(&case.anchor) || case.above.iter().any(signs) {
            return Ok(true);
        }
        for held in self.bag.certificates_of(holder).filter(|held| held.certificate.signs_lists()) {
            if held.id == case.held.id {
                // A signer of lists tells of itself only where its own certificate says so.
                if directories(&point.crl_issuer).any(|name| *name == held.certificate.subject) {
                    return Ok(true);
                }
            } else if self.has_path(case, held)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn has_path(&mut self, case: &Case<'_, 'q>, signer: &'q Held) -> Result<bool, Halt> {
        let key = (case.anchor.id, signer.id);
        if let Some(known) = self.list_signers.get(&key) {
            return Ok(*known);
        }
        if case.signing.contains(&signer.id) || case.signing.len() >= NESTED {
            return Ok(false);
        }
        let signing: Vec<usize> = case.signing.iter().copied().chain([signer.id]).collect();
        let found = self.find_signer(case.anchor.id, signer, signing)?;
        if found || case.signing.is_empty() {
            self.list_signers.insert(key, found);
        }
        Ok(found)
    }

    fn find_signer(
        &mut self,
        anchor: usize,
        target: &'q Held,
        signing: Vec<usize>,
    ) -> Result<bool, Halt> {
        let quest = Quest { target, anchor: Some(anchor), policies: &NO_DEMANDS, signing };
        match self.find(quest) {
            Ok(_) => Ok(true),
            Err(Halt::Fault(_) | Halt::Final(_)) => Ok(false),
            Err(Halt::Spent) => Err(Halt::Spent),
        }
    }
}

/// Whether a list is one of those a distribution point means, for this certificate (6.3.3 b).
fn covers(list: &List, point: &DistributionPoint, certificate: &Foreign) -> bool {
    let is_issuer = if point.crl_issuer.is_empty() {
        list.issuer == certificate.issuer
    } else {
        list.kind() == ListKind::Indirect
            && directories(&point.crl_issuer).any(|name| *name == list.issuer)
    };
    is_issuer
        && list.scope.as_ref().is_none_or(|scope| is_in_scope(list, scope, point, certificate))
}

fn is_in_scope(
    list: &List,
    scope: &Scope,
    point: &DistributionPoint,
    certificate: &Foreign,
) -> bool {
    let is_authority = certificate.is_authority();
    let holds = match scope.holders {
        Holders::All => true,
        Holders::Users => !is_authority,
        Holders::Authorities => is_authority,
        Holders::Nobody => false,
    };
    holds && is_named(list, scope, point, certificate)
}

/// Whether list and point share a name (6.3.3 b 2 i).
fn is_named(list: &List, scope: &Scope, point: &DistributionPoint, certificate: &Foreign) -> bool {
    let Some(own) = &scope.name else { return true };
    let own = own.names([&list.issuer].into_iter());
    match &point.name {
        None => own.iter().any(|name| point.crl_issuer.contains(name)),
        Some(name) if point.crl_issuer.is_empty() => {
            name.names([&certificate.issuer].into_iter()).iter().any(|name| own.contains(name))
        }
        Some(name) => {
            name.names(directories(&point.crl_issuer)).iter().any(|name| own.contains(name))
        }
    }
}
