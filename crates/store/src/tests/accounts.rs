//! Accounts, factors, one-time links and sessions.

use tenkoku_domain::account::{Account, Factors, Passkey, Session};
use tenkoku_domain::audit::Event;

use super::harness::at_once;
use super::samples::{self as s, NOW};
use super::{World, both};
use crate::StoreError;

both! {
    accounts_read_back_with_their_roles
    factors_read_back
    no_failure_is_lost_in_parallel
    a_code_is_used_once
    a_code_is_used_once_in_parallel
    sessions_read_back_until_they_end
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
