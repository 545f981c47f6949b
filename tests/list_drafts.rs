//! Stories of the scheme operator: drafts of trusted lists, who agrees to them, what becomes of
//! services, who signs, and what strangers' programs say about every sequence.

use std::path::Path;

use tenkoku_ca::authority::{resume_authority, suspend_authority};
use tenkoku_domain::access::{Permit, PublishList, Role, Scope};
use tenkoku_domain::authority::{AuthorityCode, AuthorityKind};
use tenkoku_domain::certificate::{Certificate as Record, Profile};
use tenkoku_domain::level::Level;
use tenkoku_domain::policy::Installation;
use tenkoku_domain::policy::draft::Verdict;
use tenkoku_domain::refusal::RefusalCode;
use tenkoku_domain::time::Timestamp;
use tenkoku_domain::trusted_list::draft::{
    Fields, ListDraft, ListDraftState, ListEdit, ListPart, StatusGround,
};
use tenkoku_domain::trusted_list::{PublishedList, SchemeCode};
use tenkoku_publisher::check::Examination;
use tenkoku_publisher::draft::{
    Beginning, Decided, DraftError, DraftVerdict, abandon_draft, decide_draft, edit_draft,
    examine_draft, open_draft, publish_draft, publish_due_drafts, submit_draft,
};
use tenkoku_publisher::form;
use tenkoku_publisher::link::{Due, find_gaps, propose_authority};
use tenkoku_publisher::publish::{PublishError, hand_over, publish_list, renew_lists};
use tenkoku_publisher::shape::Shape;
use tenkoku_publisher::signers::find_signers;
use tenkoku_testkit::people::Somebody;
use tenkoku_testkit::tools::{check_trust_list, run};
use tenkoku_testkit::world::World;
use tenkoku_tsl::certificate::Certificate;
use tenkoku_tsl::diff::{Place, What};
use tenkoku_tsl::follow::{Journal, ListOfLists};
use tenkoku_tsl::lote;
use tenkoku_tsl::model::{
    Identity, Language, Multilingual, NextUpdate, Service, Territory, Text, TrustedList, Uri,
};
use tenkoku_tsl::verify::{read_unsigned, verify};
use tenkoku_tsl::write::to_xml;

use crate::support::{check_refused, codes};

const GRANTED: &str = "http://seal.example.jp/lists/jp-2021#granted";
const WITHDRAWN: &str = "http://seal.example.jp/lists/jp-2021#withdrawn";
const SERVICE_1: ListPart = ListPart::Service { provider: 1, service: 1 };

fn own() -> SchemeCode {
    SchemeCode::parse("jp-2021").expect("a code")
}

fn live(world: &World, scheme: &str) -> PublishedList {
    world.read(|tx| tx.latest_list(scheme)).expect("a list")
}

fn read(list: &PublishedList) -> TrustedList {
    verify(&list.xml).expect("a list whose signature holds").into_list()
}

fn open(world: &World) -> ListDraft {
    open_draft(&world.env, &world.permit(), &own(), &Beginning::Live).expect("a draft")
}

fn edit(world: &World, draft: &ListDraft, change: &ListEdit) -> Result<ListDraft, DraftError> {
    edit_draft(&world.env, &world.permit(), &draft.id, &draft.content, change)
}

fn look(world: &World, draft: &ListDraft) -> Examination {
    examine_draft(&world.env, &world.permit(), &draft.id).expect("a draft").1
}

fn fields<const N: usize>(said: [(&str, &str); N]) -> Fields {
    said.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn say<const N: usize>(part: ListPart, said: [(&str, &str); N]) -> ListEdit {
    ListEdit::Change { part, fields: fields(said) }
}

fn ground() -> StatusGround {
    StatusGround {
        reason: "監査の結果".to_owned(),
        legal_ja: "認定規程 第12条".to_owned(),
        legal_en: "Rules of approval, article 12".to_owned(),
    }
}

fn status(part: ListPart, status: &str, from: Option<Timestamp>) -> ListEdit {
    ListEdit::Status { part, status: status.to_owned(), from, ground: ground() }
}

/// Puts a draft forward and agrees to it, as the one person of an evaluation may.
fn agree(world: &World, draft: &ListDraft) -> Decided {
    let submitted = submit_draft(&world.env, &world.permit(), &draft.id, &draft.content);
    decide(world, world.permit(), &submitted.expect("put forward"), Verdict::Approved)
        .expect("agreed to")
}

fn decide(
    world: &World,
    permit: Permit<PublishList>,
    draft: &ListDraft,
    verdict: Verdict,
) -> Result<Decided, DraftError> {
    let (draft, shown) = (draft.id.clone(), draft.content);
    let order = DraftVerdict { draft, shown, verdict, reason: "見た".to_owned() };
    decide_draft(&world.env, &permit, &order)
}

/// Changes the list in one draft and publishes it.
fn publish(world: &World, changes: &[ListEdit]) -> PublishedList {
    let mut draft = open(world);
    for change in changes {
        draft = edit(world, &draft, change).expect("a change");
    }
    agree(world, &draft).published.expect("published")
}

fn refusal<T: std::fmt::Debug>(result: Result<T, DraftError>) -> RefusalCode {
    match result {
        Err(DraftError::Refused(refusal)) => refusal.code,
        other => panic!("{other:?}"),
    }
}

fn rules(result: Result<ListDraft, DraftError>) -> Vec<&'static str> {
    match result {
        Err(DraftError::Mistakes(found)) => found.iter().map(|one| one.rule.code()).collect(),
        other => panic!("{other:?}"),
    }
}

