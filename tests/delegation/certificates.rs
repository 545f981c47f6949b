//! What rests on somebody else's certificate: the representative's signature on a grant, proofing
//! by certificate (P3) and by a trusted issuer (P4), and how such issuers come to be believed.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;
use tenkoku_ca::act::ActError;
use tenkoku_ca::grant::{PasskeyProof, sign_with_certificate, sign_with_passkey, signing_text};
use tenkoku_ca::issuer::{IssuerOrder, SignedFile, decide_issuer, end_issuer, propose_issuer};
use tenkoku_ca::office::end_representative;
use tenkoku_ca::proofing::{Finding, ProofingOrder, record_proofing, statement};
use tenkoku_ca::revoke_by_key::{KeyWord, revocation_text, revoke_by_key};
use tenkoku_domain::access::{Role, Scope};
use tenkoku_domain::audit::ObjectRef;
use tenkoku_domain::certificate::{Certificate, CertificateState};
use tenkoku_domain::grant::{Grant, GrantAction, GrantForm, GrantState};
use tenkoku_domain::issuer::{IssuerState, IssuerUse, TrustedIssuer};
use tenkoku_domain::level::Level;
use tenkoku_domain::organisation::Organisation;
use tenkoku_domain::policy::Installation;
use tenkoku_domain::proofing::{Method, ProofingRecord, Subject};
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_pki::pem;
use tenkoku_testkit::people::{Delegation, Somebody};
use tenkoku_testkit::tools::openssl;
use tenkoku_testkit::world::{OURS, World};

use super::{apply, in_production, refused, sample};
use crate::support::check_refused;

/// A certification service of somewhere else, played by openssl. Its dates are those of the worlds.
struct Register {
    folder: TempDir,
}

const CONFIG: &str = "
[ca]
default_ca = here
[here]
database = index.txt
new_certs_dir = .
serial = serial
crlnumber = crlnumber
certificate = ca.pem
private_key = ca.key
default_md = sha256
policy = any
unique_subject = no
email_in_dn = no
[any]
countryName = optional
organizationName = optional
organizationIdentifier = optional
commonName = supplied
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature,nonRepudiation
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[sealed]
basicConstraints = critical,CA:FALSE
keyUsage = critical,keyEncipherment
[req]
distinguished_name = name
string_mask = utf8only
[name]
";

impl Register {
    fn new() -> Self {
        let register = Self { folder: TempDir::new().expect("a folder") };
        for (name, content) in
            [("ca.cnf", CONFIG), ("index.txt", ""), ("serial", "1000"), ("crlnumber", "01")]
        {
            fs::write(register.file(name), content).expect("a file");
        }
        register.key("ca");
        register.request("ca", "/C=JP/O=Sample Register/CN=Sample Register CA");
        register.ca(&["-selfsign", "-extensions", "root", "-in", "ca.csr", "-out", "ca.pem"]);
        register
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, words: &[&str]) {
        let mut command = std::process::Command::new("openssl");
        tenkoku_testkit::tools::run(command.args(words).current_dir(self.folder.path())).success();
    }

    fn key(&self, name: &str) {
        let out = format!("{name}.key");
        let curve = "ec_paramgen_curve:P-256";
        self.run(&["genpkey", "-algorithm", "EC", "-pkeyopt", curve, "-out", &out]);
    }

    fn request(&self, name: &str, subject: &str) {
        let (key, out) = (format!("{name}.key"), format!("{name}.csr"));
        let of = ["req", "-new", "-utf8", "-config", "ca.cnf", "-key", &key, "-subj", subject];
        self.run(&[&of[..], &["-out", &out]].concat());
    }

    fn ca(&self, words: &[&str]) {
        let dates = ["-startdate", "20260101000000Z", "-enddate", "20271231000000Z"];
        let always = ["ca", "-batch", "-config", "ca.cnf", "-notext", "-preserveDN", "-utf8"];
        self.run(&[&always[..], &dates, words].concat());
    }

