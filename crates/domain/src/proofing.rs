//! Identity proofing: the methods P1 to P9, how long each holds, what a level needs, and how long a
//! certificate may rest on it (DOMAIN 16, I-8).
//!
//! Deliberately not here: how a method is carried out. A record says that it was, by whom, and
//! names its evidence by digest.

use serde::{Deserialize, Serialize};

use crate::canonical::Digest;
use crate::id::{BranchId, OrganisationId, PersonId, ProofingId};
use crate::key::words;
use crate::level::Level;
use crate::person::Party;
use crate::refusal::{Refusal, RefusalCode};
use crate::time::Timestamp;

/// Days by which a certificate may outlive the proofing it rests on (I-8).
pub const GRACE_DAYS: i64 = 30;

words! {
    /// How an identity was checked (DOMAIN 16). Stored: add, never change one.
    Method {
        /// Register look-up.
        P1 = "P1",
        /// Register extract.
        P2 = "P2",
        /// Certificate of the representative.
        P3 = "P3",
        /// Statement of a trusted issuer.
        P4 = "P4",
        /// Restricted post, or in person.
        P5 = "P5",
        /// LEI entry.
        P6 = "P6",
        /// Attestation letter, verified by call-back.
        P7 = "P7",
        /// Control of a mailbox or domain.
        P8 = "P8",
        /// Evidence about a branch.
        P9 = "P9",
    }
}

impl Method {
    /// For how many days a record holds at most.
    pub const fn days(self) -> i64 {
        match self {
            Self::P1 | Self::P2 | Self::P4 | Self::P5 | Self::P6 | Self::P7 => 398,
            Self::P3 | Self::P9 => 825,
            Self::P8 => 30,
        }
    }

    /// The highest level that a record of this method can count for.
    pub const fn reaches(self) -> Level {
        match self {
            Self::P8 => Level::One,
            Self::P4 | Self::P6 | Self::P7 => Level::Two,
            Self::P1 | Self::P2 | Self::P3 | Self::P5 | Self::P9 => Level::Three,
        }
    }

    /// Whether the method says something about a subject of this kind.
    pub const fn fits(self, subject: &Subject) -> bool {
        match self {
            Self::P1 | Self::P2 | Self::P6 | Self::P7 => matches!(subject, Subject::Organisation),
            Self::P3 | Self::P4 | Self::P5 | Self::P8 => matches!(subject, Subject::Person(_)),
            Self::P9 => matches!(subject, Subject::Branch(_)),
        }
    }
}

/// Whose identity was checked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// The organisation's.
    Organisation,
    /// A person's, as somebody who may act for the organisation.
    Person(PersonId),
    /// A branch's existence.
    Branch(BranchId),
}

/// The certificate that a record is derived from, as it was judged then (DOMAIN 16).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// SHA-256 of the certificate, DER.
    pub certificate: Digest,
    /// The end of its validity.
    pub not_after: Timestamp,
    /// The subjects of the path, the anchor first.
    pub path: Vec<String>,
    /// When the path was judged valid.
    pub judged_at: Timestamp,
}

/// A proofing that was performed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofingRecord {
    /// Identifier.
    pub id: ProofingId,
    /// The organisation concerned.
    pub organisation: OrganisationId,
    /// Whose identity.
    pub subject: Subject,
    /// How.
    pub method: Method,
    /// The level reached.
    pub level: Level,
    /// Who performed it.
    pub performed_by: Party,
    /// When.
    pub performed_at: Timestamp,
    /// Its last instant.
    pub valid_until: Timestamp,
    /// What was seen, by digest; the files are kept under it.
    pub evidence: Vec<Digest>,
    /// The certificate it is derived from, for P3 and P4.
    pub source: Option<Source>,
}

impl ProofingRecord {
    /// What must hold between the parts: the method fits the subject and reaches the level, there
    /// is evidence, it is not valid for longer than the method allows, and what is derived from a
    /// certificate ends with it.
    pub fn check(self) -> Result<Self, Refusal> {
        let wrong = |problem: &str| {
            Err(Refusal::new(RefusalCode::ProofingMissing, "16")
                .with("problem", problem)
                .with("method", self.method))
        };
        if !self.method.fits(&self.subject) {
            return wrong("subject");
        }
        if self.level > self.method.reaches() {
            return wrong("level");
        }
        if self.evidence.is_empty() {
            return wrong("evidence");
        }
        if matches!(self.method, Method::P3 | Method::P4) != self.source.is_some() {
            return wrong("source");
        }
        let end = self.performed_at.plus_days(self.method.days());
        let beyond_source = self.source.as_ref().is_some_and(|s| s.not_after < self.valid_until);
        if self.valid_until > end || self.valid_until <= self.performed_at || beyond_source {
            return wrong("validity");
        }
        Ok(self)
    }

    /// Whether it holds at an instant.
    pub fn holds(&self, at: Timestamp) -> bool {
        self.performed_at <= at && at <= self.valid_until
    }
}

