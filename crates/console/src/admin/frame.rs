//! What surrounds a page of a signed-in person: menu, name, way.
//!
//! The menu holds only what the person may use and what has a page behind it (UX 2.3).

use tenkoku_domain::access::{Permission, RoleGrant, Scope};

use crate::granted::{Visit, Visitor};
use crate::layout::{AdminFrame, Crumb, MenuGroup, MenuItem, PublicFrame, Who};

impl Visit {
    /// The frame of a page.
    pub fn frame(&self, title: impl AsRef<str>, crumbs: Vec<Crumb>) -> AdminFrame {
        let page = PublicFrame::new(&self.site, self.words, &self.request, title.as_ref());
        AdminFrame {
            menu: self.menu(&page),
            page,
            who: Some(Who { name: self.account.display_name.clone(), role: self.role() }),
            crumbs,
            csrf: self.session.csrf.clone(),
            search: String::new(),
            view_only: self.is_view_only(),
            has_errors: false,
        }
    }

    /// Whether the person sees the whole platform.
    pub fn sees_platform(&self) -> bool {
        self.held().any(|grant| grant.scope == Scope::Platform)
    }

    fn held(&self) -> impl Iterator<Item = &RoleGrant> {
        self.principal.roles.iter().filter(|grant| grant.until > self.now)
    }

    fn role(&self) -> String {
        let roles: Vec<&str> = self.held().map(|grant| grant.role.word()).collect();
        match roles.as_slice() {
            [] => self.words.t("admin.frame.no-role").to_owned(),
            [one] => self.words.word("admin.role", one).to_owned(),
            [first, rest @ ..] => self
                .words
                .say("admin.frame.roles")
                .with("role", self.words.word("admin.role", first))
                .with("n", rest.len())
                .text(),
        }
    }

    fn is_view_only(&self) -> bool {
        !Permission::ALL.iter().any(|permission| {
            let changes = match permission {
                Permission::ViewRegistry | Permission::ViewAudit | Permission::OwnAccount => false,
                Permission::RecordOrganisation
                | Permission::RecordBranch
                | Permission::Apply
                | Permission::Issue
                | Permission::Revoke
                | Permission::OperateAuthority
                | Permission::DraftPolicy
                | Permission::ApprovePolicy
                | Permission::ManageKeys
                | Permission::DecideEvidence
                | Permission::RecordProofing
                | Permission::ManageGrants
                | Permission::Confirm
                | Permission::PublishStatus
                | Permission::PublishList
                | Permission::ManageAccounts
                | Permission::ManageServiceAccounts => true,
            };
            changes && self.may(*permission)
        })
    }

    fn menu(&self, page: &PublicFrame) -> Vec<MenuGroup> {
        use Permission::{ApprovePolicy, Issue, ManageAccounts, ViewAudit, ViewRegistry};
        let w = self.words;
        let item = |label: &str, href: &'static str, icon: &'static str| MenuItem {
            label: label.to_owned(),
            href,
            icon,
            current: if href == "/console" {
                page.here.split('?').next() == Some(href)
            } else {
                page.is_at(href)
            },
            waiting: None,
        };
        let registry = self.may(ViewRegistry);
        let platform = registry && self.sees_platform();
        let applications = MenuItem {
            waiting: (self.waiting > 0).then_some(self.waiting),
            ..item(w.t("admin.applications.title"), "/console/applications", "inbox")
        };
        let group = |title: Option<&str>, items: Vec<(bool, MenuItem)>| MenuGroup {
            title: title.map(str::to_owned),
            items: items.into_iter().filter_map(|(may, item)| may.then_some(item)).collect(),
        };
        let issuance =
            if platform { w.t("admin.nav.issuance") } else { w.t("admin.nav.our-branches") };
        [
            group(
                None,
                vec![
                    (registry, item(w.t("admin.home.title"), "/console", "home")),
                    (registry, applications),
                    (
                        self.may(Issue) || self.may(ApprovePolicy) || self.may(ManageAccounts),
                        item(w.t("admin.approvals.title"), "/console/approvals", "inbox"),
                    ),
                ],
            ),
            group(
                Some(issuance),
                vec![
                    (
                        registry,
                        item(
                            w.t("admin.organisations.title"),
                            "/console/organisations",
                            "building",
                        ),
                    ),
                    (
                        registry,
                        item(
                            w.t("admin.certificates.title"),
                            "/console/certificates",
                            "certificate",
                        ),
                    ),
                    (registry, item(w.t("admin.keys.title"), "/console/keys", "key")),
                    (platform, item(w.t("admin.incidents.title"), "/console/incidents", "warning")),
                ],
            ),
            group(
                Some(w.t("admin.nav.publication")),
                vec![
                    (platform, item(w.t("admin.lists.title"), "/console/lists", "document")),
                    (
                        platform,
                        item(w.t("admin.revocation.title"), "/console/revocation", "certificate"),
                    ),
                    (platform, item(w.t("admin.jobs.title"), "/console/jobs", "settings")),
                ],
            ),
            group(
                Some(w.t("admin.nav.governance")),
                vec![
                    (
                        platform,
                        item(w.t("admin.authorities.title"), "/console/authorities", "tree"),
                    ),
                    (platform, item(w.t("admin.policies.title"), "/console/policies", "settings")),
                    (
                        platform && self.may(ViewAudit),
                        item(w.t("admin.ceremonies.title"), "/console/ceremonies", "key"),
                    ),
                    (
                        self.may(ViewAudit),
                        item(w.t("admin.audit.title"), "/console/audit", "shield"),
                    ),
                    (
                        self.may(ManageAccounts),
                        item(w.t("admin.people.title"), "/console/people", "people"),
                    ),
                ],
            ),
        ]
        .into_iter()
        .filter(|group| !group.items.is_empty())
        .collect()
    }
}

impl Visitor {
    /// The frame of a page before signing in: no menu, no name.
    pub fn frame(&self, title: &str) -> AdminFrame {
        AdminFrame {
            page: PublicFrame::new(&self.site, self.words, &self.request, title),
            who: None,
            menu: Vec::new(),
            crumbs: Vec::new(),
            csrf: String::new(),
            search: String::new(),
            view_only: false,
            has_errors: false,
        }
    }
}
