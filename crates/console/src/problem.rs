//! The one error of the edge: `application/problem+json` (RFC 9457), or a page for browsers.
//!
//! A handler returns a [`Problem`]; [`answer_problems`] renders it in the reader's language, and
//! writes the inner cause of a fault to the log, once, with the reference number that the reader
//! sees. Deliberately not here: the words, which live in `web/text`.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{StatusCode, header};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, ResponseError};
use askama::Template;
use serde::Serialize;
use tenkoku_domain::id::RequestId;
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_reader::library::LibraryError;
use tenkoku_store::StoreError;

use crate::layout::{PublicFrame, Site};
use crate::text::Words;
use crate::text::explain::{self, Explanation};
use crate::text::language::Asked;

/// What went wrong, as the edge tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem(Box<Parts>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Parts {
    status: StatusCode,
    code: String,
    facts: BTreeMap<String, String>,
    rule: Option<String>,
    errors: Vec<FieldProblem>,
    cause: Option<String>,
    retry_seconds: Option<i64>,
}

/// What is wrong with one field of a form or document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldProblem {
    /// Where: a JSON pointer (RFC 6901), `/branch/code`.
    pub pointer: String,
    /// What, in the reader's language.
    pub detail: String,
}

impl Problem {
    /// A problem with one of the codes of [`explain::PROBLEM_CODES`].
    pub fn new(status: StatusCode, code: &str) -> Self {
        Self(Box::new(Parts {
            status,
            code: code.to_owned(),
            facts: BTreeMap::new(),
            rule: None,
            errors: Vec::new(),
            cause: None,
            retry_seconds: None,
        }))
    }

    /// Says after how many seconds it may be tried again (RFC 9110, 10.2.3).
    #[must_use]
    pub fn retry_after(mut self, seconds: i64) -> Self {
        self.0.retry_seconds = Some(seconds);
        self
    }

    /// Adds a fact for the words.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.0.facts.insert(name.to_owned(), value.to_string());
        self
    }

    /// Adds what is wrong with a field.
    #[must_use]
    pub fn with_field(mut self, pointer: &str, detail: impl Into<String>) -> Self {
        self.0.errors.push(FieldProblem { pointer: pointer.to_owned(), detail: detail.into() });
        self
    }

    /// A rule refused the act.
    pub fn from_refusal(refusal: &Refusal) -> Self {
        let mut problem = Self::new(status_of(refusal.code), refusal.code.word());
        problem.0.facts.clone_from(&refusal.facts);
        problem.0.rule = Some(refusal.rule.clone());
        problem
    }

    /// There is no such thing, or not for this reader.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found")
    }

    /// Somebody must sign in first.
    pub fn not_signed_in() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "not-signed-in")
    }

    /// The form is too old, or did not come from our page.
    pub fn form_expired() -> Self {
        Self::new(StatusCode::FORBIDDEN, "form-expired")
    }

    /// A fault of the platform. The cause goes to the log, never to the reader.
    pub fn internal(cause: &dyn Error) -> Self {
        let mut text = cause.to_string();
        let mut next = cause.source();
        while let Some(inner) = next {
            text.push_str(": ");
            text.push_str(&inner.to_string());
            next = inner.source();
        }
        let mut problem = Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal");
        problem.0.cause = Some(text);
        problem
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The stable code.
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// The three parts in the reader's language.
    pub fn explanation(&self, words: Words) -> Explanation {
        let language = words.language();
        explain::problem(language, &self.0.code, &self.0.facts)
            .or_else(|| explain::explain(language, "internal"))
            .unwrap_or_else(|| Explanation {
                title: self.0.code.clone(),
                what: String::new(),
                why: String::new(),
                remedy: String::new(),
            })
    }

    /// The problem behind an answer that failed before a handler of ours saw it.
    fn from_status(status: StatusCode) -> Self {
        let code = match status {
            StatusCode::NOT_FOUND => "not-found",
            StatusCode::METHOD_NOT_ALLOWED => "method-not-allowed",
            StatusCode::NOT_ACCEPTABLE => "not-acceptable",
            StatusCode::PAYLOAD_TOO_LARGE => "too-large",
            StatusCode::UNSUPPORTED_MEDIA_TYPE => "unsupported-media",
            StatusCode::SERVICE_UNAVAILABLE => "busy",
            other if other.is_server_error() => "internal",
            _ => "request-malformed",
        };
        Self::new(status, code)
    }
}