/// What an application's authority to act rests on besides records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authority<'a> {
    /// A grant that is signed and active, of this representative.
    Grant(&'a PersonId),
    /// The representative applies in person.
    InPerson(&'a PersonId),
}

impl<'a> Authority<'a> {
    const fn representative(self) -> &'a PersonId {
        match self {
            Self::Grant(person) | Self::InPerson(person) => person,
        }
    }
}

/// One thing that a level needs.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Demand {
    subject: Subject,
    methods: &'static [Method],
}

fn demands(level: Level, branch: &BranchId, authority: Authority<'_>) -> Vec<Demand> {
    use Method::{P1, P2, P3, P4, P5, P6, P7, P8, P9};
    let organisation = |methods| Demand { subject: Subject::Organisation, methods };
    let person =
        |methods| Demand { subject: Subject::Person(authority.representative().clone()), methods };
    let office = Demand { subject: Subject::Branch(branch.clone()), methods: &[P9] };
    let in_person = matches!(authority, Authority::InPerson(_));
    match level {
        // A grant shows more than a mailbox does.
        Level::One => {
            let mut all = vec![organisation(&[P1, P6])];
            if in_person {
                all.push(person(&[P8, P3, P4, P5]));
            }
            all
        }
        Level::Two => {
            let mut all = vec![organisation(&[P1]), organisation(&[P2, P6, P7])];
            if in_person {
                all.push(person(&[P3, P4, P5]));
            }
            all.push(office);
            all
        }
        Level::Three => {
            vec![organisation(&[P1]), organisation(&[P2]), person(&[P3, P5]), office]
        }
    }
}

/// What a level rests on: until when a certificate may be valid because of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Footing {
    /// The last instant of the first record to end, with the grace; `None` where nothing ends.
    pub until: Option<Timestamp>,
}

/// Whether a derived credential ends with the certificate it is derived from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceCap {
    /// It does (`cap_to_source`).
    Capped,
    /// It may outlive it by the grace.
    Grace,
}

/// DOMAIN 16: every record that the level needs is there and has not expired. The refusal names the
/// first demand that is not met, as `organisation:P2|P6|P7`.
pub fn check(
    level: Level,
    branch: &BranchId,
    authority: Authority<'_>,
    records: &[ProofingRecord],
    cap: SourceCap,
    now: Timestamp,
) -> Result<Footing, Refusal> {
    let mut until: Option<Timestamp> = None;
    for demand in demands(level, branch, authority) {
        let end = met(&demand, level, records, cap, now)?;
        until = Some(until.map_or(end, |known| known.min(end)));
    }
    Ok(Footing { until })
}

