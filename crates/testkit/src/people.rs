//! People of a story: accounts with their persons, representatives and delegates, officers, proofed
//! organisations, and a grant that was signed on paper.

use std::collections::BTreeSet;

use tenkoku_ca::act::EvidenceFile;
use tenkoku_ca::approval::Ruling;
use tenkoku_ca::grant::{GrantOrder, GrantPart, Reach, decide_paper, draft_grant, hand_in_paper};
use tenkoku_ca::office::{
    DelegateOrder, PersonOrder, RepresentativeOrder, add_delegate, record_representative,
    take_person,
};
use tenkoku_ca::proofing::{Finding, ProofingOrder, record_proofing};
use tenkoku_domain::access::{Act, Actor, Permit, Principal, Role, RoleGrant, Scope};
use tenkoku_domain::account::Account;
use tenkoku_domain::approval::{Conditions, Verdict};
use tenkoku_domain::audit::{Event, ObjectRef};
use tenkoku_domain::branch::Branch;
use tenkoku_domain::grant::{Grant, GrantAction, GrantQuota, GrantState};
use tenkoku_domain::id::{PersonId, UserId};
use tenkoku_domain::level::Level;
use tenkoku_domain::organisation::{Language, Organisation};
use tenkoku_domain::person::Representative;
use tenkoku_domain::policy::draft::Verdict as Agreement;
use tenkoku_domain::proofing::{Method, ProofingRecord, Subject};
use tenkoku_domain::trusted_list::SchemeCode;
use tenkoku_domain::trusted_list::draft::{ListEdit, ListPart, StatusGround, approvals_needed};
use tenkoku_publisher::draft::{
    Beginning, DraftVerdict, decide_draft, edit_draft, open_draft, submit_draft,
};
use tenkoku_tsl::model::Service;
use tenkoku_tsl::verify::read_unsigned;

use crate::world::World;

/// Somebody with an account.
#[derive(Clone, Debug)]
pub struct Somebody {
    /// The account.
    pub account: Account,
    /// Who acts, with the account's roles.
    pub principal: Principal,
}

impl Somebody {
    /// Leave for an act, as far as the roles reach.
    ///
    /// # Panics
    /// When no role allows it.
    pub fn permit<A: Act>(&self, world: &World) -> Permit<A> {
        self.principal.permit(world.now()).expect("a permit")
    }

    /// The person behind the account.
    pub fn person(&self) -> &PersonId {
        &self.account.person
    }
}

/// An organisation whose representative gave a delegate a grant.
#[derive(Clone, Debug)]
pub struct Delegation {
    /// The representative.
    pub representative: Somebody,
    /// The office from which the grant is given.
    pub office: Representative,
    /// The delegate.
    pub delegate: Somebody,
    /// Two registration officers of the platform.
    pub officers: [Somebody; 2],
    /// The grant.
    pub grant: Grant,
}

impl World {
    /// Somebody with an account: the person of this name, a new one where there is none.
    ///
    /// # Panics
    /// When the store does not answer.
    pub fn somebody(&self, name: &str, roles: &[Role], scope: &Scope) -> Somebody {
        let now = self.now();
        let origin = self.shell().origin();
        let id = UserId::new(now, &*self.env.entropy);
        let until = now.plus_days(365);
        let grant = |role: &Role| RoleGrant { role: *role, scope: scope.clone(), until };
        let order = PersonOrder::Named { name: name.to_owned(), contact: String::new() };
        let made = self.env.store.write(|tx| {
            let person = take_person(&self.env, tx, &origin, &order, now)?.id;
            let account = Account {
                email: None,
                id: id.clone(),
                login: id.as_str().to_lowercase(),
                display_name: name.to_owned(),
                person,
                language: Language::Ja,
                roles: roles.iter().map(grant).collect(),
                registered_by: "test".to_owned(),
                created_at: now,
                disabled_at: None,
            };
            tx.record(&origin, now, &Event::AccountCreated { account: account.clone() })?;
            Ok::<_, tenkoku_ca::act::ActError>(account)
        });
        let account = made.expect("an account");
        let principal = Principal {
            actor: Actor::user(&account.id, "passkey"),
            roles: account.roles.clone(),
            ..self.shell()
        };
        Somebody { account, principal }
    }