/// The status of a refusal: 403 for a missing right, 429 for too many, 409 where the state of things
/// forbids it, 503 where the platform cannot now, else 422.
fn status_of(code: RefusalCode) -> StatusCode {
    use RefusalCode as C;
    match code {
        C::NotAuthorised | C::DualControl | C::SelfApproval | C::ExportForbidden => {
            StatusCode::FORBIDDEN
        }
        C::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        C::ClockUntrusted | C::SerialExhausted => StatusCode::SERVICE_UNAVAILABLE,
        C::StateConflict
        | C::ApprovalExpired
        | C::OrganisationExists
        | C::OrganisationRestricted
        | C::BranchClosed
        | C::KeyDuplicate
        | C::KeyReuse
        | C::InstancesExceeded
        | C::RevocationFinal
        | C::PolicyChanged
        | C::AuthorityNotActive
        | C::AuthorisationUsed => StatusCode::CONFLICT,
        C::GrantMissing
        | C::GrantEnded
        | C::GrantScope
        | C::GrantQuota
        | C::GrantDepth
        | C::ProofingMissing
        | C::ProofingExpired
        | C::IdentifierInvalid
        | C::IdentifierMismatch
        | C::NameInvalid
        | C::LevelNotAllowed
        | C::ClaimNotBacked
        | C::KeyAlgorithm
        | C::KeyParameters
        | C::KeyWeak
        | C::KeyBlocked
        | C::PossessionNotShown
        | C::OriginInsufficient
        | C::AttestationInvalid
        | C::ContainerAttributes
        | C::ContainerShared
        | C::CustodianMissing
        | C::ValidityExceeded
        | C::SealingNotAllowed
        | C::EvidenceInsufficient
        | C::EvidenceIncomplete
        | C::SuspensionLimit
        | C::LintFailed
        | C::PolicyApproval
        | C::HashNotAllowed
        | C::AuthorisationMissing
        | C::AuthorisationExpired
        | C::DigestNotAuthorised => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.code)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.0.status
    }

    /// Empty: [`answer_problems`] writes the body, because only there the reader is known.
    fn error_response(&self) -> HttpResponse<BoxBody> {
        HttpResponse::new(self.0.status)
    }
}

impl From<askama::Error> for Problem {
    fn from(error: askama::Error) -> Self {
        Self::internal(&error)
    }
}

impl From<actix_web::error::BlockingError> for Problem {
    fn from(error: actix_web::error::BlockingError) -> Self {
        Self::internal(&error)
    }
}

impl From<LibraryError> for Problem {
    fn from(error: LibraryError) -> Self {
        match error {
            LibraryError::Store(error) => error.into(),
            LibraryError::Kept(_) => Self::internal(&error),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::NotFound { .. } => Self::not_found(),
            StoreError::Conflict { .. } => Self::new(StatusCode::CONFLICT, "conflict"),
            StoreError::Busy => Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy"),
            StoreError::Unreachable { .. } => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "database-unreachable")
            }
            StoreError::Newer { .. } => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "database-newer")
            }
            StoreError::NotMigrated => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "database-not-migrated")
            }
            StoreError::Address { .. }
            | StoreError::NoFolder { .. }
            | StoreError::NotADatabase { .. }
            | StoreError::SignIn { .. }
            | StoreError::Corrupt { .. }
            | StoreError::Abandoned
            | StoreError::Database(_) => Self::internal(&error),
        }
    }
}

/// The number that a reader quotes and an operator searches the log for: the last six characters
/// of the request's identifier.
pub fn reference(request: &RequestId) -> &str {
    let text = request.as_str();
    text.get(text.len().saturating_sub(6)..).unwrap_or(text)
}

/// The document of RFC 9457, with the parts of UX 11 beside it.
#[derive(Serialize)]
struct Document<'a> {
    r#type: String,
    title: String,
    status: u16,
    detail: String,
    code: &'a str,
    instance: &'a str,
    why: String,
    remedy: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldProblem],
}

/// The page for browsers.
#[derive(Template)]
#[template(path = "public/problem.html")]
struct ProblemPage<'a> {
    w: Words,
    frame: PublicFrame,
    explanation: Explanation,
    code: &'a str,
    rule: Option<&'a str>,
    reference: Option<&'a str>,
    errors: &'a [FieldProblem],
    home: &'static str,
    search: bool,
}

