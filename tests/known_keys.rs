//! Stories of keys that others know (DOMAIN 8.5), that officers block, and that the nightly search
//! finds (KM-3, KM-5).

use std::fs;
use std::process::Command;

use tenkoku_ca::feed::{export_feed, import_feed};
use tenkoku_ca::proposal::{ProposalError, ProposalVerdict, decide_proposal, propose};
use tenkoku_ca::weak_scan::{scan_listed, scan_shared_factors};
use tenkoku_domain::access::{OperateAuthority, Permit, Principal, Scope};
use tenkoku_domain::branch::BranchCode;
use tenkoku_domain::canonical::{Digest, canonical};
use tenkoku_domain::certificate::{Certificate, CertificateState};
use tenkoku_domain::exchange::Octets;
use tenkoku_domain::feed::{Feed, FeedAuthority, FeedKey, FeedState};
use tenkoku_domain::id::KeyId;
use tenkoku_domain::incident::{IncidentKind, IncidentState};
use tenkoku_domain::key::{BlockList, Fingerprint, KeyAlgorithm};
use tenkoku_domain::level::Level;
use tenkoku_domain::policy::Installation;
use tenkoku_domain::policy::draft::Verdict;
use tenkoku_domain::proposal::{Proposal, ProposalState, ProposedAct};
use tenkoku_domain::refusal::RefusalCode;
use tenkoku_domain::revocation::ReasonCode;
use tenkoku_keys::Body;
use tenkoku_pki::jws::compact::{JwsType, prepare};
use tenkoku_pki::key::PublicKey;
use tenkoku_pki::pem;
use tenkoku_testkit::fixtures::ApplicantKey;
use tenkoku_testkit::tools::{checkout, data, linter, run};
use tenkoku_testkit::world::{OURS, World};

use crate::support::{check_not_applied, check_refused, codes, refusal};

fn p256() -> ApplicantKey {
    ApplicantKey::make(KeyAlgorithm::P256)
}

/// Another authority, whose feed is signed with a key of its own.
struct Other {
    id: KeyId,
    key: PublicKey,
    name: FeedAuthority,
}

impl Other {
    /// The key lies in the world's key store, which is only where it signs: nothing here knows it.
    fn new(world: &World) -> Self {
        let id = KeyId::new(world.now(), &*world.env.entropy);
        let made = world.env.keys.generate(&id, KeyAlgorithm::P256).expect("a key");
        let key = PublicKey::parse(&made.public_key).expect("a key");
        Self { id, key, name: FeedAuthority::parse("ca.other.example").expect("a name") }
    }

    fn trusted(world: &World) -> Self {
        let other = Self::new(world);
        let done = propose(&world.env, &world.permit(), other.act(), "an agreement");
        assert_eq!(done.expect("an evaluation does it at once").state, ProposalState::Done);
        other
    }

    fn act(&self) -> ProposedAct {
        let public_key = Octets(self.key.spki_der().to_vec());
        ProposedAct::TrustFeed { authority: self.name.clone(), public_key }
    }

    fn feed(&self, world: &World, sequence: i64, keys: &[(Fingerprint, FeedState)]) -> Feed {
        let told = |(fingerprint, state): &(Fingerprint, FeedState)| FeedKey {
            fingerprint: *fingerprint,
            state: *state,
            first_seen: "2026-11-01".to_owned(),
        };
        let mut keys: Vec<_> = keys.iter().map(told).collect();
        keys.sort_by_key(|key| key.fingerprint);
        let (authority, issued_at) = (self.name.clone(), world.now().floor());
        Feed { v: 1, authority, issued_at, sequence, keys }
    }

    fn sign(&self, world: &World, feed: &Feed) -> String {
        let text = canonical(&serde_json::json!(feed)).expect("canonical");
        let prepared = prepare(JwsType::KeyFeed, &text, &self.key).expect("a key that signs feeds");
        let signature = world.env.keys.sign(&self.id, &Body::Jws(&prepared)).expect("a signature");
        prepared.finish(&signature).expect("a feed")
    }

    fn tell(&self, world: &World, sequence: i64, keys: &[(Fingerprint, FeedState)]) -> usize {
        let signed = self.sign(world, &self.feed(world, sequence, keys));
        import_feed(&world.env, &world.permit(), &signed).expect("a feed that is taken").hits
    }
}

