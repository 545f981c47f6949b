//! Tests of the API over a real installation: every door × nobody, stranger, wrong and right role;
//! tokens; requests that are done once; tags; and every example of the document.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::App;
use actix_web::http::header::HeaderMap;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::web::Data;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};
use serde_json::{Value, json};
use tenkoku_ca::service_account::{
    ProofOrder, ServiceAccountOrder, TokenOrder, create_service_account, end_service_account,
    end_token, issue_token,
};
use tenkoku_domain::access::{Permission, Role, Scope};
use tenkoku_domain::account::Account;
use tenkoku_domain::branch::Branch;
use tenkoku_domain::certificate::Certificate;
use tenkoku_domain::key::KeyAlgorithm;
use tenkoku_domain::level::Level;
use tenkoku_domain::organisation::Organisation;
use tenkoku_domain::policy::Installation;
use tenkoku_domain::refusal::RefusalCode;
use tenkoku_domain::service_account::ServiceToken;
use tenkoku_testkit::fixtures::ApplicantKey;
use tenkoku_testkit::world::{OURS, THEIRS, World};
use url::Url;

use super::document::{document, placeholders};
use super::{BASE, OPERATIONS, Operation, Who};
use crate::layout::Site;
use crate::session::cookie::NAME;
use crate::session::open::Opened;
use crate::session::secret::Secret;
use crate::session::sign_in::PASSWORD_AND_CODE;
use crate::session::throttle::Source;
use crate::session::{Callers, Console, ConsoleSettings};

const ADDRESS: &str = "http://localhost:8081";

/// An answer as a client sees it.
#[derive(Debug)]
struct Seen {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Seen {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e} in {self:?}"))
    }

    fn header(&self, name: &str) -> String {
        self.headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    }

    #[track_caller]
    fn check(&self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert!(self.text.contains(&format!("\"code\":\"{code}\"")), "{code} {self:?}");
        assert!(self.header("content-type").starts_with("application/problem+json"), "{self:?}");
        for part in ["title", "detail", "why", "remedy", "instance", "type"] {
            assert!(!self.json()[part].as_str().unwrap_or_default().is_empty(), "{part} {self:?}");
        }
    }
}

/// Somebody or something that calls.
#[derive(Clone, Default)]
struct Client {
    bearer: Option<String>,
    cookie: Option<String>,
    csrf: String,
}

impl Client {
    fn bearing(bearer: &str) -> Self {
        Self { bearer: Some(bearer.to_owned()), ..Self::default() }
    }
}

struct House<'a> {
    world: &'a World,
    console: Data<Console>,
}

impl<'a> House<'a> {
    fn of(world: &'a World) -> Self {
        let console = Console::open(ConsoleSettings {
            address: Url::parse(ADDRESS).unwrap(),
            secret_key: [9; 32],
            callers: Callers::Direct,
            tls: None,
        });
        Self { world, console: Data::new(console.unwrap()) }
    }

    /// A person with a session whose second factor is fresh.
    fn person(&self, roles: &[Role], scope: &Scope) -> Client {
        let world = self.world;
        let account = world.somebody("見本 恵", roles, scope).account;
        let opened = Opened::new(&world.env, &account.id, PASSWORD_AND_CODE, world.now());
        let origin = world.shell().origin();
        world.write(|tx| opened.record(tx, &origin)).unwrap();
        Client {
            cookie: Some(opened.secret.expose().to_owned()),
            csrf: opened.session.csrf,
            bearer: None,
        }
    }

    fn send(&self, client: &Client, request: TestRequest) -> Seen {
        let (env, console) = (self.world.env.clone(), self.console.clone());
        let mut request = request
            .peer_addr("192.0.2.7:40000".parse().unwrap())
            .insert_header(("host", "localhost:8081"));
        if let Some(bearer) = &client.bearer {
            request = request.insert_header(("authorization", format!("Bearer {bearer}")));
        }
        if let Some(cookie) = &client.cookie {
            request = request
                .cookie(actix_web::cookie::Cookie::new(NAME, cookie.clone()))
                .insert_header(("x-csrf-token", client.csrf.clone()));
        }
        let site = Site {
            installation: Installation::Evaluation,
            address: "http://127.0.0.1:8080".to_owned(),
            ..Site::default()
        };
        actix_web::rt::System::new().block_on(async {
            let app = App::new()
                .app_data(Data::new(env))
                .app_data(console)
                .app_data(Data::new(site))
                .configure(super::configure);
            let answer = call_service(&init_service(app).await, request.to_request()).await;
            Seen {
                status: answer.status().as_u16(),
                headers: answer.headers().clone(),
                text: String::from_utf8_lossy(&read_body(answer).await).into_owned(),
            }
        })
    }

    fn get(&self, client: &Client, path: &str) -> Seen {
        self.send(client, TestRequest::get().uri(&format!("{BASE}{path}")))
    }

    fn post(&self, client: &Client, path: &str, body: &Value) -> Seen {
        self.send(client, TestRequest::post().uri(&format!("{BASE}{path}")).set_json(body))
    }

    /// A service account of an organisation.
    fn system(&self, organisation: &Organisation, login: &str) -> Account {
        let order = ServiceAccountOrder {
            organisation: organisation.id.clone(),
            branch: None,
            login: login.to_owned(),
            name: format!("System {login}"),
        };
        let world = self.world;
        create_service_account(&world.env, &world.permit(), &order).expect("a service account")
    }