fn validator(world: &World, name: &str) -> Somebody {
    world.somebody(name, &[Role::ValidationOperator], &Scope::Platform)
}

/// What pyHanko says of a list of lists outside the European Union: it knows the Union's alone and
/// takes every other for a list of providers.
const UNKNOWN_LISTS: &str = "pyHanko verifies the list (TSPServiceParsingError TSP list must be";

/// Asks the judge about a list, after the one before it where there is one.
#[track_caller]
fn judge(list: &PublishedList, before: Option<&PublishedList>) {
    let folder = tempfile::tempdir().expect("a folder");
    let place = |name: &str| folder.path().join(name);
    std::fs::write(place("list.xml"), &list.xml).expect("a file");
    std::fs::write(place("list.sha2"), list.digest.to_string()).expect("a file");
    let Some(mut judge) = check_trust_list() else { return };
    judge.args(["--strict", "--now", "issue", "--sha2"]).arg(place("list.sha2"));
    if let Some(before) = before {
        std::fs::write(place("before.xml"), &before.xml).expect("a file");
        judge.arg("--previous").arg(place("before.xml"));
    }
    let said = run(judge.arg(place("list.xml")));
    let is_of_lists = read(list).providers.is_empty();
    let failed = said.stdout.lines().filter(|line| line.starts_with("FAIL"));
    let failed: Vec<&str> =
        failed.filter(|line| !(is_of_lists && line.contains(UNKNOWN_LISTS))).collect();
    assert!(matches!(said.code, Some(0 | 1)) && failed.is_empty(), "{failed:#?}{}", said.stderr);
    assert!(said.stdout.contains(" PASS in "), "{}", said.said());
}

#[test]
fn i_6_two_others_agree_to_a_list_before_it_is_signed() {
    World::on_each_database_of(Installation::Production, |world| {
        let [editor, one, two] =
            ["例 花子", "例 太郎", "例 次郎"].map(|name| validator(world, name));
        let before = live(world, "jp-2021");
        let draft = open_draft(&world.env, &editor.permit(world), &own(), &Beginning::Live)
            .expect("a draft");
        let change = say(
            ListPart::Scheme,
            [(
                "electronic-address",
                "en: mailto:tl@seal.example.jp\nen: https://seal.example.jp\nen: tel:+81-3-0000-0000",
            )],
        );
        let edited =
            edit_draft(&world.env, &editor.permit(world), &draft.id, &draft.content, &change)
                .expect("a change");
        assert_eq!(edited.state, ListDraftState::Editing);
        let submitted = submit_draft(&world.env, &editor.permit(world), &draft.id, &edited.content)
            .expect("put forward");
        let decide = |who: &Somebody, draft: &ListDraft| {
            decide(world, who.permit(world), draft, Verdict::Approved)
        };
        let own_work = || decide(&editor, &submitted);
        assert_eq!(refusal(own_work()), RefusalCode::SelfApproval);
        let first = decide(&one, &submitted).expect("agreed to");
        assert!(first.published.is_none());
        assert_eq!(refusal(decide(&one, &submitted)), RefusalCode::DualControl);
        // AB-13: whoever changes it now makes void what was agreed to.
        let again = say(ListPart::Scheme, [("information", "en: https://seal.example.jp/scheme")]);
        let changed =
            edit_draft(&world.env, &two.permit(world), &draft.id, &submitted.content, &again)
                .expect("a change");
        assert_eq!((changed.state, changed.agreed()), (ListDraftState::Editing, 0));
        let submitted =
            submit_draft(&world.env, &editor.permit(world), &draft.id, &changed.content)
                .expect("put forward");
        assert_eq!(refusal(decide(&two, &submitted)), RefusalCode::SelfApproval);
        assert!(decide(&one, &submitted).expect("agreed to").published.is_none());
        let three = validator(world, "例 三郎");
        let (decided, told) = world.told(|| decide(&three, &submitted));
        let decided = decided.expect("agreed to");
        assert_eq!(codes(&told), ["list.approved", "list.signed", "list.signed", "list.published"]);
        assert_eq!(decided.draft.state, ListDraftState::Published);
        let list = decided.published.expect("published");
        assert_eq!((list.sequence, &list.draft), (2, &Some(draft.id.clone())));
        let pages = &read(&list).scheme.information;
        assert_eq!(pages.entries()[0].value.as_str(), "https://seal.example.jp/scheme");
        judge(&list, Some(&before));
    });
}