fn met(
    demand: &Demand,
    level: Level,
    records: &[ProofingRecord],
    cap: SourceCap,
    now: Timestamp,
) -> Result<Timestamp, Refusal> {
    let fitting = records.iter().filter(|record| {
        record.subject == demand.subject
            && demand.methods.contains(&record.method)
            && record.level >= level.min(record.method.reaches())
    });
    let ends = |record: &ProofingRecord| match (&record.source, cap) {
        (Some(source), SourceCap::Capped) => record.valid_until.min(source.not_after),
        (Some(_) | None, _) => record.valid_until.plus_days(GRACE_DAYS),
    };
    let mut seen = false;
    let mut best = None;
    for record in fitting {
        seen = true;
        if record.holds(now) {
            best = best.max(Some(ends(record)));
        }
    }
    best.ok_or_else(|| {
        let code = if seen { RefusalCode::ProofingExpired } else { RefusalCode::ProofingMissing };
        let words: Vec<_> = demand.methods.iter().map(|method| method.word()).collect();
        let subject = match demand.subject {
            Subject::Organisation => "organisation",
            Subject::Person(_) => "person",
            Subject::Branch(_) => "branch",
        };
        Refusal::new(code, "16")
            .with("level", level)
            .with("demand", format!("{subject}:{}", words.join("|")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Entropy;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_371_000);

    struct Zero;
    impl Entropy for Zero {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }

    fn branch() -> BranchId {
        BranchId::new(NOW, &Zero)
    }

    fn boss() -> PersonId {
        PersonId::new(NOW, &Zero)
    }

    fn record(method: Method, level: Level) -> ProofingRecord {
        let subject = match method {
            Method::P1 | Method::P2 | Method::P6 | Method::P7 => Subject::Organisation,
            Method::P3 | Method::P4 | Method::P5 | Method::P8 => Subject::Person(boss()),
            Method::P9 => Subject::Branch(branch()),
        };
        let derived = matches!(method, Method::P3 | Method::P4);
        ProofingRecord {
            id: ProofingId::new(NOW, &Zero),
            organisation: OrganisationId::new(NOW, &Zero),
            subject,
            method,
            level,
            performed_by: Party::Shell,
            performed_at: NOW,
            valid_until: NOW.plus_days(method.days()),
            evidence: vec![Digest([1; 32])],
            source: derived.then(|| Source {
                certificate: Digest([2; 32]),
                not_after: NOW.plus_days(900),
                path: Vec::new(),
                judged_at: NOW,
            }),
        }
    }

    fn check_level(level: Level, in_person: bool, methods: &[Method], expected: Option<&str>) {
        let boss = boss();
        let records: Vec<_> = methods.iter().map(|m| record(*m, m.reaches())).collect();
        let authority =
            if in_person { Authority::InPerson(&boss) } else { Authority::Grant(&boss) };
        let found = check(level, &branch(), authority, &records, SourceCap::Grace, NOW);
        let found = found.err().map(|refusal| {
            assert_eq!(refusal.code, RefusalCode::ProofingMissing);
            refusal.facts["demand"].clone()
        });
        assert_eq!(found.as_deref(), expected, "level {level} {methods:?}");
    }

    #[test]
    fn the_levels_need_what_domain_16_says() {
        use Method::{P1, P2, P3, P4, P5, P6, P7, P8, P9};
        let (one, two, three) = (Level::One, Level::Two, Level::Three);
        check_level(one, false, &[], Some("organisation:P1|P6"));
        check_level(one, false, &[P1], None);
        check_level(one, false, &[P6], None);
        check_level(one, true, &[P1], Some("person:P8|P3|P4|P5"));
        check_level(one, true, &[P1, P8], None);
        check_level(two, false, &[P6, P9], Some("organisation:P1"));
        check_level(two, false, &[P1, P9], Some("organisation:P2|P6|P7"));
        for more in [P2, P6, P7] {
            check_level(two, false, &[P1, more, P9], None);
        }
        check_level(two, false, &[P1, P2], Some("branch:P9"));
        check_level(two, true, &[P1, P2, P8, P9], Some("person:P3|P4|P5"));
        check_level(two, true, &[P1, P2, P4, P9], None);
        check_level(three, false, &[P1, P6, P3, P9], Some("organisation:P2"));
        check_level(three, false, &[P1, P2, P4, P9], Some("person:P3|P5"));
        check_level(three, false, &[P1, P2, P5], Some("branch:P9"));
        check_level(three, false, &[P1, P2, P5, P9], None);
        check_level(three, true, &[P1, P2, P3, P9], None);
    }

    #[test]
    fn a_statement_about_a_branch_does_not_suffice_at_level_3() {
        let boss = boss();
        let mut records =
            [Method::P1, Method::P2, Method::P5].map(|m| record(m, Level::Three)).to_vec();
        records.push(record(Method::P9, Level::Two));
        let grant = Authority::Grant(&boss);
        let ask = |level| check(level, &branch(), grant, &records, SourceCap::Grace, NOW);
        assert!(ask(Level::Two).is_ok());
        assert_eq!(ask(Level::Three).unwrap_err().facts["demand"], "branch:P9");
    }

    #[test]
    fn i_8_the_first_record_to_end_and_the_source_are_the_limit() {
        let boss = boss();
        let mut records =
            [Method::P1, Method::P2, Method::P3, Method::P9].map(|m| record(m, Level::Three));
        let ask = |records: &[ProofingRecord], cap, at: Timestamp| {
            check(Level::Three, &branch(), Authority::Grant(&boss), records, cap, at)
        };
        let footing = ask(&records, SourceCap::Grace, NOW).unwrap();
        assert_eq!(footing.until, Some(NOW.plus_days(398 + GRACE_DAYS)));
        records[2].valid_until = NOW.plus_days(100);
        let source = records[2].source.as_mut().unwrap();
        source.not_after = NOW.plus_days(100);
        let capped = ask(&records, SourceCap::Capped, NOW).unwrap();
        assert_eq!(capped.until, Some(NOW.plus_days(100)));
        let expired = ask(&records, SourceCap::Grace, NOW.plus_days(101)).unwrap_err();
        assert_eq!(expired.code, RefusalCode::ProofingExpired);
        assert_eq!(expired.facts["demand"], "person:P3|P5");
    }

    fn check_record(change: impl Fn(&mut ProofingRecord), expected: Option<&str>) {
        let mut one = record(Method::P3, Level::Three);
        change(&mut one);
        let found = one.check().err().map(|refusal| refusal.facts["problem"].clone());
        assert_eq!(found.as_deref(), expected);
    }

    #[test]
    fn a_record_says_no_more_than_its_method_shows() {
        check_record(|_| (), None);
        check_record(|one| one.subject = Subject::Organisation, Some("subject"));
        check_record(|one| one.method = Method::P4, Some("level"));
        check_record(|one| one.evidence.clear(), Some("evidence"));
        check_record(|one| one.source = None, Some("source"));
        check_record(|one| one.valid_until = NOW.plus_days(826), Some("validity"));
        check_record(|one| one.valid_until = NOW, Some("validity"));
        check_record(
            |one| one.source.as_mut().unwrap().not_after = NOW.plus_days(5),
            Some("validity"),
        );
    }
}