    /// A certificate for a holder, under a file name.
    fn holder(&self, name: &str, subject: &str) {
        self.holder_as(name, subject, "leaf");
    }

    fn holder_as(&self, name: &str, subject: &str, extensions: &str) {
        self.key(name);
        self.request(name, subject);
        let (csr, out) = (format!("{name}.csr"), format!("{name}.pem"));
        self.ca(&["-extensions", extensions, "-in", &csr, "-out", &out]);
    }

    fn revoke(&self, name: &str) {
        let certificate = format!("{name}.pem");
        self.run(&["ca", "-config", "ca.cnf", "-revoke", &certificate]);
    }

    /// The present list, DER.
    fn list(&self) -> Vec<u8> {
        let dates = ["-crl_lastupdate", "20261101000000Z", "-crl_nextupdate", "20271201000000Z"];
        let make = ["ca", "-config", "ca.cnf", "-gencrl"];
        self.run(&[&make[..], &dates, &["-out", "list.pem"]].concat());
        self.run(&["crl", "-in", "list.pem", "-outform", "DER", "-out", "list.crl"]);
        fs::read(self.file("list.crl")).expect("a list")
    }

    /// A holder's detached signature over a text.
    fn sign(&self, name: &str, text: &str) -> SignedFile {
        fs::write(self.file("text"), text).expect("a text");
        let (signer, key) = (format!("{name}.pem"), format!("{name}.key"));
        let of = ["cms", "-sign", "-binary", "-in", "text", "-signer", &signer, "-inkey", &key];
        self.run(&[&of[..], &["-outform", "PEM", "-out", "signature.p7s"]].concat());
        let signature = fs::read(self.file("signature.p7s")).expect("a signature");
        SignedFile { signature, intermediates: Vec::new(), crls: vec![self.list()] }
    }

    fn certificate(&self) -> Vec<u8> {
        let pem = fs::read(self.file("ca.pem")).expect("a certificate");
        pem::decode(&pem, &["CERTIFICATE"]).expect("PEM")
    }
}

const BOSS: &str =
    "/C=JP/O=株式会社サンプル/organizationIdentifier=NTRJP-5010401067252/CN=見本 太郎";

fn order(world: &World, register: &Register, uses: &[IssuerUse]) -> IssuerOrder {
    IssuerOrder {
        name: "見本登記".to_owned(),
        certificate: register.certificate(),
        uses: uses.iter().copied().collect(),
        organisation: None,
        until: world.now().plus_days(300),
    }
}

/// Two officers believe an issuer that a third proposed.
fn believed(world: &World, register: &Register, uses: &[IssuerUse]) -> TrustedIssuer {
    let proposed = propose_issuer(&world.env, &world.permit(), &order(world, register, uses));
    let mut issuer = proposed.expect("a proposal");
    for name in ["方針 一", "方針 二"] {
        issuer = decide(world, &issuer, name).expect("an approval");
    }
    assert_eq!(issuer.state, IssuerState::Trusted);
    issuer
}

fn decide(world: &World, issuer: &TrustedIssuer, name: &str) -> Result<TrustedIssuer, ActError> {
    let approver = world.somebody(name, &[Role::PolicyApprover], &Scope::Platform);
    let ruling = world.approval_of(&ObjectRef::new("trusted-issuer", &issuer.id));
    decide_issuer(&world.env, &approver.permit(world), &issuer.id, &ruling)
}

#[test]
fn an_issuer_is_believed_when_two_others_approved_it() {
    in_production(|world| {
        let register = Register::new();
        let uses = [IssuerUse::Representative];
        let asker = world.somebody("認証 一", &[Role::CaOfficer], &Scope::Platform);
        let order = order(world, &register, &uses);
        let proposed =
            propose_issuer(&world.env, &asker.permit(world), &order).expect("a proposal");
        assert_eq!(proposed.state, IssuerState::Proposed);
        let own = refused(decide(world, &proposed, "認証 一"));
        assert_eq!(own.code, RefusalCode::SelfApproval);
        assert_eq!(decide(world, &proposed, "方針 一").expect("one").state, IssuerState::Proposed);
        assert_eq!(refused(decide(world, &proposed, "方針 一")).code, RefusalCode::DualControl);
        assert_eq!(decide(world, &proposed, "方針 二").expect("two").state, IssuerState::Trusted);
        let ended = end_issuer(&world.env, &asker.permit(world), &proposed.id).expect("an end");
        assert_eq!(ended.state, IssuerState::Ended);
        let junk = IssuerOrder { certificate: b"junk".to_vec(), ..order };
        assert!(propose_issuer(&world.env, &asker.permit(world), &junk).is_err());
    });
}

