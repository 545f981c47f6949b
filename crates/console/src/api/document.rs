//! The API as OpenAPI 3.1, made from the table of operations and from the types that are read and
//! written.

use std::borrow::Cow;
use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::http::header;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use super::once::KEY_HEADER;
use super::{BASE, OPERATIONS, Operation, Who};
use crate::problem::Problem;

/// What a document looks like: its name, its schema, and those it is made of.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    name: fn() -> Cow<'static, str>,
    schema: fn() -> RefOr<Schema>,
    parts: fn(&mut Vec<(String, RefOr<Schema>)>),
}

impl Shape {
    /// The shape of a type.
    pub const fn of<T: ToSchema>() -> Self {
        Self { name: T::name, schema: T::schema, parts: T::schemas }
    }

    /// Its name under `components/schemas`.
    pub fn name(&self) -> String {
        (self.name)().into_owned()
    }

    fn put(&self, all: &mut BTreeMap<String, Value>) {
        let mut parts = vec![(self.name(), (self.schema)())];
        (self.parts)(&mut parts);
        for (name, schema) in parts {
            all.entry(name).or_insert_with(|| json!(schema));
        }
    }

    fn reference(&self) -> Value {
        json!({ "$ref": format!("#/components/schemas/{}", self.name()) })
    }
}

/// Something in a query.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    name: &'static str,
    description: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Text,
    Limit,
    Words(&'static [&'static str]),
}

/// `search`
pub const SEARCH: Parameter = Parameter {
    name: "search",
    description: "A part of a name, a code or a number",
    kind: Kind::Text,
};
/// `after`
pub const AFTER: Parameter = Parameter {
    name: "after",
    description: "The cursor of the page before: its `next`",
    kind: Kind::Text,
};
/// `limit`
pub const LIMIT: Parameter =
    Parameter { name: "limit", description: "Items of the page at most", kind: Kind::Limit };
/// `organisation`
pub const ORGANISATION: Parameter = Parameter {
    name: "organisation",
    description: "Those of one organisation, by its identifier here",
    kind: Kind::Text,
};
/// `branch`
pub const BRANCH: Parameter = Parameter {
    name: "branch",
    description: "Those of one branch office, by its identifier here",
    kind: Kind::Text,
};
/// `authority`
pub const AUTHORITY: Parameter = Parameter {
    name: "authority",
    description: "The code of the issuing authority, where two have this serial number",
    kind: Kind::Text,
};
/// `state` of an application
pub const STATE: Parameter = Parameter {
    name: "state",
    description: "Those in a state",
    kind: Kind::Words(&[
        "draft",
        "submitted",
        "proofing",
        "approval",
        "key-proof",
        "ready",
        "issued",
        "rejected",
        "withdrawn",
        "lapsed",
    ]),
};
/// `state` of a certificate
pub const CERTIFICATE_STATE: Parameter = Parameter {
    name: "state",
    description: "Those in a state",
    kind: Kind::Words(super::certificates::STATES),
};

impl Parameter {
    fn value(&self) -> Value {
        let schema = match self.kind {
            Kind::Text => json!({ "type": "string" }),
            Kind::Limit => json!({ "type": "integer", "minimum": 1, "maximum": 100 }),
            Kind::Words(words) => json!({ "type": "string", "enum": words }),
        };
        json!({
            "name": self.name,
            "in": "query",
            "required": false,
            "description": self.description,
            "schema": schema,
        })
    }
}

/// What a problem looks like (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemJson {
    /// The stable address of the explanation.
    pub r#type: String,
    /// A headline.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened, in the language of `Accept-Language`.
    pub detail: String,
    /// The stable code; its meaning never changes.
    pub code: String,
    /// The path that was asked for.
    pub instance: String,
    /// Why it is so.
    pub why: String,
    /// What to do.
    pub remedy: String,
    /// The rule that refuses.
    #[schema(required = false)]
    pub rule: Option<String>,
    /// The number to quote to the operator.
    #[schema(required = false)]
    pub reference: Option<String>,
    /// What is wrong with single fields.
    #[schema(required = false)]
    pub errors: Vec<FieldJson>,
}

/// What is wrong with one field.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FieldProblem)]
pub struct FieldJson {
    /// Where: a JSON pointer (RFC 6901); empty for the whole document.
    pub pointer: String,
    /// What.
    pub detail: String,
}

/// `GET /api/openapi.json`
pub async fn show_document() -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
        .json(document()))
}

/// The document.
pub fn document() -> Value {
    let mut schemas = BTreeMap::new();
    let problem = Shape::of::<ProblemJson>();
    problem.put(&mut schemas);
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for operation in OPERATIONS {
        operation.answer.1.put(&mut schemas);
        if let Some(body) = &operation.body {
            body.put(&mut schemas);
        }
        let path = paths.entry(format!("{BASE}{}", operation.path)).or_default();
        path.insert(operation.method.to_owned(), described(operation, &problem));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tenkoku",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
        },
        "servers": [{ "url": "/" }],
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": { "token": {
                "type": "http",
                "scheme": "bearer",
                "description": TOKENS,
            } },
        },
    })
}

const ABOUT: &str = "\
Electronic seals: organisations, applications, certificates. What lies outside the caller's reach is \
not found. Refusals are problem documents with a stable code, in the language of Accept-Language. A \
POST with an Idempotency-Key is done once. Lists come in pages; pass `next` as `after`.";

const TOKENS: &str = "\
A secret of a service account, or a token that its registered key signed (ES256 or EdDSA) for at \
most 300 seconds: `kid` and `iss` are the token's identifier, `sub` the account's, `aud` the address \
of the console, `iat` and `exp` its times. People use the session of the console with the header \
X-CSRF-Token.";

fn described(operation: &Operation, problem: &Shape) -> Value {
    let (status, answer) = &operation.answer;
    let mut parameters: Vec<Value> = placeholders(operation.path)
        .map(|name| {
            let schema = if name == "seq" {
                json!({ "type": "integer", "minimum": 1 })
            } else {
                json!({ "type": "string", "minLength": 1 })
            };
            json!({ "name": name, "in": "path", "required": true, "schema": schema })
        })
        .chain(operation.query.iter().map(Parameter::value))
        .collect();
    if operation.method == "post" {
        parameters.push(json!({
            "name": KEY_HEADER,
            "in": "header",
            "required": false,
            "description": "Makes the request one that is done once; remembered for a day",
            "schema": { "type": "string", "minLength": 1, "maxLength": 255,
                "pattern": "^[!-~]+$" },
        }));
    }
    let who = match operation.who {
        Who::Anybody => "",
        Who::Person => " By a person whose second factor was shown within five minutes.",
    };
    let mut described = json!({
        "operationId": operation.name,
        "summary": operation.summary,
        "description": format!("Needs the permission `{}`.{who}", operation.permission),
        "parameters": parameters,
        "responses": {
            status.to_string(): {
                "description": "Done",
                "content": { "application/json": { "schema": answer.reference() } },
            },
            "default": {
                "description": "A problem",
                "content": { "application/problem+json": { "schema": problem.reference() } },
            },
        },
    });
    if let (Some(body), Some(members)) = (&operation.body, described.as_object_mut()) {
        members.insert(
            "requestBody".to_owned(),
            json!({
                "required": true,
                "content": { "application/json": { "schema": body.reference() } },
            }),
        );
    }
    described
}

/// The parameters of a path, in their order.
pub fn placeholders(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}
