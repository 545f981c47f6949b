//! Applications: the queue, one application, and *Issue* for those that are ready.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Path, Query};
use askama::Template;
use serde::Deserialize;
use tenkoku_ca::act::ActError;
use tenkoku_ca::origin::Exhibits;
use tenkoku_ca::prove::Proof;
use tenkoku_ca::{issue, prove};
use tenkoku_domain::access::{Apply, Issue, Permission, Permit, Scope, ViewRegistry};
use tenkoku_domain::application::{Application, ApplicationState};
use tenkoku_domain::branch::Branch;
use tenkoku_domain::certificate::Certificate;
use tenkoku_domain::challenge::Challenge;
use tenkoku_domain::container::{Container, ContainerState};
use tenkoku_domain::id::{ApplicationId, CeremonyId, ContainerId};
use tenkoku_domain::key::Key;
use tenkoku_domain::organisation::Organisation;
use tenkoku_ports::Env;
use tenkoku_store::{ApplicationFilter, StoreError, Tx};

use super::confirm::{Factor, factor_field, step_up};
use super::decisions::{DecisionForm, Review, review};
use super::drafts::Place;
use super::imprints::{Preview, preview};
use super::names::{self, application_href, branch_href, certificate_href, organisation_href};
use super::origin::{self, Origin};
use super::views::{Fact, ROWS, application_chip, html, html_with, next_page, see_other};
use crate::fields::Sniffed;
use crate::format;
use crate::granted::{Granted, Visit};
use crate::layout::{AdminFrame, Chip, Crumb, FieldError};
use crate::problem::Problem;
use crate::text::Words;

pub(super) struct ApplicationRow {
    pub(super) href: String,
    pub(super) holder: String,
    pub(super) level: String,
    pub(super) instance: String,
    pub(super) state: Chip,
    pub(super) submitted: String,
}

/// Applications as rows of a table; the holder is named where it does not follow from the page.
pub(super) fn rows(w: Words, found: &[Application]) -> Vec<ApplicationRow> {
    found.iter().map(|one| row(w, one, one.id.to_string())).collect()
}

fn row(w: Words, one: &Application, holder: String) -> ApplicationRow {
    ApplicationRow {
        href: application_href(&one.id),
        holder,
        level: w.say("admin.applications.level").with("n", one.level).text(),
        instance: one.instance_number.to_string(),
        state: application_chip(w, one.state),
        submitted: format::date_time(one.created_at),
    }
}

#[derive(Template)]
#[template(path = "admin/applications.html")]
pub(super) struct ApplicationsPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) tabs: Vec<(String, String, bool)>,
    pub(super) filtered: bool,
    pub(super) rows: Vec<ApplicationRow>,
    pub(super) next: Option<String>,
}

/// What the queue is narrowed to.
#[derive(Debug, Deserialize)]
pub struct ApplicationQuery {
    #[serde(default)]
    state: String,
    after: Option<String>,
}

/// `GET /console/applications`
pub async fn list_applications(
    granted: Granted<ViewRegistry>,
    query: Query<ApplicationQuery>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let ApplicationQuery { state, after } = query.into_inner();
    let chosen = match ApplicationState::from_word(&state) {
        Some(
            state @ (ApplicationState::Proofing
            | ApplicationState::Approval
            | ApplicationState::KeyProof
            | ApplicationState::Ready
            | ApplicationState::Issued),
        ) => Some(state),
        _ => None,
    };
    let filter = ApplicationFilter { state: chosen, branch: None, organisation: None };
    let w = visit.words;
    let (rows, next) = visit
        .run(move |env| {
            env.store.read(|tx| {
                let scope = permit.scope();
                let page = tx.list_applications(scope, &filter, after.as_deref(), ROWS)?;
                let named = page.items.iter().map(|one| named_row(tx, scope, w, one));
                Ok::<_, StoreError>((named.collect::<Result<Vec<_>, _>>()?, page.next))
            })
        })
        .await?;
    let tab = |state: Option<ApplicationState>, label: &str| {
        let href = state.map_or_else(
            || "/console/applications".to_owned(),
            |state| format!("/console/applications?state={state}"),
        );
        (label.to_owned(), href, state == chosen)
    };
    html(&ApplicationsPage {
        w,
        frame: visit.frame(w.t("admin.applications.title"), Vec::new()),
        tabs: vec![
            tab(None, w.t("admin.applications.all")),
            tab(Some(ApplicationState::Proofing), w.t("admin.application-state.proofing")),
            tab(Some(ApplicationState::Approval), w.t("admin.application-state.approval")),
            tab(Some(ApplicationState::KeyProof), w.t("admin.application-state.key-proof")),
            tab(Some(ApplicationState::Ready), w.t("admin.applications.ready")),
            tab(Some(ApplicationState::Issued), w.t("admin.applications.issued")),
        ],
        filtered: chosen.is_some(),
        rows,
        next: next_page(
            "/console/applications",
            &[("state", chosen.map_or("", ApplicationState::word))],
            next.as_ref(),
        ),
    })
}