#[test]
fn a_list_that_was_sent_back_is_changed_and_put_forward_again() {
    World::on_each_database(|world| {
        let draft = open(world);
        let change = say(ListPart::Scheme, [("policy", "en: https://seal.example.jp/p")]);
        let edited = edit(world, &draft, &change).expect("a change");
        // Two who write at once do not undo each other's work.
        assert_eq!(refusal(edit(world, &draft, &change)), RefusalCode::PolicyChanged);
        let submitted = submit_draft(&world.env, &world.permit(), &draft.id, &edited.content);
        let submitted = submitted.expect("put forward");
        let back = decide(world, world.permit(), &submitted, Verdict::Rejected).expect("sent back");
        assert_eq!(back.draft.state, ListDraftState::SentBack);
        let second = || open_draft(&world.env, &world.permit(), &own(), &Beginning::Live);
        check_refused(world, second, (RefusalCode::StateConflict, "17"), "list.drafted");
        // One rejection ends the request; only a change makes another one.
        let again = submit_draft(&world.env, &world.permit(), &draft.id, &back.draft.content);
        assert_eq!(refusal(again), RefusalCode::StateConflict);
        let better = say(ListPart::Scheme, [("policy", "en: https://seal.example.jp/q")]);
        let back = edit(world, &back.draft, &better).expect("a change");
        let list = agree(world, &back).published.expect("published");
        assert_eq!(list.sequence, 2);
        assert_eq!(refusal(edit(world, &edited, &change)), RefusalCode::StateConflict);
        let next = open(world);
        abandon_draft(&world.env, &world.permit(), &next.id).expect("given up");
        open(world);
    });
}

#[test]
fn a_status_changes_at_its_hour_and_the_former_state_becomes_history() {
    World::on_each_database(|world| {
        let certificate = world.seal(&world.osaka(), Level::One);
        let before = live(world, "jp-2021");
        world.clock.advance_days(3);
        let from = world.now().floor().plus_days(2);
        let draft = open(world);
        let draft =
            edit(world, &draft, &status(SERVICE_1, WITHDRAWN, Some(from))).expect("a change");
        let seen = look(world, &draft);
        assert_eq!(seen.earliest, from);
        let [effect] = seen.effects.as_slice() else { panic!("{:?}", seen.effects) };
        assert_eq!((effect.is_ended, effect.certificates, effect.branches), (true, 1, 1));
        assert!(matches!(&seen.changes[0].what, What::Status { to, .. } if to == WITHDRAWN));
        let decided = agree(world, &draft);
        assert_eq!(decided.draft.state, ListDraftState::Approved);
        assert!(decided.published.is_none(), "its hour has not come");
        let publish = || publish_due_drafts(&world.env, &world.permit()).expect("a job");
        assert_eq!(publish(), []);
        world.clock.set(from);
        let [list] = publish().try_into().expect("one list");
        assert_eq!(publish(), []);
        let service = services(&list)[0].clone();
        assert_eq!((service.status.as_str(), service.status_start), (WITHDRAWN, from));
        let [past] = service.history.as_slice() else { panic!("{:?}", service.history) };
        assert_eq!((past.status.as_str(), past.status_start), (GRANTED, before.issued_at));
        let key = world.read(|tx| tx.load_key(&world.authority("seal-l1-g1").key));
        let listed = world.read(|tx| tx.services_of_key(&key.fingerprint));
        assert_eq!((listed[0].status.as_str(), listed[0].sequence), (WITHDRAWN, 2));
        judge(&list, Some(&before));
        drop(certificate);
    });
}

fn services(list: &PublishedList) -> Vec<Service> {
    read(list).services().map(|(_, service)| service.clone()).collect()
}

#[test]
fn history_is_written_by_the_state_machine_and_by_nobody_else() {
    World::on_each_database(|world| {
        let draft = open(world);
        let past = world.now().floor().plus_seconds(-3600);
        let refused = edit(world, &draft, &status(SERVICE_1, WITHDRAWN, Some(past)));
        assert_eq!(rules(refused), ["status-past"]);
        assert_eq!(
            rules(edit(world, &draft, &status(SERVICE_1, GRANTED, None))),
            ["status-unchanged"]
        );
        let refused = edit(world, &draft, &ListEdit::Remove { part: SERVICE_1 });
        assert_eq!(refusal(refused), RefusalCode::StateConflict);
        let refused = edit(world, &draft, &ListEdit::Remove { part: ListPart::Provider(1) });
        assert_eq!(refusal(refused), RefusalCode::StateConflict);
        let unsaid = StatusGround { legal_en: " ".to_owned(), ..ground() };
        let unsaid = ListEdit::Status {
            part: SERVICE_1,
            status: WITHDRAWN.to_owned(),
            from: None,
            ground: unsaid,
        };
        assert_eq!(refusal(edit(world, &draft, &unsaid)), RefusalCode::NameInvalid);
        // Another key is another service.
        let other = world.authority("seal-l2-g1").certificate.expect("DER");
        let pem = tenkoku_pki::pem::encode("CERTIFICATE", &other);
        let refused = edit(world, &draft, &say(SERVICE_1, [("certificates", &pem)]));
        assert_eq!(rules(refused), ["past-other-key"]);
        // A second change in one draft takes the place of the first.
        let withdrawn = edit(world, &draft, &status(SERVICE_1, WITHDRAWN, None)).expect("a change");
        let other = "http://seal.example.jp/lists/jp-2021#expired";
        let changed = edit(world, &withdrawn, &status(SERVICE_1, other, None)).expect("a change");
        let list = read_unsigned(changed.document.as_bytes()).expect("a list");
        let (_, service) = list.services().next().expect("a service");
        assert_eq!((service.status.as_str(), service.history.len()), (other, 1));
        // What counts from an instant on begins a state of its own.
        let said = form::show(&list, SERVICE_1).expect("a service");
        let said = format!(
            "{}information en: http://seal.example.jp/lists/jp-2021#more",
            said["extensions"]
        );
        let before = live(world, "jp-2021");
        abandon_draft(&world.env, &world.permit(), &draft.id).expect("given up");
        world.clock.advance_days(1);
        let list = publish(world, &[say(SERVICE_1, [("extensions", &said)])]);
        let service = services(&list)[0].clone();
        assert_eq!((service.status.as_str(), service.status_start), (GRANTED, list.issued_at));
        assert_eq!(service.history.len(), 1);
        assert!(service.history[0].extensions.len() < service.extensions.len());
        judge(&list, Some(&before));
    });
}

