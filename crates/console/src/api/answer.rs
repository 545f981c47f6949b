//! Answers: one thing with its tag, a page of a list with an opaque cursor.

use std::borrow::Cow;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use tenkoku_domain::canonical::Digest;
use tenkoku_store::Page;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Type};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::door::Call;
use crate::problem::Problem;

/// Items of a page where nothing else is asked for.
const USUAL: i64 = 50;
/// Items of a page at most.
const MOST: i64 = 100;

/// A page of a list. Each kind has a schema of its own, named after its items.
#[derive(Debug, Serialize)]
pub struct Paged<T> {
    /// The items, in the order of the list.
    pub items: Vec<T>,
    /// What to pass as `after` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl<T: ToSchema> PartialSchema for Paged<T> {
    fn schema() -> RefOr<Schema> {
        let items = ArrayBuilder::new()
            .items(Ref::from_schema_name(T::name()))
            .description(Some("The items, in the order of the list."));
        let next = ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("What to pass as `after` for the next page; absent at the end."));
        ObjectBuilder::new()
            .description(Some("A page of a list."))
            .property("items", items)
            .required("items")
            .property("next", next)
            .into()
    }
}

impl<T: ToSchema> ToSchema for Paged<T> {
    fn name() -> Cow<'static, str> {
        format!("{}Page", T::name()).into()
    }

    fn schemas(all: &mut Vec<(String, RefOr<Schema>)>) {
        all.push((T::name().into_owned(), T::schema()));
        T::schemas(all);
    }
}

impl<T> Paged<T> {
    /// Everything there is.
    pub fn all(items: Vec<T>) -> Self {
        Self { items, next: None }
    }

    /// A page of the store, its cursor made opaque.
    pub fn of<U>(page: Page<U>, item: impl FnMut(U) -> T) -> Self {
        Self {
            items: page.items.into_iter().map(item).collect(),
            next: page.next.map(|key| URL_SAFE_NO_PAD.encode(key)),
        }
    }
}

/// Where a page begins, and how long it is.
#[derive(Debug, Default, Deserialize)]
pub struct PageQuery {
    after: Option<String>,
    limit: Option<i64>,
}

impl PageQuery {
    /// The key after which the page begins.
    pub fn after(&self) -> Result<Option<String>, Problem> {
        let wrong =
            || Problem::new(StatusCode::BAD_REQUEST, "request-malformed").with_field("/after", "?");
        let Some(cursor) = &self.after else { return Ok(None) };
        let key = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| wrong())?;
        let key = String::from_utf8(key).map_err(|_| wrong())?;
        if key.bytes().all(|b| b.is_ascii_graphic()) { Ok(Some(key)) } else { Err(wrong()) }
    }

    /// How many items at most: 1 to 100.
    pub fn limit(&self) -> Result<i64, Problem> {
        match self.limit.unwrap_or(USUAL) {
            limit @ 1..=MOST => Ok(limit),
            _ => Err(Problem::new(StatusCode::BAD_REQUEST, "request-malformed")
                .with_field("/limit", format!("1-{MOST}"))),
        }
    }
}

/// What is looked for, as far as it can be in the store: control characters never are.
pub fn wanted(text: Option<String>) -> String {
    let text = text.unwrap_or_default();
    text.chars().filter(|c| !c.is_control()).collect::<String>().trim().to_owned()
}

fn written<T: Serialize>(value: &T) -> Result<Vec<u8>, Problem> {
    serde_json::to_vec(value).map_err(|error| Problem::internal(&error))
}

/// The tag of a representation (RFC 9110, 8.8.3): its SHA-256.
fn tag(body: &[u8]) -> String {
    format!("\"{}\"", Digest::of(body))
}

/// Whether a list of tags in a header names one, or everything.
fn names(request: &HttpRequest, name: header::HeaderName, tag: &str) -> Option<bool> {
    let text = request.headers().get(name)?.to_str().unwrap_or_default().to_owned();
    let plain = |one: &str| one.trim().trim_start_matches("W/").to_owned();
    Some(text.trim() == "*" || text.split(',').any(|one| plain(one) == tag))
}

/// One thing, with its tag; nothing where the caller has it already.
pub fn one<T: Serialize>(call: &Call, value: &T) -> Result<HttpResponse, Problem> {
    let body = written(value)?;
    let tag = tag(&body);
    if names(&call.request, header::IF_NONE_MATCH, &tag) == Some(true) {
        return Ok(HttpResponse::NotModified()
            .insert_header((header::ETAG, tag))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .finish());
    }
    Ok(HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((header::ETAG, tag))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(body))
}

/// Refuses to change what is not any more what the caller saw (RFC 9110, 13.1.1).
pub fn unchanged<T: Serialize>(call: &Call, now: &T) -> Result<(), Problem> {
    match names(&call.request, header::IF_MATCH, &tag(&written(now)?)) {
        Some(false) => Err(Problem::new(StatusCode::PRECONDITION_FAILED, "precondition-failed")),
        Some(true) | None => Ok(()),
    }
}

/// What was done, without a tag: the answer to a change.
pub fn done<T: Serialize>(value: &T) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(written(value)?))
}

/// What was made, and where it is.
pub fn made<T: Serialize>(location: &str, value: &T) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Created()
        .content_type("application/json")
        .insert_header((header::LOCATION, location))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(written(value)?))
}