/// A feed that must be refused for a problem; the audit trail says so.
#[track_caller]
fn check_not_taken(world: &World, signed: &str, problem: &str) {
    let refusal = check_refused(
        world,
        || import_feed(&world.env, &world.permit(), signed),
        match problem {
            "feed-sequence" | "feed-stale" | "feed-source-ended" => {
                (RefusalCode::StateConflict, "8.5")
            }
            _ => (RefusalCode::IdentifierMismatch, "8.5"),
        },
        "key.feed-imported",
    );
    assert_eq!(refusal.facts["problem"], problem);
}

#[test]
fn a_feed_is_taken_once_in_order_fresh_and_from_its_own_key_only() {
    World::on_each_database(|world| {
        let other = Other::trusted(world);
        let key = (p256().public().fingerprint(), FeedState::Live);
        let first = other.sign(world, &other.feed(world, 5, &[key]));
        import_feed(&world.env, &world.permit(), &first).expect("the first");
        check_not_taken(world, &first, "feed-sequence");
        let earlier = other.sign(world, &other.feed(world, 4, &[key]));
        check_not_taken(world, &earlier, "feed-sequence");
        let next = other.feed(world, 6, &[key]);
        let impostor = Other::new(world);
        check_not_taken(world, &impostor.sign(world, &next), "feed-signature");
        let mut changed = other.sign(world, &next).into_bytes();
        let middle = changed.len() / 2;
        changed[middle] = if changed[middle] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).expect("text");
        let before = world.position();
        assert!(import_feed(&world.env, &world.permit(), &changed).is_err());
        assert_eq!(world.told_after(before).len(), 1, "the refusal is recorded");
        let signed = other.sign(world, &next);
        world.clock.advance_days(8);
        check_not_taken(world, &signed, "feed-stale");
        check_not_taken(world, "not.a.feed", "feed-malformed");
        let stranger = FeedAuthority::parse("ca.third.example").expect("a name");
        let unknown = Feed { authority: stranger, ..other.feed(world, 7, &[key]) };
        check_not_taken(world, &other.sign(world, &unknown), "feed-authority");
        let end = ProposedAct::EndFeed { authority: other.name.clone() };
        propose(&world.env, &world.permit(), end, "the agreement ended").expect("ended");
        let late = other.sign(world, &other.feed(world, 8, &[key]));
        check_not_taken(world, &late, "feed-source-ended");
    });
}

#[test]
fn km_6_a_key_that_another_authority_holds_is_refused_and_an_incident() {
    World::on_each_database(|world| {
        let (osaka, other, key) = (world.osaka(), Other::trusted(world), p256());
        let fingerprint = key.public().fingerprint();
        assert_eq!(other.tell(world, 1, &[(fingerprint, FeedState::Ended)]), 0);
        let duplicate = (RefusalCode::KeyDuplicate, "KM-6");
        let place = (&osaka, Level::Two);
        check_not_applied(world, place, key.request(), duplicate, "key.duplicate");
        let applied = world.open(&osaka, Level::Two, None).expect("an application");
        let proof = key.proof(&applied.challenge.text);
        let (result, told) = world.told(|| world.prove(&applied, proof));
        assert_eq!(refusal(result).facts["holder"], "other");
        assert_eq!(codes(&told), ["key.duplicate", "app.rejected", "key.copy-suspected"]);
        let open = world.read(|tx| tx.find_open_incident(&fingerprint)).expect("an incident");
        assert_eq!(open.kind, IncidentKind::FeedKey);
    });
}

#[test]
fn km_5_a_key_that_another_authority_calls_exposed_is_blocked_and_revoked() {
    World::on_each_database(|world| {
        let (osaka, other, key) = (world.osaka(), Other::trusted(world), p256());
        let certificate = world.seal_with(&osaka, Level::Two, &key);
        let fingerprint = key.public().fingerprint();
        // Two authorities hold one key: what rests on it is on hold.
        assert_eq!(other.tell(world, 1, &[(fingerprint, FeedState::Live)]), 1);
        assert!(matches!(state(world, &certificate), CertificateState::Suspended(_)));
        assert_eq!(other.tell(world, 2, &[(fingerprint, FeedState::Live)]), 0, "told before");
        assert_eq!(other.tell(world, 3, &[(fingerprint, FeedState::Compromised)]), 1);
        check_exposed(world, &certificate);
        let stranger = p256();
        let exposed = stranger.public().fingerprint();
        other.tell(world, 4, &[(exposed, FeedState::Compromised)]);
        let refused = (RefusalCode::KeyBlocked, "KM-5");
        let place = (&osaka, Level::Two);
        check_not_applied(world, place, stranger.request(), refused, "key.blocked");
        // What was exposed once stays so.
        other.tell(world, 5, &[(exposed, FeedState::Live)]);
        check_not_applied(world, place, stranger.request(), refused, "key.blocked");
    });
}