    /// Has the trusted list say that the service of an authority is withdrawn, agreed to by as many
    /// persons as the installation asks for.
    ///
    /// # Panics
    /// When it is refused.
    pub fn withdraw_from_list(&self, code: &str) {
        let der = self.authority(code).certificate.expect("a certificate");
        let scheme = SchemeCode::parse(&self.env.settings.scheme.code).expect("a code");
        let draft = open_draft(&self.env, &self.permit(), &scheme, &Beginning::Live);
        let draft = draft.expect("a draft");
        let list = read_unsigned(draft.document.as_bytes()).expect("a list");
        let part = (1..).zip(&list.providers).find_map(|(provider, one)| {
            let is_it = |service: &Service| {
                service.identity.certificates().any(|certificate| certificate.der() == der)
            };
            let service = one.services.iter().position(is_it)? + 1;
            Some(ListPart::Service { provider, service })
        });
        let page = &self.env.settings.public_address;
        let ground = StatusGround {
            reason: "終了".to_owned(),
            legal_ja: "規程".to_owned(),
            legal_en: "Rules".to_owned(),
        };
        let change = ListEdit::Status {
            part: part.expect("it is listed"),
            status: format!("{}/lists/{scheme}#withdrawn", page.as_str()),
            from: None,
            ground,
        };
        let draft = edit_draft(&self.env, &self.permit(), &draft.id, &draft.content, &change);
        let draft = draft.expect("a change");
        let draft = submit_draft(&self.env, &self.permit(), &draft.id, &draft.content);
        let draft = draft.expect("put forward");
        for person in 0..approvals_needed(self.env.settings.installation) {
            let name = format!("検証 {person}");
            let who = self.somebody(&name, &[Role::ValidationOperator], &Scope::Platform);
            let order = DraftVerdict {
                draft: draft.id.clone(),
                shown: draft.content,
                verdict: Agreement::Approved,
                reason: String::new(),
            };
            decide_draft(&self.env, &who.permit(self), &order).expect("agreed to");
        }
    }

    /// A registration officer of the platform.
    pub fn registration_officer(&self, name: &str) -> Somebody {
        self.somebody(name, &[Role::RegistrationOfficer], &Scope::Platform)
    }

    /// A person who represents an organisation, with an account.
    ///
    /// # Panics
    /// When it is refused.
    pub fn representative(
        &self,
        organisation: &Organisation,
        name: &str,
    ) -> (Somebody, Representative) {
        let scope = Scope::organisation(organisation.id.clone());
        let somebody = self.somebody(name, &[Role::Representative], &scope);
        let order = RepresentativeOrder {
            organisation: organisation.id.clone(),
            person: PersonOrder::Known(somebody.person().clone()),
            capacity: "代表取締役".to_owned(),
            evidence: file("an extract of the register"),
            from: None,
        };
        let office = record_representative(&self.env, &self.permit(), &order);
        (somebody, office.expect("a representative"))
    }

    /// A person who may be given a grant by an organisation, with an account.
    ///
    /// # Panics
    /// When it is refused.
    pub fn delegate(&self, organisation: &Organisation, name: &str) -> Somebody {
        let scope = Scope::organisation(organisation.id.clone());
        let somebody = self.somebody(name, &[Role::Delegate], &scope);
        let order = DelegateOrder {
            organisation: organisation.id.clone(),
            person: PersonOrder::Known(somebody.person().clone()),
            branch: None,
            until: self.now().plus_days(730),
        };
        add_delegate(&self.env, &self.permit(), &order).expect("a delegate");
        somebody
    }

    /// What a grant holds that leaves nothing out: every branch now and later, every level, plenty.
    pub fn wide_part(&self, grantee: &Somebody) -> GrantPart {
        GrantPart {
            grantee: grantee.account.id.clone(),
            actions: GrantAction::ALL.to_vec(),
            reach: Reach::EverywhereAndLater,
            levels: Level::ALL.into_iter().collect(),
            quota: GrantQuota { active: 1000, per_day: 1000, total: 1000 },
            not_before: self.now().floor(),
            not_after: None,
            subgrant_depth: 0,
            conditions: Conditions::default(),
        }
    }

    /// Drafts a grant.
    ///
    /// # Panics
    /// When it is refused.
    pub fn drafted(&self, office: &Representative, part: GrantPart) -> Grant {
        let order = GrantOrder {
            organisation: office.organisation.clone(),
            representative: office.id.clone(),
            part,
        };
        draft_grant(&self.env, &self.permit(), &order).expect("a draft")
    }

