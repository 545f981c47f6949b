//! Table `passkeys`: the passkeys of accounts, as the WebAuthn library writes them.

use diesel::prelude::*;
use tenkoku_domain::account::Passkey;
use tenkoku_domain::id::UserId;
use tenkoku_domain::time::Timestamp;

use crate::error::StoreError;
use crate::schema::passkeys;
use crate::tx::Tx;

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = passkeys)]
struct PasskeyRow {
    credential: String,
    account_id: String,
    label: String,
    record: String,
    created_at: i64,
}

impl From<PasskeyRow> for Passkey {
    fn from(row: PasskeyRow) -> Self {
        Self {
            credential: row.credential,
            label: row.label,
            record: row.record,
            created_at: Timestamp::from_millis(row.created_at),
        }
    }
}

impl Tx<'_> {
    /// The passkeys of an account, oldest first.
    pub(crate) fn list_passkeys(&mut self, user: &UserId) -> Result<Vec<Passkey>, StoreError> {
        let rows = passkeys::table
            .filter(passkeys::account_id.eq(user.as_str()))
            .order((passkeys::created_at, passkeys::credential))
            .select(PasskeyRow::as_select())
            .load(self.conn)?;
        Ok(rows.into_iter().map(Passkey::from).collect())
    }

    /// Replaces the passkeys of an account.
    pub(crate) fn replace_passkeys(
        &mut self,
        user: &UserId,
        all: &[Passkey],
    ) -> Result<(), StoreError> {
        let old = passkeys::table.filter(passkeys::account_id.eq(user.as_str()));
        diesel::delete(old).execute(self.conn)?;
        for passkey in all {
            let row = PasskeyRow {
                credential: passkey.credential.clone(),
                account_id: user.to_string(),
                label: passkey.label.clone(),
                record: passkey.record.clone(),
                created_at: passkey.created_at.millis(),
            };
            diesel::insert_into(passkeys::table).values(row).execute(self.conn)?;
        }
        Ok(())
    }
}
