//! Which language a reader gets: the account's, else the cookie's, else what the browser asks for,
//! else the operator's.
//!
//! The switch at `/language/{language}` keeps the page. Deliberately not here: accounts.

use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::cookie::{Cookie, SameSite, time::Duration};
use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::{Path, Query};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use serde::Deserialize;
use tenkoku_domain::organisation::Language;

use super::Words;
use crate::problem::Problem;

/// The cookie that keeps the reader's choice.
pub const COOKIE: &str = "lang";

/// The language that a request asks for by cookie or header; `None` when it does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked(pub Option<Language>);

impl Asked {
    /// What a request asks for.
    pub fn of(request: &HttpRequest) -> Self {
        let chosen = request.cookie(COOKIE).and_then(|cookie| Language::from_word(cookie.value()));
        let accepted = request.headers().get(header::ACCEPT_LANGUAGE);
        Self(chosen.or_else(|| accept(accepted.and_then(|value| value.to_str().ok())?)))
    }

    /// The words to answer with: the account's language first, the operator's last.
    pub fn words(self, account: Option<Language>, operator: Language) -> Words {
        Words::of(account.or(self.0).unwrap_or(operator))
    }
}

impl FromRequest for Asked {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(request)))
    }
}

/// The language preferred by an `Accept-Language` header (RFC 9110, 12.5.4); `None` when it names
/// neither of ours.
pub fn accept(header: &str) -> Option<Language> {
    let mut best: Option<(u32, Language)> = None;
    for item in header.split(',').take(20) {
        let mut parts = item.split(';');
        let tag = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
        let Some(language) = tag.split('-').next().and_then(Language::from_word) else { continue };
        let weight =
            parts.find_map(|part| part.trim().strip_prefix("q=")).map_or(1000, thousandths);
        if weight > best.map_or(0, |(most, _)| most) {
            best = Some((weight, language));
        }
    }
    best.map(|(_, language)| language)
}

/// A weight of RFC 9110, 12.4.2 in thousandths; 0 for what is no weight.
fn thousandths(weight: &str) -> u32 {
    let (whole, fraction) = weight.trim().split_once('.').unwrap_or((weight.trim(), ""));
    let digits = format!("{fraction:0<3}");
    match (whole, digits.get(..3).and_then(|digits| digits.parse::<u32>().ok())) {
        ("1", _) => 1000,
        ("0", Some(thousandths)) => thousandths,
        _ => 0,
    }
}

/// Where to go back to: an address on this site, else its front page. Anything that a browser could
/// take for another host is refused.
pub fn safe_return(path: &str) -> &str {
    let local = path.starts_with('/') && !path.starts_with("//") && !path.contains('\\');
    let plain = path.len() <= 2000 && path.bytes().all(|b| b.is_ascii_graphic());
    if local && plain { path } else { "/" }
}

/// The query of the switch.
#[derive(Debug, Deserialize)]
pub struct Return {
    /// The page to go back to.
    #[serde(rename = "return", default)]
    path: String,
}

/// `GET /language/{language}?return=/lists`: keeps the choice for a year and goes back.
pub fn switch_language(
    language: Path<String>,
    back: Query<Return>,
) -> Ready<Result<HttpResponse, Problem>> {
    ready(switched(&language, &back.path))
}

fn switched(language: &str, back: &str) -> Result<HttpResponse, Problem> {
    let language = Language::from_word(language).ok_or_else(Problem::not_found)?;
    let cookie = Cookie::build(COOKIE, language.word())
        .path("/")
        .max_age(Duration::days(365))
        .same_site(SameSite::Lax)
        .http_only(true)
        .finish();
    Ok(HttpResponse::SeeOther()
        .cookie(cookie)
        .insert_header((header::LOCATION, safe_return(back)))
        .insert_header((header::CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_accept(header: &str, expected: Option<Language>) {
        assert_eq!(accept(header), expected, "{header}");
    }

    #[test]
    fn the_browser_s_first_wish_that_we_speak_counts() {
        check_accept("ja", Some(Language::Ja));
        check_accept("en-GB,en;q=0.9,ja;q=0.8", Some(Language::En));
        check_accept("fr, ja;q=0.5, en;q=0.4", Some(Language::Ja));
        check_accept("en;q=0.1, ja;q=0.85", Some(Language::Ja));
        check_accept("en;q=0, ja;q=0.001", Some(Language::Ja));
        check_accept("fr;q=1.0, *;q=0.5", None);
        check_accept("", None);
        check_accept("ja;q=x", None);
    }

    fn check_return(path: &str, expected: &str) {
        assert_eq!(safe_return(path), expected, "{path}");
    }

    #[test]
    fn the_switch_never_leaves_the_site() {
        check_return("/lists?page=2", "/lists?page=2");
        check_return("//evil.example", "/");
        check_return("/\\evil.example", "/");
        check_return("https://evil.example", "/");
        check_return("/a\r\nSet-Cookie: x", "/");
        check_return("", "/");
    }

    #[test]
    fn the_account_comes_first_and_the_operator_last() {
        let asked = Asked(Some(Language::En));
        assert_eq!(asked.words(Some(Language::Ja), Language::En).language(), Language::Ja);
        assert_eq!(asked.words(None, Language::Ja).language(), Language::En);
        assert_eq!(Asked(None).words(None, Language::Ja).language(), Language::Ja);
    }
}