fn named_row(
    tx: &mut Tx<'_>,
    scope: &Scope,
    w: Words,
    one: &Application,
) -> Result<ApplicationRow, StoreError> {
    let organisation = tx.load_organisation(scope, &one.organisation)?;
    let branch = tx.load_branch(scope, &one.branch)?;
    Ok(row(w, one, holder(w, &organisation, &branch)))
}

fn holder(w: Words, organisation: &Organisation, branch: &Branch) -> String {
    w.say("admin.certificate.holder-name")
        .with("organisation", names::organisation(w, organisation).name)
        .with("branch", names::branch(w, branch).name)
        .text()
}

#[derive(Template)]
#[template(path = "admin/application.html")]
pub(super) struct ApplicationPage {
    pub(super) w: Words,
    pub(super) frame: AdminFrame,
    pub(super) errors: Vec<FieldError>,
    pub(super) factor: Factor,
    pub(super) state: Chip,
    pub(super) evidence: Vec<Fact>,
    pub(super) imprint: Preview,
    pub(super) key: Vec<Fact>,
    pub(super) issue: Option<String>,
    pub(super) waits: bool,
    pub(super) certificate: Option<String>,
    pub(super) request: Option<String>,
    pub(super) proof: Option<ProofForm>,
    pub(super) grant: Vec<Fact>,
    pub(super) records: Vec<Place>,
    pub(super) missing: Option<String>,
    pub(super) places: Vec<Place>,
    pub(super) places_text: String,
    pub(super) decision: Option<DecisionForm>,
    pub(super) reject: Option<String>,
    pub(super) withdraw: Option<String>,
    pub(super) resume: Option<String>,
}

/// What an application asks for that waits for its key.
pub(super) struct ProofForm {
    pub(super) action: String,
    pub(super) challenge: String,
    pub(super) until: String,
    pub(super) stale: bool,
    pub(super) renew: String,
    pub(super) commands: String,
    pub(super) answer: bool,
    /// The proof as it was pasted.
    pub(super) pasted: String,
    pub(super) ceremony: String,
    /// The organisation's containers: id, name, whether it was chosen.
    pub(super) containers: Vec<(String, String, bool)>,
}

pub(super) struct Ground {
    application: Application,
    organisation: Organisation,
    branch: Branch,
    key: Option<Key>,
    origin: Origin,
    challenge: Challenge,
    containers: Vec<Container>,
    certificate: Option<Certificate>,
}

/// `GET /console/applications/{id}`
pub async fn show_application(
    granted: Granted<ViewRegistry>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let visit = granted.visit;
    let id = ApplicationId::parse(&id).map_err(|_| Problem::not_found())?;
    let (found, review) = load_with_review(&visit, &id).await?;
    html(&page(&visit, &found, &review, (factor_field(&visit).await?, ""), Vec::new()))
}

/// An application with what belongs to the decision on it.
pub(super) async fn load_with_review(
    visit: &Visit,
    id: &ApplicationId,
) -> Result<(Ground, Review), Problem> {
    let permit: Permit<ViewRegistry> =
        visit.principal.permit(visit.now).map_err(|refusal| Problem::from_refusal(&refusal))?;
    let (id, principal, now) = (id.clone(), visit.principal.clone(), visit.now);
    visit
        .run(move |env| {
            let ground = load(env, &permit, &id)?;
            let review = review(env, &principal, &ground.application, now)?;
            Ok::<_, ActError>((ground, review))
        })
        .await
}

