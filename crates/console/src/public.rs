//! Public pages: what anybody may see without signing in.
//!
//! Every page reads the store through [`Reader::read`] and maps what it found to structs that hold
//! public facts only: no custodian, no account, no comment. Deliberately not here: OCSP, CRLs and
//! lists as files, which `responder` and `publisher` serve.

pub mod certificate;
pub mod destruction;
pub mod developers;
pub mod errors;
pub mod find;
pub mod headers;
pub mod home;
pub mod list_paper;
pub mod lists;
pub mod policies;
pub mod repository;
pub mod revoke;
#[cfg(test)]
mod site_tests;
pub mod statements;
pub mod status;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::{StatusCode, header};
use actix_web::middleware::{Compress, Next, from_fn};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, HttpResponse, Route, guard};
use askama::Template;
use tenkoku_domain::id::RequestId;
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::Env;
use tenkoku_reader::library::Library;
use tenkoku_store::{StoreError, Tx};

use crate::assets;
use crate::layout::{PublicFrame, Site};
use crate::problem::{Problem, answer_problems};
use crate::text::Words;
use crate::text::language::{Asked, switch_language};

/// Mounts the public pages, last of all: what nobody answers is answered here with a page.
pub fn configure(config: &mut ServiceConfig) {
    config.service(
        web::scope("")
            .wrap(from_fn(answer_problems))
            .wrap(from_fn(headers::security_headers))
            .wrap(from_fn(name_request))
            .wrap(Compress::default())
            .route("/", read().to(home::show_home))
            .route("/status", read().to(status::show_status))
            .route("/repository", read().to(repository::show_repository))
            .route("/repository/{authority}.pem", read().to(repository::load_pem))
            .route("/lists", read().to(lists::show_lists))
            .route("/lists/search", read().to(lists::search::show_search))
            .route("/lists/search", web::post().to(lists::search::find_certificate))
            .route("/lists/{scheme}", read().to(lists::show_latest))
            .route("/lists/{scheme}/{sequence}.xml", read().to(lists::load_xml))
            .route("/lists/{scheme}/{sequence}.json", read().to(lists::load_json))
            .route("/lists/{scheme}/{sequence}/changes", read().to(lists::changes::show_changes))
            .route(
                "/lists/{scheme}/{sequence}/providers/{provider}",
                read().to(lists::service::show_provider),
            )
            .route(
                "/lists/{scheme}/{sequence}/providers/{provider}/services/{service}",
                read().to(lists::service::show_service),
            )
            .route("/lists/{scheme}/{sequence}", read().to(lists::show_sequence))
            .route("/tl/{scheme}.html", read().to(list_paper::show_live))
            .route("/tl/{scheme}/{sequence}.html", read().to(list_paper::show_sequence))
            .route("/find", read().to(find::show_find))
            .route("/find/organisation/{identifier}", read().to(find::show_organisation))
            .route("/find/certificate/{authority}/{serial}.pem", read().to(certificate::load_pem))
            .route("/find/certificate/{authority}/{serial}", read().to(certificate::show))
            .route("/revoke/{authority}/{serial}", read().to(revoke::show_form))
            .route("/revoke/{authority}/{serial}", web::post().to(revoke::hand_in))
            .route("/destruction/{fingerprint}.json", read().to(destruction::load_note))
            .route("/destruction/{fingerprint}", read().to(destruction::show_note))
            .route("/developers", read().to(developers::show_developers))
            .route("/policies", read().to(policies::show_policies))
            .route("/accessibility", read().to(statements::show_accessibility))
            .route("/privacy", read().to(statements::show_privacy))
            .route("/errors", read().to(errors::show_errors))
            .route("/errors/{code}", read().to(errors::show_error))
            .route("/language/{language}", read().to(switch_language))
            .route("/assets/{name}", read().to(assets::serve_asset))
            .default_service(web::route().to(nothing_here)),
    );
}

/// A route for reading: `GET` and `HEAD`.
fn read() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

/// Answers what no route takes: an address that is not there, or a method that it does not know.
fn nothing_here(request: HttpRequest) -> Ready<Result<HttpResponse, Problem>> {
    ready(Err(match request.match_pattern() {
        Some(_) => Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed"),
        None => Problem::not_found(),
    }))
}

/// Middleware: gives the request the number that the log and the reader share.
async fn name_request<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    if let Some(env) = request.app_data::<Data<Env>>() {
        let id = RequestId::new(env.clock.now(), &*env.entropy);
        request.extensions_mut().insert(id);
    }
    next.call(request).await
}

/// A reader of public pages: in which language, on which site.
pub struct Reader {
    request: HttpRequest,
    env: Option<Data<Env>>,
    library: Arc<Library>,
    site: Site,
    /// The words of the reader's language.
    pub words: Words,
}

impl FromRequest for Reader {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let site = request.app_data::<Data<Site>>().map(|site| site.as_ref().clone());
        let site = site.unwrap_or_default();
        let words = Asked::of(request).words(None, site.language);
        let env = request.app_data::<Data<Env>>().cloned();
        // Without one that is shared, lists are read anew for every page.
        let library = request.app_data::<Data<Library>>().cloned().map(Data::into_inner);
        let library = library.unwrap_or_default();
        ready(Ok(Self { request: request.clone(), env, library, site, words }))
    }
}

impl Reader {
    /// The frame of a page with this title.
    pub fn frame(&self, title: &str) -> PublicFrame {
        PublicFrame::new(&self.site, self.words, &self.request, title)
    }

    /// The base of the public addresses.
    pub fn address(&self) -> &str {
        &self.site.address
    }

    /// Reads from the store, on a thread that may wait.
    pub async fn read<T, F>(&self, f: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>, &Env, Timestamp) -> Result<T, StoreError> + Send + 'static,
    {
        let env = self.env.clone().ok_or_else(Problem::not_found)?.into_inner();
        let found = web::block(move || {
            let now = env.clock.now();
            env.store.read(|tx| f(tx, &env, now))
        });
        Ok(found.await??)
    }

    /// The lists in force, shared by all who read.
    pub fn library(&self) -> Arc<Library> {
        Arc::clone(&self.library)
    }

    /// Looks something up that may be missing, on a thread that may wait.
    pub async fn look<T, F>(&self, f: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>, Timestamp) -> Result<T, Problem> + Send + 'static,
    {
        let env = self.env.clone().ok_or_else(Problem::not_found)?.into_inner();
        let found = web::block(move || {
            let now = env.clock.now();
            env.store.read(|tx| f(tx, now))
        });
        found.await?
    }

    /// Answers with a page.
    pub fn show(&self, page: &impl Template) -> Result<HttpResponse, Problem> {
        Ok(HttpResponse::Ok()
            .content_type("text/html; charset=utf-8")
            .insert_header((header::CONTENT_LANGUAGE, self.words.tag()))
            .insert_header((header::VARY, "Accept-Language, Cookie"))
            .insert_header((header::CACHE_CONTROL, "no-cache"))
            .body(page.render()?))
    }
}

/// Answers with a certificate in PEM.
fn pem(name: &str, der: &[u8]) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/x-pem-file")
        .insert_header((
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}.pem\""),
        ))
        .body(tenkoku_pki::pem::encode("CERTIFICATE", der))
}
