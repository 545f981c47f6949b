//! Accounts, factors, one-time links and sessions.

use tenkoku_domain::account::{Account, Factors, Passkey, Session};
use tenkoku_domain::audit::{AccessEvent, Event};
use tenkoku_domain::id::UserId;
use tenkoku_domain::service_account::{ServiceToken, TokenProof};

use super::harness::at_once;
use super::samples::{self as s, NOW};
use super::{World, both};
use crate::{KnownAnswer, KnownRequest, StoreError};

both! {
    accounts_read_back_with_their_roles
    factors_read_back
    a_certificate_is_of_one_account_for_ever
    no_failure_is_lost_in_parallel
    a_code_is_used_once
    a_code_is_used_once_in_parallel
    sessions_read_back_until_they_end
    a_token_reads_back_until_it_ends
    a_request_is_begun_once_in_parallel
    an_answer_is_kept_for_a_day
}

fn with_account(world: &World) -> Account {
    let account = s::account(1);
    world.record(&[Event::AccountCreated { account: account.clone() }]).unwrap();
    account
}

fn accounts_read_back_with_their_roles(world: World) {
    let mut account = with_account(&world);
    assert_eq!(world.read(|tx| tx.load_account(&account.id)), account);
    world.record(&[Event::RoleGranted { user: account.id.clone(), grant: s::grant() }]).unwrap();
    account.roles.push(s::grant());
    let found = world.read(|tx| tx.find_account_by_login("sample.1"));
    assert_eq!(found.as_ref(), Some(&account));
    assert_eq!(world.read(|tx| tx.find_account_by_login("Sample.1")), None);
    world.record(&[Event::AccountCreated { account: s::account(0) }]).unwrap();
    assert_eq!(world.read(|tx| tx.list_accounts()), [s::account(0), account]);
    let twin = Account { id: s::user_id(9), ..s::account(1) };
    let again = world.record(&[Event::AccountCreated { account: twin }]);
    assert!(matches!(again, Err(StoreError::Conflict { what: "account login" })), "{again:?}");
    let missing = world.store.read(|tx| tx.load_account(&s::user_id(9)));
    assert!(matches!(missing, Err(StoreError::NotFound { what: "account" })), "{missing:?}");
}

fn factors_read_back(world: World) {
    let id = with_account(&world).id;
    assert_eq!(world.read(|tx| tx.load_factors(&id)), Factors::default());
    let passkey = |number: i64| Passkey {
        credential: format!("credential-{number}"),
        label: "鍵".to_owned(),
        record: "{}".to_owned(),
        created_at: NOW.plus_seconds(number),
    };
    let full = Factors {
        password: Some("$argon2id$sample".to_owned()),
        totp: Some(vec![1, 2, 3]),
        totp_step: 59_845_700,
        passkeys: vec![passkey(1), passkey(2)],
        certificates: Vec::new(),
        failures: 3,
        locked_until: Some(NOW.plus_seconds(30)),
    };
    let less =
        Factors { passkeys: vec![passkey(2)], totp: None, locked_until: None, ..full.clone() };
    for factors in [full, less, Factors::default()] {
        world.store.write(|tx| tx.store_factors(&id, &factors)).unwrap();
        assert_eq!(world.read(|tx| tx.load_factors(&id)), factors);
    }
}

