//! Who may do what: roles, scopes, permissions, and the permit without which no use case runs.

use std::collections::BTreeSet;
use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use crate::id::{AuthorityId, BranchId, OrganisationId, RequestId, UserId};
use crate::key::words;
use crate::refusal::{Refusal, RefusalCode};
use crate::time::Timestamp;

words! {
    /// Kind of an actor in audit records (DOMAIN 18).
    ActorKind {
        /// A person's account.
        User = "user",
        /// The platform itself: a job, or the operator's command line on the machine.
        System = "system",
    }
}

/// Who acts: as audit records name it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Kind.
    pub kind: ActorKind,
    /// Identifier: an account's, or `cli`, `scheduler`, `setup`.
    pub id: String,
    /// What the actor proved itself with: `password+totp`, `passkey`, `shell`.
    pub authenticator: Option<String>,
}

impl Actor {
    /// A person's account.
    pub fn user(id: &UserId, authenticator: &str) -> Self {
        Self {
            kind: ActorKind::User,
            id: id.to_string(),
            authenticator: Some(authenticator.to_owned()),
        }
    }

    /// A named part of the platform.
    pub fn system(id: &str) -> Self {
        Self { kind: ActorKind::System, id: id.to_owned(), authenticator: None }
    }
}

words! {
    /// A role (DOMAIN 2). Granted per scope, always with an end date.
    Role {
        /// Users, roles, configuration, backups.
        PlatformAdministrator = "platform-administrator",
        /// Authorities, profiles, key ceremonies.
        CaOfficer = "ca-officer",
        /// Proofing, decisions on applications.
        RegistrationOfficer = "registration-officer",
        /// Status services, CRLs, trusted lists.
        ValidationOperator = "validation-operator",
        /// Reads everything, writes nothing.
        Auditor = "auditor",
        /// Branches and applications of one organisation.
        OrganisationAdministrator = "organisation-administrator",
        /// Approves key-management policies and profiles of others.
        PolicyApprover = "policy-approver",
        /// Answers for the keys of one branch.
        Custodian = "custodian",
        /// Has legal authority for an organisation: signs grants, confirms applications.
        Representative = "representative",
        /// Acts for an organisation inside a grant.
        Delegate = "delegate",
        /// A system of an organisation: calls the API with a token, never signs in.
        ServiceAccount = "service-account",
    }
}

words! {
    /// What a permit allows. Every route and every use case names exactly one.
    Permission {
        /// See organisations, branches, applications and certificates.
        ViewRegistry = "view-registry",
        /// Read the audit trail.
        ViewAudit = "view-audit",
        /// Record organisations.
        RecordOrganisation = "record-organisation",
        /// Record branch offices.
        RecordBranch = "record-branch",
        /// Apply for a credential.
        Apply = "apply",
        /// Decide an application and issue.
        Issue = "issue",
        /// Revoke a certificate.
        Revoke = "revoke",
        /// Create and run authorities.
        OperateAuthority = "operate-authority",
        /// Draft key-management policies.
        DraftPolicy = "draft-policy",
        /// Approve or reject the policies and ceremonies of others.
        ApprovePolicy = "approve-policy",
        /// Containers, rotation, retirement, evidence of destruction.
        ManageKeys = "manage-keys",
        /// Decide on evidence of destruction, lift and confirm suspensions.
        DecideEvidence = "decide-evidence",
        /// Issue CRLs, rotate OCSP signers.
        PublishStatus = "publish-status",
        /// Publish trusted lists.
        PublishList = "publish-list",
        /// Record how identities were checked, and who represents an organisation.
        RecordProofing = "record-proofing",
        /// Draft and end grants, name delegates.
        ManageGrants = "manage-grants",
        /// Sign grants and confirm applications for one's own organisation.
        Confirm = "confirm",
        /// Create accounts, grant roles, send enrolment links.
        ManageAccounts = "manage-accounts",
        /// Change one's own account: factors, sessions, language.
        OwnAccount = "own-account",
        /// Make service accounts, give and end their tokens.
        ManageServiceAccounts = "manage-service-accounts",
    }
}

