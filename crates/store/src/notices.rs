//! Table `notices`: who was told what, and the letters that wait to leave.

use std::collections::BTreeMap;

use diesel::prelude::*;
use tenkoku_domain::access::Scope;
use tenkoku_domain::account::Account;
use tenkoku_domain::audit::{NoticeEvent, ObjectRef};
use tenkoku_domain::branch::Branch;
use tenkoku_domain::id::OrganisationId;
use tenkoku_domain::notice::{
    Addressee, Delivery, EmailAddress, Matter, Notice, NoticeKind, Occasion, Part, Place as Where,
    Reach, Recipient, Step, plays,
};
use tenkoku_domain::organisation::Language;
use tenkoku_domain::time::Timestamp;

use crate::column::{Place, instant};
use crate::error::StoreError;
use crate::schema::notices;
use crate::tx::{Tx, one};

/// How long a claim holds, in seconds; longer than any mail server is waited for.
const CLAIM_SECONDS: i64 = 600;

/// A matter at its step, with the mailboxes that are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addressed {
    /// What is told.
    pub matter: Matter,
    /// At which step.
    pub step: Step,
    /// Whom: each mailbox once.
    pub recipients: Vec<Recipient>,
}

/// How letters stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LetterFigures {
    /// Letters that wait.
    pub waiting: i64,
    /// Those of them that were tried and did not leave.
    pub failing: i64,
    /// Letters that were given up.
    pub given_up: i64,
}

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = notices)]
struct NoticeRow {
    number: i64,
    kind: String,
    object_kind: String,
    object_id: String,
    organisation_id: Option<String>,
    step: String,
    recipient: String,
    address: Option<String>,
    name: String,
    language: String,
    facts: String,
    due_at: i64,
    attempts: i32,
    next_at: Option<i64>,
    claimable_at: i64,
    problem: Option<String>,
    sent_at: Option<i64>,
    acknowledged_at: Option<i64>,
    given_up_at: Option<i64>,
}

impl NoticeRow {
    /// A letter that waits from now on.
    fn waiting(
        number: i64,
        (matter, step): (&Matter, Step),
        to: &Recipient,
        at: Timestamp,
    ) -> Self {
        let (address, name, language) = match to {
            Recipient::Person { address, name, language } => {
                (Some(address.to_string()), name.clone(), language.to_string())
            }
            Recipient::Operator => (None, String::new(), String::new()),
        };
        Self {
            number,
            kind: matter.kind.to_string(),
            object_kind: matter.object.kind.clone(),
            object_id: matter.object.id.clone(),
            organisation_id: matter.organisation.as_ref().map(ToString::to_string),
            step: step.to_string(),
            recipient: to.mailbox(),
            address,
            name,
            language,
            // Texts by name always have a JSON form.
            facts: serde_json::to_string(&matter.facts).unwrap_or_default(),
            due_at: at.millis(),
            attempts: 0,
            next_at: Some(at.millis()),
            claimable_at: 0,
            problem: None,
            sent_at: None,
            acknowledged_at: None,
            given_up_at: None,
        }
    }

    fn read(self) -> Result<Notice, StoreError> {
        let id = self.number.to_string();
        let place = Place::new("notice", &id);
        let organisation = self.organisation_id.as_deref().map(OrganisationId::parse).transpose();
        let recipient = match &self.address {
            None => Recipient::Operator,
            Some(address) => Recipient::Person {
                address: place.ok("address", EmailAddress::parse(address))?,
                name: self.name,
                language: place.some("language", Language::from_word(&self.language))?,
            },
        };
        let delivery = match (self.next_at, self.sent_at, self.given_up_at) {
            (Some(next_at), None, None) => Delivery::Waiting {
                next_at: Timestamp::from_millis(next_at),
                problem: self.problem,
            },
            (None, Some(at), None) => Delivery::Sent {
                at: Timestamp::from_millis(at),
                acknowledged: instant(self.acknowledged_at),
            },
            (None, None, Some(at)) => Delivery::GivenUp {
                at: Timestamp::from_millis(at),
                problem: self.problem.unwrap_or_default(),
            },
            _ => place.some("next_at", None)?,
        };
        Ok(Notice {
            number: self.number,
            matter: Matter {
                kind: place.some("kind", NoticeKind::from_word(&self.kind))?,
                object: ObjectRef { kind: self.object_kind, id: self.object_id },
                organisation: place.ok("organisation_id", organisation)?,
                facts: place.ok("facts", serde_json::from_str(&self.facts))?,
            },
            step: place.some("step", Step::from_word(&self.step))?,
            recipient,
            due_at: Timestamp::from_millis(self.due_at),
            attempts: self.attempts,
            delivery,
        })
    }
}

