//! Table `containers`: where private keys live.

use diesel::prelude::*;
use serde_json::json;
use tenkoku_domain::access::Scope;
use tenkoku_domain::branch::Custodian;
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::container::{Container, ContainerKind, ContainerState};
use tenkoku_domain::id::{BranchId, ContainerId, OrganisationId};
use tenkoku_domain::time::Timestamp;

use crate::column::Place;
use crate::connection::AnyBackend;
use crate::error::StoreError;
use crate::schema::containers;
use crate::scope::within;
use crate::tx::{Tx, lock_row, one};

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = containers)]
struct ContainerRow {
    id: String,
    organisation_id: String,
    branch_id: Option<String>,
    kind: String,
    model: String,
    serial: String,
    firmware: String,
    certification: String,
    partition_name: String,
    custodian_name: String,
    custodian_email: String,
    location: String,
    inventory: String,
    state: String,
    registered_at: i64,
}

impl From<&Container> for ContainerRow {
    fn from(container: &Container) -> Self {
        Self {
            id: container.id.to_string(),
            organisation_id: container.organisation.to_string(),
            branch_id: container.branch.as_ref().map(ToString::to_string),
            kind: container.kind.to_string(),
            model: container.model.clone(),
            serial: container.serial.clone(),
            firmware: container.firmware.clone(),
            certification: container.certification.clone(),
            partition_name: container.partition.clone(),
            custodian_name: container.custodian.name.clone(),
            custodian_email: container.custodian.email.clone(),
            location: container.location.clone(),
            inventory: json!(container.inventory).to_string(),
            state: container.state.to_string(),
            registered_at: container.registered_at.millis(),
        }
    }
}

impl ContainerRow {
    fn read(self) -> Result<Container, StoreError> {
        let place = Place::new("container", &self.id);
        let branch = self.branch_id.map(|id| place.ok("branch_id", BranchId::parse(&id)));
        Ok(Container {
            id: place.ok("id", ContainerId::parse(&self.id))?,
            organisation: place
                .ok("organisation_id", OrganisationId::parse(&self.organisation_id))?,
            branch: branch.transpose()?,
            kind: place.some("kind", ContainerKind::from_word(&self.kind))?,
            model: self.model,
            serial: self.serial,
            firmware: self.firmware,
            certification: self.certification,
            partition: self.partition_name,
            custodian: Custodian { name: self.custodian_name, email: self.custodian_email },
            location: self.location,
            inventory: place.ok("inventory", serde_json::from_str(&self.inventory))?,
            state: place.some("state", ContainerState::from_word(&self.state))?,
            registered_at: Timestamp::from_millis(self.registered_at),
        })
    }
}

/// The containers within a scope, as a boxed query.
macro_rules! visible {
    ($scope:expr) => {
        within!(
            containers::table.into_boxed::<AnyBackend>(),
            $scope,
            containers::organisation_id,
            containers::branch_id
        )
    };
}

impl Tx<'_> {
    /// Every container of a device, by its serial number, whoever it belongs to.
    pub fn find_container(&mut self, serial: &str) -> Result<Vec<Container>, StoreError> {
        let rows = containers::table
            .filter(containers::serial.eq(serial))
            .order(containers::id)
            .select(ContainerRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(ContainerRow::read).collect()
    }

    /// A container within the scope.
    pub fn load_container(
        &mut self,
        scope: &Scope,
        id: &ContainerId,
    ) -> Result<Container, StoreError> {
        if self.writes() {
            lock_row!(self, containers, id.as_str());
        }
        visible!(scope)
            .filter(containers::id.eq(id.as_str()))
            .select(ContainerRow::as_select())
            .first(self.conn)
            .optional()?
            .ok_or(StoreError::NotFound { what: "container" })?
            .read()
    }

    /// Containers of an organisation for which a custodian of this address answers.
    pub fn containers_of_custodian(
        &mut self,
        organisation: &OrganisationId,
        email: &str,
    ) -> Result<Vec<Container>, StoreError> {
        let all = self.list_containers(&Scope::organisation(organisation.clone()))?;
        let theirs = |one: &Container| one.custodian.email.eq_ignore_ascii_case(email);
        Ok(all.into_iter().filter(theirs).collect())
    }

    /// The containers within the scope, newest first.
    pub fn list_containers(&mut self, scope: &Scope) -> Result<Vec<Container>, StoreError> {
        let rows = visible!(scope)
            .order(containers::id.desc())
            .select(ContainerRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(ContainerRow::read).collect()
    }

    pub(crate) fn insert_container(&mut self, container: &Container) -> Result<(), StoreError> {
        let row = ContainerRow::from(container);
        diesel::insert_into(containers::table).values(row).execute(self.conn)?;
        Ok(())
    }

    /// Keeps what may change of a container: state, custodian, location, inventory, and the digest
    /// of the evidence of a check or a disposal.
    pub(crate) fn update_container(
        &mut self,
        container: &Container,
        evidence: Option<&Digest>,
    ) -> Result<(), StoreError> {
        let row = ContainerRow::from(container);
        let rows = diesel::update(containers::table.find(&row.id))
            .set((
                containers::state.eq(&row.state),
                containers::custodian_name.eq(&row.custodian_name),
                containers::custodian_email.eq(&row.custodian_email),
                containers::location.eq(&row.location),
                containers::inventory.eq(&row.inventory),
                evidence.map(|digest| containers::evidence.eq(digest.to_string())),
            ))
            .execute(self.conn)?;
        one(rows, "container")
    }
}