#[test]
fn ten_changes_of_status_are_accepted_by_strangers_one_after_the_other() {
    World::on_each_database(|world| {
        if !world.env.store.is_sqlite() {
            return;
        }
        let mut before = live(world, "jp-2021");
        for number in 0..10 {
            world.clock.advance_days(5);
            let to = if number % 2 == 0 { WITHDRAWN } else { GRANTED };
            let list = publish(world, &[status(SERVICE_1, to, None)]);
            judge(&list, Some(&before));
            before = list;
        }
        assert_eq!(services(&before)[0].history.len(), 10);
    });
}

#[test]
fn a_service_that_another_provider_took_over_stays_where_it_was() {
    World::on_each_database(|world| {
        let before = live(world, "jp-2021");
        world.clock.advance_days(2);
        let taken = "critical taken-over-by JP en: https://new.example.jp/takeover
  provider en: New Trust Co., Ltd.
  operator en: Tenkoku Evaluation";
        let said = form::show(&read(&before), SERVICE_1).expect("a service");
        let said = format!("{}{taken}", said["extensions"]);
        let list = publish(
            world,
            &[say(SERVICE_1, [("extensions", &said)]), status(SERVICE_1, WITHDRAWN, None)],
        );
        let service = services(&list)[0].clone();
        let takeover = service.extensions.iter().find_map(|one| one.as_takeover());
        assert_eq!(takeover.expect("a takeover").territory.as_str(), "JP");
        assert!(service.history[0].extensions.iter().all(|one| one.as_takeover().is_none()));
        judge(&list, Some(&before));
    });
}

#[test]
fn a_service_without_a_key_is_listed_by_its_address() {
    World::on_each_database(|world| {
        let before = live(world, "jp-2021");
        let part = ListPart::Service { provider: 1, service: 4 };
        let said = |kind: &str, pem: &str| {
            let fields = fields([
                ("name", "en: Identity proofing"),
                ("service-type", kind),
                ("status", GRANTED),
                ("certificates", pem),
                ("identifier", "https://seal.example.jp/services/proofing"),
            ]);
            ListEdit::Add { part, fields }
        };
        let keyless = "http://uri.etsi.org/TrstSvc/Svctype/IdV/nothavingPKIid";
        let draft = open(world);
        let der = world.authority("seal-l1-g1").certificate.expect("DER");
        let pem = tenkoku_pki::pem::encode("CERTIFICATE", &der);
        assert_eq!(rules(edit(world, &draft, &said(keyless, &pem))), ["identity-either"]);
        // A service of this type has a key.
        let wrong = said("http://uri.etsi.org/TrstSvc/Svctype/CA/PKC", "");
        let wrong = edit(world, &draft, &wrong).expect("a service");
        let found = look(world, &wrong).findings;
        assert!(found.iter().any(|one| one.rule.code() == "certificate-missing"), "{found:?}");
        let draft = edit(world, &wrong, &ListEdit::Remove { part }).expect("taken out");
        let draft = edit(world, &draft, &said(keyless, "")).expect("a service");
        let seen = look(world, &draft);
        assert!(seen.is_sound(), "{:?}", seen.findings);
        let list = agree(world, &draft).published.expect("published");
        let address = services(&list)[3].identity.address().expect("an address");
        assert_eq!(address.as_str(), "https://seal.example.jp/services/proofing");
        judge(&list, Some(&before));
        // Its status has a history like any other; its address is what it is.
        world.clock.advance_days(2);
        let next = publish(world, &[status(part, WITHDRAWN, None)]);
        let former = &services(&next)[3].history[0];
        assert_eq!((former.status.as_str(), former.identity.address()), (GRANTED, Some(address)));
        judge(&next, Some(&list));
        let other = say(part, [("identifier", "https://seal.example.jp/services/other")]);
        assert_eq!(rules(edit(world, &open(world), &other)), ["past-other-key"]);
    });
}