impl Role {
    /// What the role may do. Anything not listed is refused.
    pub const fn permissions(self) -> &'static [Permission] {
        match self {
            Self::PlatformAdministrator => &[
                Permission::ViewRegistry,
                Permission::ViewAudit,
                Permission::ManageAccounts,
                Permission::ManageServiceAccounts,
                Permission::OwnAccount,
            ],
            Self::CaOfficer => &[
                Permission::ViewRegistry,
                Permission::ViewAudit,
                Permission::OperateAuthority,
                Permission::DraftPolicy,
                Permission::Revoke,
                Permission::OwnAccount,
            ],
            Self::RegistrationOfficer => &[
                Permission::ViewRegistry,
                Permission::RecordOrganisation,
                Permission::RecordBranch,
                Permission::Issue,
                Permission::DecideEvidence,
                Permission::RecordProofing,
                Permission::ManageGrants,
                Permission::Revoke,
                Permission::OwnAccount,
            ],
            Self::ValidationOperator => &[
                Permission::ViewRegistry,
                Permission::PublishStatus,
                Permission::PublishList,
                Permission::OwnAccount,
            ],
            Self::Auditor => {
                &[Permission::ViewRegistry, Permission::ViewAudit, Permission::OwnAccount]
            }
            Self::PolicyApprover => &[
                Permission::ViewRegistry,
                Permission::ViewAudit,
                Permission::ApprovePolicy,
                Permission::OwnAccount,
            ],
            Self::OrganisationAdministrator => &[
                Permission::ViewRegistry,
                Permission::RecordBranch,
                Permission::Apply,
                Permission::ManageKeys,
                Permission::ManageGrants,
                Permission::ManageServiceAccounts,
                Permission::Revoke,
                Permission::OwnAccount,
            ],
            Self::Representative => &[
                Permission::ViewRegistry,
                Permission::Apply,
                Permission::ManageGrants,
                Permission::Confirm,
                Permission::Revoke,
                Permission::OwnAccount,
            ],
            Self::Delegate => &[
                Permission::ViewRegistry,
                Permission::Apply,
                Permission::Confirm,
                Permission::Revoke,
                Permission::OwnAccount,
            ],
            Self::Custodian => &[
                Permission::ViewRegistry,
                Permission::Apply,
                Permission::ManageKeys,
                Permission::Revoke,
                Permission::OwnAccount,
            ],
            // What a person must decide, and what needs a session, is not among them.
            Self::ServiceAccount => &[
                Permission::ViewRegistry,
                Permission::RecordBranch,
                Permission::Apply,
                Permission::ManageKeys,
                Permission::Revoke,
            ],
        }
    }
}

impl Role {
    /// Whether the role is one of an organisation's own people, and so never reaches beyond it.
    pub const fn is_of_organisation(self) -> bool {
        match self {
            Self::OrganisationAdministrator
            | Self::Custodian
            | Self::Representative
            | Self::Delegate
            | Self::ServiceAccount => true,
            Self::PlatformAdministrator
            | Self::CaOfficer
            | Self::RegistrationOfficer
            | Self::ValidationOperator
            | Self::Auditor
            | Self::PolicyApprover => false,
        }
    }

    /// Whether the role has power over issuance, so that another administrator must approve it
    /// (DOMAIN 17).
    pub const fn has_power_over_issuance(self) -> bool {
        match self {
            Self::PlatformAdministrator
            | Self::CaOfficer
            | Self::RegistrationOfficer
            | Self::PolicyApprover => true,
            Self::ValidationOperator
            | Self::Auditor
            | Self::OrganisationAdministrator
            | Self::Custodian
            | Self::Representative
            | Self::Delegate
            | Self::ServiceAccount => false,
        }
    }

    /// DOMAIN 2: what may never come together, wherever the two reach.
    fn excludes(self, other: Self) -> bool {
        use Role::{
            Auditor, PlatformAdministrator, RegistrationOfficer, ServiceAccount, ValidationOperator,
        };
        match (self, other) {
            (Auditor, other) | (other, Auditor) => other != Auditor,
            (ServiceAccount, other) | (other, ServiceAccount) => other != ServiceAccount,
            (PlatformAdministrator | ValidationOperator, RegistrationOfficer)
            | (RegistrationOfficer, PlatformAdministrator | ValidationOperator) => true,
            _ => false,
        }
    }
}

