//! Records organisations and branch offices from a CSV file: checked as a whole, each bad row told
//! by its line, nothing recorded when one row is bad.

mod table;

use std::collections::{BTreeMap, BTreeSet};

use tenkoku_domain::access::{Permission, Permit, RecordBranch, RecordOrganisation, Scope};
use tenkoku_domain::audit::{AuditCode, Event, ObjectRef, Proofing};
use tenkoku_domain::branch::{Branch, BranchCode, BranchKind, BranchState, Custodian};
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::grant::GrantAction;
use tenkoku_domain::id::{BranchId, OrganisationId};
use tenkoku_domain::identifier::{IdentifierType, OrganizationIdentifier, check_national};
use tenkoku_domain::name::Name;
use tenkoku_domain::organisation::{Address, Language, Organisation, OrganisationState};
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::subject::SealSubject;
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::{Attempt, Env};
use tenkoku_store::{StoreError, Tx};

pub use self::table::{FileProblem, MAX_BYTES};
pub(crate) use self::table::{Row, Table};
use crate::progress::{Deed, within_grant};

/// A row that cannot be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowProblem {
    /// The line of the file, from 1; the header is line 1.
    pub line: u64,
    /// The column, where one is at fault.
    pub column: Option<String>,
    /// Why.
    pub refusal: Refusal,
}

