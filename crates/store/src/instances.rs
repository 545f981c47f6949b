//! Table `instances`: numbered instances of a branch's seal at one level.

use diesel::dsl::max;
use diesel::prelude::*;
use tenkoku_domain::application::Application;
use tenkoku_domain::id::{ApplicationId, BranchId, InstanceId, OrderId};
use tenkoku_domain::level::Level;
use tenkoku_domain::time::Timestamp;

use crate::certificates::OCCUPYING;
use crate::column::{Place, level_number};
use crate::error::StoreError;
use crate::schema::{certificates, instance_orders, instances};
use crate::tx::Tx;

impl Tx<'_> {
    /// The number of the next instance of a branch's seal at a level, from 1.
    pub fn next_instance_number(
        &mut self,
        branch: &BranchId,
        level: Level,
    ) -> Result<i32, StoreError> {
        let last = instances::table
            .filter(instances::branch_id.eq(branch.as_str()))
            .filter(instances::level.eq(level_number(level)))
            .select(max(instances::number))
            .first::<Option<i32>>(self.conn)?;
        Ok(last.unwrap_or(0).saturating_add(1))
    }

    /// How many instances of a branch's seal at a level hold a live certificate (I-3): pending,
    /// issued, active or suspended, and not expired.
    pub fn count_live_instances(
        &mut self,
        branch: &BranchId,
        level: Level,
        now: Timestamp,
    ) -> Result<i64, StoreError> {
        let occupied = certificates::table
            .filter(certificates::branch_id.eq(branch.as_str()))
            .filter(certificates::state.eq_any(OCCUPYING))
            .filter(certificates::not_after.ge(now.floor().millis()))
            .filter(certificates::instance_id.is_not_null())
            .select(certificates::instance_id.assume_not_null());
        let count = instances::table
            .filter(instances::branch_id.eq(branch.as_str()))
            .filter(instances::level.eq(level_number(level)))
            .filter(instances::id.eq_any(occupied))
            .count()
            .get_result(self.conn)?;
        Ok(count)
    }

    /// Keeps which applications one order of several instances led to.
    pub(crate) fn insert_instance_order(
        &mut self,
        order: &OrderId,
        applications: &[ApplicationId],
    ) -> Result<(), StoreError> {
        for (number, application) in (1_i32..).zip(applications) {
            diesel::insert_into(instance_orders::table)
                .values((
                    instance_orders::id.eq(order.as_str()),
                    instance_orders::number.eq(number),
                    instance_orders::application_id.eq(application.as_str()),
                ))
                .execute(self.conn)?;
        }
        Ok(())
    }

    /// The instance of an identifier: its branch, level and number; `None` where there is none.
    pub fn find_instance(
        &mut self,
        id: &InstanceId,
    ) -> Result<Option<(BranchId, Level, i32)>, StoreError> {
        let row = instances::table
            .find(id.as_str())
            .select((instances::branch_id, instances::level, instances::number))
            .first::<(String, i16, i32)>(self.conn)
            .optional()?;
        let place = Place::new("instance", id.as_str());
        row.map(|(branch, level, number)| {
            let branch = place.ok("branch_id", BranchId::parse(&branch))?;
            Ok((branch, place.level("level", level)?, number))
        })
        .transpose()
    }

    /// Keeps the instance that an application is for, where it is a new one.
    pub(crate) fn claim_instance(&mut self, application: &Application) -> Result<(), StoreError> {
        match self.find_instance(&application.instance)? {
            None => self.insert_instance(application),
            Some(_) => Ok(()),
        }
    }

    fn insert_instance(&mut self, application: &Application) -> Result<(), StoreError> {
        diesel::insert_into(instances::table)
            .values((
                instances::id.eq(application.instance.as_str()),
                instances::organisation_id.eq(application.organisation.as_str()),
                instances::branch_id.eq(application.branch.as_str()),
                instances::level.eq(level_number(application.level)),
                instances::number.eq(application.instance_number),
            ))
            .execute(self.conn)?;
        Ok(())
    }
}
