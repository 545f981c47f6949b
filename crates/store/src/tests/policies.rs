//! Policy documents on their way: what is stored reads back, and moves one way only.

use tenkoku_domain::audit::{Event, PolicyEvent};
use tenkoku_domain::policy::draft::{DraftState, PolicyDraft, Verdict};

use super::samples::{self as s, NOW};
use super::{World, both};

both! {
    drafts_read_back_with_what_was_decided
    an_authority_follows_the_document_that_names_it
}

fn decided(draft: &PolicyDraft, person: &str, verdict: Verdict, complete: bool) -> Event {
    let decision = s::decision(person, verdict);
    Event::Policy(PolicyEvent::Decided { digest: draft.digest, decision, complete })
}

fn drafts_read_back_with_what_was_decided(world: World) {
    world.record(&s::installation()).unwrap();
    let draft = s::draft("kmp-next");
    let drafted = Event::Policy(PolicyEvent::Drafted { draft: Box::new(draft.clone()) });
    world.record(std::slice::from_ref(&drafted)).unwrap();
    assert_eq!(world.read(|tx| tx.load_draft(&draft.digest)), draft);
    assert!(world.record(&[drafted]).is_err());
    world.record(&[decided(&draft, "one", Verdict::Approved, false)]).unwrap();
    // I-6: a person decides once, also where two transactions meet.
    assert!(world.record(&[decided(&draft, "one", Verdict::Approved, true)]).is_err());
    world.record(&[decided(&draft, "two", Verdict::Approved, true)]).unwrap();
    let approved = world.read(|tx| tx.load_draft(&draft.digest));
    assert_eq!((approved.state, approved.approvals()), (DraftState::Approved, 2));
    assert!(world.record(&[decided(&draft, "three", Verdict::Rejected, false)]).is_err());

    let policy = Box::new(draft.policy.clone());
    let activated = PolicyEvent::Activated { policy, digest: draft.digest };
    world.record(&[Event::Policy(activated.clone())]).unwrap();
    assert!(world.record(&[Event::Policy(activated)]).is_err());
    let former = s::policy().digest().unwrap();
    let superseded = PolicyEvent::Superseded { digest: former, by: draft.digest };
    world.record(&[Event::Policy(superseded)]).unwrap();
    assert_eq!(world.read(|tx| tx.list_drafts()).len(), 1);
    assert_eq!(world.read(|tx| tx.list_policy_history(NOW)).len(), 2);
}

fn an_authority_follows_the_document_that_names_it(world: World) {
    world.record(&s::installation()).unwrap();
    let mut own = s::policy();
    (own.id, own.authorities) = ("kmp-l3".to_owned(), vec!["seal-l3-g1".to_owned()]);
    world.record(&[Event::InstallationMade { policy: Box::new(own.clone()) }]).unwrap();
    assert_eq!(world.read(|tx| tx.current_policy(NOW)), s::policy());
    assert_eq!(world.read(|tx| tx.current_policy_for("seal-l3-g1", NOW)), own);
    assert_eq!(world.read(|tx| tx.current_policy_for("seal-l2-g1", NOW)), s::policy());
    assert_eq!(world.read(|tx| tx.list_policies(NOW)).len(), 2);
}
