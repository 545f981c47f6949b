//! The HTTP API, `/api/v1`: a thin layer over the use cases that the console calls, with the same
//! permits. Systems come with a token of a service account, people with their session.
//!
//! [`OPERATIONS`] says for every address what it needs, takes and gives; [`configure`] mounts from
//! the same table, [`document`] describes it as OpenAPI 3.1 under `/api/openapi.json`, and tests
//! knock at every door and run every example. What is not in the table does not exist.

pub mod answer;
pub mod applications;
pub mod approvals;
pub mod batches;
pub mod certificates;
pub mod document;
pub mod door;
pub mod grants;
pub mod life;
pub mod lists;
pub mod offices;
pub mod once;
pub mod platform;
pub mod registry;
pub mod services;

use actix_web::HttpResponse;
use actix_web::middleware::from_fn;
use actix_web::web::{self, PayloadConfig, ServiceConfig};
use tenkoku_domain::access::Permission;

use self::document::{Parameter, Shape};
use crate::problem::{Problem, answer_problems};
use crate::public::headers::security_headers;

/// Where every address of the API begins.
pub const BASE: &str = "/api/v1";

/// Who may perform an operation, beside holding the permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// A system with its token, or a person with a session.
    Anybody,
    /// A person whose second factor was shown within the last five minutes (DOMAIN 17).
    Person,
}

/// An operation of the API.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// `get` or `post`.
    pub method: &'static str,
    /// The path below [`BASE`], with its parameters in braces.
    pub path: &'static str,
    /// The permission it needs.
    pub permission: Permission,
    /// Who may perform it.
    pub who: Who,
    /// Its name: that of the handler.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub summary: &'static str,
    /// What may stand in the query.
    pub query: &'static [Parameter],
    /// What is sent; `None` where nothing is.
    pub body: Option<Shape>,
    /// The status of success, and what is given.
    pub answer: (u16, Shape),
}

/// Octets of a document that is sent to the API.
const MAX_BODY_OCTETS: usize = 8 * 1024 * 1024;

macro_rules! operations {
    (@body none) => { None };
    (@body $body:ty) => { Some(Shape::of::<$body>()) };
    ($($method:ident $path:literal $permission:ident $who:ident $module:ident :: $handler:ident
        $summary:literal [$($query:ident)*] ($($body:tt)*) -> $status:literal $answer:ty;)*) => {
        /// Every operation of the API.
        pub const OPERATIONS: &[Operation] = &[$(Operation {
            method: stringify!($method),
            path: $path,
            permission: Permission::$permission,
            who: Who::$who,
            name: stringify!($handler),
            summary: $summary,
            query: &[$(document::$query),*],
            body: operations!(@body $($body)*),
            answer: ($status, Shape::of::<$answer>()),
        },)*];

        fn mount(config: &mut ServiceConfig) {
            config$(.route($path, web::$method().to($module::$handler)))*;
        }
    };
}

