//! Table `exchanges`: bundles that were sealed here, or came in and were believed.

use diesel::prelude::*;
use tenkoku_domain::audit::Exchange;
use tenkoku_domain::exchange::BundleKind;
use tenkoku_domain::id::ExchangeId;

use crate::error::StoreError;
use crate::schema::exchanges;
use crate::tx::Tx;

impl Tx<'_> {
    /// The sealed bundle of an exchange, JSON.
    pub fn find_bundle(
        &mut self,
        id: &ExchangeId,
        kind: BundleKind,
    ) -> Result<Option<String>, StoreError> {
        let row = exchanges::table
            .find((id.as_str(), kind.word()))
            .select(exchanges::document)
            .first(self.conn)
            .optional()?;
        Ok(row)
    }

    /// The fingerprint of the key that sealed the first bundle of a kind: whoever sealed the first
    /// request is the one whose later requests are believed.
    pub fn first_sealer(&mut self, kind: BundleKind) -> Result<Option<String>, StoreError> {
        let row = exchanges::table
            .filter(exchanges::kind.eq(kind.word()))
            .order((exchanges::at, exchanges::id))
            .select(exchanges::signer)
            .first(self.conn)
            .optional()?;
        Ok(row)
    }

    /// Requests without an answer, oldest first: identifier, root and code.
    pub fn open_requests(&mut self) -> Result<Vec<(String, String, String)>, StoreError> {
        let answered = exchanges::table
            .filter(exchanges::kind.eq(BundleKind::Answer.word()))
            .select(exchanges::id)
            .load::<String>(self.conn)?;
        let rows = exchanges::table
            .filter(exchanges::kind.eq(BundleKind::Request.word()))
            .filter(exchanges::id.ne_all(answered))
            .order((exchanges::at, exchanges::id))
            .select((exchanges::id, exchanges::root, exchanges::compare_code))
            .load(self.conn)?;
        Ok(rows)
    }

    /// A bundle was sealed, or believed. The second of the same kind in one exchange is a conflict.
    pub(crate) fn insert_exchange(&mut self, exchange: &Exchange) -> Result<(), StoreError> {
        diesel::insert_into(exchanges::table)
            .values((
                exchanges::id.eq(exchange.id.as_str()),
                exchanges::kind.eq(exchange.kind.word()),
                exchanges::root.eq(exchange.root.as_str()),
                exchanges::digest.eq(exchange.digest.to_string()),
                exchanges::compare_code.eq(exchange.code.as_str()),
                exchanges::signer.eq(exchange.signer.to_string()),
                exchanges::document.eq(&exchange.document),
                exchanges::at.eq(exchange.at.millis()),
            ))
            .execute(self.conn)?;
        Ok(())
    }
}
