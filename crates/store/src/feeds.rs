//! Tables `feed_issuers`, `feed_keys` and `feed_exports`: the known-key feeds of other authorities,
//! and those that were made for them (DOMAIN 8.5).

use diesel::prelude::*;
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::feed::{Feed, FeedAuthority, FeedSource, FeedState, first_seen};
use tenkoku_domain::key::Fingerprint;
use tenkoku_domain::time::Timestamp;

use crate::column::{Place, instant, millis};
use crate::error::StoreError;
use crate::schema::{feed_exports, feed_issuers, feed_keys, keys};
use crate::tx::{Tx, one};

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = feed_issuers)]
struct SourceRow {
    code: String,
    public_key: Vec<u8>,
    sequence: i64,
    issued_at: Option<i64>,
    trusted_at: i64,
    ended_at: Option<i64>,
}

impl SourceRow {
    fn read(self) -> Result<FeedSource, StoreError> {
        let place = Place::new("feed source", &self.code);
        Ok(FeedSource {
            authority: place.ok("code", FeedAuthority::parse(&self.code))?,
            public_key: self.public_key,
            sequence: self.sequence,
            issued_at: instant(self.issued_at),
            trusted_at: Timestamp::from_millis(self.trusted_at),
            ended_at: instant(self.ended_at),
        })
    }
}

