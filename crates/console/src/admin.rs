//! The console: pages for signed-in people, and the door to them.
//!
//! [`ROUTES`] says for every address which permission it needs; [`configure`] mounts from the same
//! table, and a test knocks at every door with every role (AB-9). What is not in the table does not
//! exist.

pub mod accounts;
pub mod acts;
pub mod applications;
pub mod applying;
pub mod approvals;
pub mod audit;
pub mod authorities;
pub mod batches;
pub mod bench;
pub mod branches;
pub mod ceremonies;
pub mod certificates;
pub mod chain;
pub mod chart;
pub mod confirm;
pub mod decisions;
pub mod delegation;
pub mod destruction;
pub mod drafting;
pub mod drafts;
pub mod emergency;
pub mod enrol;
pub mod entry;
pub mod errors;
pub mod frame;
pub mod held;
pub mod home;
pub mod imprints;
pub mod incidents;
pub mod keys;
pub mod life;
pub mod list_delivery;
pub mod list_drafts;
pub mod list_parts;
pub mod list_preview;
pub mod list_sources;
pub mod lists;
pub mod me;
pub mod names;
pub mod offices;
pub mod organisations;
pub mod origin;
pub mod people;
pub mod policies;
pub mod proofings;
pub mod proposals;
pub mod recording;
pub mod revocation;
pub mod revoke;
pub mod search;
pub mod services;
pub mod sign_in;
pub mod tasks;
pub mod tree;
pub mod uploads;
pub mod vendor_roots;
pub mod views;

use std::borrow::Cow;

use actix_web::middleware::from_fn;
use actix_web::web::{self, PayloadConfig, ServiceConfig};
use actix_web::{HttpResponse, Responder};
use tenkoku_domain::access::Permission;

use crate::assets::serve_asset;
use crate::problem::{Problem, answer_problems};
use crate::public::headers::security_headers;
use crate::text::language::switch_language;

/// Who may come in at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody: what is needed before signing in.
    Open,
    /// Whoever holds the permission.
    Needs(Permission),
}

/// An address of the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// `get` or `post`.
    pub method: &'static str,
    /// The path, with its parameters in braces.
    pub path: &'static str,
    /// Who may come in.
    pub access: Access,
}

/// Octets of a form or document that is sent to the console, with its files: scans of papers, and
/// lists of a thousand requests.
const MAX_BODY_OCTETS: usize = 8 * 1024 * 1024;

macro_rules! routes {
    // What can be got can be asked for without its body (RFC 9110, 9.3.2).
    (@mount $config:ident get $path:literal $handler:path) => {
        $config
            .route(below($path), web::get().to($handler))
            .route(below($path), web::head().to($handler));
    };
    (@mount $config:ident post $path:literal $handler:path) => {
        $config.route(below($path), web::post().to($handler));
    };
    (@access Open) => { Access::Open };
    (@access $permission:ident) => { Access::Needs(Permission::$permission) };
    ($($method:ident $path:literal $access:ident $handler:path;)*) => {
        /// Every address of the console.
        pub const ROUTES: &[Route] = &[$(Route {
            method: stringify!($method),
            path: $path,
            access: routes!(@access $access),
        },)*];

        fn mount(config: &mut ServiceConfig) {
            $(routes!(@mount config $method $path $handler);)*
        }
    };
}