    fn order(account: &Account, permissions: &[Permission], proof: ProofOrder) -> TokenOrder {
        TokenOrder {
            account: account.id.clone(),
            label: "test".to_owned(),
            permissions: permissions.iter().copied().collect(),
            days: 30,
            proof,
        }
    }

    /// A secret with everything that a service account may.
    fn secret(&self, account: &Account) -> (Client, ServiceToken) {
        self.confined(account, Role::ServiceAccount.permissions())
    }

    fn confined(&self, account: &Account, permissions: &[Permission]) -> (Client, ServiceToken) {
        let world = self.world;
        let secret = Secret::for_api(&*world.env.entropy);
        let order = Self::order(account, permissions, ProofOrder::Secret(secret.digest()));
        let token = issue_token(&world.env, &world.permit(), &order).expect("a token");
        (Client::bearing(secret.expose()), token)
    }
}

/// A path with its parameters filled in by what is there, else by what is not.
fn filled(operation: &Operation, there: &BTreeMap<&str, String>) -> String {
    placeholders(operation.path).fold(operation.path.to_owned(), |path, name| {
        let value = there.get(name).cloned().unwrap_or_else(|| missing(name).to_owned());
        path.replace(&format!("{{{name}}}"), &value)
    })
}

fn missing(name: &str) -> &'static str {
    match name {
        "organisation" => "org_00000000000000000000000000",
        "branch" => "brn_00000000000000000000000000",
        "grant" => "grt_00000000000000000000000000",
        "application" => "app_00000000000000000000000000",
        "serial" => "7F00A1B2C3D4E5F6",
        "key" => "key_00000000000000000000000000",
        "authority" => "no-such-g1",
        "job" => "job_00000000000000000000000000",
        "seq" => "999999",
        "account" => "usr_00000000000000000000000000",
        "token" => "tok_00000000000000000000000000",
        "batch" => "bat_00000000000000000000000000",
        "representative" => "rep_00000000000000000000000000",
        "delegate" => "dlg_00000000000000000000000000",
        "approval" => "apr_00000000000000000000000000",
        "proposal" => "prp_00000000000000000000000000",
        "incident" => "inc_00000000000000000000000000",
        "container" => "ctr_00000000000000000000000000",
        "evidence" => "evd_00000000000000000000000000",
        "bulk" => "blk_00000000000000000000000000",
        "draft" => "tld_00000000000000000000000000",
        "digest" => "0000000000000000000000000000000000000000000000000000000000000000",
        "root" => "no-such-root",
        "scheme" => "no-such-scheme",
        other => panic!("nothing is known about {{{other}}}"),
    }
}

/// The example of an operation's document; an empty one where it takes none.
fn example(operation: &Operation) -> Value {
    let document = document();
    let Some(body) = &operation.body else { return json!({}) };
    let schema = &document["components"]["schemas"][body.name()];
    let example = schema.get("example").or_else(|| schema["examples"].get(0));
    example.unwrap_or_else(|| panic!("{} has no example: {schema}", operation.name)).clone()
}

fn knock(house: &House<'_>, client: &Client, operation: &Operation, path: &str) -> Seen {
    match operation.method {
        "get" => house.get(client, path),
        _ => house.post(client, path, &example(operation)),
    }
}

fn without(permission: Permission) -> Vec<Role> {
    let lacking = |role: &&Role| !role.permissions().contains(&permission);
    Role::ALL.iter().filter(lacking).copied().collect()
}

fn with(permission: Permission) -> Role {
    *Role::ALL.iter().find(|role| role.permissions().contains(&permission)).unwrap()
}

#[test]
fn ab_9_every_operation_asks_for_its_permission() {
    World::on_each_database(|world| {
        let house = House::of(world);
        for operation in OPERATIONS {
            let path = filled(operation, &BTreeMap::new());
            let nobody = Client::default();
            knock(&house, &nobody, operation, &path).check(401, "token-refused");
            let guess = Client::bearing("tenkoku_0000000000000000000000000000000000000000000");
            knock(&house, &guess, operation, &path).check(401, "token-refused");

            let wrong = house.person(&without(operation.permission), &Scope::Platform);
            let (refused, records) = world.told(|| knock(&house, &wrong, operation, &path));
            refused.check(403, "not-authorised");
            let told: Vec<_> = records.iter().map(|one| one["code"].as_str().unwrap()).collect();
            assert_eq!(told, ["access.denied"], "{operation:?}");

            let right = house.person(&[with(operation.permission)], &Scope::Platform);
            let answer = knock(&house, &right, operation, &path);
            let denied = answer.status == 403 && answer.text.contains("not-authorised");
            assert!(!denied && answer.status < 500, "{operation:?}: {answer:?}");

            let stale = Client { csrf: "0".repeat(43), ..right };
            if operation.method == "post" {
                knock(&house, &stale, operation, &path).check(403, "form-expired");
            }
        }
    });
}