/// A draft of a grant by the representative of Sample Co.
fn draft(world: &World) -> (Delegation, Organisation, Grant) {
    let (ours, _) = sample(world);
    let given = world.delegation(&ours);
    world.clock.advance_seconds(1);
    let grant = world.drafted(&given.office, world.wide_part(&given.delegate));
    (given, ours, grant)
}

fn sign(world: &World, grant: &Grant, file: &SignedFile) -> Result<Grant, ActError> {
    sign_with_certificate(&world.env, &world.permit(), &grant.terms.id, file)
}

#[track_caller]
fn not_signed(world: &World, grant: &Grant, file: &SignedFile, problem: &str) {
    let told: Refusal = refused(sign(world, grant, file));
    assert_eq!(told.facts["problem"], problem, "{told}");
}

#[test]
fn a_representative_signs_a_grant_with_a_certificate() {
    in_production(|world| {
        let (given, _, grant) = draft(world);
        let register = Register::new();
        register.holder("boss", BOSS);
        let text = signing_text(&grant).expect("a text");
        let file = register.sign("boss", &text);
        not_signed(world, &grant, &file, "no-issuer");
        believed(world, &register, &[IssuerUse::Representative]);
        let no_list = SignedFile { crls: Vec::new(), ..file.clone() };
        not_signed(world, &grant, &no_list, "revocation-unknown");
        not_signed(world, &grant, &register.sign("boss", "{}"), "signature");
        let strangers = BOSS.replace("5010401067252", "7000000990002");
        register.holder("stranger", &strangers);
        not_signed(world, &grant, &register.sign("stranger", &text), "organisation");
        register.holder("clerk", &BOSS.replace("見本 太郎", "見本 次郎"));
        not_signed(world, &grant, &register.sign("clerk", &text), "person");
        let signed = sign(world, &grant, &file).expect("signed");
        assert_eq!(signed.state, GrantState::Active);
        let Some(GrantForm::Certificate { source, evidence }) = signed.form else {
            panic!("signed with a certificate");
        };
        assert_eq!(source.path.len(), 2, "{source:?}");
        let kept = world.read(|tx| tx.find_attachment(&evidence)).expect("the signature is kept");
        assert_eq!(kept.1, file.signature);
        let again = refused(sign(world, &grant, &file));
        assert_eq!(again.code, RefusalCode::StateConflict, "signed once");
        // A certificate that was revoked signs nothing any more; nor does one who left.
        let next = world.drafted(&given.office, world.wide_part(&given.delegate));
        register.revoke("boss");
        let text = signing_text(&next).expect("a text");
        not_signed(world, &next, &register.sign("boss", &text), "revoked");
        register.holder("boss-2", BOSS);
        let file = register.sign("boss-2", &text);
        end_representative(&world.env, &world.permit(), &given.office.id).expect("an end");
        assert_eq!(refused(sign(world, &next, &file)).code, RefusalCode::GrantEnded);
    });
}