#[test]
fn a_new_provider_is_listed_with_its_service() {
    World::on_each_database(|world| {
        let before = live(world, "jp-2021");
        world.create_authority("seal-l2-g2", AuthorityKind::Issuing(Level::Two), 2);
        let der = world.authority("seal-l2-g2").certificate.expect("DER");
        let pem = tenkoku_pki::pem::encode("CERTIFICATE", &der);
        let draft = open(world);
        let provider = ListEdit::Add {
            part: ListPart::Provider(2),
            fields: fields([
                (
                    "name",
                    "en: Minato Trust Co., Ltd.\nja: 港トラスト株式会社\nja-Latn: Minato Torasuto Kabushiki Kaisha",
                ),
                ("trade-names", "NTRJP-7010001008844\nen: Tenkoku Evaluation Operator"),
                ("postal-address", "en: 1-1 Kaigan | Minato-ku | Tokyo | 105-0022 | JP"),
                (
                    "electronic-address",
                    "en: mailto:tl@minato.example.jp\nen: https://minato.example.jp",
                ),
                ("information", "en: https://minato.example.jp/cps"),
            ]),
        };
        let draft = edit(world, &draft, &provider).expect("a provider");
        let broken = look(world, &draft);
        assert!(broken.findings.iter().any(|one| one.rule.code() == "service-missing"));
        let refused = submit_draft(&world.env, &world.permit(), &draft.id, &draft.content);
        assert!(matches!(refused, Err(DraftError::Broken(_))), "{refused:?}");
        let service = ListEdit::Add {
            part: ListPart::Service { provider: 2, service: 1 },
            fields: fields([
                ("name", "en: Minato e-seal CA"),
                ("service-type", "http://uri.etsi.org/TrstSvc/Svctype/CA/PKC"),
                ("status", GRANTED),
                ("certificates", &pem),
                (
                    "extensions",
                    "information en: http://uri.etsi.org/TrstSvc/TrustedList/SvcInfoExt/ForeSeals",
                ),
            ]),
        };
        let draft = edit(world, &draft, &service).expect("a service");
        let seen = look(world, &draft);
        assert!(seen.is_sound(), "{:?}", seen.findings);
        assert_eq!(seen.unchanged, 3);
        let places: Vec<&Place> = seen.changes.iter().map(|change| &change.place).collect();
        assert!(matches!(places[0], Place::Provider(name) if name == "Minato Trust Co., Ltd."));
        let list = agree(world, &draft).published.expect("published");
        assert_eq!(read(&list).providers.len(), 2);
        judge(&list, Some(&before));
    });
}

#[test]
fn the_two_signers_follow_each_other() {
    World::on_each_database(|world| {
        let signers = |world: &World| {
            find_signers(&world.env, "jp-2021").expect("the store answers").expect("signers")
        };
        let first = signers(world);
        let [second] = first.following.as_slice() else { panic!("one follows") };
        let shift =
            second.validity.not_after.seconds() - first.signing.validity.not_after.seconds();
        assert_eq!(shift / 86_400, 365, "their ends lie apart");
        let early = hand_over(&world.env, &world.permit(), &own());
        assert!(matches!(early, Err(PublishError::Refused(_))), "{early:?}");
        let before = live(world, "jp-2021");
        world.clock.advance_days(30);
        let list = hand_over(&world.env, &world.permit(), &own()).expect("a list");
        assert_eq!(list.signer, second.key);
        let verified = verify(&list.xml).expect("a list");
        assert_eq!(verified.signer().der(), der(second));
        judge(&list, Some(&before));
        // Once the first is near its end, a third is announced beside the second.
        world.clock.advance_days(280);
        world.renew_signers();
        assert_eq!(signers(world).following.len(), 2);
        assert_eq!(signers(world).signing.key, second.key);
    });
}

fn der(signer: &Record) -> &[u8] {
    signer.der.as_deref().expect("DER")
}

#[test]
fn a_signer_near_its_end_hands_over_by_itself() {
    World::on_each_database(|world| {
        let first = live(world, "jp-2021").signer;
        let due = |world: &World| renew_lists(&world.env, &world.permit()).expect("a job");
        let ends = world.now().plus_days(365);
        world.clock.set(ends.plus_days(-59));
        let lists = due(world);
        assert_eq!(lists.len(), 1);
        assert_ne!(lists[0].signer, first);
        assert_eq!(due(world), []);
    });
}

#[test]
fn an_authority_is_listed_and_withdrawn_by_a_proposal() {
    World::on_each_database(|world| {
        let gaps = |world: &World| find_gaps(&world.env).expect("the list is read");
        assert!(gaps(world).is_empty());
        world.clock.advance_days(7);
        let authority =
            world.create_authority("seal-l3-g2", AuthorityKind::Issuing(Level::Three), 2);
        let [gap] = gaps(world).try_into().expect("one gap");
        assert_eq!((gap.authority.code.as_str(), gap.due), ("seal-l3-g2", Due::Listing));
        let propose = || propose_authority(&world.env, &world.permit(), &authority.code);
        let draft = propose().expect("a draft");
        assert!(gaps(world)[0].is_drafted);
        check_refused(world, propose, (RefusalCode::StateConflict, "5.5.4"), "list.drafted");
        let list = agree(world, &draft).published.expect("published");
        assert_eq!(services(&list).len(), 4);
        assert_eq!(services(&list)[3].status_start, list.issued_at);
        assert!(gaps(world).is_empty());
        let code = AuthorityCode::parse("seal-l3-g2").expect("a code");
        suspend_authority(&world.env, &world.permit(), &code, "調査").expect("suspended");
        let [gap] = gaps(world).try_into().expect("one gap");
        assert_eq!(gap.due, Due::Withdrawal);
        world.clock.advance_days(1);
        let before = list;
        let draft = propose().expect("a draft");
        let list = agree(world, &draft).published.expect("published");
        let service = services(&list)[3].clone();
        assert_eq!((service.status.as_str(), service.history.len()), (WITHDRAWN, 1));
        judge(&list, Some(&before));
        resume_authority(&world.env, &world.permit(), &code, &world.consent()).expect("resumed");
        let [gap] = gaps(world).try_into().expect("one gap");
        assert_eq!(gap.due, Due::Grant);
    });
}