/// DOMAIN 2: whether one person may hold a role beside those that the person holds already, over
/// all accounts. Names the two that do not go together.
pub fn check_separation(
    held: &[RoleGrant],
    asked: &RoleGrant,
    now: Timestamp,
) -> Result<(), Refusal> {
    let officer = |grant: &RoleGrant| grant.role == Role::RegistrationOfficer;
    for other in held.iter().filter(|grant| grant.until > now) {
        // A registration officer is never of the people whose applications it decides.
        let own = (officer(asked) && other.role.is_of_organisation())
            || (officer(other) && asked.role.is_of_organisation());
        if asked.role.excludes(other.role) || (own && asked.scope.meets(&other.scope)) {
            return Err(Refusal::new(RefusalCode::DualControl, "2")
                .with("problem", "roles")
                .with("role", asked.role)
                .with("held", other.role));
        }
    }
    Ok(())
}

/// How far a permit reaches. What lies outside does not exist for its holder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Everything on the platform.
    Platform,
    /// Whole organisations, and single branches.
    Within {
        /// Organisations with all their branches.
        organisations: BTreeSet<OrganisationId>,
        /// Single branches.
        branches: BTreeSet<BranchId>,
    },
    /// Single authorities; nothing of organisations and branches.
    Authorities(BTreeSet<AuthorityId>),
}

impl Scope {
    /// One authority.
    pub fn authority(id: AuthorityId) -> Self {
        Self::Authorities(BTreeSet::from([id]))
    }

    /// Whether an authority lies inside (AB-3): being seen is not being covered.
    pub fn covers_authority(&self, authority: &AuthorityId) -> bool {
        match self {
            Self::Platform => true,
            Self::Within { .. } => false,
            Self::Authorities(authorities) => authorities.contains(authority),
        }
    }

    /// One organisation with all its branches.
    pub fn organisation(id: OrganisationId) -> Self {
        Self::Within { organisations: BTreeSet::from([id]), branches: BTreeSet::new() }
    }

    /// One branch.
    pub fn branch(id: BranchId) -> Self {
        Self::Within { organisations: BTreeSet::new(), branches: BTreeSet::from([id]) }
    }

    /// Whether a branch of an organisation lies inside.
    pub fn covers(&self, organisation: &OrganisationId, branch: &BranchId) -> bool {
        match self {
            Self::Platform => true,
            Self::Within { organisations, branches } => {
                organisations.contains(organisation) || branches.contains(branch)
            }
            Self::Authorities(_) => false,
        }
    }

    /// Whether a whole organisation lies inside.
    pub fn covers_organisation(&self, organisation: &OrganisationId) -> bool {
        match self {
            Self::Platform => true,
            Self::Within { organisations, .. } => organisations.contains(organisation),
            Self::Authorities(_) => false,
        }
    }

    /// Whether two scopes have anything of organisations in common, as far as they tell: a branch
    /// does not say whose it is, so one beside an organisation counts as common.
    fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Authorities(_), _) | (_, Self::Authorities(_)) => false,
            (Self::Platform, _) | (_, Self::Platform) => true,
            (
                Self::Within { organisations, branches },
                Self::Within { organisations: others, branches: theirs },
            ) => {
                organisations.intersection(others).next().is_some()
                    || branches.intersection(theirs).next().is_some()
                    || (!organisations.is_empty() && !theirs.is_empty())
                    || (!branches.is_empty() && !others.is_empty())
            }
        }
    }

    fn union(self, other: &Self) -> Self {
        match (self, other) {
            (Self::Platform, _) | (_, Self::Platform) => Self::Platform,
            (
                Self::Within { mut organisations, mut branches },
                Self::Within { organisations: more, branches: others },
            ) => {
                organisations.extend(more.iter().cloned());
                branches.extend(others.iter().cloned());
                Self::Within { organisations, branches }
            }
            (Self::Authorities(mut authorities), Self::Authorities(more)) => {
                authorities.extend(more.iter().cloned());
                Self::Authorities(authorities)
            }
            // A role over organisations and one over authorities do not add up to one reach; the
            // first that was granted holds.
            (first @ Self::Within { .. }, Self::Authorities(_))
            | (first @ Self::Authorities(_), Self::Within { .. }) => first,
        }
    }
}

/// A role that an account holds, in a scope, until a date.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleGrant {
    /// The role.
    pub role: Role,
    /// Where.
    pub scope: Scope,
    /// Until when.
    pub until: Timestamp,
}

