//! Table `applications`: requests for credentials.

use diesel::prelude::*;
use tenkoku_domain::access::{Actor, ActorKind, Scope};
use tenkoku_domain::application::{
    Application, ApplicationState, AppliedGrant, AppliedKey, Wishes,
};
use tenkoku_domain::id::{
    ApplicationId, BranchId, CertificateId, GrantId, InstanceId, KeyId, OrganisationId,
};
use tenkoku_domain::key::Fingerprint;
use tenkoku_domain::time::Timestamp;

use crate::column::{Place, level_number};
use crate::connection::AnyBackend;
use crate::error::StoreError;
use crate::page::Page;
use crate::schema::applications;
use crate::scope::within;
use crate::tx::{Tx, lock_row, one};

/// Which applications a list shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApplicationFilter {
    /// Those in a state.
    pub state: Option<ApplicationState>,
    /// Those of a branch.
    pub branch: Option<BranchId>,
    /// Those of an organisation.
    pub organisation: Option<OrganisationId>,
}

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = applications)]
struct ApplicationRow {
    id: String,
    organisation_id: String,
    branch_id: String,
    level: i16,
    instance_id: String,
    instance_number: i32,
    validity_days: i64,
    policy: String,
    digest: String,
    applicant_kind: String,
    applicant: String,
    applicant_authenticator: Option<String>,
    state: String,
    certificate_id: Option<String>,
    created_at: i64,
    key_id: Option<String>,
    fingerprint: Option<String>,
    request: Option<Vec<u8>>,
    changed_at: i64,
    grant_id: Option<String>,
    grant_digest: Option<String>,
    wishes: String,
}

impl From<&Application> for ApplicationRow {
    fn from(application: &Application) -> Self {
        Self {
            id: application.id.to_string(),
            organisation_id: application.organisation.to_string(),
            branch_id: application.branch.to_string(),
            level: level_number(application.level),
            instance_id: application.instance.to_string(),
            instance_number: application.instance_number,
            validity_days: application.validity_days,
            policy: application.policy.to_string(),
            digest: application.digest.to_string(),
            applicant_kind: application.applicant.kind.to_string(),
            applicant: application.applicant.id.clone(),
            applicant_authenticator: application.applicant.authenticator.clone(),
            state: application.state.to_string(),
            certificate_id: application.certificate.as_ref().map(ToString::to_string),
            created_at: application.created_at.millis(),
            key_id: application.key.as_ref().map(|key| key.id.to_string()),
            fingerprint: application.key.as_ref().map(|key| key.fingerprint.to_string()),
            request: application.request.clone(),
            changed_at: application.changed_at.millis(),
            grant_id: application.grant.as_ref().map(|grant| grant.id.to_string()),
            grant_digest: application.grant.as_ref().map(|grant| grant.digest.to_string()),
            wishes: write_wishes(&application.wishes),
        }
    }
}

impl ApplicationRow {
    fn read(self) -> Result<Application, StoreError> {
        let place = Place::new("application", &self.id);
        let organisation = OrganisationId::parse(&self.organisation_id);
        let kind = ActorKind::from_word(&self.applicant_kind);
        let certificate = self.certificate_id.as_deref().map(CertificateId::parse).transpose();
        Ok(Application {
            id: place.ok("id", ApplicationId::parse(&self.id))?,
            organisation: place.ok("organisation_id", organisation)?,
            branch: place.ok("branch_id", BranchId::parse(&self.branch_id))?,
            level: place.level("level", self.level)?,
            instance: place.ok("instance_id", InstanceId::parse(&self.instance_id))?,
            instance_number: self.instance_number,
            validity_days: self.validity_days,
            key: read_key(place, self.key_id.as_deref(), self.fingerprint.as_deref())?,
            request: self.request,
            policy: place.digest("policy", &self.policy)?,
            digest: place.digest("digest", &self.digest)?,
            grant: read_grant(place, self.grant_id.as_deref(), self.grant_digest.as_deref())?,
            applicant: Actor {
                kind: place.some("applicant_kind", kind)?,
                id: self.applicant,
                authenticator: self.applicant_authenticator,
            },
            state: place.some("state", ApplicationState::from_word(&self.state))?,
            certificate: place.ok("certificate_id", certificate)?,
            created_at: Timestamp::from_millis(self.created_at),
            changed_at: Timestamp::from_millis(self.changed_at),
            wishes: read_wishes(place, &self.wishes)?,
        })
    }
}