#[test]
fn only_the_representative_s_own_passkey_signs_and_only_what_was_shown() {
    in_production(|world| {
        let (given, ours, grant) = draft(world);
        let digest = grant.terms.digest().expect("a digest");
        let proof =
            PasskeyProof { digest, credential: "Y3JlZA".to_owned(), assertion: b"{}".to_vec() };
        let id = &grant.terms.id;
        let sign = |who: &Somebody, proof: &PasskeyProof| {
            sign_with_passkey(&world.env, &who.permit(world), id, proof)
        };
        let (other, _) = world.representative(&ours, "見本 次郎");
        assert_eq!(refused(sign(&other, &proof)).code, RefusalCode::NotAuthorised);
        let stale = PasskeyProof { digest: ours_digest(), ..proof.clone() };
        assert_eq!(refused(sign(&given.representative, &stale)).rule, "I-9");
        let signed = sign(&given.representative, &proof).expect("signed");
        assert_eq!(signed.state, GrantState::Active);
    });
}

fn ours_digest() -> tenkoku_domain::canonical::Digest {
    tenkoku_domain::canonical::Digest::of(OURS[0].as_bytes())
}

fn proof_by(
    world: &World,
    ours: &Organisation,
    who: &Somebody,
    finding: Finding,
) -> Result<ProofingRecord, ActError> {
    let order = ProofingOrder {
        organisation: ours.id.clone(),
        subject: Subject::Person(who.person().clone()),
        finding,
        level: None,
        valid_until: None,
    };
    record_proofing(&world.env, &world.permit(), &order)
}

#[test]
fn proofing_by_certificate_ends_with_the_certificate() {
    in_production(|world| {
        let ours = world.organisation(OURS);
        let (boss, office) = world.representative(&ours, "見本 太郎");
        let register = Register::new();
        register.holder("boss", BOSS);
        register.holder_as("sealed", BOSS, "sealed");
        believed(world, &register, &[IssuerUse::Representative]);
        let person = world.read(|tx| tx.load_person(boss.person()));
        let text = statement(&ours, &person).expect("a text");
        let by = |name: &str| Finding::Certificate(register.sign(name, &text));
        let usage = refused(proof_by(world, &ours, &boss, by("sealed")));
        assert_eq!(usage.facts["problem"], "key-usage");
        // The issuer is believed for representatives, not for statements.
        let other_use = Finding::Issuer(register.sign("boss", &text));
        let told = refused(proof_by(world, &ours, &boss, other_use));
        assert_eq!(told.facts["problem"], "no-issuer");
        let record = proof_by(world, &ours, &boss, by("boss")).expect("P3");
        assert_eq!((record.method, record.level), (Method::P3, Level::Three));
        let source = record.source.expect("a source");
        assert_eq!(record.valid_until, source.not_after, "825 days would be longer");
        assert_eq!(source.judged_at, world.now());
        end_representative(&world.env, &world.permit(), &office.id).expect("an end");
        let told = refused(proof_by(world, &ours, &boss, by("boss")));
        assert_eq!(told.facts["problem"], "capacity");
    });
}

#[test]
fn a_statement_of_a_trusted_issuer_is_proofing_by_p4() {
    in_production(|world| {
        let ours = world.organisation(OURS);
        let (boss, _) = world.representative(&ours, "見本 太郎");
        let register = Register::new();
        register.holder("desk", "/C=JP/O=Sample Register/CN=Identity Desk");
        believed(world, &register, &[IssuerUse::Statement]);
        let person = world.read(|tx| tx.load_person(boss.person()));
        let text = statement(&ours, &person).expect("a text");
        let record = proof_by(world, &ours, &boss, Finding::Issuer(register.sign("desk", &text)));
        let record = record.expect("P4");
        assert_eq!((record.method, record.level), (Method::P4, Level::Two));
        let about_another = text.replace("見本 太郎", "見本 次郎");
        let file = register.sign("desk", &about_another);
        let told = refused(proof_by(world, &ours, &boss, Finding::Issuer(file)));
        assert_eq!(told.facts["problem"], "signature");
    });
}