/// Whoever stands behind a request, with the roles held now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// Who.
    pub actor: Actor,
    /// The roles.
    pub roles: Vec<RoleGrant>,
    /// The request; its last characters are the reference number that people see.
    pub request: RequestId,
    /// The address the request came from.
    pub source: Option<String>,
    /// The permissions that a token is confined to; a person's session is confined to none.
    pub only: Option<BTreeSet<Permission>>,
}

/// An act that needs a permission: the type parameter of a [`Permit`].
pub trait Act {
    /// The permission.
    const PERMISSION: Permission;
}

macro_rules! acts {
    ($($name:ident)*) => {$(
        #[doc = concat!("The act behind [`Permission::", stringify!($name), "`].")]
        #[derive(Clone, Copy, Debug)]
        pub enum $name {}
        impl Act for $name {
            const PERMISSION: Permission = Permission::$name;
        }
    )*};
}

acts! {
    ViewRegistry ViewAudit RecordOrganisation RecordBranch Apply Issue Revoke OperateAuthority
    DraftPolicy ApprovePolicy ManageKeys DecideEvidence RecordProofing ManageGrants Confirm
    PublishStatus PublishList ManageAccounts OwnAccount ManageServiceAccounts
}

/// Leave to perform one kind of act within a scope. Only [`Principal::permit`] makes one.
#[derive(Debug)]
pub struct Permit<A: Act> {
    origin: Origin,
    scope: Scope,
    act: PhantomData<fn() -> A>,
}

impl<A: Act> Clone for Permit<A> {
    fn clone(&self) -> Self {
        Self { origin: self.origin.clone(), scope: self.scope.clone(), act: PhantomData }
    }
}

/// What an audit record says about who acted and from where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Who.
    pub actor: Actor,
    /// The request.
    pub request: RequestId,
    /// The address it came from.
    pub source: Option<String>,
}

impl Principal {
    /// The operator at the machine's own command line, or a part of the platform: every role.
    ///
    /// Whoever can start the program with its configuration can read its store; the audit trail
    /// names the act as done from the shell.
    pub fn system(id: &str, request: RequestId) -> Self {
        let roles = Role::ALL
            .iter()
            .map(|role| RoleGrant {
                role: *role,
                scope: Scope::Platform,
                until: Timestamp::from_millis(i64::MAX),
            })
            .collect();
        Self { actor: Actor::system(id), roles, request, source: None, only: None }
    }

    /// Whether a permission is held anywhere.
    pub fn may(&self, permission: Permission, now: Timestamp) -> bool {
        self.scope_of(permission, now).is_some()
    }

    /// Leave to perform the act, as far as the roles reach.
    pub fn permit<A: Act>(&self, now: Timestamp) -> Result<Permit<A>, Refusal> {
        let scope = self.scope_of(A::PERMISSION, now).ok_or_else(|| {
            Refusal::new(RefusalCode::NotAuthorised, "2").with("permission", A::PERMISSION)
        })?;
        Ok(Permit { origin: self.origin(), scope, act: PhantomData })
    }

    /// Who and from where, for audit records.
    pub fn origin(&self) -> Origin {
        Origin {
            actor: self.actor.clone(),
            request: self.request.clone(),
            source: self.source.clone(),
        }
    }

    fn scope_of(&self, permission: Permission, now: Timestamp) -> Option<Scope> {
        if self.only.as_ref().is_some_and(|only| !only.contains(&permission)) {
            return None;
        }
        self.roles
            .iter()
            .filter(|grant| grant.until > now && grant.role.permissions().contains(&permission))
            .map(|grant| grant.scope.clone())
            .reduce(|sum, scope| sum.union(&scope))
    }
}

