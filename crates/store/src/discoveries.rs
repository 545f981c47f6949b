//! Table `discoveries`: signed discovery documents as they were last given out. A cache, so it has
//! no events.

use diesel::prelude::*;
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::time::Timestamp;

use crate::column::Place;
use crate::error::StoreError;
use crate::schema::discoveries;
use crate::tx::Tx;

/// A signed document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discovery {
    /// The digest of what it says, its dates left out.
    pub content: Digest,
    /// When it was signed.
    pub issued_at: Timestamp,
    /// The document, JSON.
    pub document: String,
}

impl Tx<'_> {
    /// The document of a place, as it was last signed.
    pub fn find_discovery(&mut self, place: &str) -> Result<Option<Discovery>, StoreError> {
        let row = discoveries::table
            .find(place)
            .select((discoveries::content, discoveries::issued_at, discoveries::document))
            .first::<(String, i64, String)>(self.conn)
            .optional()?;
        row.map(|(content, issued_at, document)| {
            let content = Place::new("discovery", place).digest("content", &content)?;
            let issued_at = Timestamp::from_millis(issued_at);
            Ok(Discovery { content, issued_at, document })
        })
        .transpose()
    }

    /// Keeps the document of a place in the stead of the former one.
    pub fn keep_discovery(&mut self, place: &str, one: &Discovery) -> Result<(), StoreError> {
        self.change(|tx| {
            let row = || {
                (
                    discoveries::content.eq(one.content.to_string()),
                    discoveries::issued_at.eq(one.issued_at.millis()),
                    discoveries::document.eq(&one.document),
                )
            };
            let same = discoveries::table.find(place);
            if diesel::update(same).set(row()).execute(tx.conn)? == 0 {
                diesel::insert_into(discoveries::table)
                    .values((discoveries::place.eq(place), row()))
                    .execute(tx.conn)?;
            }
            Ok(())
        })
    }
}