#[test]
fn a_grant_that_was_signed_electronically_serves_at_once() {
    World::on_each_database_of(Installation::Production, |world| {
        let (given, _, grant) = draft(world);
        let register = Register::new();
        register.holder("boss", BOSS);
        believed(world, &register, &[IssuerUse::Representative]);
        let text = signing_text(&grant).expect("a text");
        sign(world, &grant, &register.sign("boss", &text)).expect("signed");
        let ours = world.read(|tx| tx.load_organisation(&Scope::Platform, &grant.organisation));
        let nagoya = world.find_branch(&ours, "BR-0003");
        let taken = apply(world, &given.delegate, &nagoya, Level::One).expect("taken");
        let named = taken.application.grant.expect("a grant");
        assert_eq!(named.id, grant.terms.id, "the newest that covers");
        // openssl believes the same signature over the same text.
        let file = |name: &str| register.file(name).display().to_string();
        fs::write(register.file("text"), &text).expect("a text");
        let verified = openssl([
            "cms",
            "-verify",
            "-binary",
            "-inform",
            "PEM",
            "-in",
            &file("signature.p7s"),
            "-content",
            &file("text"),
            "-CAfile",
            &file("ca.pem"),
            "-purpose",
            "any",
            "-attime",
            "1795371000",
            "-out",
            &file("out"),
        ]);
        verified.success();
        let shown = fs::read(register.file("out")).expect("what was signed");
        let digest = tenkoku_domain::canonical::Digest::of(&shown);
        assert_eq!(digest, grant.terms.digest().expect("a digest"));
    });
}

/// Signs "revoke" about a certificate as a holder of the register.
fn word(
    world: &World,
    (register, signer): (&Register, &str),
    certificate: &Certificate,
) -> KeyWord {
    let authority = world.read(|tx| tx.load_authority(&certificate.authority)).code;
    let at = world.now();
    let text = revocation_text(&authority, &certificate.serial, at).expect("a text");
    let serial = certificate.serial.clone();
    KeyWord { authority: authority.to_string(), serial, at, signed: register.sign(signer, &text) }
}

#[test]
fn rv_3_a_representative_or_a_delegate_who_may_revoke_is_believed_by_certificate() {
    in_production(|world| {
        let (ours, [osaka, ..]) = sample(world);
        let register = Register::new();
        believed(world, &register, &[IssuerUse::Representative]);
        let given = world.delegation_of(&ours, |part| part.actions = vec![GrantAction::Apply]);
        let subject = |name: &str, organisation: &str| {
            format!("/C=JP/O=株式会社サンプル/organizationIdentifier={organisation}/CN={name}")
        };
        let own = ours.identifier.as_str();
        register.holder("boss", BOSS);
        register.holder("delegate", &subject("例 花子", own));
        register.holder("nobody", &subject("例 太郎", own));
        register.holder("foreign", &subject("例 花子", "NTRJP-7000012050002"));
        let certificate = world.seal(&osaka, Level::One);
        let expected = (RefusalCode::PossessionNotShown, "RV-3");
        let refuses = |signer: &str| {
            let word = word(world, (&register, signer), &certificate);
            let act = || revoke_by_key(&world.env, None, &word);
            check_refused(world, act, expected, "cert.revocation-refused");
        };
        for signer in ["delegate", "nobody", "foreign"] {
            refuses(signer);
        }
        let mut part = world.wide_part(&given.delegate);
        part.actions = vec![GrantAction::Revoke];
        world.on_paper(&world.drafted(&given.office, part), &given.officers);
        for signer in ["nobody", "foreign"] {
            refuses(signer);
        }
        register.holder("gone", &subject("例 花子", own));
        register.revoke("gone");
        refuses("gone");
        let by_delegate = word(world, (&register, "delegate"), &certificate);
        let (revoked, told) = world.told(|| revoke_by_key(&world.env, None, &by_delegate));
        assert!(matches!(revoked.expect("a revocation").state, CertificateState::Revoked(_)));
        let comment = told[0]["detail"]["comment"].as_str().expect("a comment");
        assert!(comment.contains(given.delegate.person().as_str()), "{comment}");
        let other = world.seal(&osaka, Level::One);
        let by_boss = word(world, (&register, "boss"), &other);
        let revoked = revoke_by_key(&world.env, None, &by_boss).expect("a revocation");
        assert!(matches!(revoked.state, CertificateState::Revoked(_)));
    });
}
