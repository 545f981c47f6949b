//! Tests of the life of authorities (DOMAIN 6.7) and of their generations (RO-4).

use super::*;

fn check(act: AuthorityAct, expected: &[(AuthorityState, AuthorityState)]) {
    for state in AuthorityState::ALL {
        let to = expected.iter().find(|(from, _)| from == state).map(|(_, to)| *to);
        match (state.after(act), to) {
            (Ok(found), Some(to)) => assert_eq!(found, to, "{state} {act}"),
            (Err(refused), None) => {
                assert_eq!(refused.code, RefusalCode::StateConflict, "{state} {act}");
            }
            (found, to) => panic!("{state} {act}: {found:?}, and {to:?} was expected"),
        }
    }
}

#[test]
fn every_transition_that_is_not_listed_is_refused() {
    use AuthorityState as S;
    check(AuthorityAct::Begin, &[(S::Planned, S::Ceremony)]);
    check(AuthorityAct::Certify, &[(S::Ceremony, S::Certified)]);
    check(AuthorityAct::Activate, &[(S::Certified, S::Active)]);
    check(AuthorityAct::Suspend, &[(S::Active, S::Suspended)]);
    check(AuthorityAct::Resume, &[(S::Suspended, S::Active)]);
    check(AuthorityAct::Retire, &[(S::Active, S::Retiring), (S::Suspended, S::Retiring)]);
    check(AuthorityAct::End, &[(S::Retiring, S::Ended)]);
}

#[test]
fn ro_4_the_next_generation_has_a_code_of_its_own() {
    let code = |text: &str| AuthorityCode::parse(text).unwrap();
    assert_eq!(code("seal-l2-g1").of_generation(2).unwrap(), code("seal-l2-g2"));
    assert_eq!(code("root").of_generation(2).unwrap(), code("root-g2"));
    assert_eq!(code("a-green").of_generation(3).unwrap(), code("a-green-g3"));
}

#[test]
fn only_what_stands_below_is_issued() {
    let issuing = AuthorityKind::Issuing(Level::Two);
    let allowed = [
        (AuthorityKind::Root, AuthorityKind::Policy),
        (AuthorityKind::Root, issuing),
        (AuthorityKind::Policy, issuing),
    ];
    let all = [AuthorityKind::Root, AuthorityKind::Policy, issuing];
    for pair in all.into_iter().flat_map(|a| all.into_iter().map(move |b| (a, b))) {
        assert_eq!(pair.0.may_issue(pair.1), allowed.contains(&pair), "{pair:?}");
    }
}

#[test]
fn the_last_instant_is_that_of_domain_13() {
    assert_eq!(NEVER.to_string(), "9999-12-31T23:59:59Z");
}