#[test]
fn a_key_that_a_feed_names_after_its_proof_is_not_certified() {
    World::on_each_database(|world| {
        let (osaka, other, key) = (world.osaka(), Other::trusted(world), p256());
        let ready = world.apply(&osaka, Level::Two, &key).expect("ready");
        other.tell(world, 1, &[(key.public().fingerprint(), FeedState::Live)]);
        let duplicate = (RefusalCode::KeyDuplicate, "KM-6");
        check_refused(world, || world.issue(&ready), duplicate, "cert.issued");
    });
}

fn state(world: &World, certificate: &Certificate) -> CertificateState {
    world.read(|tx| tx.load_certificate(&Scope::Platform, &certificate.id)).state
}

#[track_caller]
fn check_exposed(world: &World, certificate: &Certificate) {
    let CertificateState::Revoked(revocation) = state(world, certificate) else {
        panic!("it must be revoked");
    };
    assert_eq!(revocation.cause.reason(), ReasonCode::KeyCompromise);
    let open = world.read(|tx| tx.list_incidents(Some(IncidentState::Open), None, 50)).items;
    assert!(open.iter().any(|one| one.certificates.contains(&certificate.id)), "{open:?}");
}

#[test]
fn an_export_is_off_until_it_has_a_name_and_strangers_verify_it() {
    World::on_each_database(|world| {
        let off = || export_feed(&world.env, &world.permit());
        let refused = (RefusalCode::StateConflict, "8.5");
        let refusal = check_refused(world, off, refused, "key.feed-exported");
        assert_eq!(refusal.facts["problem"], "feed-export-off");
        let osaka = world.osaka();
        let (live, exposed) = (p256(), p256());
        world.seal_with(&osaka, Level::One, &live);
        let gone = world.seal_with(&osaka, Level::One, &exposed);
        world.revoke(&gone, tenkoku_domain::revocation::Cause::KeyExposed).expect("revoked");
        let mut env = world.env.clone();
        let mut settings = (*env.settings).clone();
        settings.key_feed = Some(FeedAuthority::parse("ca.sample.example").expect("a name"));
        env.settings = std::sync::Arc::new(settings);
        let first = export_feed(&env, &world.permit()).expect("a feed");
        let said = |key: &ApplicantKey| {
            let fingerprint = key.public().fingerprint();
            first.feed.keys.iter().find(|one| one.fingerprint == fingerprint).expect("named").state
        };
        assert_eq!((said(&live), said(&exposed)), (FeedState::Live, FeedState::Compromised));
        let second = export_feed(&env, &world.permit()).expect("a feed");
        assert_eq!((first.feed.sequence, second.feed.sequence), (1, 2));
        for secret in [OURS[0], OURS[1], gone.serial.to_string().as_str()] {
            let text = canonical(&serde_json::json!(first.feed)).expect("canonical");
            assert!(!text.contains(secret), "no names, no serials");
        }
        python_verifies(&first.signed, &first.public_key, first.feed.keys.len());
    });
}

/// Python's `cryptography` reads the file without anything of ours.
fn python_verifies(signed: &str, public_key: &[u8], keys: usize) {
    let folder = tempfile::TempDir::new().expect("a folder");
    let (feed, key) = (folder.path().join("feed.jws"), folder.path().join("key.pem"));
    fs::write(&feed, signed).expect("a file");
    fs::write(&key, pem::encode("PUBLIC KEY", public_key)).expect("a file");
    let script = checkout().join("tests/linters/verify_jws.py");
    let mut python = linter("python");
    let outcome = run(python.arg(&script).arg(&feed).arg(&key));
    let said: serde_json::Value = serde_json::from_str(outcome.success()).expect("JSON");
    assert_eq!(said["typ"], "tenkoku-key-feed+jws");
    assert_eq!(said["keys"], keys);
    let mut changed = signed.to_owned();
    let last = changed.pop().expect("a character");
    changed.push(if last == 'A' { 'Q' } else { 'A' });
    fs::write(&feed, changed).expect("a file");
    let outcome =
        run(Command::new(linter("python").get_program()).arg(&script).arg(&feed).arg(&key));
    outcome.exited(1);
}