impl Tx<'_> {
    /// Whether anybody was told of an object at a step.
    pub fn is_told(
        &mut self,
        kind: NoticeKind,
        object: &ObjectRef,
        step: Step,
    ) -> Result<bool, StoreError> {
        self.settle()?;
        let told = notices::table
            .filter(notices::kind.eq(kind.word()))
            .filter(notices::object_id.eq(&object.id))
            .filter(notices::step.eq(step.to_string()))
            .select(notices::number)
            .first::<i64>(self.conn)
            .optional()?;
        Ok(told.is_some())
    }

    /// Finds out who is meant, mailbox by mailbox, and writes the letters that nobody wrote before:
    /// each recipient is told once per kind, object and step. Gives how many there are.
    pub fn write_notices(
        &mut self,
        occasions: &[Occasion],
        at: Timestamp,
    ) -> Result<usize, StoreError> {
        self.change(|tx| {
            let letters = tx.addressed(occasions, at)?;
            // The counter is only locked after the end of the chain, as in `record`.
            tx.settle()?;
            tx.lock_head()?;
            tx.insert_notices(&letters, at)
        })
    }

    /// The mailboxes of those who are to be told. Where nobody answers for the keys, or no officer
    /// has a mailbox, the operator is told in their place.
    pub fn addressed(
        &mut self,
        occasions: &[Occasion],
        now: Timestamp,
    ) -> Result<Vec<Addressed>, StoreError> {
        if occasions.is_empty() {
            return Ok(Vec::new());
        }
        let accounts = self.list_accounts()?;
        let mut all = Vec::new();
        for Occasion { matter, step, told } in occasions {
            let mut recipients = BTreeMap::new();
            for addressee in told {
                let found = self.mailboxes(&accounts, addressee, now)?;
                let nobody = found.is_empty() && must_be_told(addressee.part);
                let found = found.into_iter().chain(nobody.then_some(Recipient::Operator));
                recipients.extend(found.map(|recipient| (recipient.mailbox(), recipient)));
            }
            let recipients = recipients.into_values().collect();
            all.push(Addressed { matter: matter.clone(), step: *step, recipients });
        }
        Ok(all)
    }

    fn mailboxes(
        &mut self,
        accounts: &[Account],
        Addressee { part, place }: &Addressee,
        now: Timestamp,
    ) -> Result<Vec<Recipient>, StoreError> {
        let (reach, branch) = self.reach(place)?;
        let mut found = Vec::new();
        if let (Part::Custodian, Some(branch)) = (part, &branch) {
            found.extend(self.custodian(branch)?);
        }
        // Delegates, representatives, grantors and grantees are named by grants.
        for account in accounts.iter().filter(|account| plays(account, *part, &reach, now)) {
            found.extend(account.email.clone().map(|address| Recipient::Person {
                address,
                name: account.display_name.clone(),
                language: account.language,
            }));
        }
        Ok(found)
    }

    fn reach(&mut self, place: &Where) -> Result<(Reach, Option<Branch>), StoreError> {
        let branch = match place {
            Where::Platform => return Ok((Reach::Platform, None)),
            Where::Authority(id) => return Ok((Reach::Authority(id.clone()), None)),
            Where::Organisation(id) => return Ok((Reach::Organisation(id.clone()), None)),
            Where::Person(id) => return Ok((Reach::Person(id.clone()), None)),
            Where::Branch(id) => Some(id.clone()),
            Where::Instance(id) => self.find_instance(id)?.map(|(branch, _, _)| branch),
        };
        let Some(branch) = branch else { return Ok((Reach::Platform, None)) };
        match self.load_branch(&Scope::Platform, &branch) {
            Ok(branch) => {
                let reach = Reach::Branch(branch.organisation.clone(), branch.id.clone());
                Ok((reach, Some(branch)))
            }
            // Nobody to be found: a letter that cannot be addressed stops no act.
            Err(StoreError::NotFound { .. }) => Ok((Reach::Platform, None)),
            Err(error) => Err(error),
        }
    }

    /// The custodian in the branch's record, written to in the organisation's language.
    fn custodian(&mut self, branch: &Branch) -> Result<Option<Recipient>, StoreError> {
        let Some(custodian) = &branch.custodian else { return Ok(None) };
        let Ok(address) = EmailAddress::parse(&custodian.email) else { return Ok(None) };
        let organisation = self.load_organisation(&Scope::Platform, &branch.organisation)?;
        let (name, language) = (custodian.name.clone(), organisation.language);
        Ok(Some(Recipient::Person { address, name, language }))
    }

    /// Writes letters, the end of the chain being locked: nobody else writes one meanwhile.
    pub(crate) fn insert_notices(
        &mut self,
        letters: &[Addressed],
        at: Timestamp,
    ) -> Result<usize, StoreError> {
        let mut written = 0;
        for Addressed { matter, step, recipients } in letters {
            let told: Vec<String> = notices::table
                .filter(notices::kind.eq(matter.kind.word()))
                .filter(notices::object_id.eq(&matter.object.id))
                .filter(notices::step.eq(step.to_string()))
                .select(notices::recipient)
                .load(self.conn)?;
            for recipient in recipients.iter().filter(|to| !told.contains(&to.mailbox())) {
                let number = self.next_number("notices")?;
                let row = NoticeRow::waiting(number, (matter, *step), recipient, at);
                diesel::insert_into(notices::table).values(row).execute(self.conn)?;
                written += 1;
            }
        }
        Ok(written)
    }

    /// Claims the letter that waits longest, if any. The claim holds for ten minutes.
    pub fn claim_letter(&mut self, now: Timestamp) -> Result<Option<Notice>, StoreError> {
        self.settle()?;
        loop {
            let free = notices::claimable_at.le(now.millis());
            let due = notices::table
                .filter(notices::next_at.le(now.millis()).and(free))
                .order((notices::next_at, notices::number))
                .select(notices::number)
                .first::<i64>(self.conn)
                .optional()?;
            let Some(number) = due else {
                return Ok(None);
            };
            // Another sender may have been quicker: then no row is touched, and we look again.
            let row =
                notices::table.find(number).filter(free).filter(notices::next_at.is_not_null());
            let claimed = diesel::update(row)
                .set((
                    notices::claimable_at.eq(now.plus_seconds(CLAIM_SECONDS).millis()),
                    notices::attempts.eq(notices::attempts + 1),
                ))
                .execute(self.conn)?;
            if claimed == 1 {
                return self.load_notice(number).map(Some);
            }
        }
    }

    /// A claimed letter did not leave and waits again; not the first time, so nothing is recorded.
    pub fn postpone_letter(
        &mut self,
        number: i64,
        problem: &str,
        next_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.move_letter(number, (Some(next_at), None), Some(problem))
    }

    /// Letters that were given up wait again from now on, with all their tries; gives their number.
    pub fn retry_letters(&mut self, now: Timestamp) -> Result<usize, StoreError> {
        self.settle()?;
        let none: Option<i64> = None;
        let given_up = notices::table.filter(notices::given_up_at.is_not_null());
        let again = (
            notices::next_at.eq(Some(now.millis())),
            notices::given_up_at.eq(none),
            notices::claimable_at.eq(0_i64),
            notices::attempts.eq(0),
        );
        self.change(|tx| Ok(diesel::update(given_up).set(again).execute(tx.conn)?))
    }

    /// A notice.
    pub fn load_notice(&mut self, number: i64) -> Result<Notice, StoreError> {
        self.settle()?;
        notices::table
            .find(number)
            .select(NoticeRow::as_select())
            .first(self.conn)
            .optional()?
            .ok_or(StoreError::NotFound { what: "notice" })?
            .read()
    }

    /// The notices about an object, oldest first.
    pub fn notices_about(&mut self, object: &ObjectRef) -> Result<Vec<Notice>, StoreError> {
        self.settle()?;
        let rows = notices::table
            .filter(notices::object_kind.eq(&object.kind))
            .filter(notices::object_id.eq(&object.id))
            .order(notices::number)
            .select(NoticeRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(NoticeRow::read).collect()
    }

    /// The notices to a mailbox, newest first.
    pub fn notices_to(&mut self, mailbox: &str, limit: i64) -> Result<Vec<Notice>, StoreError> {
        self.settle()?;
        let rows = notices::table
            .filter(notices::recipient.eq(mailbox))
            .order(notices::number.desc())
            .limit(limit)
            .select(NoticeRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(NoticeRow::read).collect()
    }

    /// Letters that have not left: those given up, then those that wait, oldest first.
    pub fn letters_not_sent(&mut self, limit: i64) -> Result<Vec<Notice>, StoreError> {
        self.settle()?;
        let rows = notices::table
            .filter(notices::sent_at.is_null())
            .order((notices::given_up_at.is_null(), notices::number))
            .limit(limit)
            .select(NoticeRow::as_select())
            .load(self.conn)?;
        rows.into_iter().map(NoticeRow::read).collect()
    }

    /// How letters stand.
    pub fn letter_figures(&mut self) -> Result<LetterFigures, StoreError> {
        self.settle()?;
        let waits = || notices::table.filter(notices::next_at.is_not_null());
        let given_up = notices::table.filter(notices::given_up_at.is_not_null());
        Ok(LetterFigures {
            waiting: waits().count().get_result(self.conn)?,
            failing: waits()
                .filter(notices::problem.is_not_null())
                .count()
                .get_result(self.conn)?,
            given_up: given_up.count().get_result(self.conn)?,
        })
    }

    /// The row of a letter after what became of it.
    pub(crate) fn apply_notice(
        &mut self,
        at: Timestamp,
        event: &NoticeEvent,
    ) -> Result<(), StoreError> {
        match event {
            NoticeEvent::Sent { notice } => {
                self.move_letter(notice.number, (None, None), None)?;
                let row = notices::table.find(notice.number);
                let sent = notices::sent_at.eq(Some(at.millis()));
                one(diesel::update(row).set(sent).execute(self.conn)?, "notice")
            }
            NoticeEvent::Failed { notice, explanation, next_at, .. } => {
                let given_up = next_at.is_none().then_some(at);
                self.move_letter(notice.number, (*next_at, given_up), Some(explanation))
            }
            NoticeEvent::Acknowledged { notice } => {
                let row = notices::table
                    .find(notice.number)
                    .filter(notices::sent_at.is_not_null())
                    .filter(notices::acknowledged_at.is_null());
                let read = notices::acknowledged_at.eq(Some(at.millis()));
                one(diesel::update(row).set(read).execute(self.conn)?, "notice")
            }
            NoticeEvent::MailboxSet { user, email } => self.set_mailbox(user, email),
        }
    }

    /// Moves a letter that waits.
    fn move_letter(
        &mut self,
        number: i64,
        (next_at, given_up): (Option<Timestamp>, Option<Timestamp>),
        problem: Option<&str>,
    ) -> Result<(), StoreError> {
        self.change(|tx| {
            let waits = notices::table.find(number).filter(notices::next_at.is_not_null());
            let rows = diesel::update(waits)
                .set((
                    notices::next_at.eq(next_at.map(Timestamp::millis)),
                    notices::given_up_at.eq(given_up.map(Timestamp::millis)),
                    notices::claimable_at.eq(0_i64),
                    notices::problem.eq(problem),
                ))
                .execute(tx.conn)?;
            one(rows, "notice")
        })
    }
}

/// Parts in whose place the operator is told when nobody with a mailbox plays them.
const fn must_be_told(part: Part) -> bool {
    match part {
        Part::Custodian
        | Part::RegistrationOfficer
        | Part::CaOfficer
        | Part::ValidationOperator => true,
        Part::Delegate
        | Part::OrganisationAdministrator
        | Part::Representative
        | Part::Approver
        | Part::Applicant
        | Part::Grantor
        | Part::Grantee => false,
    }
}