#[test]
fn ab_9_what_a_stranger_may_not_see_is_not_found() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let branch = world.osaka();
        let certificate = world.seal(&branch, Level::One);
        let applied = world.open(&branch, Level::One, None).unwrap();
        let ours = world.read(|tx| tx.load_organisation(&Scope::Platform, &branch.organisation));
        let system = house.system(&ours, "ours");
        let (_, token) = house.secret(&system);
        let there = things(&branch, &certificate, &applied.application.id, &system, &token);
        let theirs = world.organisation(THEIRS);
        let scope = Scope::organisation(theirs.id.clone());
        let stranger = house.person(&[Role::OrganisationAdministrator], &scope);
        let (machine, _) = house.secret(&house.system(&theirs, "theirs"));
        let position = world.position();
        for operation in OPERATIONS.iter().filter(|one| one.path.contains('{')) {
            let path = filled(operation, &there);
            let permissions = Role::OrganisationAdministrator.permissions();
            if permissions.contains(&operation.permission) {
                let answer = knock(&house, &stranger, operation, &path);
                answer.check(404, "not-found");
            }
            if Role::ServiceAccount.permissions().contains(&operation.permission) {
                let answer = knock(&house, &machine, operation, &path);
                // What only a person does is refused to a token, whatever there is.
                if operation.who == Who::Person {
                    answer.check(403, "person-needed");
                } else {
                    answer.check(404, "not-found");
                }
            }
        }
        assert_eq!(world.position(), position, "a stranger left something behind");
        for path in ["/authorities", "/lists", "/jobs"] {
            house.get(&machine, path).check(404, "not-found");
        }
        assert!(!house.get(&machine, "/organisations").text.contains(OURS[0]));
        assert_eq!(house.get(&machine, "/certificates").json()["items"], json!([]));
        assert_eq!(house.get(&machine, "/applications").json()["items"], json!([]));
    });
}

fn things<'a>(
    branch: &Branch,
    certificate: &Certificate,
    application: &tenkoku_domain::id::ApplicationId,
    system: &Account,
    token: &ServiceToken,
) -> BTreeMap<&'a str, String> {
    BTreeMap::from([
        ("organisation", branch.organisation.to_string()),
        ("branch", branch.id.to_string()),
        ("application", application.to_string()),
        ("serial", certificate.serial.to_string()),
        ("key", certificate.key.to_string()),
        ("account", system.id.to_string()),
        ("token", token.id.to_string()),
    ])
}

#[test]
fn dom_17_what_a_person_must_decide_refuses_a_token_and_a_stale_second_factor() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let organisation = world.organisation(OURS);
        let (machine, _) = house.secret(&house.system(&organisation, "ours"));
        let people: Vec<_> = OPERATIONS.iter().filter(|one| one.who == Who::Person).collect();
        assert!(people.len() >= 8, "{people:?}");
        let clients: Vec<_> = people
            .iter()
            .map(|one| house.person(&[with(one.permission)], &Scope::Platform))
            .collect();
        world.clock.advance_seconds(301);
        for (operation, client) in people.iter().zip(&clients) {
            let path = filled(operation, &BTreeMap::new());
            knock(&house, client, operation, &path).check(403, "step-up-needed");
            let answer = knock(&house, &machine, operation, &path);
            assert_eq!(answer.status, 403, "{operation:?} {answer:?}");
        }
    });
}

fn signed(pair: &KeyPair, algorithm: Algorithm, kid: &str, claims: &Value) -> String {
    let pem = pair.serialize_pem();
    let key = if algorithm == Algorithm::EdDSA {
        EncodingKey::from_ed_pem(pem.as_bytes())
    } else {
        EncodingKey::from_ec_pem(pem.as_bytes())
    };
    let head = Header { kid: Some(kid.to_owned()), ..Header::new(algorithm) };
    jsonwebtoken::encode(&head, claims, &key.unwrap()).unwrap()
}

#[test]
fn a_system_signs_its_tokens_with_its_own_key() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let system = house.system(&world.organisation(OURS), "ours");
        let kinds =
            [(&PKCS_ED25519, Algorithm::EdDSA), (&PKCS_ECDSA_P256_SHA256, Algorithm::ES256)];
        for (kind, algorithm) in kinds {
            let pair = KeyPair::generate_for(kind).unwrap();
            let key = ProofOrder::Key(pair.public_key_pem().into_bytes());
            let order = House::order(&system, &[Permission::ViewRegistry], key);
            let token = issue_token(&world.env, &world.permit(), &order).unwrap();
            let again = issue_token(&world.env, &world.permit(), &order).unwrap_err();
            let tenkoku_ca::act::ActError::Refused(refusal) = again else { panic!("{again}") };
            assert_eq!(refusal.code, RefusalCode::KeyDuplicate, "I-2");
            let now = world.now().seconds();
            let claims = json!({
                "iss": token.id, "sub": system.id, "aud": ADDRESS, "iat": now, "exp": now + 60,
            });
            let check = |claims: &Value, by: &KeyPair, kid: &str, expected: u16| {
                let bearer = signed(by, algorithm, kid, claims);
                let seen = house.get(&Client::bearing(&bearer), "/me");
                assert_eq!(seen.status, expected, "{claims} {seen:?}");
                seen
            };
            let me = check(&claims, &pair, token.id.as_str(), 200).json();
            assert_eq!(me["authenticator"], "signed-token");
            assert_eq!(me["permissions"], json!(["view-registry"]));
            for (name, value) in [
                ("iss", json!("tok_00000000000000000000000000")),
                ("sub", json!("usr_00000000000000000000000000")),
                ("aud", json!("https://elsewhere.example")),
                ("exp", json!(now + 301)),
                ("exp", json!(now - 31)),
                ("iat", json!(now + 59)),
            ] {
                let mut other = claims.clone();
                other[name] = value;
                check(&other, &pair, token.id.as_str(), 401);
            }
            for name in ["iss", "sub", "aud", "iat", "exp"] {
                let mut less = claims.clone();
                less.as_object_mut().unwrap().remove(name);
                check(&less, &pair, token.id.as_str(), 401);
            }
            let other = KeyPair::generate_for(kind).unwrap();
            check(&claims, &other, token.id.as_str(), 401);
            check(&claims, &pair, "tok_00000000000000000000000000", 401);
            // The public key as a shared secret: the oldest trick.
            let head = Header { kid: Some(token.id.to_string()), ..Header::new(Algorithm::HS256) };
            let pem = pair.public_key_pem();
            let key = EncodingKey::from_secret(pem.as_bytes()).unwrap();
            let forged = jsonwebtoken::encode(&head, &claims, &key).unwrap();
            house.get(&Client::bearing(&forged), "/me").check(401, "token-refused");
            let unsigned = forged.rsplit_once('.').unwrap().0;
            house.get(&Client::bearing(unsigned), "/me").check(401, "token-refused");
            end_token(&world.env, &world.permit(), &token.id).unwrap();
            check(&claims, &pair, token.id.as_str(), 401);
        }
        let wrong = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
        let key = ProofOrder::Key(wrong.public_key_pem().into_bytes());
        let order = House::order(&system, &[Permission::ViewRegistry], key);
        assert!(issue_token(&world.env, &world.permit(), &order).is_err(), "P-384");
    });
}