fn block(world: &World, key: &ApplicantKey, reason: &str) -> Result<Proposal, ProposalError> {
    let fingerprint = key.public().fingerprint();
    let act = ProposedAct::BlockKey { fingerprint };
    propose(&world.env, &world.permit::<OperateAuthority>(), act, reason)
}

#[test]
fn km_5_an_officer_blocks_a_key_and_what_is_live_of_it_is_revoked() {
    World::on_each_database(|world| {
        let (osaka, key) = (world.osaka(), p256());
        let certificate = world.seal_with(&osaka, Level::Two, &key);
        let done = block(world, &key, "in a public repository").expect("blocked");
        assert_eq!(done.state, ProposalState::Done);
        check_exposed(world, &certificate);
        let found = world.read(|tx| tx.find_blocked_key(&key.public().fingerprint()));
        let found = found.expect("blocked");
        assert_eq!((found.list, &*found.reason), (BlockList::Operator, "in a public repository"));
        let again = || block(world, &key, "again");
        check_refused(world, again, (RefusalCode::StateConflict, "KM-5"), "key.blocked");
        let stranger = p256();
        block(world, &stranger, "stolen").expect("blocked");
        let place = (&osaka, Level::Two);
        let refused = (RefusalCode::KeyBlocked, "KM-5");
        let proof = |challenge: &str| stranger.proof(challenge);
        let applied = world.open(place.0, place.1, None).expect("an application");
        let result = world.prove(&applied, proof(&applied.challenge.text));
        assert_eq!(refusal(result).code, refused.0);
        check_not_applied(world, place, stranger.request(), refused, "key.blocked");
    });
}

/// An account of a person, who holds every role.
pub(crate) fn person(world: &World, login: &str) -> Principal {
    let somebody = world.somebody(login, &[], &Scope::Platform);
    Principal { actor: somebody.principal.actor, ..world.shell() }
}

fn agree(
    world: &World,
    who: &Principal,
    (proposal, shown): (&Proposal, Digest),
    verdict: Verdict,
) -> Result<Proposal, ProposalError> {
    let permit = who.permit(world.now()).expect("a permit");
    let reason = "seen".to_owned();
    let order = ProposalVerdict { proposal: proposal.id.clone(), shown, verdict, reason };
    decide_proposal(&world.env, &permit, &order)
}

#[test]
fn i_6_in_production_a_key_is_blocked_by_two_persons() {
    World::on_each_database_of(Installation::Production, |world| {
        let key = p256();
        let open = block(world, &key, "stolen").expect("a proposal");
        assert_eq!(open.state, ProposalState::Open);
        let blocked = || world.read(|tx| tx.find_blocked_key(&key.public().fingerprint()));
        assert_eq!(blocked(), None, "nothing is done yet");
        let own = || agree(world, &world.shell(), (&open, open.digest), Verdict::Approved);
        check_refused(world, own, (RefusalCode::SelfApproval, "17"), "key.blocked");
        let other = person(world, "other");
        let changed = Digest::of(b"something else");
        let unseen = || agree(world, &other, (&open, changed), Verdict::Approved);
        check_refused(world, unseen, (RefusalCode::PolicyChanged, "I-9"), "key.blocked");
        let done = agree(world, &other, (&open, open.digest), Verdict::Approved).expect("done");
        assert_eq!(done.state, ProposalState::Done);
        assert!(blocked().is_some());
        // One rejection ends a proposal, and a feed needs two others.
        let second = block(world, &p256(), "stolen").expect("a proposal");
        let rejected = agree(world, &other, (&second, second.digest), Verdict::Rejected);
        assert_eq!(rejected.expect("rejected").state, ProposalState::Rejected);
        let late =
            || agree(world, &person(world, "late"), (&second, second.digest), Verdict::Approved);
        assert_eq!(refusal(late()).code, RefusalCode::StateConflict);
        let feed = Other::new(world);
        let trust = propose(&world.env, &world.permit(), feed.act(), "an agreement");
        let trust = trust.expect("a proposal");
        let one = agree(world, &other, (&trust, trust.digest), Verdict::Approved).expect("one");
        assert_eq!(one.state, ProposalState::Open);
        let third = person(world, "third");
        let two = agree(world, &third, (&trust, trust.digest), Verdict::Approved).expect("two");
        assert_eq!(two.state, ProposalState::Done);
        assert!(world.read(|tx| tx.find_feed_source(&feed.name)).is_some());
    });
}

