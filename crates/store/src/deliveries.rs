//! Table `list_deliveries`: what the public addresses of the installation's own lists were found to
//! serve.

use diesel::prelude::*;
use tenkoku_domain::time::Timestamp;
use tenkoku_domain::trusted_list::delivery::{Delivery, DeliveryFault, DeliveryProblem};

use crate::column::{Place, instant, millis};
use crate::error::StoreError;
use crate::schema::list_deliveries;
use crate::tx::Tx;

#[derive(Insertable, Queryable, Selectable, AsChangeset)]
#[diesel(table_name = list_deliveries, primary_key(address), treat_none_as_null = true)]
struct DeliveryRow {
    address: String,
    scheme: String,
    live: i64,
    sequence: Option<i64>,
    etag: Option<String>,
    checked_at: i64,
    served_at: Option<i64>,
    problem: Option<String>,
    detail: String,
}

impl From<&Delivery> for DeliveryRow {
    fn from(found: &Delivery) -> Self {
        let fault = found.fault.as_ref();
        Self {
            address: found.address.clone(),
            scheme: found.scheme.clone(),
            live: found.live,
            sequence: found.sequence,
            etag: found.etag.clone(),
            checked_at: found.checked_at.millis(),
            served_at: millis(found.served_at),
            problem: fault.map(|fault| fault.problem.to_string()),
            detail: fault.map_or_else(String::new, |fault| fault.detail.clone()),
        }
    }
}

impl DeliveryRow {
    fn read(self) -> Result<Delivery, StoreError> {
        let place = Place::new("list delivery", &self.address);
        let fault = match self.problem {
            None => None,
            Some(word) => Some(DeliveryFault {
                problem: place.some("problem", DeliveryProblem::from_word(&word))?,
                detail: self.detail,
            }),
        };
        Ok(Delivery {
            address: self.address,
            scheme: self.scheme,
            live: self.live,
            sequence: self.sequence,
            etag: self.etag,
            checked_at: Timestamp::from_millis(self.checked_at),
            served_at: instant(self.served_at),
            fault,
        })
    }
}

impl Tx<'_> {
    /// What every address of a scheme's list was last found to serve, those of former addresses
    /// included.
    pub fn list_deliveries(&mut self, scheme: &str) -> Result<Vec<Delivery>, StoreError> {
        let rows = list_deliveries::table
            .filter(list_deliveries::scheme.eq(scheme))
            .order(list_deliveries::address)
            .select(DeliveryRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(DeliveryRow::read).collect()
    }

    /// Notes what an address was found to serve. It is no event: nothing was decided.
    pub fn note_delivery(&mut self, found: &Delivery) -> Result<(), StoreError> {
        self.change(|tx| {
            let row = DeliveryRow::from(found);
            let rows = diesel::update(list_deliveries::table.find(&found.address))
                .set(&row)
                .execute(tx.conn)?;
            if rows == 0 {
                diesel::insert_into(list_deliveries::table).values(row).execute(tx.conn)?;
            }
            Ok(())
        })
    }
}
