//! Small parts that several pages share: answers, chips, rows.

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use actix_web::web::{self, Data};
use askama::Template;
use tenkoku_domain::application::ApplicationState;
use tenkoku_domain::authority::{Authority, AuthorityState};
use tenkoku_domain::branch::BranchState;
use tenkoku_domain::certificate::{Certificate, CertificateState};
use tenkoku_domain::organisation::OrganisationState;
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::Env;

use crate::granted::{Visit, Visitor};
use crate::layout::{Chip, Tone};
use crate::problem::Problem;
use crate::text::Words;

/// Rows of one page of a table.
pub const ROWS: i64 = 50;

/// A page that is as it should be.
pub fn html(page: &impl Template) -> Result<HttpResponse, Problem> {
    html_with(StatusCode::OK, page)
}

/// A page with another status: a form with something to correct.
pub fn html_with(status: StatusCode, page: &impl Template) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::build(status).content_type("text/html; charset=utf-8").body(page.render()?))
}

/// Leads to the page that shows what was done.
pub fn see_other(location: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((header::LOCATION, location)).finish()
}

/// Hands out a file under a name. The name is of the program's making.
pub fn attachment(kind: &'static str, name: &str, body: impl Into<Vec<u8>>) -> HttpResponse {
    let disposition = format!("attachment; filename=\"{name}\"");
    HttpResponse::Ok()
        .content_type(kind)
        .insert_header((header::CONTENT_DISPOSITION, disposition))
        .body(body.into())
}

impl Visitor {
    /// Runs what waits for the database or a key on a thread that may wait.
    pub async fn run<T, E>(
        &self,
        work: impl FnOnce(&Env) -> Result<T, E> + Send + 'static,
    ) -> Result<T, Problem>
    where
        T: Send + 'static,
        E: Send + 'static,
        Problem: From<E>,
    {
        let env = Data::clone(&self.env);
        Ok(web::block(move || work(&env)).await??)
    }
}

impl Visit {
    /// Runs what waits for the database or a key on a thread that may wait.
    pub async fn run<T, E>(
        &self,
        work: impl FnOnce(&Env) -> Result<T, E> + Send + 'static,
    ) -> Result<T, Problem>
    where
        T: Send + 'static,
        E: Send + 'static,
        Problem: From<E>,
    {
        let env = Data::clone(&self.env);
        Ok(web::block(move || work(&env)).await??)
    }
}

/// A label and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// The label.
    pub label: String,
    /// What it says.
    pub value: String,
    /// Where it leads.
    pub href: Option<String>,
    /// Whether it is set in fixed width.
    pub mono: bool,
}

impl Fact {
    /// Words.
    pub fn new(label: &str, value: impl Into<String>) -> Self {
        Self { label: label.to_owned(), value: value.into(), href: None, mono: false }
    }

    /// Digits to be compared.
    pub fn mono(label: &str, value: impl Into<String>) -> Self {
        Self { mono: true, ..Self::new(label, value) }
    }

    /// A link.
    pub fn link(label: &str, value: impl Into<String>, href: String) -> Self {
        Self { href: Some(href), ..Self::new(label, value) }
    }
}

/// Days before its end at which a certificate is shown as ending.
const SOON_DAYS: i64 = 30;

/// The state of a certificate, with what the clock adds.
pub fn certificate_chip(words: Words, certificate: &Certificate, now: Timestamp) -> Chip {
    let soon = certificate.validity.not_after < now.plus_days(SOON_DAYS);
    let (tone, word) = match &certificate.state {
        CertificateState::Revoked(_) => (Tone::Bad, "revoked"),
        _ if certificate.is_expired(now) => (Tone::Mute, "expired"),
        CertificateState::Pending => (Tone::Info, "pending"),
        CertificateState::Held(_) | CertificateState::Suspended(_) => (Tone::Warn, "suspended"),
        CertificateState::Retired => (Tone::Mute, "retired"),
        CertificateState::Issued | CertificateState::Active if soon => (Tone::Warn, "ending"),
        CertificateState::Issued | CertificateState::Active => (Tone::Ok, "valid"),
    };
    Chip::new(tone, words.word("admin.certificate-state", word))
}

/// The state of an application.
pub fn application_chip(words: Words, state: ApplicationState) -> Chip {
    let tone = match state {
        ApplicationState::Issued => Tone::Ok,
        ApplicationState::Rejected => Tone::Bad,
        ApplicationState::Draft | ApplicationState::Withdrawn | ApplicationState::Lapsed => {
            Tone::Mute
        }
        ApplicationState::Submitted
        | ApplicationState::Proofing
        | ApplicationState::Approval
        | ApplicationState::KeyProof
        | ApplicationState::Ready => Tone::Info,
    };
    Chip::new(tone, words.word("admin.application-state", state.word()))
}

/// The state of an organisation.
pub fn organisation_chip(words: Words, state: OrganisationState) -> Chip {
    let tone = match state {
        OrganisationState::Active => Tone::Ok,
        OrganisationState::Restricted | OrganisationState::Closing => Tone::Warn,
        OrganisationState::Rejected => Tone::Bad,
        OrganisationState::Closed => Tone::Mute,
        OrganisationState::Draft | OrganisationState::Proofing => Tone::Info,
    };
    Chip::new(tone, words.word("admin.organisation-state", state.word()))
}

/// The state of a branch.
pub fn branch_chip(words: Words, state: BranchState) -> Chip {
    let tone = match state {
        BranchState::Open => Tone::Ok,
        BranchState::Paused | BranchState::Closing => Tone::Warn,
        BranchState::Closed => Tone::Mute,
        BranchState::Planned => Tone::Info,
    };
    Chip::new(tone, words.word("admin.branch-state", state.word()))
}

/// The state of an authority.
pub fn authority_chip(words: Words, authority: &Authority) -> Chip {
    let tone = match authority.state {
        AuthorityState::Active => Tone::Ok,
        AuthorityState::Suspended => Tone::Bad,
        AuthorityState::Retiring => Tone::Warn,
        AuthorityState::Ended => Tone::Mute,
        AuthorityState::Planned | AuthorityState::Ceremony | AuthorityState::Certified => {
            Tone::Info
        }
    };
    Chip::new(tone, words.word("admin.authority-state", authority.state.word()))
}

/// The address of the next page of a list: the same query with another cursor.
pub fn next_page(path: &str, query: &[(&str, &str)], next: Option<&String>) -> Option<String> {
    let next = next?;
    let mut query_text = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in query.iter().filter(|(_, value)| !value.is_empty()) {
        query_text.append_pair(name, value);
    }
    query_text.append_pair("after", next);
    Some(format!("{path}?{}", query_text.finish()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_keeps_what_was_searched_for() {
        let next = Some("B2".to_owned());
        assert_eq!(
            next_page("/console/certificates", &[("q", "青葉 & co"), ("state", "")], next.as_ref()),
            Some("/console/certificates?q=%E9%9D%92%E8%91%89+%26+co&after=B2".to_owned())
        );
        assert_eq!(next_page("/x", &[], None), None);
    }
}