#[test]
fn a_secret_is_confined_shown_once_and_over_when_it_is_ended() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let branch = world.osaka();
        let scope = Scope::organisation(branch.organisation.clone());
        let administrator = house.person(&[Role::OrganisationAdministrator], &scope);
        let path = format!("/organisations/{}/service-accounts", branch.organisation);
        let body = json!({ "login": "core", "name": "Core" });
        let made = house.post(&administrator, &path, &body);
        assert_eq!(made.status, 201, "{made:?}");
        let system = made.json()["id"].as_str().unwrap().to_owned();
        let tokens = format!("/service-accounts/{system}/tokens");
        let body = json!({ "label": "read", "permissions": ["view-registry"], "days": 7 });
        let send = |key: &str| {
            let request = TestRequest::post().uri(&format!("{BASE}{tokens}")).set_json(&body);
            house.send(&administrator, request.insert_header(("idempotency-key", key)))
        };
        let given = send("k-1");
        assert_eq!(given.status, 201, "{given:?}");
        send("k-1").check(409, "request-repeated");
        let secret = given.json()["secret"].as_str().unwrap().to_owned();
        let token = given.json()["token"]["id"].as_str().unwrap().to_owned();
        let machine = Client::bearing(&secret);
        assert_eq!(house.get(&machine, &format!("/branches/{}", branch.id)).status, 200);
        let apply = json!({ "branch": branch.id, "level": 1 });
        house.post(&machine, "/applications", &apply).check(403, "not-authorised");
        let listed = house.get(&administrator, &path);
        assert_eq!(listed.json()["items"][0]["tokens"][0]["id"], json!(token));
        assert!(!listed.text.contains(&secret), "the secret is shown once");
        for wrong in [
            json!({ "label": "x", "permissions": ["issue"], "days": 7 }),
            json!({ "label": "x", "permissions": [], "days": 7 }),
            json!({ "label": "x", "permissions": ["apply"], "days": 366 }),
            json!({ "label": "x", "permissions": ["apply"], "days": 0 }),
        ] {
            let refused = house.post(&administrator, &tokens, &wrong);
            assert!((400..500).contains(&refused.status), "{wrong} {refused:?}");
        }
        let ended = house.post(&administrator, &format!("/tokens/{token}/end"), &json!({}));
        assert_eq!(ended.status, 200, "{ended:?}");
        house.get(&machine, "/me").check(401, "token-refused");
        let account = world.read(|tx| tx.find_account_by_login("core")).unwrap();
        let (machine, _) = house.secret(&account);
        assert_eq!(house.get(&machine, "/me").status, 200);
        world.clock.advance_seconds(31 * 86_400);
        house.get(&machine, "/me").check(401, "token-refused");
        let (machine, _) = house.secret(&account);
        end_service_account(&world.env, &world.permit(), &account.id).unwrap();
        house.get(&machine, "/me").check(401, "token-refused");
    });
}

#[test]
fn a_request_with_a_key_is_done_once() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let branch = world.osaka();
        let ours = world.read(|tx| tx.load_organisation(&Scope::Platform, &branch.organisation));
        let (machine, _) = house.secret(&house.system(&ours, "ours"));
        let send = |key: &str, level: u8| {
            let body = json!({ "branch": branch.id, "level": level });
            let request = TestRequest::post().uri(&format!("{BASE}/applications"));
            house.send(&machine, request.set_json(body).insert_header(("idempotency-key", key)))
        };
        let first = send("k-1", 1);
        assert_eq!(first.status, 201, "{first:?}");
        let position = world.position();
        let again = send("k-1", 1);
        assert_eq!((again.status, &again.text), (201, &first.text));
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(world.position(), position, "nothing was done twice");
        send("k-1", 2).check(422, "idempotency-mismatch");
        let other = send("k-2", 1);
        assert_ne!(other.json()["id"], first.json()["id"]);
        send("k 3", 1).check(400, "request-malformed");
        // What was refused changed nothing, so that the key is free.
        let refused = send("k-4", 9);
        refused.check(400, "request-malformed");
        assert_eq!(send("k-4", 1).status, 201);
    });
}

