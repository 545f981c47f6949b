//! Table `accounts`: people, and what they sign in with.

use diesel::prelude::*;
use tenkoku_domain::access::RoleGrant;
use tenkoku_domain::account::{Account, Factors};
use tenkoku_domain::id::{PersonId, UserId};
use tenkoku_domain::notice::EmailAddress;
use tenkoku_domain::organisation::Language;
use tenkoku_domain::time::Timestamp;

use crate::column::{Place, instant, millis};
use crate::error::StoreError;
use crate::schema::accounts;
use crate::tx::{Tx, lock_row, one};

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = accounts)]
struct AccountRow {
    id: String,
    login: String,
    display_name: String,
    language: String,
    registered_by: String,
    created_at: i64,
    disabled_at: Option<i64>,
    email: Option<String>,
    person_id: String,
}

#[derive(AsChangeset, Queryable, Selectable)]
#[diesel(table_name = accounts, treat_none_as_null = true)]
struct FactorsRow {
    password: Option<String>,
    totp: Option<Vec<u8>>,
    totp_step: i64,
    failures: i32,
    locked_until: Option<i64>,
}

impl From<&Account> for AccountRow {
    fn from(account: &Account) -> Self {
        Self {
            id: account.id.to_string(),
            login: account.login.clone(),
            display_name: account.display_name.clone(),
            language: account.language.to_string(),
            registered_by: account.registered_by.clone(),
            created_at: account.created_at.millis(),
            disabled_at: millis(account.disabled_at),
            email: account.email.as_ref().map(ToString::to_string),
            person_id: account.person.to_string(),
        }
    }
}

impl AccountRow {
    fn read(self, roles: Vec<RoleGrant>) -> Result<Account, StoreError> {
        let place = Place::new("account", &self.id);
        Ok(Account {
            id: place.ok("id", UserId::parse(&self.id))?,
            login: self.login,
            display_name: self.display_name,
            person: place.ok("person_id", PersonId::parse(&self.person_id))?,
            language: place.some("language", Language::from_word(&self.language))?,
            email: place.ok("email", self.email.as_deref().map(EmailAddress::parse).transpose())?,
            roles,
            registered_by: self.registered_by,
            created_at: Timestamp::from_millis(self.created_at),
            disabled_at: instant(self.disabled_at),
        })
    }
}

impl Tx<'_> {
    /// The account with a sign-in name.
    pub fn find_account_by_login(&mut self, login: &str) -> Result<Option<Account>, StoreError> {
        let row = accounts::table
            .filter(accounts::login.eq(login))
            .select(AccountRow::as_select())
            .first(self.conn)
            .optional()?;
        row.map(|row| self.read_account(row)).transpose()
    }

    /// An account.
    pub fn load_account(&mut self, id: &UserId) -> Result<Account, StoreError> {
        let row = accounts::table
            .find(id.as_str())
            .select(AccountRow::as_select())
            .first(self.conn)
            .optional()?
            .ok_or(StoreError::NotFound { what: "account" })?;
        self.read_account(row)
    }

    /// Every account, by sign-in name.
    pub fn list_accounts(&mut self) -> Result<Vec<Account>, StoreError> {
        let rows = accounts::table
            .order(accounts::login)
            .select(AccountRow::as_select())
            .load(self.conn)?;
        let mut roles = self.roles_of_all()?;
        rows.into_iter()
            .map(|row| {
                let roles = roles.remove(&row.id).unwrap_or_default();
                row.read(roles)
            })
            .collect()
    }

    /// The accounts of a person, by sign-in name.
    pub fn accounts_of_person(&mut self, person: &PersonId) -> Result<Vec<Account>, StoreError> {
        let rows = accounts::table
            .filter(accounts::person_id.eq(person.as_str()))
            .order(accounts::login)
            .select(AccountRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(|row| self.read_account(row)).collect()
    }

    /// What an account signs in with. In a writing transaction the account is locked, so that
    /// [`Tx::store_factors`] loses nobody's change.
    pub fn load_factors(&mut self, id: &UserId) -> Result<Factors, StoreError> {
        if self.writes() {
            lock_row!(self, accounts, id.as_str());
        }
        let row = accounts::table
            .find(id.as_str())
            .select(FactorsRow::as_select())
            .first(self.conn)
            .optional()?
            .ok_or(StoreError::NotFound { what: "account" })?;
        Ok(Factors {
            password: row.password,
            totp: row.totp,
            totp_step: row.totp_step,
            passkeys: self.list_passkeys(id)?,
            certificates: self.list_client_certificates(id)?,
            failures: row.failures,
            locked_until: instant(row.locked_until),
        })
    }

    /// Replaces what an account signs in with by what [`Tx::load_factors`] gave in this
    /// transaction, changed. Certificates begin and end by events alone.
    pub fn store_factors(&mut self, id: &UserId, factors: &Factors) -> Result<(), StoreError> {
        let row = FactorsRow {
            password: factors.password.clone(),
            totp: factors.totp.clone(),
            totp_step: factors.totp_step,
            failures: factors.failures,
            locked_until: millis(factors.locked_until),
        };
        self.change(|tx| {
            let account = accounts::table.find(id.as_str());
            one(diesel::update(account).set(row).execute(tx.conn)?, "account")?;
            tx.replace_passkeys(id, &factors.passkeys)
        })
    }

    pub(crate) fn set_mailbox(
        &mut self,
        id: &UserId,
        email: &EmailAddress,
    ) -> Result<(), StoreError> {
        let account = accounts::table.find(id.as_str());
        let email = accounts::email.eq(Some(email.as_str()));
        one(diesel::update(account).set(email).execute(self.conn)?, "account")
    }

    pub(crate) fn set_language(
        &mut self,
        id: &UserId,
        language: Language,
    ) -> Result<(), StoreError> {
        let account = accounts::table.find(id.as_str());
        let language = accounts::language.eq(language.word());
        one(diesel::update(account).set(language).execute(self.conn)?, "account")
    }

    /// Keeps a new account and its roles.
    pub(crate) fn insert_account(&mut self, account: &Account) -> Result<(), StoreError> {
        let none = Factors::default();
        diesel::insert_into(accounts::table)
            .values((
                AccountRow::from(account),
                accounts::totp_step.eq(none.totp_step),
                accounts::failures.eq(none.failures),
            ))
            .execute(self.conn)?;
        account.roles.iter().try_for_each(|grant| self.insert_role(&account.id, grant))
    }

    fn read_account(&mut self, row: AccountRow) -> Result<Account, StoreError> {
        let roles = self.roles_of(&row.id)?;
        row.read(roles)
    }
}