impl<A: Act> Permit<A> {
    /// Who and from where, for audit records.
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// How far it reaches.
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }
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

    fn principal(role: Role, scope: Scope) -> Principal {
        Principal {
            actor: Actor::system("test"),
            roles: vec![RoleGrant { role, scope, until: Timestamp::from_seconds(100) }],
            request: RequestId::new(Timestamp::EPOCH, &Zero),
            source: None,
            only: None,
        }
    }

    #[test]
    fn the_default_is_refusal() {
        let auditor = principal(Role::Auditor, Scope::Platform);
        for permission in Permission::ALL {
            let expected = matches!(
                permission,
                Permission::ViewRegistry | Permission::ViewAudit | Permission::OwnAccount
            );
            assert_eq!(auditor.may(*permission, Timestamp::EPOCH), expected, "{permission}");
        }
        let refused = auditor.permit::<Revoke>(Timestamp::EPOCH).unwrap_err();
        assert_eq!(refused.code, RefusalCode::NotAuthorised);
    }

    #[test]
    fn a_token_does_no_more_than_it_was_given() {
        let whole = principal(Role::ServiceAccount, Scope::Platform);
        assert!(whole.permit::<Apply>(Timestamp::EPOCH).is_ok());
        let only = Some(BTreeSet::from([Permission::ViewRegistry, Permission::Issue]));
        let confined = Principal { only, ..whole };
        assert!(confined.permit::<ViewRegistry>(Timestamp::EPOCH).is_ok());
        assert!(confined.permit::<Apply>(Timestamp::EPOCH).is_err(), "outside the token");
        assert!(confined.permit::<Issue>(Timestamp::EPOCH).is_err(), "outside the role");
    }

    #[test]
    fn dom_2_a_service_account_holds_nothing_that_a_person_must_decide() {
        let person = [
            Permission::Issue,
            Permission::Confirm,
            Permission::DecideEvidence,
            Permission::ApprovePolicy,
            Permission::ManageAccounts,
            Permission::ManageGrants,
            Permission::OwnAccount,
        ];
        for permission in person {
            assert!(!Role::ServiceAccount.permissions().contains(&permission), "{permission}");
        }
        for role in Role::ALL.iter().filter(|role| **role != Role::ServiceAccount) {
            check_pair(Role::ServiceAccount, *role, [&Scope::Platform, &Scope::Platform], false);
        }
    }

    fn check_pair(one: Role, other: Role, scopes: [&Scope; 2], fits: bool) {
        let until = Timestamp::from_seconds(100);
        let [first, second] = scopes;
        let held = [RoleGrant { role: one, scope: first.clone(), until }];
        let asked = RoleGrant { role: other, scope: second.clone(), until };
        let now = Timestamp::EPOCH;
        assert_eq!(check_separation(&held, &asked, now).is_ok(), fits, "{one} {other}");
        let turned = [asked];
        assert_eq!(check_separation(&turned, &held[0], now).is_ok(), fits, "{other} {one}");
        assert!(check_separation(&turned, &held[0], until).is_ok(), "a role that ended");
    }

    #[test]
    fn dom_2_roles_that_never_come_together() {
        use Role as R;
        let ours = Scope::organisation(OrganisationId::new(Timestamp::EPOCH, &Zero));
        let theirs = Scope::organisation(OrganisationId::new(Timestamp::from_seconds(1), &Zero));
        let all = [&Scope::Platform, &Scope::Platform];
        for role in Role::ALL.iter().filter(|role| **role != R::Auditor) {
            check_pair(R::Auditor, *role, all, false);
        }
        check_pair(R::PlatformAdministrator, R::RegistrationOfficer, all, false);
        check_pair(R::ValidationOperator, R::RegistrationOfficer, all, false);
        check_pair(R::PlatformAdministrator, R::CaOfficer, all, true);
        for role in [R::Delegate, R::Custodian, R::Representative, R::OrganisationAdministrator] {
            check_pair(R::RegistrationOfficer, role, [&ours, &ours], false);
            check_pair(R::RegistrationOfficer, role, [&Scope::Platform, &ours], false);
            check_pair(R::RegistrationOfficer, role, [&theirs, &ours], true);
        }
        check_pair(R::Delegate, R::Custodian, [&ours, &ours], true);
    }

    #[test]
    fn a_role_ends_on_its_date() {
        let officer = principal(Role::RegistrationOfficer, Scope::Platform);
        assert!(officer.permit::<Issue>(Timestamp::from_seconds(99)).is_ok());
        assert!(officer.permit::<Issue>(Timestamp::from_seconds(100)).is_err());
    }

    #[test]
    fn a_scope_covers_its_own_branches_only() {
        let ours = OrganisationId::new(Timestamp::EPOCH, &Zero);
        let theirs = OrganisationId::new(Timestamp::from_seconds(1), &Zero);
        let branch = BranchId::new(Timestamp::EPOCH, &Zero);
        let scope = Scope::organisation(ours.clone());
        assert!(scope.covers(&ours, &branch));
        assert!(!scope.covers(&theirs, &branch));
        assert!(Scope::branch(branch.clone()).covers(&theirs, &branch));
        assert!(!Scope::branch(branch).covers_organisation(&ours));
    }
}