/// Nothing is written for an ordinary seal.
fn write_wishes(wishes: &Wishes) -> String {
    if *wishes == Wishes::default() { String::new() } else { serde_json::json!(wishes).to_string() }
}

fn read_wishes(place: Place<'_>, text: &str) -> Result<Wishes, StoreError> {
    if text.is_empty() {
        return Ok(Wishes::default());
    }
    place.ok("wishes", serde_json::from_str(text))
}

/// The key of an application; both columns are filled together.
fn read_key(
    place: Place<'_>,
    id: Option<&str>,
    fingerprint: Option<&str>,
) -> Result<Option<AppliedKey>, StoreError> {
    match (id, fingerprint) {
        (None, None) => Ok(None),
        (Some(id), Some(fingerprint)) => Ok(Some(AppliedKey {
            id: place.ok("key_id", KeyId::parse(id))?,
            fingerprint: Fingerprint(place.digest("fingerprint", fingerprint)?),
        })),
        (Some(_), None) | (None, Some(_)) => place.some("fingerprint", None),
    }
}

/// The grant of an application; both columns are filled together.
fn read_grant(
    place: Place<'_>,
    id: Option<&str>,
    digest: Option<&str>,
) -> Result<Option<AppliedGrant>, StoreError> {
    match (id, digest) {
        (None, None) => Ok(None),
        (Some(id), Some(digest)) => Ok(Some(AppliedGrant {
            id: place.ok("grant_id", GrantId::parse(id))?,
            digest: place.digest("grant_digest", digest)?,
        })),
        (Some(_), None) | (None, Some(_)) => place.some("grant_digest", None),
    }
}

/// The applications within a scope, as a boxed query.
macro_rules! visible {
    ($scope:expr) => {
        within!(
            applications::table.into_boxed::<AnyBackend>(),
            $scope,
            applications::organisation_id,
            applications::branch_id
        )
    };
}