#[test]
fn a_closed_list_is_the_last_of_its_scheme() {
    World::on_each_database(|world| {
        let before = live(world, "jp-2021");
        world.clock.advance_days(1);
        let draft = open(world);
        let close = ListEdit::Close { reason: "制度の終了".to_owned() };
        let draft = edit(world, &draft, &close).expect("a change");
        let seen = look(world, &draft);
        assert!(seen.findings.iter().any(|one| one.rule.code() == "closed-running"));
        let mut draft = draft;
        for service in 1..=3 {
            let part = ListPart::Service { provider: 1, service };
            draft = edit(world, &draft, &status(part, WITHDRAWN, None)).expect("a change");
        }
        let list = agree(world, &draft).published.expect("published");
        assert_eq!((list.next_update, &list.json), (None, &None));
        assert_eq!(read(&list).scheme.next_update, NextUpdate::Closed);
        judge(&list, Some(&before));
        let next = publish_list(&world.env, &world.permit());
        assert!(matches!(next, Err(PublishError::Refused(_))), "{next:?}");
        world.clock.advance_days(400);
        world.renew_signers();
        assert_eq!(renew_lists(&world.env, &world.permit()).expect("a job"), []);
        let opened = || open_draft(&world.env, &world.permit(), &own(), &Beginning::Live);
        assert_eq!(refusal(opened()), RefusalCode::StateConflict);
    });
}

#[test]
fn a_list_that_cannot_be_issued_raises_an_alarm_once_a_day() {
    World::on_each_database(|world| {
        let due = live(world, "jp-2021").next_update.expect("a date").plus_days(-60);
        world.clock.set(due);
        world.renew_signers();
        world.keys.fail();
        let (failed, told) = world.told(|| renew_lists(&world.env, &world.permit()));
        assert!(matches!(failed, Err(PublishError::Keys(_))), "{failed:?}");
        assert_eq!(codes(&told), ["list.signed", "list.signed", "list.next-update-near"]);
        let (_, told) = world.told(|| renew_lists(&world.env, &world.permit()));
        assert_eq!(codes(&told), ["list.signed", "list.signed"]);
        world.clock.advance_days(1);
        let (_, told) = world.told(|| renew_lists(&world.env, &world.permit()));
        assert_eq!(codes(&told).last().copied(), Some("list.next-update-near"));
        world.keys.recover();
        assert_eq!(renew_lists(&world.env, &world.permit()).expect("a list").len(), 1);
    });
}

#[test]
fn a_list_in_json_says_what_the_list_says() {
    World::on_each_database(|world| {
        let list = live(world, "jp-2021");
        let json = list.json.clone().expect("JSON");
        let verified = lote::verify(&json).expect("a signature that holds");
        assert_eq!(verified.list, lote::to_json(&read(&list)).expect("JSON"));
        assert_eq!(&verified.signer, verify(&list.xml).expect("a list").signer());
    });
}

#[test]
fn lists_of_every_shape_are_accepted_by_strangers() {
    World::on_each_database(|world| {
        if !world.env.store.is_sqlite() {
            return;
        }
        let territory = Territory::new("JP").expect("a territory");
        let signers: String = signer_pems(world);
        let pointer = |number, address: &str, territory: &str, kind: &str, rules: &str| {
            let base = "http://uri.etsi.org/TrstSvc/TrustedList";
            ListEdit::Add {
                part: ListPart::Pointer(number),
                fields: fields([
                    ("address", address),
                    ("territory", territory),
                    ("list-type", &format!("{base}/TSLType/{kind}")),
                    ("operator-name", "en: Tenkoku Evaluation Operator"),
                    ("community-rules", &format!("en: {base}/schemerules/{rules}")),
                    ("mime-type", "application/vnd.etsi.tsl+xml"),
                    ("signers", &signers),
                ]),
            }
        };
        // As the European Union gives it: the statuses are the Union's, and it points at the Union's
        // list of lists.
        let code = SchemeCode::parse("eu-shaped").expect("a code");
        let shape = Beginning::Shape(Shape::European(territory.clone()));
        let draft = open_draft(&world.env, &world.permit(), &code, &shape).expect("a draft");
        let lotl = "https://ec.europa.eu/tools/lotl/eu-lotl.xml";
        let to_union = pointer(1, lotl, "EU", "EUlistofthelists", "EUlistofthelists");
        let draft = edit(world, &draft, &to_union).expect("a pointer");
        let draft = add_provider(world, &draft, 1);
        let list = agree(world, &draft).published.expect("published");
        judge(&list, None);
        world.clock.advance_days(2);
        let draft = open_draft(&world.env, &world.permit(), &code, &Beginning::Live);
        let deprecated =
            "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/deprecatedatnationallevel";
        let draft = edit(world, &draft.expect("a draft"), &status(SERVICE_1, deprecated, None));
        let next = agree(world, &draft.expect("a change")).published.expect("published");
        judge(&next, Some(&list));
        // A list of lists that points at itself and at the national list.
        let code = SchemeCode::parse("lotl").expect("a code");
        let shape = Beginning::Shape(Shape::ListOfLists(territory));
        let draft = open_draft(&world.env, &world.permit(), &code, &shape).expect("a draft");
        let own_address = "https://seal.example.jp/tl/lotl.xml";
        let journal = "https://journal.example.jp/2026/1";
        let about = say(
            ListPart::Scheme,
            [
                ("distribution-points", own_address),
                ("information", &format!("en: {journal}\nen: https://seal.example.jp/lists")),
            ],
        );
        let draft = edit(world, &draft, &about).expect("a change");
        let itself = pointer(1, own_address, "JP", "JPlistofthelists", "JP");
        let draft = edit(world, &draft, &itself).expect("a pointer");
        let national = pointer(2, "http://seal.example.jp/tl/jp-2021.xml", "JP", "JPlist", "JP");
        let draft = edit(world, &draft, &national).expect("a pointer");
        let first = agree(world, &draft).published.expect("published");
        judge(&first, None);
        // After the hand-over the list that announced the next signer is the pivot.
        let anchor = verify(&first.xml).expect("a list").signer().clone();
        world.clock.advance_days(30);
        let second = hand_over(&world.env, &world.permit(), &code).expect("a list");
        judge(&second, Some(&first));
        let pages = read(&second).scheme.information;
        let pivot = "https://seal.example.jp/tl/lotl/1.xml";
        assert_eq!(pages.entries()[0].value.as_str(), pivot);
        let journal =
            Journal { address: Uri::new(journal).expect("an address"), certificates: vec![anchor] };
        let fetched = |address: &Uri| (address.as_str() == pivot).then_some(first.xml.as_slice());
        ListOfLists::verify(&second.xml, fetched, &journal, world.now())
            .expect("the chain leads back to the journal");
    });
}

