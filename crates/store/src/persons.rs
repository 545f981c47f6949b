//! Table `persons`: everybody who counts, whatever number of accounts and offices they have (I-6).

use diesel::prelude::*;
use tenkoku_domain::access::{Actor, ActorKind};
use tenkoku_domain::id::{PersonId, UserId};
use tenkoku_domain::name::Name;
use tenkoku_domain::person::{Party, Person, name_key};
use tenkoku_domain::time::Timestamp;

use crate::column::Place;
use crate::error::StoreError;
use crate::schema::persons;
use crate::tx::Tx;

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = persons)]
struct PersonRow {
    id: String,
    name: String,
    contact: String,
    created_at: i64,
}

impl PersonRow {
    fn read(self) -> Result<Person, StoreError> {
        let place = Place::new("person", &self.id);
        Ok(Person {
            id: place.ok("id", PersonId::parse(&self.id))?,
            name: place.ok("name", Name::parse(&self.name))?,
            contact: self.contact,
            created_at: Timestamp::from_millis(self.created_at),
        })
    }
}

impl Tx<'_> {
    /// A person.
    pub fn load_person(&mut self, id: &PersonId) -> Result<Person, StoreError> {
        persons::table
            .find(id.as_str())
            .select(PersonRow::as_select())
            .first(self.conn)
            .optional()?
            .ok_or(StoreError::NotFound { what: "person" })?
            .read()
    }

    /// Every person, oldest first.
    pub fn list_persons(&mut self) -> Result<Vec<Person>, StoreError> {
        let rows = persons::table
            .order((persons::created_at, persons::id))
            .select(PersonRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(PersonRow::read).collect()
    }

    /// The first person of a name, whatever its spelling.
    pub fn find_person_by_name(&mut self, name: &str) -> Result<Option<Person>, StoreError> {
        let wanted = name_key(name);
        Ok(self.list_persons()?.into_iter().find(|person| person.key() == wanted))
    }

    /// Who counts behind an actor (I-6).
    pub fn party(&mut self, actor: &Actor) -> Result<Party, StoreError> {
        match actor.kind {
            ActorKind::System => Ok(Party::Shell),
            ActorKind::User => {
                let id = UserId::parse(&actor.id);
                let id = id.map_err(|_| StoreError::NotFound { what: "account" })?;
                Ok(Party::Person(self.load_account(&id)?.person))
            }
        }
    }

    pub(crate) fn insert_person(&mut self, person: &Person) -> Result<(), StoreError> {
        let row = PersonRow {
            id: person.id.to_string(),
            name: person.name.to_string(),
            contact: person.contact.clone(),
            created_at: person.created_at.millis(),
        };
        diesel::insert_into(persons::table).values(row).execute(self.conn)?;
        Ok(())
    }
}