routes! {
    get  "/console" ViewRegistry home::show_home;
    get  "/console/search" ViewRegistry search::search;
    get  "/console/organisations" ViewRegistry organisations::list_organisations;
    get  "/console/organisations/new" RecordOrganisation recording::new_organisation;
    post "/console/organisations/new" RecordOrganisation recording::record_organisation;
    get  "/console/organisations/{id}" ViewRegistry organisations::show_organisation;
    get  "/console/organisations/{id}/delegation" ViewRegistry delegation::show_delegation;
    get  "/console/organisations/{id}/services" ManageServiceAccounts services::show_services;
    post "/console/organisations/{id}/services" ManageServiceAccounts services::change_services;
    get  "/console/organisations/{id}/batches" Apply batches::list_batches;
    post "/console/organisations/{id}/batches" Apply batches::hand_in;
    get  "/console/batches/{id}" ViewRegistry batches::show_batch;
    post "/console/batches/{id}" Apply batches::change_batch;
    get  "/console/batches/{id}/progress" ViewRegistry batches::show_progress;
    get  "/console/batches/{id}/rows" ViewRegistry batches::download_rows;
    post "/console/batches/{id}/proofs" Apply batches::take_proofs;
    get  "/console/organisations/{id}/delegation/new" ManageGrants drafting::new_grant;
    post "/console/organisations/{id}/delegation/new" ManageGrants drafting::create_grant;
    get  "/console/organisations/{id}/delegates/new" ManageGrants offices::new_delegate;
    post "/console/organisations/{id}/delegates/new" ManageGrants offices::create_delegate;
    get  "/console/organisations/{id}/representatives/new" RecordProofing offices::new_representative;
    post "/console/organisations/{id}/representatives/new" RecordProofing
        offices::create_representative;
    get  "/console/representatives/{id}/end" RecordProofing offices::show_representative_end;
    post "/console/representatives/{id}/end" RecordProofing offices::end_representation;
    get  "/console/delegates/{id}/end" ManageGrants offices::show_delegate_end;
    post "/console/delegates/{id}/end" ManageGrants offices::end_delegate;
    get  "/console/organisations/{id}/proofing" ViewRegistry proofings::list_records;
    post "/console/organisations/{id}/proofing" RecordProofing proofings::keep_record;
    get  "/console/organisations/{id}/proofing/{person}" ViewRegistry proofings::download_statement;
    get  "/console/grants/{id}" ViewRegistry delegation::show_grant;
    get  "/console/grants/{id}/text" ViewRegistry delegation::download_text;
    post "/console/grants/{id}/signature" ManageGrants delegation::sign_by_certificate;
    post "/console/grants/{id}/paper" RecordProofing delegation::sign_on_paper;
    post "/console/grants/{id}/passkey/start" Confirm delegation::start_passkey;
    post "/console/grants/{id}/passkey/finish" Confirm delegation::finish_passkey;
    post "/console/grants/{id}/confirmation" Confirm delegation::confirm;
    post "/console/grants/{id}/end" ManageGrants delegation::end;
    get  "/console/organisations/{id}/branches/new" RecordBranch recording::new_branch;
    post "/console/organisations/{id}/branches/new" RecordBranch recording::record_branch;
    get  "/console/organisations/{id}/branches/import" RecordBranch recording::new_branches;
    post "/console/organisations/{id}/branches/import" RecordBranch recording::record_branches;
    get  "/console/organisations/{id}/branches/{branch}" ViewRegistry branches::show_branch;
    get  "/console/certificates" ViewRegistry certificates::list_certificates;
    get  "/console/certificates/{serial}" ViewRegistry certificates::show_certificate;
    get  "/console/certificates/{serial}/revoke" Revoke revoke::show_form;
    post "/console/certificates/{serial}/revoke" Revoke revoke::show_consequence;
    post "/console/certificates/{serial}/revocation" Revoke revoke::revoke_certificate;
    get  "/console/certificates/{serial}/revoked" ViewRegistry revoke::show_result;
    get  "/console/certificates/{serial}/revoked/progress" ViewRegistry revoke::show_progress;
    get  "/console/certificates/{serial}/suspend" Revoke life::show_suspend;
    post "/console/certificates/{serial}/suspend" Revoke life::suspend;
    get  "/console/certificates/{serial}/release" Revoke life::show_release;
    post "/console/certificates/{serial}/release" Revoke life::release;
    get  "/console/certificates/{serial}/extend" DecideEvidence life::show_extend;
    post "/console/certificates/{serial}/extend" DecideEvidence life::extend;
    get  "/console/certificates/{serial}/{file}" ViewRegistry certificates::download;
    get  "/console/revocation" ViewRegistry revocation::show_revocation;
    post "/console/revocation/issue" PublishStatus revocation::issue_now;
    get  "/console/revocation/bulk" Revoke revocation::show_form;
    post "/console/revocation/bulk" Revoke revocation::show_consequence;
    post "/console/revocation/bulk/ask" Revoke revocation::ask;
    get  "/console/revocation/bulk/{id}" ViewRegistry revocation::show_bulk;
    post "/console/revocation/bulk/{id}" Revoke revocation::decide;
    get  "/console/jobs" ViewRegistry tasks::list_tasks;
    get  "/console/jobs/{id}" ViewRegistry tasks::show_task;
    get  "/console/jobs/{id}/progress" ViewRegistry tasks::show_progress;
    get  "/console/applications" ViewRegistry applications::list_applications;
    get  "/console/applications/new" Apply applying::show_form;
    post "/console/applications/new" Apply applying::apply;
    get  "/console/applications/{id}" ViewRegistry applications::show_application;
    post "/console/applications/{id}/challenge" Apply applications::request_challenge;
    post "/console/applications/{id}/proof" Apply applications::prove_possession;
    post "/console/applications/{id}/issue" Issue applications::issue_certificate;
    post "/console/applications/{id}/decision" Issue decisions::decide;
    post "/console/applications/{id}/confirmation" Confirm decisions::confirm;
    post "/console/applications/{id}/rejection" Issue decisions::reject;
    post "/console/applications/{id}/withdrawal" Apply decisions::withdraw;
    post "/console/applications/{id}/resumption" Apply decisions::resume;
    get  "/console/approvals" OwnAccount approvals::list_requests;
    get  "/console/approvals/{id}" OwnAccount approvals::show_request;
    post "/console/approvals/{id}" OwnAccount approvals::decide;
    get  "/console/authorities" ViewRegistry authorities::list_authorities;
    get  "/console/authorities/emergency" OperateAuthority emergency::show_plan;
    post "/console/authorities/emergency/rehearse" OperateAuthority emergency::rehearse;
    post "/console/authorities/emergency/declare" OperateAuthority emergency::declare;
    get  "/console/authorities/{code}" ViewRegistry authorities::show_authority;
    get  "/console/keys" ViewRegistry keys::list_keys;
    get  "/console/keys/destruction" ViewRegistry destruction::list_open;
    get  "/console/keys/destruction/{id}" ViewRegistry destruction::show_evidence;
    post "/console/keys/destruction/{id}" DecideEvidence destruction::decide;
    get  "/console/keys/{id}" ViewRegistry keys::show_key;
    get  "/console/keys/{id}/evidence" ManageKeys destruction::show_form;
    post "/console/keys/{id}/evidence" ManageKeys destruction::hand_in;
    get  "/console/keys/{id}/{act}" ManageKeys life::show_key_act;
    post "/console/keys/{id}/{act}" ManageKeys life::perform_key_act;
    get  "/console/incidents" ViewRegistry incidents::list_incidents;
    get  "/console/incidents/{id}" ViewRegistry incidents::show_incident;
    post "/console/incidents/{id}" DecideEvidence incidents::decide;
    get  "/console/policies" ViewRegistry policies::show_policies;
    get  "/console/policies/draft" DraftPolicy drafts::show_form;
    post "/console/policies/draft" DraftPolicy drafts::hand_in;
    get  "/console/policies/drafts/{digest}" ViewRegistry drafts::show_draft;
    post "/console/policies/drafts/{digest}" ApprovePolicy drafts::decide;
    get  "/console/policies/test" ViewRegistry bench::show_form;
    post "/console/policies/test" ViewRegistry bench::try_out;
    get  "/console/vendor-roots" ViewRegistry vendor_roots::list_roots;
    get  "/console/vendor-roots/{code}" ViewRegistry vendor_roots::show_root;
    post "/console/vendor-roots/{code}" DraftPolicy vendor_roots::decide;
    get  "/console/proposals" ViewRegistry proposals::list_proposals;
    get  "/console/proposals/{proposal}" ViewRegistry proposals::show_proposal;
    post "/console/proposals/{proposal}" ApprovePolicy proposals::decide;
    get  "/console/authorities/{code}/{act}" OperateAuthority acts::show_consequence;
    post "/console/authorities/{code}/{act}" OperateAuthority acts::perform;
    get  "/console/ceremonies" ViewAudit ceremonies::list_ceremonies;
    get  "/console/ceremonies/new" OperateAuthority ceremonies::show_new;
    post "/console/ceremonies/new" OperateAuthority ceremonies::write_file;
    post "/console/ceremonies/check" OperateAuthority ceremonies::check_file;
    post "/console/ceremonies/import" OperateAuthority ceremonies::import_bundle;
    get  "/console/ceremonies/{id}" ViewAudit ceremonies::show_ceremony;
    get  "/console/ceremonies/{id}/{file}" ViewAudit ceremonies::download;
    get  "/console/lists" ViewRegistry lists::show_list;
    get  "/console/lists/delivery" ViewRegistry list_delivery::show_delivery;
    get  "/console/lists/others" ViewRegistry list_sources::show_sources;
    post "/console/lists/others" OperateAuthority list_sources::add_source;
    post "/console/lists/others/look" PublishList list_sources::look_now;
    get  "/console/lists/others/{list}" ViewRegistry list_sources::show_source;
    post "/console/lists/others/{list}" OperateAuthority list_sources::decide;
    post "/console/lists/publish" PublishList lists::publish_list;
    post "/console/lists/signers" PublishList lists::hand_over;
    post "/console/lists/drafts" PublishList lists::open;
    post "/console/lists/proposals/{code}" PublishList lists::propose;
    get  "/console/lists/drafts/{draft}" ViewRegistry list_drafts::show_draft;
    post "/console/lists/drafts/{draft}" PublishList list_drafts::decide;
    post "/console/lists/drafts/{draft}/submission" PublishList list_drafts::submit;
    post "/console/lists/drafts/{draft}/abandonment" PublishList list_drafts::abandon;
    post "/console/lists/drafts/{draft}/closing" PublishList list_parts::close_list;
    get  "/console/lists/drafts/{draft}/preview" ViewRegistry list_preview::show_preview;
    get  "/console/lists/drafts/{draft}/preview.xml" ViewRegistry list_preview::load_preview;
    get  "/console/lists/drafts/{draft}/{part}" PublishList list_parts::show_part;
    post "/console/lists/drafts/{draft}/{part}" PublishList list_parts::save_part;
    post "/console/lists/drafts/{draft}/{part}/removal" PublishList list_parts::remove_part;
    post "/console/lists/drafts/{draft}/{part}/status" PublishList list_parts::set_status;
    get  "/console/audit" ViewAudit audit::list_records;
    post "/console/audit/verify" ViewAudit audit::verify_chain;
    get  "/console/audit/{seq}" ViewAudit audit::show_record;
    get  "/console/people" ManageAccounts people::list_people;
    post "/console/people" ManageAccounts people::issue_enrolment;
    get  "/console/people/{id}" ManageAccounts accounts::show_account;
    post "/console/people/{id}" ManageAccounts accounts::change_account;
    post "/console/me/language" OwnAccount accounts::set_language;
    get  "/console/me" OwnAccount me::show_me;
    post "/console/me/sessions/{id}/end" OwnAccount me::end_session;
    post "/console/me/certificates" OwnAccount me::bind_certificate;
    post "/console/me/certificates/{fingerprint}/end" OwnAccount me::end_certificate;
    post "/console/me/passkey/start" OwnAccount me::start_passkey;
    post "/console/me/passkey/finish" OwnAccount me::finish_passkey;
    post "/console/sign-out" OwnAccount me::sign_out;
    get  "/console/confirm" OwnAccount confirm::show_form;
    post "/console/confirm" OwnAccount confirm::confirm_with_a_code;
    post "/console/confirm/passkey/start" OwnAccount confirm::start_passkey;
    post "/console/confirm/passkey/finish" OwnAccount confirm::finish_passkey;
    get  "/console/sign-in" Open sign_in::show_form;
    post "/console/sign-in" Open sign_in::sign_in;
    post "/console/sign-in/passkey/start" Open sign_in::start_passkey;
    post "/console/sign-in/passkey/finish" Open sign_in::finish_passkey;
    get  "/console/enrol/{secret}" Open enrol::show_form;
    post "/console/enrol/{secret}" Open enrol::enrol_with_password;
    post "/console/enrol/{secret}/passkey/start" Open enrol::start_passkey;
    post "/console/enrol/{secret}/passkey/finish" Open enrol::finish_passkey;
    get  "/console/language/{language}" Open switch_language;
}