/// Whether a reader prefers a page over a document: an `Accept` header that names HTML.
fn wants_page(request: &HttpRequest) -> bool {
    let accept = request.headers().get(header::ACCEPT);
    accept.and_then(|accept| accept.to_str().ok()).is_some_and(|text| text.contains("text/html"))
}

/// Renders a problem for the reader of a request.
pub fn render(problem: &Problem, request: &HttpRequest) -> HttpResponse {
    let id = request.extensions().get::<RequestId>().cloned();
    let reference = id.as_ref().map(reference);
    if let Some(cause) = &problem.0.cause {
        let path = request.path();
        tracing::error!(reference, path, cause, "a request met a fault of the platform");
    }
    let site = request.app_data::<Data<Site>>().map(|site| site.as_ref().clone());
    let site = site.unwrap_or_default();
    let words = Asked::of(request).words(None, site.language);
    let mut answer = HttpResponse::build(problem.0.status);
    answer.insert_header((header::CACHE_CONTROL, "no-store"));
    answer.insert_header((header::CONTENT_LANGUAGE, words.tag()));
    answer.insert_header((header::VARY, "Accept, Accept-Language"));
    if let Some(seconds) = problem.0.retry_seconds {
        answer.insert_header((header::RETRY_AFTER, seconds));
    }
    if problem.0.status == StatusCode::METHOD_NOT_ALLOWED {
        answer.insert_header((header::ALLOW, "GET, HEAD"));
    }
    let page =
        if wants_page(request) { page(problem, request, words, &site, reference) } else { None };
    match page {
        Some(page) => answer.content_type("text/html; charset=utf-8").body(page),
        None => answer
            .content_type("application/problem+json")
            .body(document(problem, request, words, &site, reference)),
    }
}

fn page(
    problem: &Problem,
    request: &HttpRequest,
    words: Words,
    site: &Site,
    reference: Option<&str>,
) -> Option<String> {
    let explanation = problem.explanation(words);
    let inside = request.path().starts_with("/console");
    let page = ProblemPage {
        w: words,
        frame: PublicFrame::new(site, words, request, &explanation.title),
        explanation,
        code: &problem.0.code,
        rule: problem.0.rule.as_deref(),
        reference,
        errors: &problem.0.errors,
        home: if inside { "/console" } else { "/" },
        search: problem.0.status == StatusCode::NOT_FOUND && !inside,
    };
    page.render().ok()
}

fn document(
    problem: &Problem,
    request: &HttpRequest,
    words: Words,
    site: &Site,
    reference: Option<&str>,
) -> String {
    let Explanation { title, what, why, remedy } = problem.explanation(words);
    let document = Document {
        r#type: format!("{}/errors/{}", site.address, problem.0.code),
        title,
        status: problem.0.status.as_u16(),
        detail: what,
        code: &problem.0.code,
        instance: request.path(),
        why,
        remedy,
        rule: problem.0.rule.as_deref(),
        reference,
        errors: &problem.0.errors,
    };
    serde_json::to_string(&document).unwrap_or_default()
}

/// Middleware: gives every answer that failed its body.
///
/// # Errors
/// Those of inner middleware. Errors of handlers and extractors are answers already, and rendered.
pub async fn answer_problems(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let answer = next.call(request).await?.map_into_boxed_body();
    let Some(problem) = problem_of(&answer) else { return Ok(answer) };
    let rendered = render(&problem, answer.request());
    Ok(answer.into_response(rendered))
}

/// The problem that an answer must still tell; `None` for one that has its body.
fn problem_of(answer: &ServiceResponse<BoxBody>) -> Option<Problem> {
    let status = answer.status();
    if !status.is_client_error() && !status.is_server_error() {
        return None;
    }
    match answer.response().error() {
        Some(error) => Some(error.as_error::<Problem>().cloned().unwrap_or_else(|| {
            if status.is_server_error() {
                Problem::internal(error)
            } else {
                Problem::from_status(status)
            }
        })),
        None if answer.headers().contains_key(header::CONTENT_TYPE) => None,
        None => Some(Problem::from_status(status)),
    }
}

#[cfg(test)]
mod tests;