fn signer_pems(world: &World) -> String {
    let root = world.authority("root-g1");
    let signers = world.read(|tx| tx.list_signers(&root.id, Profile::ListSigner, world.now()));
    signers.iter().map(|one| tenkoku_pki::pem::encode("CERTIFICATE", der(one))).collect()
}

/// A provider with one service of level 1 under the European Union's words.
fn add_provider(world: &World, draft: &ListDraft, number: usize) -> ListDraft {
    let der = world.authority("seal-l1-g1").certificate.expect("DER");
    let organisation = Certificate::from_der(&der).expect("a certificate").organisations();
    let provider = ListEdit::Add {
        part: ListPart::Provider(number),
        fields: fields([
            ("name", &format!("en: {}", organisation[0])),
            ("trade-names", "NTRJP-7010001008844"),
            ("postal-address", "en: 1-1 Chiyoda | Chiyoda-ku | Tokyo | 100-0001 | JP"),
            ("electronic-address", "en: mailto:tl@seal.example.jp\nen: https://seal.example.jp"),
            ("information", "en: https://seal.example.jp/policies"),
        ]),
    };
    let draft = edit(world, draft, &provider).expect("a provider");
    let service = ListEdit::Add {
        part: ListPart::Service { provider: number, service: 1 },
        fields: fields([
            ("name", "en: e-seal CA"),
            ("service-type", "http://uri.etsi.org/TrstSvc/Svctype/CA/PKC"),
            (
                "status",
                "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/recognisedatnationallevel",
            ),
            ("certificates", &tenkoku_pki::pem::encode("CERTIFICATE", &der)),
            (
                "extensions",
                "information en: http://uri.etsi.org/TrstSvc/TrustedList/SvcInfoExt/ForeSeals",
            ),
        ]),
    };
    edit(world, &draft, &service).expect("a service")
}