/// The path inside the scope.
fn below(path: &'static str) -> &'static str {
    path.strip_prefix("/console").unwrap_or(path)
}

/// Mounts the console: everything under `/console`, the assets of its pages, and a front door.
pub fn configure(config: &mut ServiceConfig) {
    config
        .route("/", web::get().to(front_door))
        .service(
            web::scope("/assets")
                .wrap(from_fn(answer_problems))
                .wrap(from_fn(security_headers))
                .route("/{name}", web::get().to(serve_asset)),
        )
        .service(
            web::scope("/console")
                .app_data(PayloadConfig::new(MAX_BODY_OCTETS))
                .wrap(from_fn(answer_problems))
                .wrap(from_fn(security_headers))
                .configure(mount)
                .default_service(web::to(nothing_here)),
        );
}

async fn front_door() -> impl Responder {
    web::Redirect::to("/console").see_other()
}

async fn nothing_here() -> Result<HttpResponse, Problem> {
    Err(Problem::not_found())
}

/// A path as it may stand in a log: the secret of a one-time link is left out.
pub fn loggable_path(path: &str) -> Cow<'_, str> {
    const LINKS: &str = "/console/enrol/";
    match path.strip_prefix(LINKS) {
        None => Cow::Borrowed(path),
        Some(rest) => {
            let tail = rest.split_once('/').map_or("", |(_, tail)| tail);
            Cow::Owned(format!("{LINKS}…/{tail}").trim_end_matches('/').to_owned())
        }
    }
}

#[cfg(test)]
mod tests;