impl Tx<'_> {
    /// The authority of a name whose feed is or was taken.
    pub fn find_feed_source(
        &mut self,
        authority: &FeedAuthority,
    ) -> Result<Option<FeedSource>, StoreError> {
        feed_issuers::table
            .find(authority.as_str())
            .select(SourceRow::as_select())
            .first(self.conn)
            .optional()?
            .map(SourceRow::read)
            .transpose()
    }

    /// The same, locked until the end of the transaction: of two feeds one is taken first.
    pub fn lock_feed_source(
        &mut self,
        authority: &FeedAuthority,
    ) -> Result<Option<FeedSource>, StoreError> {
        if let crate::connection::AnyConnection::Postgresql(conn) = &mut *self.conn {
            let row = feed_issuers::table.find(authority.as_str()).select(feed_issuers::code);
            row.for_update().first::<String>(conn).optional()?;
        }
        self.find_feed_source(authority)
    }

    /// Every authority whose feed is or was taken, by name.
    pub fn list_feed_sources(&mut self) -> Result<Vec<FeedSource>, StoreError> {
        let rows = feed_issuers::table
            .order(feed_issuers::code)
            .select(SourceRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(SourceRow::read).collect()
    }

    /// What feeds say of a key: the worst of it; `None` for a key that none names. What an authority
    /// told stays known when its feed is no longer taken.
    pub fn find_feed_key(
        &mut self,
        fingerprint: &Fingerprint,
    ) -> Result<Option<FeedState>, StoreError> {
        let words = feed_keys::table
            .filter(feed_keys::fingerprint.eq(fingerprint.to_string()))
            .select(feed_keys::state)
            .load::<String>(self.conn)?;
        let text = fingerprint.to_string();
        let place = Place::new("key of a feed", &text);
        let states = words.iter().map(|word| place.some("state", FeedState::from_word(word)));
        let states: Vec<FeedState> = states.collect::<Result<_, _>>()?;
        Ok(states.into_iter().max())
    }

    /// The keys of an authority's feed that the platform holds too, with what the feed says.
    pub fn feed_hits(
        &mut self,
        authority: &FeedAuthority,
    ) -> Result<Vec<(Fingerprint, FeedState)>, StoreError> {
        let ours = keys::table.select(keys::fingerprint);
        let rows = feed_keys::table
            .filter(feed_keys::issuer.eq(authority.as_str()))
            .filter(feed_keys::fingerprint.eq_any(ours))
            .order(feed_keys::fingerprint)
            .select((feed_keys::fingerprint, feed_keys::state))
            .load::<(String, String)>(self.conn)?;
        rows.into_iter()
            .map(|(fingerprint, state)| {
                let place = Place::new("key of a feed", &fingerprint);
                let state = place.some("state", FeedState::from_word(&state))?;
                Ok((Fingerprint(place.digest("fingerprint", &fingerprint)?), state))
            })
            .collect()
    }

    /// How many keys an authority's feed named so far.
    pub fn count_feed_keys(&mut self, authority: &FeedAuthority) -> Result<i64, StoreError> {
        let of = feed_keys::table.filter(feed_keys::issuer.eq(authority.as_str()));
        Ok(of.count().get_result(self.conn)?)
    }

    /// The sequence of the last feed that was made under a name; 0 before the first.
    pub fn last_feed_sequence(&mut self, authority: &FeedAuthority) -> Result<i64, StoreError> {
        let last = feed_exports::table
            .filter(feed_exports::authority.eq(authority.as_str()))
            .select(diesel::dsl::max(feed_exports::sequence))
            .first::<Option<i64>>(self.conn)?;
        Ok(last.unwrap_or(0))
    }

    pub(crate) fn trust_feed(&mut self, source: &FeedSource) -> Result<(), StoreError> {
        let row = SourceRow {
            code: source.authority.to_string(),
            public_key: source.public_key.clone(),
            sequence: source.sequence,
            issued_at: millis(source.issued_at),
            trusted_at: source.trusted_at.millis(),
            ended_at: millis(source.ended_at),
        };
        diesel::insert_into(feed_issuers::table).values(row).execute(self.conn)?;
        Ok(())
    }

    pub(crate) fn end_feed(&mut self, source: &FeedSource) -> Result<(), StoreError> {
        let standing = feed_issuers::table
            .find(source.authority.as_str())
            .filter(feed_issuers::ended_at.is_null());
        let rows = diesel::update(standing)
            .set(feed_issuers::ended_at.eq(millis(source.ended_at)))
            .execute(self.conn)?;
        one(rows, "feed source")
    }

    /// Takes a feed: its sequence, and what it says of every key. An exposed key stays exposed.
    pub(crate) fn take_feed(&mut self, feed: &Feed) -> Result<(), StoreError> {
        let source = feed.authority.as_str();
        let earlier = feed_issuers::table
            .find(source)
            .filter(feed_issuers::sequence.lt(feed.sequence).and(feed_issuers::ended_at.is_null()));
        let rows = diesel::update(earlier)
            .set((
                feed_issuers::sequence.eq(feed.sequence),
                feed_issuers::issued_at.eq(feed.issued_at.millis()),
            ))
            .execute(self.conn)?;
        one(rows, "feed source")?;
        for key in &feed.keys {
            let fingerprint = key.fingerprint.to_string();
            let state = key.state.word();
            let row = feed_keys::table.find((source, &fingerprint));
            let known: Option<String> = row.select(feed_keys::state).first(self.conn).optional()?;
            match known.as_deref() {
                None => {
                    let seen = first_seen(&key.first_seen).unwrap_or(feed.issued_at);
                    diesel::insert_into(feed_keys::table)
                        .values((
                            feed_keys::issuer.eq(source),
                            feed_keys::fingerprint.eq(&fingerprint),
                            feed_keys::state.eq(state),
                            feed_keys::first_seen.eq(seen.millis()),
                        ))
                        .execute(self.conn)?;
                }
                Some(before) if before == state || before == FeedState::Compromised.word() => {}
                Some(_) => {
                    diesel::update(feed_keys::table.find((source, &fingerprint)))
                        .set(feed_keys::state.eq(state))
                        .execute(self.conn)?;
                }
            }
        }
        Ok(())
    }

    pub(crate) fn insert_feed_export(
        &mut self,
        authority: &FeedAuthority,
        (sequence, digest, count): (i64, &Digest, usize),
        at: Timestamp,
    ) -> Result<(), StoreError> {
        diesel::insert_into(feed_exports::table)
            .values((
                feed_exports::authority.eq(authority.as_str()),
                feed_exports::sequence.eq(sequence),
                feed_exports::digest.eq(digest.to_string()),
                feed_exports::keys.eq(i64::try_from(count).unwrap_or(i64::MAX)),
                feed_exports::issued_at.eq(at.millis()),
            ))
            .execute(self.conn)?;
        Ok(())
    }
}
