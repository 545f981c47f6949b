//! For developers: examples that can be copied, with the real addresses of this site.

use actix_web::HttpResponse;
use askama::Template;
use tenkoku_domain::authority::Authority;
use tenkoku_ports::Env;
use tenkoku_store::{StoreError, Tx};

use super::Reader;
use super::status::is_public;
use crate::layout::PublicFrame;
use crate::problem::Problem;
use crate::text::Words;

/// The addresses that the examples use.
pub(super) struct Addresses {
    pub(super) base: String,
    pub(super) root: String,
    pub(super) issuing: String,
    pub(super) ocsp: String,
    pub(super) crl: String,
    pub(super) list: String,
    pub(super) scheme: String,
}

#[derive(Template)]
#[template(path = "public/developers.html")]
pub(super) struct DevelopersPage {
    pub(super) w: Words,
    pub(super) frame: PublicFrame,
    /// `None` until there is an issuing authority.
    pub(super) at: Option<Addresses>,
}

/// `GET /developers`
pub async fn show_developers(reader: Reader) -> Result<HttpResponse, Problem> {
    let at = reader.read(|tx, env, _| load(tx, env)).await?;
    let w = reader.words;
    reader.show(&DevelopersPage { w, frame: reader.frame(w.t("developers.title")), at })
}

fn load(tx: &mut Tx<'_>, env: &Env) -> Result<Option<Addresses>, StoreError> {
    let public: Vec<Authority> = tx.list_authorities()?.into_iter().filter(is_public).collect();
    let root = public.iter().find(|authority| authority.kind.level().is_none());
    let issuing = public.iter().find(|authority| authority.kind.level().is_some());
    let (Some(root), Some(issuing)) = (root, issuing) else { return Ok(None) };
    let address = &env.settings.public_address;
    let scheme = env.settings.scheme.code.clone();
    Ok(Some(Addresses {
        base: address.as_str().to_owned(),
        root: root.code.to_string(),
        issuing: issuing.code.to_string(),
        ocsp: address.ocsp(&issuing.code),
        crl: address.crl(&issuing.code),
        list: address.list(&scheme),
        scheme,
    }))
}