fn a_certificate_is_of_one_account_for_ever(world: World) {
    let id = with_account(&world).id;
    let certificate = s::client_certificate();
    let bound = |user: &UserId| {
        let (user, certificate) = (user.clone(), certificate.clone());
        world.record(&[Event::Access(AccessEvent::CertificateBound { user, certificate })])
    };
    let ended = |user: &UserId| {
        let (user, fingerprint) = (user.clone(), certificate.fingerprint);
        world.record(&[Event::Access(AccessEvent::CertificateEnded { user, fingerprint })])
    };
    bound(&id).unwrap();
    let factors = world.read(|tx| tx.load_factors(&id));
    assert_eq!(factors.certificates, std::slice::from_ref(&certificate));
    world.store.write(|tx| tx.store_factors(&id, &Factors::default())).unwrap();
    assert_eq!(world.read(|tx| tx.load_factors(&id)), factors, "certificates end by events alone");
    let another = ended(&s::user_id(9));
    assert!(matches!(another, Err(StoreError::Conflict { .. })), "{another:?}");
    ended(&id).unwrap();
    assert_eq!(world.read(|tx| tx.load_factors(&id)), Factors::default());
    for again in [ended(&id), bound(&id)] {
        assert!(again.is_err(), "it ended for ever");
    }
}

fn no_failure_is_lost_in_parallel(world: World) {
    let id = with_account(&world).id;
    at_once(6, |_| {
        let counted: Result<(), StoreError> = world.store.write(|tx| {
            let factors = tx.load_factors(&id)?;
            let failures = factors.failures + 1;
            tx.store_factors(&id, &Factors { failures, ..factors })
        });
        counted.unwrap();
    });
    assert_eq!(world.read(|tx| tx.load_factors(&id)).failures, 6);
}

fn a_code_is_used_once(world: World) {
    with_account(&world);
    let mut code = s::code(1);
    let find = || world.read(|tx| tx.find_code(&s::code(1).digest));
    assert_eq!(find(), None);
    world.record(&[Event::CodeIssued { code: code.clone() }]).unwrap();
    assert_eq!(find(), Some(code.clone()));
    world.store.write(|tx| tx.count_attempt(&code.digest)).unwrap();
    world.record(&[Event::CodeUsed { code: code.clone() }]).unwrap();
    let again = world.record(&[Event::CodeUsed { code: code.clone() }]);
    assert!(matches!(again, Err(StoreError::Conflict { what: "enrolment code" })), "{again:?}");
    code.attempts = 1;
    code.used_at = Some(NOW);
    assert_eq!(find(), Some(code));
}

fn a_code_is_used_once_in_parallel(world: World) {
    with_account(&world);
    world.record(&[Event::CodeIssued { code: s::code(1) }]).unwrap();
    let used = at_once(6, |_| world.record(&[Event::CodeUsed { code: s::code(1) }]));
    assert_eq!(used.iter().filter(|result| result.is_ok()).count(), 1, "{used:?}");
    let conflict = |result: &Result<(), StoreError>| {
        matches!(result, Ok(()) | Err(StoreError::Conflict { what: "enrolment code" }))
    };
    assert!(used.iter().all(conflict), "{used:?}");
}

fn sessions_read_back_until_they_end(world: World) {
    with_account(&world);
    let sessions = [1, 2].map(s::session);
    world.record(&sessions.clone().map(|session| Event::LoggedIn { session })).unwrap();
    let [first, mut second] = sessions;
    let find = |session: &Session| world.read(|tx| tx.find_session(&session.digest));
    assert_eq!(find(&first), Some(first.clone()));
    let later = NOW.plus_seconds(60);
    world.store.write(|tx| tx.touch_session(&second.id, later)).unwrap();
    second.seen_at = later;
    second.factor_at = later;
    world.record(&[Event::SteppedUp { session: second.clone() }]).unwrap();
    let alive = |at| world.read(|tx| tx.list_sessions(&s::user_id(1), at));
    assert_eq!(alive(later), [second.clone(), first.clone()]);
    assert_eq!(alive(NOW.plus_seconds(Session::IDLE_SECONDS)), [second.clone()]);
    world.record_at(later, &[Event::SessionEnded { session: second.clone() }]).unwrap();
    assert_eq!(find(&second).unwrap().ended_at, Some(later));
    assert_eq!(alive(later), [first]);
    let again = world.record(&[Event::SteppedUp { session: second }]);
    assert!(matches!(again, Err(StoreError::Conflict { what: "session" })), "{again:?}");
    assert_eq!(find(&s::session(3)), None);
}