#[test]
fn lists_come_in_pages_and_things_with_their_tag() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let branch = world.osaka();
        let ours = world.read(|tx| tx.load_organisation(&Scope::Platform, &branch.organisation));
        let (machine, _) = house.secret(&house.system(&ours, "ours"));
        let mut ids = BTreeSet::new();
        for _ in 0..5 {
            let applied = world.open(&branch, Level::One, None).unwrap();
            ids.insert(applied.application.id.to_string());
            world.clock.advance_seconds(1);
        }
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let page = house.get(&machine, &format!("/applications?limit=2{after}")).json();
            let items = page["items"].as_array().unwrap();
            seen.extend(items.iter().map(|one| one["id"].as_str().unwrap().to_owned()));
            let Some(next) = page["next"].as_str() else { break };
            assert!(!ids.iter().any(|id| next.contains(id)), "the cursor is opaque");
            after = format!("&after={next}");
        }
        assert_eq!(seen.len(), 5);
        assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), ids);
        for wrong in ["limit=0", "limit=101", "limit=x", "after=%C3%BC", "state=none"] {
            let refused = house.get(&machine, &format!("/applications?{wrong}"));
            refused.check(400, "request-malformed");
        }
        let id = ids.first().unwrap();
        let one = house.get(&machine, &format!("/applications/{id}"));
        let tag = one.header("etag");
        let uri = format!("{BASE}/applications/{id}");
        let asked = TestRequest::get().uri(&uri).insert_header(("if-none-match", tag.clone()));
        let same = house.send(&machine, asked);
        assert_eq!((same.status, same.text.as_str()), (304, ""));
        let end = |tag: &str| {
            let uri = format!("{uri}/withdrawal");
            let request = TestRequest::post().uri(&uri).insert_header(("if-match", tag.to_owned()));
            house.send(&machine, request)
        };
        end("\"0000\"").check(412, "precondition-failed");
        assert_eq!(end(&tag).json()["state"], "withdrawn");
        end(&tag).check(412, "precondition-failed");
    });
}

#[test]
fn a_bank_s_system_gets_a_certificate_and_ends_it() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let branch = world.osaka();
        let ours = world.read(|tx| tx.load_organisation(&Scope::Platform, &branch.organisation));
        let (machine, _) = house.secret(&house.system(&ours, "ours"));
        let apply = json!({ "branch": branch.id, "level": 1, "validity_days": 90 });
        let applied = house.post(&machine, "/applications", &apply).json();
        let challenge = applied["challenge"]["text"].as_str().unwrap();
        let key = ApplicantKey::make(KeyAlgorithm::P256);
        let request = tenkoku_pki::pem::encode("CERTIFICATE REQUEST", &key.proof(challenge));
        let path = format!("/applications/{}", applied["id"].as_str().unwrap());
        let proof = json!({ "request": request });
        let ready = house.post(&machine, &format!("{path}/proof"), &proof);
        assert_eq!(ready.json()["state"], "ready", "{ready:?}");
        house
            .post(&machine, &format!("{path}/certificate"), &json!({}))
            .check(403, "not-authorised");
        let officer = house.person(&[Role::RegistrationOfficer], &Scope::Platform);
        let issued = house.post(&officer, &format!("{path}/certificate"), &json!({}));
        assert_eq!(issued.status, 201, "{issued:?}");
        let location = issued.header("location");
        let mine = house.send(&machine, TestRequest::get().uri(&location));
        assert_eq!(mine.json()["pem"], issued.json()["pem"]);
        assert_eq!(mine.json()["state"], "active");
        let serial = mine.json()["serial"].as_str().unwrap().to_owned();
        let key = house.get(&machine, &format!("/keys/{}", mine.json()["key"].as_str().unwrap()));
        assert_eq!(key.json()["certificates"], json!([serial]));
        let cause = json!({ "cause": "replaced" });
        let path = format!("/certificates/{serial}/revocation");
        let (revoked, records) = world.told(|| house.post(&machine, &path, &cause));
        assert_eq!(revoked.json()["state"], "revoked", "{revoked:?}");
        assert_eq!(records[0]["actor"]["authenticator"], "api-token");
        house.post(&machine, &path, &cause).check(409, "revocation-final");
    });
}

#[test]
fn refusals_come_in_the_language_of_the_reader() {
    World::on_each_database(|world| {
        let house = House::of(world);
        for (language, word) in
            [("ja", "トークン"), ("en", "token"), ("ja-JP;q=0.9, en;q=0.1", "トークン")]
        {
            let uri = format!("{BASE}/me");
            let request = TestRequest::get().uri(&uri).insert_header(("accept-language", language));
            let seen = house.send(&Client::default(), request);
            assert!(seen.json()["title"].as_str().unwrap().contains(word), "{language} {seen:?}");
            assert_eq!(seen.header("content-language"), &language[..2]);
        }
    });
}

