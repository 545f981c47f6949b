//! Table `client_certificates`: the certificates that accounts sign in with.

use diesel::prelude::*;
use tenkoku_domain::account::ClientCertificate;
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::id::UserId;
use tenkoku_domain::time::Timestamp;

use crate::column::Place;
use crate::error::StoreError;
use crate::schema::client_certificates;
use crate::tx::{Tx, one};

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = client_certificates)]
struct CertificateRow {
    fingerprint: String,
    account_id: String,
    subject: String,
    not_after: i64,
    created_at: i64,
}

impl CertificateRow {
    fn read(self) -> Result<ClientCertificate, StoreError> {
        let place = Place::new("certificate of an account", &self.fingerprint);
        Ok(ClientCertificate {
            fingerprint: place.ok("fingerprint", Digest::parse(&self.fingerprint))?,
            subject: self.subject,
            not_after: Timestamp::from_millis(self.not_after),
            created_at: Timestamp::from_millis(self.created_at),
        })
    }
}

impl Tx<'_> {
    /// The certificates that an account signs in with, oldest first.
    pub(crate) fn list_client_certificates(
        &mut self,
        user: &UserId,
    ) -> Result<Vec<ClientCertificate>, StoreError> {
        let rows: Vec<CertificateRow> = client_certificates::table
            .filter(client_certificates::account_id.eq(user.as_str()))
            .filter(client_certificates::ended_at.is_null())
            .order((client_certificates::created_at, client_certificates::fingerprint))
            .select(CertificateRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(CertificateRow::read).collect()
    }

    pub(crate) fn insert_client_certificate(
        &mut self,
        user: &UserId,
        certificate: &ClientCertificate,
    ) -> Result<(), StoreError> {
        let row = CertificateRow {
            fingerprint: certificate.fingerprint.to_string(),
            account_id: user.to_string(),
            subject: certificate.subject.clone(),
            not_after: certificate.not_after.millis(),
            created_at: certificate.created_at.millis(),
        };
        diesel::insert_into(client_certificates::table).values(row).execute(self.conn)?;
        Ok(())
    }

    pub(crate) fn end_client_certificate(
        &mut self,
        user: &UserId,
        fingerprint: &Digest,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let live = client_certificates::table
            .find(fingerprint.to_string())
            .filter(client_certificates::account_id.eq(user.as_str()))
            .filter(client_certificates::ended_at.is_null());
        let ended = client_certificates::ended_at.eq(Some(at.millis()));
        one(diesel::update(live).set(ended).execute(self.conn)?, "certificate of an account")
    }
}