operations! {
    get "/me" ViewRegistry Anybody registry::show_caller
        "Who calls, and what may be done" [] (none) -> 200 registry::CallerJson;
    get "/organisations" ViewRegistry Anybody registry::list_organisations
        "Organisations, by identifier of the record" [SEARCH AFTER LIMIT] (none)
        -> 200 answer::Paged<registry::OrganisationJson>;
    post "/organisations" RecordOrganisation Anybody registry::record_organisation
        "Record an organisation with its head office" [] (registry::NewOrganisationJson)
        -> 201 registry::OrganisationJson;
    get "/organisations/{organisation}" ViewRegistry Anybody registry::show_organisation
        "An organisation" [] (none) -> 200 registry::OrganisationJson;
    get "/organisations/{organisation}/branches" ViewRegistry Anybody registry::list_branches
        "The branch offices of an organisation" [SEARCH AFTER LIMIT] (none)
        -> 200 answer::Paged<registry::BranchJson>;
    post "/organisations/{organisation}/branches" RecordBranch Anybody registry::record_branch
        "Record a branch office" [] (registry::NewBranchJson) -> 201 registry::BranchJson;
    post "/organisations/{organisation}/branch-lists" RecordBranch Anybody registry::record_branches
        "Record many branch offices as a whole" [] (registry::NewBranchesJson)
        -> 201 registry::RecordedJson;
    get "/branches/{branch}" ViewRegistry Anybody registry::show_branch
        "A branch office" [] (none) -> 200 registry::BranchJson;
    post "/branches/{branch}/moves" RecordBranch Anybody registry::move_branch
        "Pause, reopen, close or finish a branch office" [] (registry::BranchMoveJson)
        -> 200 registry::BranchJson;
    get "/organisations/{organisation}/persons" ViewRegistry Anybody grants::list_persons
        "The representatives and delegates of an organisation" [] (none)
        -> 200 grants::PersonsJson;
    post "/organisations/{organisation}/representatives" RecordProofing Anybody
        offices::record_representative
        "Record a representative on evidence" [] (offices::NewRepresentativeJson)
        -> 201 grants::OfficeJson;
    post "/representatives/{representative}/end" RecordProofing Person offices::end_representative
        "A representative leaves; the grants wait for a successor" [] (none)
        -> 200 grants::OfficeJson;
    post "/organisations/{organisation}/delegates" ManageGrants Anybody offices::add_delegate
        "Name a person who may be given a grant" [] (offices::NewDelegateJson)
        -> 201 grants::OfficeJson;
    post "/delegates/{delegate}/end" ManageGrants Person offices::end_delegate
        "A delegate leaves; the person's grants end" [] (none)
        -> 200 answer::Paged<grants::GrantJson>;
    get "/organisations/{organisation}/proofings" ViewRegistry Anybody offices::list_proofings
        "How identities of an organisation were checked" [] (none)
        -> 200 answer::Paged<offices::ProofingJson>;
    post "/organisations/{organisation}/proofings" RecordProofing Anybody offices::record_proofing
        "Record a check; applications that waited for it go on" [] (offices::NewProofingJson)
        -> 201 offices::ProofingJson;
    get "/organisations/{organisation}/grants" ViewRegistry Anybody grants::list_grants
        "The grants of an organisation" [] (none) -> 200 answer::Paged<grants::GrantJson>;
    post "/organisations/{organisation}/grants" ManageGrants Anybody grants::draft_grant
        "Draft a grant, which the representative then signs" [] (grants::NewGrantJson)
        -> 201 grants::GrantJson;
    get "/grants/{grant}" ViewRegistry Anybody grants::show_grant
        "A grant with the document that is signed" [] (none) -> 200 grants::GrantJson;
    post "/grants/{grant}/signature" ManageGrants Anybody grants::sign_grant
        "Hand in the representative's signature with a certificate" [] (offices::SignedJson)
        -> 200 grants::GrantJson;
    post "/grants/{grant}/paper" RecordProofing Anybody grants::hand_in_paper
        "Hand in a signed paper with the record of the call back" [] (grants::PaperJson)
        -> 200 grants::GrantJson;
    post "/grants/{grant}/confirmation" Confirm Person grants::confirm_grant
        "A new representative keeps the grant of the former" [] (none) -> 200 grants::GrantJson;
    post "/grants/{grant}/end" ManageGrants Person grants::end_grant
        "End a grant and what was given on from it" [] (none) -> 200 answer::Paged<grants::GrantJson>;
    get "/applications" ViewRegistry Anybody applications::list_applications
        "Applications, newest first" [STATE ORGANISATION BRANCH AFTER LIMIT] (none)
        -> 200 answer::Paged<applications::ApplicationJson>;
    post "/applications" Apply Anybody applications::apply
        "Apply for a certificate" [] (applications::NewApplicationJson)
        -> 201 applications::ApplicationJson;
    get "/applications/{application}" ViewRegistry Anybody applications::show_application
        "An application with what it waits for" [] (none) -> 200 applications::ApplicationJson;
    post "/applications/{application}/challenge" Apply Anybody applications::request_challenge
        "Get a fresh challenge for the key" [] (none) -> 200 applications::ChallengeJson;
    post "/applications/{application}/proof" Apply Anybody applications::prove_possession
        "Show possession of the key" [] (applications::ProofJson)
        -> 200 applications::ApplicationJson;
    post "/applications/{application}/decision" Issue Person applications::decide
        "An officer's approval or rejection of what was shown" [] (applications::RulingJson)
        -> 200 applications::ApplicationJson;
    post "/applications/{application}/confirmation" Confirm Person applications::confirm
        "The organisation's own word about what was shown" [] (applications::RulingJson)
        -> 200 applications::ApplicationJson;
    post "/applications/{application}/rejection" Issue Person applications::reject
        "An officer ends an application that can never be proofed" [] (applications::ReasonJson)
        -> 200 applications::ApplicationJson;
    post "/applications/{application}/withdrawal" Apply Anybody applications::withdraw
        "Take an application back" [] (none) -> 200 applications::ApplicationJson;
    post "/applications/{application}/resumption" Apply Anybody applications::resume
        "Submit an application anew" [] (none) -> 200 applications::ApplicationJson;
    post "/applications/{application}/certificate" Issue Person applications::issue_certificate
        "Issue the certificate of an application that is ready" [] (none)
        -> 201 certificates::CertificateJson;
    get "/organisations/{organisation}/batches" ViewRegistry Anybody batches::list_batches
        "Lists that were applied for as a whole, newest first" [] (none)
        -> 200 answer::Paged<batches::BatchJson>;
    post "/organisations/{organisation}/batches" Apply Anybody batches::load_batch
        "Check a list of branch offices as a whole and ask for its approval" []
        (batches::NewBatchJson) -> 201 batches::BatchJson;
    get "/batches/{batch}" ViewRegistry Anybody batches::show_batch
        "A list and how far it is" [] (none) -> 200 batches::BatchJson;
    get "/batches/{batch}/rows" ViewRegistry Anybody batches::list_batch_rows
        "The rows of a list, each with the challenge for its key" [AFTER LIMIT] (none)
        -> 200 answer::Paged<batches::BatchRowJson>;
    post "/batches/{batch}/proofs" Apply Anybody batches::hand_in_proofs
        "Hand in requests that show possession of the keys" [] (batches::BatchProofsJson)
        -> 200 batches::BatchJson;
    post "/batches/{batch}/moves" Apply Anybody batches::turn_batch
        "Pause, resume or cancel a list" [] (batches::BatchMoveJson) -> 200 batches::BatchJson;
    post "/batches/{batch}/retries" Apply Anybody batches::retry_row
        "Try a row again that was refused" [] (batches::RowChoiceJson) -> 200 batches::BatchJson;
    get "/certificates" ViewRegistry Anybody certificates::list_certificates
        "Certificates, newest first" [SEARCH CERTIFICATE_STATE ORGANISATION BRANCH AFTER LIMIT] (none)
        -> 200 answer::Paged<certificates::CertificateJson>;
    get "/certificates/{serial}" ViewRegistry Anybody certificates::show_certificate
        "A certificate" [AUTHORITY] (none) -> 200 certificates::CertificateJson;
    post "/certificates/{serial}/revocation" Revoke Anybody certificates::revoke_certificate
        "Revoke a certificate for ever" [AUTHORITY] (certificates::RevocationJson)
        -> 200 certificates::CertificateJson;
    post "/certificates/{serial}/suspension" Revoke Anybody certificates::suspend_certificate
        "Put a certificate on hold" [AUTHORITY] (certificates::SuspensionJson)
        -> 200 certificates::CertificateJson;
    post "/certificates/{serial}/release" Revoke Person certificates::release_certificate
        "Lift a hold, or ask officers to approve that it is lifted" [AUTHORITY]
        (certificates::CommentJson) -> 200 certificates::ReleaseJson;
    post "/certificates/{serial}/extension" DecideEvidence Person life::extend_hold
        "Ask for the one extension of a hold, or grant it as a second officer" [AUTHORITY]
        (certificates::CommentJson) -> 200 life::HoldJson;
    post "/status-lists" PublishStatus Anybody life::issue_status_list
        "Have the revocation lists of an authority made anew" [] (life::NewStatusListJson)
        -> 202 life::QueuedJson;
    get "/bulk-revocations" ViewRegistry Anybody life::list_bulks
        "Revocations of many certificates, newest first" [] (none)
        -> 200 answer::Paged<life::BulkJson>;
    post "/bulk-revocations" Revoke Person life::ask_bulk
        "Ask for the revocation of many certificates" [] (life::NewBulkJson) -> 201 life::BulkJson;
    post "/bulk-revocations/preview" Revoke Anybody life::preview_bulk
        "How many certificates would be revoked" [] (life::NewBulkJson) -> 200 life::PreviewJson;
    get "/bulk-revocations/{bulk}" ViewRegistry Anybody life::show_bulk
        "A revocation of many and how far it is" [] (none) -> 200 life::BulkJson;
    post "/bulk-revocations/{bulk}/moves" Revoke Person life::move_bulk
        "Approve, reject, cancel, pause or resume it" [] (life::BulkMoveJson) -> 200 life::BulkJson;
    get "/containers" ViewRegistry Anybody life::list_containers
        "Where keys live" [] (none) -> 200 answer::Paged<life::ContainerJson>;
    get "/containers/{container}" ViewRegistry Anybody life::show_container
        "A container" [] (none) -> 200 life::ContainerJson;
    post "/organisations/{organisation}/containers" ManageKeys Anybody life::register_container
        "Register a container" [] (life::NewContainerJson) -> 201 life::ContainerJson;
    post "/containers/{container}/verification" ManageKeys Anybody life::verify_container
        "Show what a container is" [] (life::ContainerEvidenceJson) -> 200 life::ContainerJson;
    post "/containers/{container}/moves" ManageKeys Anybody life::move_container
        "Quarantine, release or retire a container" [] (life::ContainerMoveJson)
        -> 200 life::ContainerJson;
    post "/containers/{container}/custodian" ManageKeys Anybody life::change_custodian
        "Name who answers for a container" [] (registry::CustodianJson) -> 200 life::ContainerJson;
    post "/containers/{container}/disposal" ManageKeys Anybody life::dispose_container
        "Record that a retired container is gone" [] (life::ContainerEvidenceJson)
        -> 200 life::ContainerJson;
    post "/keys/{key}/successor" Apply Anybody life::order_successor
        "Order the successor of a key" [] (none) -> 201 applications::ApplicationJson;
    post "/keys/{key}/retirement" ManageKeys Person life::retire_key
        "End sealing with a key before its time" [] (none) -> 200 certificates::CertificateJson;
    post "/keys/{key}/loss" ManageKeys Person life::report_loss
        "Report that the container of a key is gone" [] (certificates::CommentJson)
        -> 200 certificates::CertificateJson;
    post "/keys/{key}/evidence" ManageKeys Anybody life::hand_in_evidence
        "Hand in evidence that a key is destroyed" [] (life::PackageJson) -> 201 life::EvidenceJson;
    get "/destruction-evidence" ViewRegistry Anybody life::list_evidence
        "Evidence that waits for a decision" [] (none) -> 200 answer::Paged<life::EvidenceJson>;
    post "/destruction-evidence/{evidence}/decision" DecideEvidence Person life::decide_evidence
        "Accept or refuse evidence" [] (life::EvidenceDecisionJson) -> 200 life::EvidenceJson;
    get "/incidents" ViewRegistry Anybody life::list_incidents
        "Keys in two hands, and exposed ones" [AFTER LIMIT] (none)
        -> 200 answer::Paged<life::IncidentJson>;
    get "/incidents/{incident}" ViewRegistry Anybody life::show_incident
        "An incident" [] (none) -> 200 life::IncidentJson;
    post "/incidents/{incident}/decision" DecideEvidence Person life::decide_incident
        "Decide an incident" [] (life::IncidentEndJson) -> 200 life::IncidentJson;
    get "/approvals" OwnAccount Anybody approvals::list_approvals
        "What waits for this person's approval" [] (none)
        -> 200 answer::Paged<approvals::ApprovalRequestJson>;
    get "/approvals/{approval}" OwnAccount Anybody approvals::show_approval
        "A request with the document that is decided on" [] (none)
        -> 200 approvals::ApprovalRequestJson;
    post "/approvals/{approval}/decision" OwnAccount Person approvals::decide_approval
        "Approve or reject what was shown" [] (approvals::VerdictJson)
        -> 200 approvals::ApprovalRequestJson;
    get "/policy-drafts" ViewRegistry Anybody approvals::list_policy_drafts
        "Versions of the key-management policy" [] (none)
        -> 200 answer::Paged<approvals::PolicyDraftJson>;
    post "/policy-drafts" DraftPolicy Person approvals::draft_policy
        "Hand in a version of the policy" [] (approvals::NewPolicyDraftJson)
        -> 201 approvals::PolicyDraftJson;
    get "/policy-drafts/{digest}" ViewRegistry Anybody approvals::show_policy_draft
        "A version of the policy" [] (none) -> 200 approvals::PolicyDraftJson;
    post "/policy-drafts/{digest}/decision" ApprovePolicy Person approvals::decide_policy
        "Approve or reject a version of the policy" [] (approvals::VerdictJson)
        -> 200 approvals::PolicyDraftJson;
    get "/proposals" ViewRegistry Anybody approvals::list_proposals
        "Acts of officers that wait for others, and former ones" [AFTER LIMIT] (none)
        -> 200 answer::Paged<approvals::ProposalJson>;
    get "/proposals/{proposal}" ViewRegistry Anybody approvals::show_proposal
        "A proposed act" [] (none) -> 200 approvals::ProposalJson;
    post "/proposals/{proposal}/decision" ApprovePolicy Person approvals::decide_proposal
        "Agree to a proposed act, or reject it" [] (approvals::VerdictJson)
        -> 200 approvals::ProposalJson;
    get "/vendor-roots" ViewRegistry Anybody approvals::list_vendor_roots
        "Roots of makers of key devices" [] (none) -> 200 answer::Paged<approvals::VendorRootJson>;
    post "/vendor-roots/{root}/decision" DraftPolicy Person approvals::decide_vendor_root
        "Agree to a change of a maker's root, or reject it" [] (approvals::VerdictJson)
        -> 200 approvals::VendorRootJson;
    get "/keys/{key}" ViewRegistry Anybody certificates::show_key
        "The key of a seal" [] (none) -> 200 certificates::KeyJson;
    get "/authorities" ViewRegistry Anybody platform::list_authorities
        "The authorities" [] (none) -> 200 answer::Paged<platform::AuthorityJson>;
    get "/authorities/{authority}" ViewRegistry Anybody platform::show_authority
        "An authority" [] (none) -> 200 platform::AuthorityJson;
    get "/lists" ViewRegistry Anybody platform::list_lists
        "The trusted lists that were published, newest first" [] (none)
        -> 200 answer::Paged<platform::ListJson>;
    post "/lists" PublishList Person lists::publish_list
        "Publish the platform's own list anew" [] (none) -> 201 platform::ListJson;
    post "/lists/{scheme}/signers" PublishList Person lists::hand_list_over
        "The second signer of a list takes over from the first" [] (none) -> 200 platform::ListJson;
    get "/list-drafts" ViewRegistry Anybody lists::list_list_drafts
        "Drafts of lists, newest first" [AFTER LIMIT] (none)
        -> 200 answer::Paged<lists::ListDraftJson>;
    post "/list-drafts" PublishList Anybody lists::open_list_draft
        "Open a draft: a copy of the live list, or a whole list as a file" []
        (lists::NewListDraftJson) -> 201 lists::ListDraftJson;
    get "/list-drafts/{draft}" ViewRegistry Anybody lists::show_list_draft
        "A draft with the list as it would be" [] (none) -> 200 lists::ListDraftJson;
    post "/list-drafts/authorities/{authority}" PublishList Anybody lists::propose_authority
        "Propose what is due of an authority" [] (none) -> 200 lists::ListDraftJson;
    post "/list-drafts/{draft}/submission" PublishList Anybody lists::submit_list_draft
        "Ask others to agree to a draft" [] (lists::ShownJson) -> 200 lists::ListDraftJson;
    post "/list-drafts/{draft}/decision" PublishList Person lists::decide_list_draft
        "Agree to a draft, or reject it; the last agreement publishes it" []
        (approvals::VerdictJson) -> 200 lists::ListDraftJson;
    post "/list-drafts/{draft}/abandonment" PublishList Anybody lists::abandon_list_draft
        "Give a draft up" [] (none) -> 200 lists::ListDraftJson;
    get "/jobs" ViewRegistry Anybody platform::list_jobs
        "Long work, newest first" [] (none) -> 200 answer::Paged<platform::JobJson>;
    get "/jobs/{job}" ViewRegistry Anybody platform::show_job
        "Long work and how far it is" [] (none) -> 200 platform::JobJson;
    get "/audit" ViewAudit Anybody platform::list_records
        "Audit records, newest first" [AFTER LIMIT] (none) -> 200 answer::Paged<platform::RecordJson>;
    get "/audit/{seq}" ViewAudit Anybody platform::show_record
        "An audit record with its place in the chain" [] (none) -> 200 platform::RecordJson;
    get "/accounts" ManageAccounts Anybody platform::list_accounts
        "The accounts and their roles" [] (none) -> 200 answer::Paged<platform::AccountJson>;
    get "/organisations/{organisation}/service-accounts" ManageServiceAccounts Anybody
        services::list_service_accounts
        "The service accounts of an organisation" [] (none)
        -> 200 answer::Paged<services::ServiceAccountJson>;
    post "/organisations/{organisation}/service-accounts" ManageServiceAccounts Person
        services::create_service_account
        "Make a service account" [] (services::NewServiceAccountJson)
        -> 201 services::ServiceAccountJson;
    get "/service-accounts/{account}" ManageServiceAccounts Anybody services::show_service_account
        "A service account with its tokens" [] (none) -> 200 services::ServiceAccountJson;
    post "/service-accounts/{account}/tokens" ManageServiceAccounts Person services::issue_token
        "Give a token, or take the key that signs tokens" [] (services::NewTokenJson)
        -> 201 services::FreshTokenJson;
    post "/service-accounts/{account}/end" ManageServiceAccounts Person
        services::end_service_account
        "End a service account with every token" [] (none) -> 200 services::ServiceAccountJson;
    post "/tokens/{token}/end" ManageServiceAccounts Person services::end_token
        "End a token at once" [] (none) -> 200 services::TokenJson;
}

/// Mounts the API.
pub fn configure(config: &mut ServiceConfig) {
    config
        // The door reads bodies before a scope's own settings are there.
        .app_data(PayloadConfig::new(MAX_BODY_OCTETS))
        .service(
            web::scope(BASE)
                .wrap(from_fn(door::admit))
                .wrap(from_fn(answer_problems))
                .wrap(from_fn(security_headers))
                .configure(mount)
                .default_service(web::to(nothing_here)),
        )
        .service(
            web::scope("/api")
                .wrap(from_fn(answer_problems))
                .wrap(from_fn(security_headers))
                .route("/openapi.json", web::get().to(document::show_document))
                .default_service(web::to(nothing_here)),
        );
}

async fn nothing_here() -> Result<HttpResponse, Problem> {
    Err(Problem::not_found())
}

#[cfg(test)]
mod tests;