#[test]
fn the_document_names_every_operation_and_every_schema_once() {
    let document = document();
    let mut names = BTreeSet::new();
    for operation in OPERATIONS {
        let path = format!("{BASE}{}", operation.path);
        let described = &document["paths"][&path][operation.method];
        assert_eq!(described["operationId"], operation.name);
        assert!(names.insert(operation.name), "{} stands twice", operation.name);
    }
    let text = document.to_string();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for reference in text.split("\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(schemas.contains_key(name), "no schema {name}");
    }
    assert!(schemas.len() > 20, "{:?}", schemas.keys());
}

/// Every example is sent to a real installation, its made-up identifiers replaced by those of things
/// that are there, and does what the document says.
#[test]
fn every_example_of_the_document_does_what_it_says() {
    World::on_each_database(|world| {
        let house = House::of(world);
        for operation in OPERATIONS.iter().filter(|one| one.method == "post") {
            if AFTER_SOMETHING.contains(&operation.name) {
                // They rest on what somebody did before; the stories do it.
                continue;
            }
            let stage = Stage::set(world, &house, operation);
            let path = filled(operation, &stage.there);
            let mut body = example(operation).to_string();
            for (made_up, real) in &stage.real {
                body = body.replace(made_up, real);
            }
            let body: Value = serde_json::from_str(&body).unwrap();
            let seen = house.post(&stage.client, &path, &body);
            assert_eq!(seen.status, operation.answer.0, "{} {body} {seen:?}", operation.name);
        }
    });
}

/// Operations that decide on, or go on from, what somebody else did.
const AFTER_SOMETHING: [&str; 23] = [
    "decide",
    "confirm",
    "reject",
    "prove_possession",
    "retry_row",
    "sign_grant",
    "confirm_grant",
    "dispose_container",
    "hand_in_evidence",
    "decide_evidence",
    "decide_incident",
    "decide_approval",
    "draft_policy",
    "decide_policy",
    "decide_proposal",
    "decide_vendor_root",
    "submit_list_draft",
    "decide_list_draft",
    "abandon_list_draft",
    "propose_authority",
    "hand_list_over",
    "move_bulk",
    "issue_status_list",
];

/// What the console does by which operations of the API.
const ALSO: &[(&str, &[&str])] = &[
    ("/console/organisations/new", &["record_organisation"]),
    (
        "/console/organisations/{id}/services",
        &["create_service_account", "issue_token", "end_token", "end_service_account"],
    ),
    ("/console/organisations/{id}/batches", &["load_batch"]),
    ("/console/batches/{id}", &["turn_batch", "retry_row"]),
    ("/console/batches/{id}/proofs", &["hand_in_proofs"]),
    ("/console/organisations/{id}/delegation/new", &["draft_grant"]),
    ("/console/organisations/{id}/delegates/new", &["add_delegate"]),
    ("/console/organisations/{id}/representatives/new", &["record_representative"]),
    ("/console/representatives/{id}/end", &["end_representative"]),
    ("/console/delegates/{id}/end", &["end_delegate"]),
    ("/console/organisations/{id}/proofing", &["record_proofing"]),
    ("/console/grants/{id}/signature", &["sign_grant"]),
    ("/console/grants/{id}/paper", &["hand_in_paper"]),
    ("/console/grants/{id}/confirmation", &["confirm_grant"]),
    ("/console/grants/{id}/end", &["end_grant"]),
    ("/console/organisations/{id}/branches/new", &["record_branch"]),
    ("/console/organisations/{id}/branches/import", &["record_branches"]),
    ("/console/certificates/{serial}/revocation", &["revoke_certificate"]),
    ("/console/certificates/{serial}/suspend", &["suspend_certificate"]),
    ("/console/certificates/{serial}/release", &["release_certificate"]),
    ("/console/certificates/{serial}/extend", &["extend_hold"]),
    ("/console/revocation/issue", &["issue_status_list"]),
    ("/console/revocation/bulk", &["preview_bulk"]),
    ("/console/revocation/bulk/ask", &["ask_bulk"]),
    ("/console/revocation/bulk/{id}", &["move_bulk"]),
    ("/console/applications/new", &["apply"]),
    ("/console/applications/{id}/challenge", &["request_challenge"]),
    ("/console/applications/{id}/proof", &["prove_possession"]),
    ("/console/applications/{id}/issue", &["issue_certificate"]),
    ("/console/applications/{id}/decision", &["decide"]),
    ("/console/applications/{id}/confirmation", &["confirm"]),
    ("/console/applications/{id}/rejection", &["reject"]),
    ("/console/applications/{id}/withdrawal", &["withdraw"]),
    ("/console/applications/{id}/resumption", &["resume"]),
    ("/console/approvals/{id}", &["decide_approval"]),
    ("/console/keys/destruction/{id}", &["decide_evidence"]),
    ("/console/keys/{id}/evidence", &["hand_in_evidence"]),
    (
        "/console/keys/{id}/{act}",
        &["order_successor", "suspend_certificate", "retire_key", "report_loss"],
    ),
    ("/console/incidents/{id}", &["decide_incident"]),
    ("/console/policies/draft", &["draft_policy"]),
    ("/console/policies/drafts/{digest}", &["decide_policy"]),
    ("/console/vendor-roots/{code}", &["decide_vendor_root"]),
    ("/console/proposals/{proposal}", &["decide_proposal"]),
    ("/console/lists/publish", &["publish_list"]),
    ("/console/lists/signers", &["hand_list_over"]),
    ("/console/lists/drafts", &["open_list_draft"]),
    ("/console/lists/proposals/{code}", &["propose_authority"]),
    ("/console/lists/drafts/{draft}", &["decide_list_draft"]),
    ("/console/lists/drafts/{draft}/submission", &["submit_list_draft"]),
    ("/console/lists/drafts/{draft}/abandonment", &["abandon_list_draft"]),
];