impl Tx<'_> {
    /// An application within the scope.
    pub fn load_application(
        &mut self,
        scope: &Scope,
        id: &ApplicationId,
    ) -> Result<Application, StoreError> {
        visible!(scope)
            .filter(applications::id.eq(id.as_str()))
            .select(ApplicationRow::as_select())
            .first(self.conn)
            .optional()?
            .ok_or(StoreError::NotFound { what: "application" })?
            .read()
    }

    /// An application within the scope, locked until the end of the transaction.
    pub fn lock_application(
        &mut self,
        scope: &Scope,
        id: &ApplicationId,
    ) -> Result<Application, StoreError> {
        lock_row!(self, applications, id.as_str());
        self.load_application(scope, id)
    }

    /// Applications within the scope, newest first.
    pub fn list_applications(
        &mut self,
        scope: &Scope,
        filter: &ApplicationFilter,
        after: Option<&str>,
        limit: i64,
    ) -> Result<Page<Application>, StoreError> {
        let mut query = visible!(scope);
        if let Some(state) = filter.state {
            query = query.filter(applications::state.eq(state.word()));
        }
        if let Some(branch) = &filter.branch {
            query = query.filter(applications::branch_id.eq(branch.as_str()));
        }
        if let Some(organisation) = &filter.organisation {
            query = query.filter(applications::organisation_id.eq(organisation.as_str()));
        }
        if let Some(after) = after {
            query = query.filter(applications::id.lt(after));
        }
        let rows = query
            .order(applications::id.desc())
            .limit(limit.saturating_add(1))
            .select(ApplicationRow::as_select())
            .load(self.conn)?;
        Page::of(rows, limit, |row| row.id.clone()).try_map(ApplicationRow::read)
    }

    /// The newest application that came with a key, whoever made it: what KM-6 answers from.
    pub fn find_application_by_key(
        &mut self,
        key: &KeyId,
    ) -> Result<Option<Application>, StoreError> {
        applications::table
            .filter(applications::key_id.eq(key.as_str()))
            .order(applications::id.desc())
            .select(ApplicationRow::as_select())
            .first(self.conn)
            .optional()?
            .map(ApplicationRow::read)
            .transpose()
    }

    /// Keeps a new application.
    pub(crate) fn insert_application(
        &mut self,
        application: &Application,
    ) -> Result<(), StoreError> {
        let row = ApplicationRow::from(application);
        diesel::insert_into(applications::table).values(row).execute(self.conn)?;
        Ok(())
    }

    /// An application that waited for its key has it: with the request that showed possession.
    pub(crate) fn complete_application(
        &mut self,
        application: &Application,
    ) -> Result<(), StoreError> {
        let waiting = applications::state.eq(ApplicationState::KeyProof.word());
        let row = ApplicationRow::from(application);
        let rows = diesel::update(applications::table.find(&row.id).filter(waiting))
            .set((
                applications::state.eq(ApplicationState::Ready.word()),
                applications::key_id.eq(&row.key_id),
                applications::fingerprint.eq(&row.fingerprint),
                applications::request.eq(&row.request),
                applications::changed_at.eq(row.changed_at),
            ))
            .execute(self.conn)?;
        one(rows, "application")
    }

    /// An application moved on, or was changed: state, key, digest and policy as they are now.
    pub(crate) fn move_application(
        &mut self,
        before: ApplicationState,
        now: &Application,
    ) -> Result<(), StoreError> {
        let unchanged = applications::state.eq(before.word());
        let row = ApplicationRow::from(now);
        let rows = diesel::update(applications::table.find(&row.id).filter(unchanged))
            .set((
                applications::state.eq(&row.state),
                applications::validity_days.eq(row.validity_days),
                applications::policy.eq(&row.policy),
                applications::digest.eq(&row.digest),
                applications::changed_at.eq(row.changed_at),
            ))
            .execute(self.conn)?;
        one(rows, "application")
    }

    /// Open applications of an organisation in a state, oldest first, whoever made them.
    pub fn applications_in(
        &mut self,
        organisation: &OrganisationId,
        state: ApplicationState,
    ) -> Result<Vec<Application>, StoreError> {
        let rows: Vec<ApplicationRow> = applications::table
            .filter(applications::organisation_id.eq(organisation.as_str()))
            .filter(applications::state.eq(state.word()))
            .order(applications::id)
            .select(ApplicationRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(ApplicationRow::read).collect()
    }

    /// An application ended without certificate.
    pub(crate) fn end_application(
        &mut self,
        before: &Application,
        state: ApplicationState,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let unchanged = applications::state.eq(before.state.word());
        let rows = diesel::update(applications::table.find(before.id.as_str()).filter(unchanged))
            .set((applications::state.eq(state.word()), applications::changed_at.eq(at.millis())))
            .execute(self.conn)?;
        one(rows, "application")
    }

    /// Open applications of a state without progress since an instant, whoever made them, oldest
    /// progress first.
    pub fn list_idle_applications(
        &mut self,
        state: ApplicationState,
        since: Timestamp,
        limit: i64,
    ) -> Result<Vec<Application>, StoreError> {
        let rows: Vec<ApplicationRow> = applications::table
            .filter(applications::state.eq(state.word()))
            .filter(applications::changed_at.le(since.millis()))
            .order((applications::changed_at, applications::id))
            .limit(limit)
            .select(ApplicationRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(ApplicationRow::read).collect()
    }

    /// A ready application was answered with a certificate.
    pub(crate) fn issue_application(
        &mut self,
        id: &ApplicationId,
        certificate: &CertificateId,
    ) -> Result<(), StoreError> {
        let ready = applications::state.eq(ApplicationState::Ready.word());
        let rows = diesel::update(applications::table.find(id.as_str()).filter(ready))
            .set((
                applications::state.eq(ApplicationState::Issued.word()),
                applications::certificate_id.eq(certificate.as_str()),
            ))
            .execute(self.conn)?;
        one(rows, "application")
    }

    /// The certificate of an application was withdrawn unreceived; it may be issued anew, unless the
    /// application ended meanwhile because its branch did.
    pub(crate) fn reopen_application(&mut self, id: &ApplicationId) -> Result<(), StoreError> {
        let from = [ApplicationState::Ready, ApplicationState::Issued].map(ApplicationState::word);
        let open = applications::state.eq_any(from);
        let rows = diesel::update(applications::table.find(id.as_str()).filter(open))
            .set((
                applications::state.eq(ApplicationState::Ready.word()),
                applications::certificate_id.eq(None::<&str>),
            ))
            .execute(self.conn)?;
        let ended = applications::table
            .find(id.as_str())
            .filter(applications::state.eq(ApplicationState::Rejected.word()));
        if rows == 0 && ended.count().get_result::<i64>(self.conn)? == 1 {
            return Ok(());
        }
        one(rows, "application")
    }
}