    /// Takes a draft as a signed paper that two officers approve.
    ///
    /// # Panics
    /// When it is refused.
    pub fn on_paper(&self, draft: &Grant, officers: &[Somebody; 2]) -> Grant {
        let id = &draft.terms.id;
        let [scan, call_back] = [file("a scan"), file("called back at the registered number")];
        let papers = (&scan, &call_back);
        hand_in_paper(&self.env, &officers[0].permit(self), id, papers).expect("a paper");
        let mut grant = draft.clone();
        for officer in officers {
            let ruling = self.approval_of(&ObjectRef::new("grant", id));
            let decided = decide_paper(&self.env, &officer.permit(self), id, &ruling);
            grant = decided.expect("an approval");
        }
        grant
    }

    /// An approval of what is shown about an object now.
    ///
    /// # Panics
    /// When nothing is asked about it.
    pub fn approval_of(&self, object: &ObjectRef) -> Ruling {
        let request = self.read(|tx| tx.find_approval_request(object));
        Ruling {
            shown: request.expect("a request").digest,
            verdict: Verdict::Approved,
            reason: String::new(),
        }
    }

    /// An organisation whose representative gave a delegate a grant, signed on paper.
    pub fn delegation(&self, organisation: &Organisation) -> Delegation {
        self.delegation_of(organisation, |_| ())
    }

    /// The same with another part.
    pub fn delegation_of(
        &self,
        organisation: &Organisation,
        change: impl FnOnce(&mut GrantPart),
    ) -> Delegation {
        let officers = ["審査 一", "審査 二"].map(|name| self.registration_officer(name));
        let (representative, office) = self.representative(organisation, "見本 太郎");
        let delegate = self.delegate(organisation, "例 花子");
        let mut part = self.wide_part(&delegate);
        change(&mut part);
        let grant = self.on_paper(&self.drafted(&office, part), &officers);
        Delegation { representative, office, delegate, officers, grant }
    }

    /// A grant of a branch's organisation that is active: the first there is, or a new one.
    ///
    /// # Panics
    /// When the store does not answer.
    pub fn standing_grant(&self, branch: &Branch) -> Grant {
        let all = self.read(|tx| tx.list_grants(&Scope::Platform, &branch.organisation));
        let active = all.into_iter().find(|one| one.state == GrantState::Active);
        active.unwrap_or_else(|| {
            let organisation =
                self.read(|tx| tx.load_organisation(&Scope::Platform, &branch.organisation));
            self.delegation(&organisation).grant
        })
    }

    /// Records a proofing with a file as evidence.
    ///
    /// # Panics
    /// When it is refused.
    pub fn proofed(
        &self,
        organisation: &Organisation,
        subject: Subject,
        method: Method,
        level: Level,
    ) -> ProofingRecord {
        let order = ProofingOrder {
            organisation: organisation.id.clone(),
            subject,
            finding: Finding::Files { method, files: vec![file(method.word())] },
            level: Some(level),
            valid_until: None,
        };
        record_proofing(&self.env, &self.permit(), &order).expect("a proofing")
    }

    /// Everything that level 3 needs of a branch, besides the register look-up that comes with the
    /// organisation.
    pub fn proofed_throughout(
        &self,
        organisation: &Organisation,
        branch: &Branch,
        representative: &PersonId,
    ) {
        let person = Subject::Person(representative.clone());
        self.proofed(organisation, Subject::Organisation, Method::P2, Level::Three);
        self.proofed(organisation, person, Method::P5, Level::Three);
        self.proofed(organisation, Subject::Branch(branch.id.clone()), Method::P9, Level::Three);
    }
}

/// A file of evidence.
pub fn file(content: &str) -> EvidenceFile {
    EvidenceFile { media_type: "text/plain".to_owned(), content: content.as_bytes().to_vec() }
}

/// Codes of branches.
///
/// # Panics
/// When one is none.
pub fn codes(of: &[&str]) -> BTreeSet<tenkoku_domain::branch::BranchCode> {
    let read = |code: &&str| tenkoku_domain::branch::BranchCode::parse(code).expect("a code");
    of.iter().map(read).collect()
}