fn load(
    env: &Env,
    permit: &Permit<ViewRegistry>,
    id: &ApplicationId,
) -> Result<Ground, StoreError> {
    env.store.read(|tx| {
        let scope = permit.scope();
        let application = tx.load_application(scope, id)?;
        let certificate = match &application.certificate {
            Some(id) => Some(tx.load_certificate(scope, id)?),
            None => None,
        };
        Ok(Ground {
            organisation: tx.load_organisation(scope, &application.organisation)?,
            branch: tx.load_branch(scope, &application.branch)?,
            key: match &application.key {
                Some(key) => Some(tx.load_key(&key.id)?),
                None => None,
            },
            origin: match &application.key {
                Some(key) => origin::load(tx, scope, &key.id)?,
                None => Origin::default(),
            },
            challenge: tx.current_challenge(id)?,
            containers: usable(tx, scope, &application)?,
            certificate,
            application,
        })
    })
}

/// The containers that the key of an application may lie in.
fn usable(
    tx: &mut Tx<'_>,
    scope: &Scope,
    application: &Application,
) -> Result<Vec<Container>, StoreError> {
    let all = tx.list_containers(scope)?.into_iter();
    let fits = |one: &Container| {
        one.organisation == application.organisation
            && one.branch.as_ref().is_none_or(|branch| *branch == application.branch)
            && [ContainerState::Verified, ContainerState::InUse].contains(&one.state)
    };
    Ok(all.filter(fits).collect())
}

pub(super) fn page(
    visit: &Visit,
    found: &Ground,
    review: &Review,
    (factor, reason): (Factor, &str),
    errors: Vec<FieldError>,
) -> ApplicationPage {
    let w = visit.words;
    let Ground { application, organisation, branch, key, origin, certificate, .. } = found;
    let title = holder(w, organisation, branch);
    let crumbs = vec![
        Crumb::link(w.t("admin.applications.title"), "/console/applications"),
        Crumb::here(title.clone()),
    ];
    let ready = application.state == ApplicationState::Ready;
    let evidence = vec![
        Fact::link(
            w.t("admin.certificate.organisation"),
            names::organisation(w, organisation).name,
            organisation_href(&organisation.id),
        ),
        Fact::link(
            w.t("admin.certificate.branch"),
            names::branch(w, branch).name,
            branch_href(&organisation.id, &branch.id),
        ),
        Fact::new(
            w.t("admin.application.level"),
            w.word("admin.level", &application.level.to_string()),
        ),
        Fact::new(
            w.t("admin.application.validity"),
            w.count("time.days", application.validity_days).text(),
        ),
        Fact::new(w.t("admin.application.instance"), application.instance_number.to_string()),
        Fact::new(w.t("admin.application.submitted"), format::date_time(application.created_at)),
        Fact::mono(
            w.t("admin.application.digest"),
            format::grouped(&application.digest.to_string()),
        ),
    ];
    let mut frame = visit.frame(&title, crumbs);
    frame.has_errors = !errors.is_empty();
    ApplicationPage {
        w,
        frame,
        errors,
        factor,
        state: application_chip(w, application.state),
        evidence,
        imprint: preview(w, organisation, branch),
        key: key.as_ref().map(|key| key_facts(w, key, origin)).unwrap_or_default(),
        issue: (ready && visit.may(Permission::Issue))
            .then(|| format!("{}/issue", application_href(&application.id))),
        waits: ready,
        certificate: certificate.as_ref().map(certificate_href),
        request: application
            .request
            .as_ref()
            .map(|der| tenkoku_pki::pem::encode("CERTIFICATE REQUEST", der)),
        proof: proof_form(visit, found, &Handed::default()),
        grant: review.grant(w),
        records: review.records(w, visit.now),
        missing: review.missing(w),
        places: review.places(w),
        places_text: review.places_text(w),
        decision: review.form(w, application, reason),
        reject: (application.state == ApplicationState::Proofing && visit.may(Permission::Issue))
            .then(|| format!("{}/rejection", application_href(&application.id))),
        withdraw: (application.lapses_at().is_some() && visit.may(Permission::Apply))
            .then(|| format!("{}/withdrawal", application_href(&application.id))),
        resume: (application.state == ApplicationState::Submitted && visit.may(Permission::Apply))
            .then(|| format!("{}/resumption", application_href(&application.id))),
    }
}

