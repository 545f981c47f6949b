//! Revocation at the word of the key, or of a person with a certificate, without signing in (RV-3):
//! the text to sign, the commands that sign it, and the place to hand the signature in.

use actix_web::http::header;
use actix_web::web::{self, Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use tenkoku_ca::issuer::SignedFile;
use tenkoku_ca::revoke_by_key::{KeyWord, find_seal, revocation_text, revoke_by_key};
use tenkoku_domain::certificate::Serial;
use tenkoku_domain::time::Timestamp;
use tenkoku_pki::pem;
use tenkoku_ports::Env;
use tenkoku_store::StoreError;

use super::Reader;
use crate::fields::Fields;
use crate::layout::{Crumb, FieldError, PublicFrame};
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
    /// None: what is wrong is told on a page of its own.
    pub(super) errors: [FieldError; 0],
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
        errors: [],
    })
}

/// `POST /revoke/{authority}/{serial}`
pub async fn hand_in(
    request: HttpRequest,
    path: Path<(String, String)>,
    body: Bytes,
    env: Data<Env>,
) -> Result<HttpResponse, Problem> {
    let (authority, serial) = path.into_inner();
    let serial = Serial::parse(&serial).map_err(|_| Problem::not_found())?;
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let fields = Fields::read(kind.unwrap_or_default(), &body).await?;
    let malformed = || Problem::new(actix_web::http::StatusCode::BAD_REQUEST, "form-malformed");
    let decoded = |name: &str, label: &'static str| {
        let files = fields.files(name);
        let decoded = files.iter().map(|file| pem::decode(file, &[label]).map_err(|_| malformed()));
        decoded.collect::<Result<Vec<_>, _>>()
    };
    let word = KeyWord {
        authority: authority.clone(),
        serial: serial.clone(),
        at: Timestamp::parse(fields.text("at")?).ok_or_else(malformed)?,
        signed: SignedFile {
            signature: fields.text("signature")?.as_bytes().to_vec(),
            intermediates: decoded("intermediate", "CERTIFICATE")?,
            crls: decoded("crl", "X509 CRL")?,
        },
    };
    let source = request.peer_addr().map(|peer| peer.ip().to_string());
    web::block(move || revoke_by_key(&env, source, &word)).await??;
    Ok(HttpResponse::SeeOther()
        .insert_header((header::LOCATION, format!("/find/certificate/{authority}/{serial}")))
        .finish())
}