const OF_PERSONS: &str = "between an administrator and a person, each at a browser";
const OF_A_BROWSER: &str = "a session of a browser, which the API takes as it is";
const OF_A_CONNECTION: &str = "a person's certificate is bound in the connection that shows it";
const OF_JOURNALS: &str = "whose list is believed is decided by a person who read its journal";
const OF_PASSKEYS: &str = "a passkey signs in a browser, for the console's address only";
const OF_CEREMONIES: &str = "an authority's key moves at a ceremony with people present";
const OF_PARTS: &str = "one part of a form; a list of any content comes whole as a file";
const SHOWS_ONLY: &str = "it shows what follows and changes nothing";

/// What is done at the console alone, and why.
const ALONE: &[(&str, &str)] = &[
    ("/console/grants/{id}/passkey/start", OF_PASSKEYS),
    ("/console/grants/{id}/passkey/finish", OF_PASSKEYS),
    ("/console/certificates/{serial}/revoke", SHOWS_ONLY),
    ("/console/policies/test", SHOWS_ONLY),
    ("/console/authorities/emergency/rehearse", OF_CEREMONIES),
    ("/console/authorities/emergency/declare", OF_CEREMONIES),
    ("/console/authorities/{code}/{act}", OF_CEREMONIES),
    ("/console/ceremonies/new", OF_CEREMONIES),
    ("/console/ceremonies/check", OF_CEREMONIES),
    ("/console/ceremonies/import", OF_CEREMONIES),
    ("/console/lists/drafts/{draft}/closing", OF_PARTS),
    ("/console/lists/drafts/{draft}/{part}", OF_PARTS),
    ("/console/lists/drafts/{draft}/{part}/removal", OF_PARTS),
    ("/console/lists/drafts/{draft}/{part}/status", OF_PARTS),
    ("/console/lists/others", OF_JOURNALS),
    ("/console/lists/others/look", OF_JOURNALS),
    ("/console/lists/others/{list}", OF_JOURNALS),
    ("/console/audit/verify", "the console keeps when it looked; anybody verifies an export"),
    ("/console/people", OF_PERSONS),
    ("/console/people/{id}", OF_PERSONS),
    ("/console/me/language", OF_A_BROWSER),
    ("/console/me/sessions/{id}/end", OF_A_BROWSER),
    ("/console/me/certificates", OF_A_CONNECTION),
    ("/console/me/certificates/{fingerprint}/end", OF_A_CONNECTION),
    ("/console/me/passkey/start", OF_PASSKEYS),
    ("/console/me/passkey/finish", OF_PASSKEYS),
    ("/console/sign-out", OF_A_BROWSER),
    ("/console/confirm", OF_A_BROWSER),
    ("/console/confirm/passkey/start", OF_PASSKEYS),
    ("/console/confirm/passkey/finish", OF_PASSKEYS),
    ("/console/sign-in", OF_A_BROWSER),
    ("/console/sign-in/passkey/start", OF_PASSKEYS),
    ("/console/sign-in/passkey/finish", OF_PASSKEYS),
    ("/console/enrol/{secret}", OF_A_BROWSER),
    ("/console/enrol/{secret}/passkey/start", OF_PASSKEYS),
    ("/console/enrol/{secret}/passkey/finish", OF_PASSKEYS),
];

#[test]
fn every_act_of_the_console_has_its_operation_or_a_reason() {
    let acts: BTreeSet<_> = crate::admin::ROUTES
        .iter()
        .filter(|route| route.method == "post")
        .map(|route| route.path)
        .collect();
    let also: BTreeSet<_> = ALSO.iter().map(|(path, _)| *path).collect();
    let alone: BTreeSet<_> = ALONE.iter().map(|(path, _)| *path).collect();
    assert_eq!(also.intersection(&alone).collect::<Vec<_>>(), Vec::<&&str>::new());
    assert_eq!(also.union(&alone).copied().collect::<BTreeSet<_>>(), acts);
    let posts = || OPERATIONS.iter().filter(|one| one.method == "post").map(|one| one.name);
    for name in ALSO.iter().flat_map(|(_, names)| *names) {
        assert!(posts().any(|one| one == *name), "{name} is no operation");
    }
}

#[test]
fn an_address_and_a_token_send_so_much_in_a_minute_and_no_more() {
    World::on_each_database(|world| {
        let house = House::of(world);
        let organisation = world.organisation(OURS);
        let (machine, token) = house.secret(&house.system(&organisation, "ours"));
        let (other, _) = house.secret(&house.system(&organisation, "other"));
        assert_eq!(house.get(&machine, "/me").status, 200);
        let now = world.now();
        let name = token.id.to_string();
        while house.console.api_callers.admit(&name, now).is_ok() {}
        world.clock.advance_seconds(20);
        let limited = house.get(&machine, "/me");
        limited.check(429, "rate-limited");
        assert_eq!(limited.header("retry-after"), "40");
        assert_eq!(house.get(&other, "/me").status, 200, "another token has its own count");
        world.clock.advance_seconds(40);
        assert_eq!(house.get(&machine, "/me").status, 200, "a new minute");
        let source = Source::of(Some("192.0.2.7".parse().unwrap()));
        while house.console.api_sources.admit(&source, world.now()).is_ok() {}
        for client in [&machine, &Client::default(), &Client::bearing("nonsense")] {
            house.get(client, "/me").check(429, "rate-limited");
        }
    });
}