fn key_facts(w: Words, key: &Key, origin: &Origin) -> Vec<Fact> {
    let mut facts = vec![
        Fact::new(w.t("admin.certificate.key"), key.algorithm.name()),
        Fact::mono(
            w.t("admin.certificate.key-fingerprint"),
            format::grouped(&key.fingerprint.to_string()),
        ),
        Fact::new(w.t("admin.application.origin"), w.word("admin.origin", key.origin.word())),
        Fact::new(w.t("admin.application.possession"), w.t("admin.application.shown")),
        Fact::new(w.t("admin.application.duplicate"), w.t("admin.application.no-duplicate")),
    ];
    facts.extend(origin::facts(w, origin));
    facts
}

/// The challenge and the commands that answer it, while the application waits for its key.
fn proof_form(visit: &Visit, found: &Ground, handed: &Handed) -> Option<ProofForm> {
    let Ground { application, challenge, .. } = found;
    let container = |one: &Container| {
        let chosen = one.id.as_str() == handed.container;
        (one.id.to_string(), format!("{} {}", one.model, one.serial), chosen)
    };
    application.may_prove(visit.now).ok()?;
    let address = application_href(&application.id);
    Some(ProofForm {
        action: format!("{address}/proof"),
        renew: format!("{address}/challenge"),
        until: format::date_time(challenge.expires_at),
        stale: !challenge.is_fresh(visit.now),
        commands: openssl_commands(&challenge.text),
        challenge: challenge.text.clone(),
        answer: visit.may(Permission::Apply),
        pasted: handed.pasted.clone(),
        ceremony: handed.ceremony.clone(),
        containers: found.containers.iter().map(container).collect(),
    })
}

/// Makes the request that answers a challenge; `branch.key` is the key.
fn openssl_commands(challenge: &str) -> String {
    format!(
        "cat > proof.cnf <<'END'\n[req]\nprompt = no\ndistinguished_name = name\n\
         attributes = challenge\n[name]\nCN = seal\n[challenge]\n\
         challengePassword = {challenge}\nEND\n\
         openssl req -new -key branch.key -config proof.cnf -out proof.csr\n"
    )
}

/// Octets of one file at most; evidence of a device is never larger.
const FILE_OCTETS_MAX: usize = 64 * 1024;

/// What was entered beside the files, to be shown again.
#[derive(Debug, Default)]
struct Handed {
    pasted: String,
    ceremony: String,
    container: String,
}

/// A file under a name, of one of the kinds that can be what it is handed in as.
fn file(
    w: Words,
    visit: &Visit,
    name: &str,
    kinds: &[Sniffed],
) -> Result<Vec<Vec<u8>>, FieldError> {
    let error = |key: &str| FieldError { field: name.to_owned(), text: w.t(key).to_owned() };
    let mut read = Vec::new();
    for content in visit.fields().files(name) {
        if content.len() > FILE_OCTETS_MAX {
            return Err(error("admin.application.file-large"));
        }
        if !kinds.contains(&Sniffed::of(&content)) {
            return Err(error("admin.application.file-kind"));
        }
        read.push(content.to_vec());
    }
    Ok(read)
}