fn a_token_reads_back_until_it_ends(world: World) {
    let user = with_account(&world).id;
    let organisation = s::organisation(1).id;
    let signing = s::token(1);
    let TokenProof::Key(key) = &signing.proof else { panic!("a key") };
    let secret = s::digest("secret");
    let plain =
        ServiceToken { id: s::token(2).id, proof: TokenProof::Secret(secret), ..signing.clone() };
    for token in [&signing, &plain] {
        let (token, organisation) = (token.clone(), organisation.clone());
        world.record(&[Event::Access(AccessEvent::TokenIssued { token, organisation })]).unwrap();
    }
    assert_eq!(world.read(|tx| tx.tokens_of(&user)), [signing.clone(), plain.clone()]);
    assert_eq!(world.read(|tx| tx.find_token_by_secret(&secret)), Some(plain.clone()));
    assert_eq!(world.read(|tx| tx.find_token_by_secret(&s::digest("other"))), None);
    assert!(world.read(|tx| tx.is_token_key(&key.fingerprint)));
    let twin = ServiceToken { id: s::token(3).id, ..signing };
    let again = AccessEvent::TokenIssued { token: twin, organisation: organisation.clone() };
    assert!(world.record(&[Event::Access(again)]).is_err(), "a key is known for one token");
    let ended = ServiceToken { ended_at: Some(NOW), ..plain };
    let end =
        || AccessEvent::TokenRevoked { token: ended.clone(), organisation: organisation.clone() };
    world.record(&[Event::Access(end())]).unwrap();
    assert_eq!(world.read(|tx| tx.load_token(&ended.id)), ended);
    assert!(world.record(&[Event::Access(end())]).is_err(), "a token ends once");
    let event =
        AccessEvent::AccountDisabled { user: user.clone(), organisation: Some(organisation) };
    world.record(&[Event::Access(event)]).unwrap();
    assert_eq!(world.read(|tx| tx.load_account(&user)).disabled_at, Some(NOW));
}

fn a_request_is_begun_once_in_parallel(world: World) {
    let user = with_account(&world).id;
    let asked = s::digest("POST /x");
    let begun = at_once(6, |_| {
        world.store.write(|tx| tx.begin_request(&user, "one", &asked, NOW)).unwrap()
    });
    assert_eq!(begun.iter().filter(|known| known.is_none()).count(), 1);
    let running = Some(KnownRequest { request: asked, answer: None });
    assert!(begun.iter().filter(|known| known.is_some()).all(|known| *known == running));
}

fn an_answer_is_kept_for_a_day(world: World) {
    let user = with_account(&world).id;
    let asked = s::digest("POST /x");
    let begin = |at| world.store.write(|tx| tx.begin_request(&user, "one", &asked, at)).unwrap();
    assert_eq!(begin(NOW), None);
    let answer = KnownAnswer {
        status: 201,
        digest: s::digest("{}"),
        body: Some(("application/json".to_owned(), b"{}".to_vec())),
    };
    world.store.write(|tx| tx.finish_request(&user, "one", &answer)).unwrap();
    let twice = world.store.write(|tx| tx.finish_request(&user, "one", &answer));
    assert!(twice.is_err(), "an answer is given once");
    let known = Some(KnownRequest { request: asked, answer: Some(answer) });
    assert_eq!(begin(NOW.plus_seconds(86_399)), known);
    world.store.write(|tx| tx.forget_request(&user, "one")).unwrap();
    assert_eq!(begin(NOW.plus_seconds(86_399)), known, "what was answered is not forgotten");
    assert_eq!(begin(NOW.plus_seconds(86_400)), None);
    world.store.write(|tx| tx.forget_request(&user, "one")).unwrap();
    assert_eq!(begin(NOW.plus_seconds(86_401)), None);
}