/// Why a file was not recorded. Nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file is no table of the expected columns.
    #[error(transparent)]
    File(#[from] FileProblem),
    /// Rows are at fault; every one is listed.
    #[error("{} rows cannot be recorded", .0.len())]
    Rows(Vec<RowProblem>),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImportReport {
    /// Rows of the file, all recorded.
    pub recorded: usize,
}

const ORGANISATION_COLUMNS: &[&str] = &["identifier", "legal_name", "country"];
const ORGANISATION_EXTRAS: &[&str] = &[
    "kana",
    "latin_name",
    "postal_code",
    "region",
    "locality",
    "street",
    "language",
    "custodian_name",
    "custodian_email",
];
const BRANCH_COLUMNS: &[&str] = &["code", "name", "custodian_name", "custodian_email"];
const BRANCH_EXTRAS: &[&str] = &[
    "organisation",
    "kind",
    "latin_name",
    "country",
    "postal_code",
    "region",
    "locality",
    "street",
];

/// Records organisations, each with its head office (`HQ`).
///
/// The operator hands in a file made from the register: the file's digest is kept as the evidence
/// of the look-up (proofing method P1).
pub fn import_organisations(
    env: &Env,
    permit: &Permit<RecordOrganisation>,
    file: &[u8],
) -> Result<ImportReport, ImportError> {
    let now = env.clock.now();
    let table = Table::read(file, ORGANISATION_COLUMNS, ORGANISATION_EXTRAS)?;
    let mut problems = Vec::new();
    let mut accepted = Vec::new();
    let mut seen = BTreeMap::new();
    for row in table.rows() {
        match organisation(env, now, row) {
            Ok((organisation, head_office)) => {
                let key = organisation.identifier.as_str().to_owned();
                match seen.insert(key, row.line()) {
                    Some(first) => problems.push(row.problem("identifier", twice(first))),
                    None => accepted.push((row.line(), organisation, head_office)),
                }
            }
            Err((column, refusal)) => problems.push(row.problem(column, refusal)),
        }
    }
    let recorded = env.store.write(|tx| {
        for (line, organisation, _) in &accepted {
            let identifier = organisation.identifier.as_str();
            if tx.find_organisation_by_identifier(&Scope::Platform, identifier)?.is_some() {
                problems.push(at(*line, "identifier", exists(permit.scope(), identifier)));
            }
        }
        if !problems.is_empty() {
            problems.sort_by_key(|problem| problem.line);
            return Err(ImportError::Rows(std::mem::take(&mut problems)));
        }
        for (_, organisation, head_office) in &accepted {
            let organisation = organisation.clone();
            // ID-3: what is recorded is what was looked up.
            let method = match organisation.identifier.kind() {
                IdentifierType::Lei => "P6",
                IdentifierType::Ntr
                | IdentifierType::Vat
                | IdentifierType::Psd
                | IdentifierType::Gov
                | IdentifierType::Int
                | IdentifierType::National(_) => "P1",
            };
            let proofing = Proofing { method: method.to_owned(), evidence: Digest::of(file) };
            let event = Event::OrganisationCreated { organisation, proofing };
            tx.record(permit.origin(), now, &event)?;
            let event = Event::BranchCreated { branch: head_office.clone() };
            tx.record(permit.origin(), now, &event)?;
        }
        Ok(ImportReport { recorded: accepted.len() })
    });
    recorded.or_else(|error| {
        refuse(
            env,
            permit.origin(),
            now,
            (AuditCode::OrgCreated, "organisation"),
            None,
            file,
            error,
        )
    })
}

/// Records branch offices. `organisation` is the identifier of the one that all rows belong to;
/// without it every row names its own in the column `organisation`.
pub fn import_branches(
    env: &Env,
    permit: &Permit<RecordBranch>,
    organisation: Option<&str>,
    file: &[u8],
) -> Result<ImportReport, ImportError> {
    let now = env.clock.now();
    let table = Table::read(file, BRANCH_COLUMNS, BRANCH_EXTRAS)?;
    let mut whose = None;
    let recorded = env.store.write(|tx| {
        let mut problems = Vec::new();
        let mut accepted = Vec::new();
        let mut organisations = BTreeMap::new();
        let mut seen = BTreeMap::new();
        let mut names: BTreeMap<OrganisationId, BTreeSet<String>> = BTreeMap::new();
        for row in table.rows() {
            let identifier = organisation.unwrap_or_else(|| row.field("organisation"));
            let owner = match owner(tx, permit.scope(), &mut organisations, identifier)? {
                Ok(owner) => owner,
                Err(refusal) => {
                    problems.push(row.problem("organisation", refusal));
                    continue;
                }
            };
            match branch(env, now, row, &owner) {
                Ok(branch) => {
                    let key = (branch.organisation.clone(), branch.code.clone());
                    if let Some(first) = seen.insert(key, row.line()) {
                        problems.push(row.problem("code", twice(first)));
                    } else if taken(tx, &branch)? {
                        problems.push(row.problem("code", code_taken(&branch.code)));
                    } else if !unheard(tx, &mut names, &branch)? {
                        problems.push(row.problem("name", name_taken(&branch.name)));
                    } else {
                        accepted.push(branch);
                    }
                }
                Err((column, refusal)) => problems.push(row.problem(column, refusal)),
            }
        }
        whose = only(&organisations);
        for owner in organisations.values() {
            let deed = Deed {
                permission: Permission::RecordBranch,
                action: GrantAction::AddBranch,
                organisation: &owner.id,
                seal: None,
            };
            if let Err(refusal) = within_grant(env, tx, &permit.origin().actor, &deed, now)? {
                let lines = table.rows().iter();
                problems.extend(lines.map(|row| row.problem("organisation", refusal.clone())));
            }
        }
        if !problems.is_empty() {
            return Err(ImportError::Rows(problems));
        }
        for branch in &accepted {
            let event = Event::BranchCreated { branch: branch.clone() };
            tx.record(permit.origin(), now, &event)?;
        }
        Ok(ImportReport { recorded: accepted.len() })
    });
    recorded.or_else(|error| {
        refuse(env, permit.origin(), now, (AuditCode::BranchCreated, "branch"), whose, file, error)
    })
}

/// A column and what is wrong in it.
type Fault = (&'static str, Refusal);

fn organisation(env: &Env, now: Timestamp, row: &Row) -> Result<(Organisation, Branch), Fault> {
    let on = |column: &'static str| move |refusal: Refusal| (column, refusal);
    let id = OrganisationId::new(now, &*env.entropy);
    let identifier =
        OrganizationIdentifier::parse(row.field("identifier")).map_err(on("identifier"))?;
    check_national(&identifier, &env.settings.identifier_schemes).map_err(on("identifier"))?;
    let legal_name = Name::enter(row.field("legal_name")).map_err(on("legal_name"))?;
    let language = match row.field("language") {
        "" => Language::Ja,
        word => {
            Language::from_word(word).ok_or_else(|| ("language", wrong_word("language", word)))?
        }
    };
    let organisation = Organisation {
        id: id.clone(),
        identifier,
        legal_name: legal_name.clone(),
        kana: optional_name(row, "kana")?,
        latin_name: optional_name(row, "latin_name")?,
        address: address(row, row.field("country"))?,
        language,
        state: OrganisationState::Active,
        created_at: now,
    }
    .check()
    .map_err(on("identifier"))?;
    let head_office = Branch {
        id: BranchId::new(now, &*env.entropy),
        organisation: id,
        code: BranchCode::head_office(),
        kind: BranchKind::HeadOffice,
        name: legal_name,
        latin_name: organisation.latin_name.clone(),
        custodian: custodian(row)?,
        address: organisation.address.clone(),
        state: BranchState::Open,
        opened_at: now,
    };
    SealSubject::of(&organisation, &head_office, 1).map_err(on("legal_name"))?;
    Ok((organisation, head_office))
}

fn branch(env: &Env, now: Timestamp, row: &Row, owner: &Organisation) -> Result<Branch, Fault> {
    let on = |column: &'static str| move |refusal: Refusal| (column, refusal);
    match row.field("kind") {
        "" | "branch" => {}
        word => return Err(("kind", wrong_word("kind", word))),
    }
    let country = match row.field("country") {
        "" => owner.address.country.as_str(),
        country => country,
    };
    let custodian = custodian(row)?
        .ok_or_else(|| ("custodian_email", Refusal::new(RefusalCode::CustodianMissing, "KM-16")))?;
    let branch = Branch {
        id: BranchId::new(now, &*env.entropy),
        organisation: owner.id.clone(),
        code: BranchCode::parse(row.field("code")).map_err(on("code"))?,
        kind: BranchKind::Branch,
        name: Name::enter(row.field("name")).map_err(on("name"))?,
        latin_name: latin_name(row)?,
        custodian: Some(custodian),
        address: address(row, country)?,
        state: BranchState::Open,
        opened_at: now,
    };
    // What the certificate will say is checked now, not when a certificate is wanted.
    SealSubject::of(owner, &branch, 1).map_err(on("name"))?;
    Ok(branch)
}

fn optional_name(row: &Row, column: &'static str) -> Result<Option<Name>, Fault> {
    match row.field(column) {
        "" => Ok(None),
        text => Name::enter(text).map(Some).map_err(|refusal| (column, refusal)),
    }
}

fn latin_name(row: &Row) -> Result<Option<Name>, Fault> {
    let name = optional_name(row, "latin_name")?;
    match name.as_ref().filter(|name| !name.is_latin()) {
        Some(other) => Err((
            "latin_name",
            Refusal::new(RefusalCode::NameInvalid, "12.2")
                .with("problem", "not-latin")
                .with("name", other),
        )),
        None => Ok(name),
    }
}

fn custodian(row: &Row) -> Result<Option<Custodian>, Fault> {
    match (row.field("custodian_name"), row.field("custodian_email")) {
        ("", "") => Ok(None),
        (name, email) => {
            Custodian::parse(name, email).map(Some).map_err(|refusal| ("custodian_email", refusal))
        }
    }
}

fn address(row: &Row, country: &str) -> Result<Address, Fault> {
    Address::parse(
        country,
        row.field("postal_code"),
        row.field("region"),
        row.field("locality"),
        row.field("street"),
    )
    .map_err(|refusal| ("country", refusal))
}

fn owner(
    tx: &mut Tx<'_>,
    scope: &Scope,
    known: &mut BTreeMap<String, Organisation>,
    identifier: &str,
) -> Result<Result<Organisation, Refusal>, StoreError> {
    if let Some(organisation) = known.get(identifier) {
        return Ok(Ok(organisation.clone()));
    }
    let found = tx.find_organisation_by_identifier(scope, identifier)?;
    let Some(organisation) = found.filter(|found| scope.covers_organisation(&found.id)) else {
        return Ok(Err(Refusal::new(RefusalCode::IdentifierInvalid, "4.1")
            .with("identifier", identifier)
            .with("problem", "unknown")));
    };
    known.insert(identifier.to_owned(), organisation.clone());
    Ok(Ok(organisation))
}

fn taken(tx: &mut Tx<'_>, branch: &Branch) -> Result<bool, StoreError> {
    let found = tx.find_branch_by_code(&Scope::Platform, &branch.organisation, &branch.code)?;
    Ok(found.is_some())
}

/// Whether no other branch of the organisation has a name that looks the same (DOMAIN 4.4).
fn unheard(
    tx: &mut Tx<'_>,
    names: &mut BTreeMap<OrganisationId, BTreeSet<String>>,
    branch: &Branch,
) -> Result<bool, StoreError> {
    if !names.contains_key(&branch.organisation) {
        let known = tx.branch_names(&branch.organisation)?;
        let known = known.iter().map(Name::comparable).collect();
        names.insert(branch.organisation.clone(), known);
    }
    let own = branch.name.comparable();
    Ok(names.get_mut(&branch.organisation).is_some_and(|known| known.insert(own)))
}

fn name_taken(name: &Name) -> Refusal {
    Refusal::new(RefusalCode::NameInvalid, "4.4").with("problem", "look-alike").with("name", name)
}

fn only(organisations: &BTreeMap<String, Organisation>) -> Option<OrganisationId> {
    let mut all = organisations.values();
    let first = all.next()?;
    all.next().is_none().then(|| first.id.clone())
}

fn wrong_word(column: &str, word: &str) -> Refusal {
    Refusal::new(RefusalCode::NameInvalid, "3")
        .with("problem", "word")
        .with("column", column)
        .with("word", word)
}

fn twice(first: u64) -> Refusal {
    Refusal::new(RefusalCode::StateConflict, "3").with("problem", "twice").with("first", first)
}

fn code_taken(code: &BranchCode) -> Refusal {
    Refusal::new(RefusalCode::StateConflict, "3").with("problem", "taken").with("code", code)
}

/// ID-4: with a pointer to the first record for those allowed to see it.
fn exists(scope: &Scope, identifier: &str) -> Refusal {
    let refusal = Refusal::new(RefusalCode::OrganisationExists, "ID-4");
    if *scope == Scope::Platform { refusal.with("identifier", identifier) } else { refusal }
}

fn at(line: u64, column: &str, refusal: Refusal) -> RowProblem {
    RowProblem { line, column: Some(column.to_owned()), refusal }
}

/// Writes the refusal of a file to the audit trail: its digest and the first bad row.
fn refuse(
    env: &Env,
    origin: &tenkoku_domain::access::Origin,
    now: Timestamp,
    (code, kind): (AuditCode, &str),
    organisation: Option<OrganisationId>,
    file: &[u8],
    error: ImportError,
) -> Result<ImportReport, ImportError> {
    if let ImportError::Rows(problems) = &error
        && let Some(first) = problems.first()
    {
        let refusal = Refusal::new(first.refusal.code, &first.refusal.rule)
            .with("line", first.line)
            .with("rows", problems.len());
        let object = ObjectRef::new(kind, format!("sha256:{}", Digest::of(file)));
        env.refuse(origin, now, Attempt { code, object, organisation, policy: None }, refusal)?;
    }
    Err(error)
}