/// A key of the files of known-bad keys, certified before the rules knew: recorded as it would have
/// been then.
fn certify_kept(world: &World, file: &str) -> Certificate {
    let code = BranchCode::parse("BR-0002").expect("a code");
    let osaka = world.read(|tx| tx.find_branches_by_code(&Scope::Platform, &code));
    let osaka = osaka.first().cloned().unwrap_or_else(|| world.osaka());
    let sound = ApplicantKey::make_rsa();
    let certificate = world.seal_with(&osaka, Level::One, &sound);
    let text = fs::read(data("weak").join(file)).expect("a kept key");
    let der = pem::decode(&text, &["PUBLIC KEY"]).expect("a public key");
    let presented = tenkoku_pki::key::PresentedKey::parse(&der).expect("a key");
    let fingerprint = presented.fingerprint();
    world.change_directly(&format!(
        "UPDATE keys SET fingerprint = '{fingerprint}', public_key = {} WHERE id = '{}'",
        world.octets(&der),
        certificate.key
    ));
    certificate
}

#[test]
fn km_3_the_nightly_search_finds_keys_that_share_a_factor_and_revokes_them() {
    World::on_each_database(|world| {
        let sound = world.seal_with(&world.osaka(), Level::One, &ApplicantKey::make_rsa());
        let pair = ["shared-a-2048.pem", "shared-b-2048.pem"].map(|file| certify_kept(world, file));
        let permit: Permit<OperateAuthority> = world.permit();
        assert_eq!(scan_listed(&world.env, &permit).expect("a search"), 0);
        assert_eq!(scan_shared_factors(&world.env, &permit).expect("a search"), 2);
        for certificate in &pair {
            check_exposed(world, certificate);
        }
        assert_eq!(state(world, &sound), CertificateState::Active);
        assert_eq!(scan_shared_factors(&world.env, &permit).expect("a search"), 0, "found before");
    });
}

#[test]
fn km_5_the_nightly_search_finds_published_and_weak_keys_and_revokes_them() {
    World::on_each_database(|world| {
        let kept = ["rfc9500-rsa-2048.pem", "roca-2048.pem"].map(|file| certify_kept(world, file));
        let permit: Permit<OperateAuthority> = world.permit();
        let (found, told) = world.told(|| scan_listed(&world.env, &permit));
        assert_eq!(found.expect("a search"), 2);
        for certificate in &kept {
            check_exposed(world, certificate);
        }
        let codes = codes(&told);
        for code in ["key.blocked", "key.weak", "key.copy-suspected", "cert.revoked"] {
            assert!(codes.contains(&code), "{codes:?}");
        }
        assert_eq!(scan_listed(&world.env, &permit).expect("a search"), 0);
    });
}

#[test]
fn an_authority_s_key_on_a_list_is_an_incident_and_no_revocation() {
    World::on_each_database(|world| {
        let authority = world.authority("seal-l1-g1");
        let fingerprint = world.read(|tx| tx.load_key(&authority.key)).fingerprint;
        let act = ProposedAct::BlockKey { fingerprint };
        propose(&world.env, &world.permit(), act, "leaked").expect("blocked");
        let open = world.read(|tx| tx.find_open_incident(&fingerprint)).expect("an incident");
        assert_eq!(open.kind, IncidentKind::BlockedKey);
        assert!(open.told.contains(&"ca-officer".to_owned()));
        let own = world.read(|tx| tx.certificates_of_key(&authority.key));
        assert!(
            own.iter().all(|one| one.state == CertificateState::Active),
            "KM-19: by a ceremony"
        );
    });
}
