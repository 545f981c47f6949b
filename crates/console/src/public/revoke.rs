//! Revocation at the word of the key, without signing in (RV-3): the text to sign, the commands that
//! sign it, and the place to hand the signature in.

use actix_web::http::header;
use actix_web::web::{self, Data, Form, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;
use tenkoku_ca::revoke_by_key::{KeyWord, find_seal, revocation_text, revoke_by_key};
use tenkoku_domain::certificate::Serial;
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::Env;
use tenkoku_store::StoreError;

use super::Reader;
use crate::layout::{Crumb, PublicFrame};
use crate::problem::Problem;
use crate::text::Words;

#[derive(Template)]
#[template(path = "public/revoke.html")]
pub(super) struct RevokePage {
    pub(super) w: Words,
    pub(super) frame: PublicFrame,
    pub(super) crumbs: Vec<Crumb>,
    pub(super) name: String,
    pub(super) action: String,
    pub(super) at: String,
    pub(super) commands: String,
}

/// Makes the signature; `seal.pem` and `seal.key` are the certificate and its key.
fn commands(text: &str) -> String {
    format!(
        "printf %s '{text}' > revoke.json\n\
         openssl cms -sign -binary -outform PEM -signer seal.pem -inkey seal.key \\\n  \
         -in revoke.json -out revoke.pem\n"
    )
}

/// `GET /revoke/{authority}/{serial}`
pub async fn show_form(
    reader: Reader,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let w = reader.words;
    let (code, serial) = path.into_inner();
    let serial = Serial::parse(&serial).map_err(|_| Problem::not_found())?;
    let wanted = serial.clone();
    let (name, text, at) = reader
        .read(move |tx, _, now| {
            let (certificate, authority) = find_seal(tx, &code, &wanted)?;
            let text = revocation_text(&authority.code, &wanted, now)
                .map_err(|error| StoreError::Database(Box::new(error)))?;
            Ok(((certificate.common_name, authority.code.to_string()), text, now.floor()))
        })
        .await?;
    let (name, code) = name;
    let title = w.t("revoke-by-key.title");
    reader.show(&RevokePage {
        w,
        frame: reader.frame(title),
        crumbs: vec![
            Crumb::link(w.t("find.title"), "/find"),
            Crumb::link(name.clone(), format!("/find/certificate/{code}/{serial}")),
            Crumb::here(title),
        ],
        name,
        action: format!("/revoke/{code}/{serial}"),
        at: at.to_string(),
        commands: commands(&text),
    })
}

/// What is handed in.
#[derive(Debug, Deserialize)]
pub struct WordForm {
    at: String,
    signature: String,
}

/// `POST /revoke/{authority}/{serial}`
pub async fn hand_in(
    request: HttpRequest,
    path: Path<(String, String)>,
    form: Form<WordForm>,
    env: Data<Env>,
) -> Result<HttpResponse, Problem> {
    let (authority, serial) = path.into_inner();
    let serial = Serial::parse(&serial).map_err(|_| Problem::not_found())?;
    let WordForm { at, signature } = form.into_inner();
    let malformed = || Problem::new(actix_web::http::StatusCode::BAD_REQUEST, "form-malformed");
    let word = KeyWord {
        authority: authority.clone(),
        serial: serial.clone(),
        at: Timestamp::parse(&at).ok_or_else(malformed)?,
        signature: signature.trim().as_bytes().to_vec(),
    };
    let source = request.peer_addr().map(|peer| peer.ip().to_string());
    web::block(move || revoke_by_key(&env, source, &word)).await??;
    Ok(HttpResponse::SeeOther()
        .insert_header((header::LOCATION, format!("/find/certificate/{authority}/{serial}")))
        .finish())
}