/// A way to break a list, and the code of the rule that names it.
type Breakage = (&'static str, fn(&mut TrustedList));

fn service(list: &mut TrustedList) -> &mut Service {
    &mut list.providers[0].services[0]
}

fn uri(text: &str) -> Uri {
    Uri::new(text).expect("an address")
}

const BREAKAGES: [Breakage; 20] = [
    ("list-type", |list| {
        list.scheme.list_type = uri("http://uri.etsi.org/TrstSvc/TrustedList/TSLType/USlist");
    }),
    ("approach", |list| {
        list.scheme.status_determination =
            uri("http://uri.etsi.org/TrstSvc/TrustedList/StatusDetn/EUappropriate");
    }),
    ("scheme-name-prefix", |list| {
        list.scheme.scheme_name = Multilingual::english(Text::new("No territory").expect("a text"));
    }),
    ("english-missing", |list| {
        let xml = to_xml(list);
        let english = list.scheme.operator_name.in_english().expect("English").to_string();
        let xml = xml.replacen(&format!("<Name xml:lang=\"en\">{english}</Name>"), "", 1);
        *list = read_unsigned(xml.as_bytes()).expect("a list");
    }),
    ("latin-missing", |list| {
        let text = Text::new("名前").expect("a text");
        let english = list.scheme.operator_name.in_english().expect("English").clone();
        list.scheme.operator_name = Multilingual::english(english).and(Language::japanese(), text);
    }),
    ("no-web-page", |list| {
        list.scheme.information = Multilingual::english(uri("urn:example:about"));
    }),
    ("history-period", |list| list.scheme.history_period = 3650),
    ("distribution-point", |list| {
        list.scheme.distribution_points = vec![uri("https://seal.example.jp/list?x=1")];
    }),
    ("community-rules", |list| {
        list.scheme.community_rules =
            Multilingual::english(uri("http://uri.etsi.org/TrstSvc/TrustedList/schemerules/US"));
    }),
    ("closed-running", |list| list.scheme.next_update = NextUpdate::Closed),
    ("service-missing", |list| list.providers[0].services.clear()),
    ("service-lost", |list| drop(list.providers[0].services.remove(0))),
    ("state-lost", |list| service(list).status = uri(WITHDRAWN)),
    ("same-key", |list| {
        let again = service(list).clone();
        list.providers[0].services.push(again);
    }),
    ("type-unknown", |list| {
        service(list).service_type = uri("http://uri.etsi.org/TrstSvc/Svctype/CA/Tea");
    }),
    ("status-unknown", |list| {
        service(list).status = uri("http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/fine");
    }),
    ("certificate-missing", |list| service(list).identity = Identity::default()),
    ("extension-twice", |list| {
        let again = service(list).extensions[0].clone();
        service(list).extensions.push(again);
    }),
    ("history-same-instant", |list| {
        let at = service(list).status_start.plus_seconds(1);
        service(list).change_status(uri(WITHDRAWN), at).expect("a change");
        service(list).history[0].status_start = service(list).status_start;
    }),
    ("territory-changed", |list| {
        let xml = to_xml(list).replace("<SchemeTerritory>JP<", "<SchemeTerritory>KR<");
        *list = read_unsigned(xml.as_bytes()).expect("a list");
    }),
];

#[test]
fn twenty_broken_drafts_are_each_named_in_a_sentence() {
    World::on_each_database(|world| {
        let sound = read(&live(world, "jp-2021"));
        for (code, break_it) in BREAKAGES {
            let mut list = sound.clone();
            break_it(&mut list);
            let file = Beginning::File(to_xml(&list).into_bytes());
            let draft = open_draft(&world.env, &world.permit(), &own(), &file).expect("a draft");
            let seen = look(world, &draft);
            let named = seen.findings.iter().find(|one| one.rule.code() == code);
            let named = named.unwrap_or_else(|| panic!("{code}: {:#?}", seen.findings));
            assert!(named.sentence().ends_with('.') && !named.sentence().contains(['{', '}']));
            assert!(!seen.is_sound(), "{code}");
            let refused = submit_draft(&world.env, &world.permit(), &draft.id, &draft.content);
            assert!(matches!(refused, Err(DraftError::Broken(_))), "{code}: {refused:?}");
            abandon_draft(&world.env, &world.permit(), &draft.id).expect("given up");
        }
    });
}

#[test]
fn a_draft_follows_the_list_from_which_it_was_copied() {
    World::on_each_database(|world| {
        let draft = open(world);
        let change = say(ListPart::Scheme, [("policy", "en: https://seal.example.jp/p")]);
        let draft = edit(world, &draft, &change).expect("a change");
        // A reissue says the same, so the draft still follows.
        world.clock.advance_days(10);
        publish_list(&world.env, &world.permit()).expect("a list");
        let list = agree(world, &draft).published.expect("published");
        assert_eq!(list.sequence, 3);
        assert_eq!(
            publish_draft(&world.env, &world.permit(), &draft.id)
                .map_err(|error| { matches!(error, DraftError::Refused(_)) }),
            Err(true)
        );
    });
}

#[test]
fn what_the_scheme_agreed_on_with_another_stands_in_a_pointer() {
    World::on_each_database(|world| {
        let Some(shared) = tenkoku_testkit::tools::shared() else { return };
        if !world.env.store.is_sqlite() {
            return;
        }
        let element = recognition(&shared);
        let draft = open(world);
        let base = "http://uri.etsi.org/TrstSvc/TrustedList";
        let pointer = ListEdit::Add {
            part: ListPart::Pointer(1),
            fields: fields([
                ("address", "https://tl.example.zz/zz-tl.xml"),
                ("territory", "ZZ"),
                ("list-type", &format!("{base}/TSLType/ZZlist")),
                ("operator-name", "en: Third Country Office"),
                ("community-rules", &format!("en: {base}/schemerules/ZZ")),
                ("mime-type", "application/vnd.etsi.tsl+xml"),
                ("signers", &signer_pems(world)),
                ("mutual-recognition", &element),
            ]),
        };
        let draft = edit(world, &draft, &pointer).expect("a pointer");
        let list = agree(world, &draft).published.expect("published");
        let said = form::show(&read(&list), ListPart::Pointer(1)).expect("a pointer");
        assert!(said["mutual-recognition"].contains("MutualRecognitionAgreementInformation"));
        judge(&list, None);
    });
}

/// The element of a real list of lists.
fn recognition(shared: &Path) -> String {
    let bytes = std::fs::read(shared.join("trust-list/lists/third-country/mra-lotl.xml"));
    let list = verify(&bytes.expect("a file")).expect("a list").into_list();
    let pointers = 1..=list.scheme.pointers.len();
    let said = pointers.filter_map(|number| form::show(&list, ListPart::Pointer(number)));
    said.map(|fields| fields["mutual-recognition"].clone())
        .find(|said| !said.is_empty())
        .expect("an element")
}