/// What an example needs to find.
struct Stage {
    client: Client,
    there: BTreeMap<&'static str, String>,
    real: Vec<(&'static str, String)>,
}

impl Stage {
    fn set(world: &World, house: &House<'_>, operation: &Operation) -> Self {
        let ours = world.read(|tx| tx.find_organisation_by_identifier(&Scope::Platform, OURS[0]));
        let ours = ours.unwrap_or_else(|| world.organisation(OURS));
        let code = format!("BR-{}", 100 + world.position());
        let name = format!("{code}支店");
        let branch = if operation.name == "draft_grant" {
            world.branch(&ours, ["BR-0002", "大阪支店", "Osaka Branch"])
        } else {
            world.branch(&ours, [&code, &name, &code])
        };
        let certificate = world.seal(&branch, Level::One);
        let applied = if operation.name == "issue_certificate" {
            let key = ApplicantKey::make(KeyAlgorithm::P256);
            world.apply(&branch, Level::One, &key).expect("an application").id
        } else {
            world.open(&branch, Level::One, None).expect("an application").application.id
        };
        if matches!(operation.name, "release_certificate" | "extend_hold") {
            let order = tenkoku_ca::suspend::SuspendOrder {
                authority: certificate.authority.clone(),
                serial: certificate.serial.clone(),
                because: tenkoku_domain::suspension::HoldCause::UnclearFacts,
                comment: String::new(),
            };
            tenkoku_ca::suspend::suspend_certificate(&world.env, &world.permit(), &order).unwrap();
        }
        let system = house.system(&ours, &code.to_lowercase());
        let (_, token) = house.secret(&system);
        let mut there = things(&branch, &certificate, &applied, &system, &token);
        let mut real = vec![("brn_00000000000000000000000001", branch.id.to_string())];
        if matches!(operation.name, "hand_in_proofs" | "turn_batch") {
            let order = tenkoku_ca::batch::BatchOrder {
                organisation: ours.id.clone(),
                level: Level::One,
                validity_days: None,
                grant: None,
                list: b"branch\nHQ\n".to_vec(),
                faulty: tenkoku_ca::batch::Faulty::Refuse,
            };
            let loaded = tenkoku_ca::batch::load_batch(&world.env, &world.permit(), &order);
            there.insert("batch", loaded.expect("a batch").batch.id.to_string());
        }
        real.push(("org_00000000000000000000000001", ours.id.to_string()));
        there.insert("authority", "seal-l1-g1".to_owned());
        there.insert("scheme", world.env.settings.scheme.code.clone());
        if matches!(operation.name, "end_representative" | "end_delegate") {
            let (_, office) = world.representative(&ours, &format!("代表 {code}"));
            there.insert("representative", office.id.to_string());
            world.delegate(&ours, &format!("受任 {code}"));
            let delegates = world.read(|tx| tx.list_delegates(&Scope::Platform, &ours.id));
            let last = delegates.iter().max_by_key(|one| one.id.clone()).unwrap();
            there.insert("delegate", last.id.to_string());
        }
        if operation.path.starts_with("/containers/") {
            let order = tenkoku_ca::container::ContainerOrder {
                organisation: ours.id.clone(),
                branch: None,
                kind: tenkoku_domain::container::ContainerKind::Token,
                model: "SampleToken 5".to_owned(),
                serial: code.clone(),
                firmware: String::new(),
                certification: String::new(),
                partition: String::new(),
                custodian: ("見本 太郎".to_owned(), "taro@sample.example".to_owned()),
                location: "金庫".to_owned(),
                inventory: Vec::new(),
            };
            let container =
                tenkoku_ca::container::register_container(&world.env, &world.permit(), &order);
            there.insert("container", container.unwrap().id.to_string());
        }
        if operation.name == "order_successor" {
            // A certificate on hold opens the rotation at once.
            let order = tenkoku_ca::suspend::SuspendOrder {
                authority: certificate.authority.clone(),
                serial: certificate.serial.clone(),
                because: tenkoku_domain::suspension::HoldCause::EmergencyRotation,
                comment: String::new(),
            };
            tenkoku_ca::suspend::suspend_certificate(&world.env, &world.permit(), &order).unwrap();
        }
        if matches!(operation.name, "draft_grant" | "end_grant" | "hand_in_paper") {
            let (_, office) = world.representative(&ours, &format!("代表 {code}"));
            let delegate = world.delegate(&ours, &format!("受任 {code}"));
            real.push(("rep_00000000000000000000000001", office.id.to_string()));
            real.push(("usr_00000000000000000000000001", delegate.account.id.to_string()));
            let order = tenkoku_ca::grant::GrantOrder {
                organisation: ours.id.clone(),
                representative: office.id,
                part: world.wide_part(&delegate),
            };
            let grant = tenkoku_ca::grant::draft_grant(&world.env, &world.permit(), &order);
            there.insert("grant", grant.unwrap().terms.id.to_string());
        }
        let client = house.person(&[with(operation.permission)], &Scope::Platform);
        Self { client, there, real }
    }
}