/// The proof and the evidence of the key's origin, or what is wrong with a field.
fn handed_in(visit: &Visit, handed: &Handed) -> Result<(Proof, Exhibits), FieldError> {
    let w = visit.words;
    let error =
        |name: &str, key: &str| FieldError { field: name.to_owned(), text: w.t(key).to_owned() };
    let mut proofs = file(w, visit, "proof_file", &[Sniffed::Pem, Sniffed::Asn1])?;
    let proof = match (proofs.pop(), handed.pasted.as_bytes()) {
        (Some(file), _) => file,
        (None, []) => return Err(error("proof", "admin.application.proof-missing")),
        (None, pasted) => pasted.to_vec(),
    };
    let mut statements = file(w, visit, "statement", &[Sniffed::Json])?;
    let container = Some(handed.container.as_str()).filter(|id| !id.is_empty());
    let ceremony = Some(handed.ceremony.as_str()).filter(|id| !id.is_empty());
    let exhibits = Exhibits {
        attestations: file(w, visit, "attestation", &[Sniffed::Pem, Sniffed::Asn1, Sniffed::Json])?,
        statement: statements.pop(),
        ceremony: ceremony
            .map(CeremonyId::parse)
            .transpose()
            .map_err(|_| error("ceremony", "admin.ceremony-new.id-missing"))?,
        container: container
            .map(ContainerId::parse)
            .transpose()
            .map_err(|_| error("container", "admin.ceremony-new.id-missing"))?,
    };
    Ok((proof_of(proof), exhibits))
}

/// A certification request, or a signature in CMS: told apart by the label of PEM, or by the type
/// that DER begins with.
fn proof_of(file: Vec<u8>) -> Proof {
    const SIGNED_DATA: &[u8] = &[6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 2];
    let has = |wanted: &[u8]| file.windows(wanted.len()).any(|octets| octets == wanted);
    let is_text = Sniffed::of(&file) == Sniffed::Pem;
    let labelled = has(b"-----BEGIN CMS") || has(b"-----BEGIN PKCS7");
    let typed =
        file.get(..32).unwrap_or(&file).windows(SIGNED_DATA.len()).any(|o| o == SIGNED_DATA);
    if (is_text && labelled) || (!is_text && typed) {
        Proof::Cms(file)
    } else {
        Proof::Request(file)
    }
}

/// `POST /console/applications/{id}/proof`
pub async fn prove_possession(
    granted: Granted<Apply>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let id = ApplicationId::parse(&id).map_err(|_| Problem::not_found())?;
    let text = |name| visit.fields().text(name).map(str::to_owned);
    let handed = Handed {
        pasted: text("proof")?,
        ceremony: text("ceremony")?,
        container: text("container")?,
    };
    let (proof, exhibits) = match handed_in(&visit, &handed) {
        Ok(handed) => handed,
        Err(error) => {
            let (found, review) = load_with_review(&visit, &id).await?;
            let factor = factor_field(&visit).await?;
            let shown = page(&visit, &found, &review, (factor, ""), vec![error]);
            let page = ApplicationPage { proof: proof_form(&visit, &found, &handed), ..shown };
            return html_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let ready =
        visit.run(move |env| prove::prove_with_origin(env, &permit, &id, &proof, exhibits)).await?;
    Ok(see_other(&application_href(&ready.id)))
}

/// `POST /console/applications/{id}/challenge`
pub async fn request_challenge(
    granted: Granted<Apply>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let id = ApplicationId::parse(&id).map_err(|_| Problem::not_found())?;
    let given = visit.run(move |env| prove::request_challenge(env, &permit, &id)).await?;
    Ok(see_other(&application_href(&given.application)))
}

#[derive(Debug, Deserialize)]
struct IssueForm {
    #[serde(default)]
    code: String,
}

/// `POST /console/applications/{id}/issue`
pub async fn issue_certificate(
    granted: Granted<Issue>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let Granted { permit, visit } = granted;
    let id = ApplicationId::parse(&id).map_err(|_| Problem::not_found())?;
    let (found, review) = load_with_review(&visit, &id).await?;
    // A second click finds the application issued and leads to its certificate.
    if let Some(certificate) = &found.certificate {
        return Ok(see_other(&certificate_href(certificate)));
    }
    let IssueForm { code } = visit.form()?;
    if let Some(error) = step_up(&visit, &code).await? {
        let factor = factor_field(&visit).await?;
        let page = page(&visit, &found, &review, (factor, ""), vec![error]);
        return html_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let issued = visit.run(move |env| issue::issue_certificate(env, &permit, &id)).await?;
    Ok(see_other(&certificate_href(&issued)))
}
