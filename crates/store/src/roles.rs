//! Table `roles`: what accounts may do, where, until when.

use std::collections::BTreeMap;

use diesel::dsl::max;
use diesel::prelude::*;
use tenkoku_domain::access::{Role, RoleGrant};
use tenkoku_domain::id::UserId;
use tenkoku_domain::time::Timestamp;

use crate::column::Place;
use crate::error::StoreError;
use crate::schema::{accounts, roles};
use crate::tx::{Tx, lock_row, one};

#[derive(Queryable, Selectable)]
#[diesel(table_name = roles)]
struct RoleRow {
    account_id: String,
    role: String,
    scope: String,
    until: i64,
}

impl RoleRow {
    fn read(self) -> Result<RoleGrant, StoreError> {
        let place = Place::new("role", &self.account_id);
        Ok(RoleGrant {
            role: place.some("role", Role::from_word(&self.role))?,
            scope: place.ok("scope", serde_json::from_str(&self.scope))?,
            until: Timestamp::from_millis(self.until),
        })
    }
}

impl Tx<'_> {
    /// The roles of an account, in the order of granting.
    pub(crate) fn roles_of(&mut self, account: &str) -> Result<Vec<RoleGrant>, StoreError> {
        let rows = roles::table
            .filter(roles::account_id.eq(account))
            .order(roles::number)
            .select(RoleRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(RoleRow::read).collect()
    }

    /// The roles of every account.
    pub(crate) fn roles_of_all(&mut self) -> Result<BTreeMap<String, Vec<RoleGrant>>, StoreError> {
        let rows = roles::table
            .order((roles::account_id, roles::number))
            .select(RoleRow::as_select())
            .load(self.conn)?;
        let mut all = BTreeMap::<String, Vec<RoleGrant>>::new();
        for row in rows {
            all.entry(row.account_id.clone()).or_default().push(row.read()?);
        }
        Ok(all)
    }

    /// Grants a role.
    /// Ends a role: it holds until the end that is given.
    pub(crate) fn end_role(&mut self, user: &UserId, grant: &RoleGrant) -> Result<(), StoreError> {
        let scope = serde_json::to_string(&grant.scope)
            .map_err(|error| StoreError::Database(Box::new(error)))?;
        let held = roles::table
            .filter(roles::account_id.eq(user.as_str()))
            .filter(roles::role.eq(grant.role.word()))
            .filter(roles::scope.eq(scope))
            .filter(roles::until.gt(grant.until.millis()));
        let ended =
            diesel::update(held).set(roles::until.eq(grant.until.millis())).execute(self.conn)?;
        one(ended.min(1), "role")
    }

    pub(crate) fn insert_role(
        &mut self,
        user: &UserId,
        grant: &RoleGrant,
    ) -> Result<(), StoreError> {
        lock_row!(self, accounts, user.as_str());
        let last = roles::table
            .filter(roles::account_id.eq(user.as_str()))
            .select(max(roles::number))
            .first::<Option<i32>>(self.conn)?;
        let scope = serde_json::to_string(&grant.scope)
            .map_err(|error| StoreError::Database(Box::new(error)))?;
        diesel::insert_into(roles::table)
            .values((
                roles::account_id.eq(user.as_str()),
                roles::number.eq(last.unwrap_or(0).saturating_add(1)),
                roles::role.eq(grant.role.word()),
                roles::scope.eq(scope),
                roles::until.eq(grant.until.millis()),
            ))
            .execute(self.conn)?;
        Ok(())
    }
}
