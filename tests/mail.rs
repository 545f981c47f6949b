//! Stories of letters on their way: a real mail server takes them, or does not.

use std::fs;
use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Value, json};
use tenkoku_ca::letters::{Sent, send_letters};
use tenkoku_domain::level::Level;
use tenkoku_domain::notice::{Delivery, EmailAddress, MailProblem};
use tenkoku_domain::organisation::Language;
use tenkoku_domain::revocation::Cause;
use tenkoku_mail::{Letter, MailError, Mailbox, Mailer as _, SignIn, Smtp, SmtpSettings, Tls};
use tenkoku_testkit::mail_server::{MailPlace, SIGN_IN, letters_in};
use tenkoku_testkit::servers::Installation;
use tenkoku_testkit::tools::run;
use tenkoku_testkit::world::{BEGIN, World};

use crate::support::codes;

fn letter(subject: &str, name: &str) -> Letter {
    let mailbox = |name: &str, address| Mailbox {
        name: name.to_owned(),
        address: EmailAddress::parse(address).expect("an address"),
    };
    Letter {
        id: "notice-7".to_owned(),
        from: mailbox("見本認証局", "info@tenkoku.example"),
        to: mailbox(name, "taro@sample.example"),
        date: BEGIN,
        language: Language::Ja,
        subject: subject.to_owned(),
        text: "大阪支店の鍵について\n\nhttps://console.example.jp/console\n".to_owned(),
        html: "<!doctype html>\n<p>大阪支店の鍵について</p>\n".to_owned(),
    }
}

/// What the server of a place needs.
fn settings(place: &MailPlace, tls: Tls) -> SmtpSettings {
    let [user, password] = SIGN_IN;
    let sign_in = SignIn { user: user.to_owned(), password: SecretString::from(password) };
    SmtpSettings {
        host: "localhost".to_owned(),
        port: place.port(),
        tls,
        authorities: Some(fs::read(place.authority()).expect("an authority")),
        sign_in: (tls != Tls::None).then_some(sign_in),
        timeout: Duration::from_secs(10),
    }
}

fn send(settings: SmtpSettings, letter: &Letter) -> Result<(), MailError> {
    Smtp::new(settings).expect("settings").send(letter)
}

/// The letter must be kept, for this reason, and nothing arrives.
#[track_caller]
fn check_kept(place: &MailPlace, settings: SmtpSettings, expected: MailProblem) {
    let error = send(settings, &letter("期限", "見本 太郎")).expect_err("it must be kept");
    assert_eq!(error.problem, expected, "{error}");
    assert_eq!(place.letters(), Vec::<Value>::new());
}

#[test]
fn a_letter_arrives_whole_under_starttls_and_under_implicit_tls() {
    for (word, tls) in [("starttls", Tls::StartTls), ("implicit", Tls::Implicit)] {
        let place = MailPlace::new();
        let server = place.serve(word);
        let subject = "大阪支店の印:押印できる期限(14日後)のお知らせ、とても長い題名のための文字列";
        let smtp = Smtp::new(settings(&place, tls)).expect("settings");
        smtp.check().expect("the server takes letters");
        smtp.send(&letter(subject, "見本 太郎")).expect("the server takes it");
        let [arrived] = place.letters().try_into().expect("one letter");
        assert_eq!(arrived["subject"], subject);
        assert_eq!(arrived["from"], json!([["見本認証局", "info@tenkoku.example"]]));
        assert_eq!(arrived["to"], json!([["見本 太郎", "taro@sample.example"]]));
        assert_eq!(arrived["envelope_to"], json!(["taro@sample.example"]));
        assert_eq!(arrived["text"], letter("", "").text);
        assert_eq!(arrived["html"], letter("", "").html);
        assert_eq!(arrived["kinds"], json!(["multipart/alternative", "text/plain", "text/html"]));
        assert_eq!(arrived["id"], "<notice-7@tenkoku.example>");
        assert_eq!(arrived["date"], "2026-11-22T18:10:00+00:00");
        assert_eq!(arrived["language"], "ja");
        assert_eq!(arrived["defects"], json!([]));
        assert_eq!(arrived["tls"], "True", "{word}");
        assert_eq!(arrived["signed_in"], "True");
        drop(server);
    }
}

#[test]
fn a_hostile_name_adds_no_header_and_no_recipient() {
    let place = MailPlace::new();
    let _server = place.serve("none");
    send(settings(&place, Tls::None), &letter("期限", "見本 太郎")).expect("the plain one");
    let long = "長".repeat(200);
    for hostile in
        ["x\r\nBcc: all@evil.example", "x\n\n<b>", "\"x\" <evil@evil.example>,", long.as_str()]
    {
        send(settings(&place, Tls::None), &letter(hostile, hostile)).expect("it is taken");
    }
    let arrived = place.letters();
    assert_eq!(arrived.len(), 5);
    for one in &arrived {
        assert_eq!(one["headers"], arrived[0]["headers"]);
        assert_eq!(one["envelope_to"], json!(["taro@sample.example"]));
        assert_eq!(one["to"][0][1], "taro@sample.example");
        assert_eq!(one["text"], arrived[0]["text"]);
    }
    // Python's library keeps the spaces between the encoded words of a name.
    let name = arrived[4]["to"][0][0].as_str().expect("a name").replace(' ', "");
    assert_eq!((name.chars().count(), name.ends_with('…')), (100, true));
}

#[test]
fn a_server_whose_certificate_is_not_trusted_gets_nothing() {
    for (word, tls) in [("starttls", Tls::StartTls), ("implicit", Tls::Implicit)] {
        let place = MailPlace::new();
        let _server = place.serve(word);
        let public = SmtpSettings { authorities: None, ..settings(&place, tls) };
        check_kept(&place, public, MailProblem::Tls);
        let stranger = fs::read(MailPlace::new().authority()).expect("another authority");
        let other = SmtpSettings { authorities: Some(stranger), ..settings(&place, tls) };
        check_kept(&place, other, MailProblem::Tls);
        let name = SmtpSettings { host: "127.0.0.1".to_owned(), ..settings(&place, tls) };
        check_kept(&place, name, MailProblem::Tls);
    }
}

#[test]
fn a_server_that_offers_no_tls_gets_nothing() {
    let place = MailPlace::new();
    let _server = place.serve("none");
    check_kept(&place, settings(&place, Tls::StartTls), MailProblem::Tls);
}

#[test]
fn a_server_s_refusals_are_told_apart() {
    let place = MailPlace::new();
    check_kept(&place, settings(&place, Tls::StartTls), MailProblem::Unreachable);
    let _server = place.serve("starttls");
    let wrong = SignIn { user: SIGN_IN[0].to_owned(), password: SecretString::from("wrong") };
    let settings = || settings(&place, Tls::StartTls);
    check_kept(&place, SmtpSettings { sign_in: Some(wrong), ..settings() }, MailProblem::SignIn);
    check_kept(&place, SmtpSettings { sign_in: None, ..settings() }, MailProblem::SignIn);
    place.mood("later");
    check_kept(&place, settings(), MailProblem::Later);
    place.mood("refuse");
    check_kept(&place, settings(), MailProblem::Refused);
    place.mood("hang");
    let hurried = SmtpSettings { timeout: Duration::from_secs(1), ..settings() };
    check_kept(&place, hurried, MailProblem::Unreachable);
    let said = Smtp::new(settings()).expect("settings");
    assert!(!format!("{said:?}").contains(SIGN_IN[1]), "no password in {said:?}");
}

/// Sends what waits in the outbox of a world.
fn deliver(world: &World, smtp: &Smtp) -> Sent {
    let post = |notice: &tenkoku_domain::notice::Notice, _| {
        smtp.send(&Letter { id: format!("notice-{}", notice.number), ..letter("期限", "") })
    };
    send_letters(&world.env, &world.permit(), &post).expect("the store answers")
}

#[test]
fn a_server_that_was_down_gets_the_letter_once_when_it_is_up_again() {
    World::on_each_database(|world| {
        let place = MailPlace::new();
        let smtp = Smtp::new(settings(&place, Tls::StartTls)).expect("settings");
        let certificate = world.seal(&world.osaka(), Level::Two);
        world.revoke(&certificate, Cause::Replaced).expect("a revocation");
        let held_up = Some(MailProblem::Unreachable);
        let (sent, told) = world.told(|| deliver(world, &smtp));
        assert_eq!(sent, Sent { sent: 0, kept: 1, held_up });
        assert_eq!(codes(&told), ["notice.failed"]);
        assert_eq!(told[0]["detail"]["problem"], "unreachable");
        assert_eq!(told[0]["detail"]["given_up"], false);
        let _server = place.serve("starttls");
        let none = Sent { sent: 0, kept: 0, held_up: None };
        assert_eq!(deliver(world, &smtp), none, "its pause is not over");
        world.clock.advance_seconds(60);
        let (sent, told) = world.told(|| deliver(world, &smtp));
        assert_eq!(sent, Sent { sent: 1, kept: 0, held_up: None });
        assert_eq!(codes(&told), ["notice.sent"]);
        world.clock.advance_days(2);
        assert_eq!(deliver(world, &smtp), none);
        assert_eq!(place.letters().len(), 1);
    });
}

#[test]
fn a_letter_that_is_refused_for_good_is_given_up_and_may_be_tried_again() {
    World::on_each_database(|world| {
        let place = MailPlace::new();
        let _server = place.serve("none");
        let smtp = Smtp::new(settings(&place, Tls::None)).expect("settings");
        let certificate = world.seal(&world.osaka(), Level::Two);
        world.revoke(&certificate, Cause::Replaced).expect("a revocation");
        place.mood("later");
        assert_eq!(deliver(world, &smtp).kept, 1);
        place.mood("refuse");
        world.clock.advance_seconds(60);
        let (sent, told) = world.told(|| deliver(world, &smtp));
        assert_eq!((sent.sent, sent.kept), (0, 1));
        assert_eq!(told[0]["detail"]["given_up"], true);
        let record = told[0].to_string();
        assert!(!record.contains('@') && !record.contains("550"), "no mailbox in {record}");
        let given_up = world.read(|tx| tx.letters_not_sent(10));
        let Delivery::GivenUp { problem, .. } = &given_up[0].delivery else {
            panic!("{given_up:?}")
        };
        assert!(problem.contains("no such mailbox"), "{problem}");
        assert_eq!(world.read(|tx| tx.letter_figures()).given_up, 1);
        world.clock.advance_days(10);
        assert_eq!(deliver(world, &smtp).kept, 0, "nothing tries it by itself");
        place.mood("");
        let again = world.write(|tx| tx.retry_letters(world.now()));
        assert_eq!(again.expect("the store answers"), 1);
        assert_eq!(deliver(world, &smtp).sent, 1);
        assert_eq!(place.letters().len(), 1);
    });
}

/// An evaluation that writes to the server of a place.
fn installation(place: &MailPlace) -> Installation {
    let installation = Installation::with_sample();
    let file = installation.path().join("tenkoku.toml");
    let text = fs::read_to_string(&file).expect("a configuration");
    let [user, password] = SIGN_IN;
    let mail = format!(
        "[mail]\nvia = \"smtp\"\nhost = \"localhost\"\nport = {}\nuser = \"{user}\"\n\
         ca_file = \"{}\"\nfrom = \"eseal@tenkoku.example\"\n",
        place.port(),
        place.authority().display(),
    );
    fs::write(&file, text.replacen("[mail]\n", &mail, 1)).expect("a configuration");
    let secret = installation.path().join("mail-password");
    fs::write(&secret, format!("{password}\n")).expect("a password");
    run(std::process::Command::new("chmod").arg("600").arg(&secret)).success();
    installation
}

#[test]
fn the_real_program_tests_its_mail_and_tells_of_a_revocation() {
    let place = MailPlace::new();
    let installation = installation(&place);
    let test = ["mail", "test", "--to", "hanako@sample.example", "--language", "ja"];
    let outcome = installation.tenkoku(test);
    assert_eq!(outcome.code, Some(1), "{}", outcome.said());
    let doctor = installation.tenkoku(["doctor"]);
    assert!(doctor.said().contains("✘ mail"), "{}", doctor.said());
    let mail_server = place.serve("starttls");
    installation.tenkoku(test).success();
    let [first] = place.letters().try_into().expect("one letter");
    assert_eq!(first["to"][0][1], "hanako@sample.example");
    assert_eq!(first["from"], json!([["見本認証局", "eseal@tenkoku.example"]]));
    assert_eq!(first["subject"], "メールサーバーの確認");
    let doctor = installation.tenkoku(["doctor"]);
    assert!(doctor.success().contains("✔ mail"), "{}", doctor.said());
    let shown = installation.json(["config", "check"])["mail"].to_string();
    assert!(shown.contains("STARTTLS") && !shown.contains(SIGN_IN[1]), "{shown}");

    let server = installation.serve();
    let key = installation.path().join("branch.key").display().to_string();
    tenkoku_testkit::tools::openssl([
        "genpkey",
        "-algorithm",
        "EC",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-out",
        &key,
    ])
    .success();
    let file = installation.path().join("branch.pem").display().to_string();
    let target = ["--branch", "BR-0001", "--org", "NTRJP-8000000990001", "--level", "2"];
    let issue = ["issue", "--key", &key, "--out", &file];
    installation.tenkoku(issue.into_iter().chain(target)).success();
    let shown = installation.json(["certificate", "show", &file]);
    let serial = shown["serial"].as_str().expect("a serial number");
    installation.tenkoku(["revoke", serial, "--reason", "replaced", "--yes"]).success();
    let letters = place.await_letters(2);
    let body = letters[1]["text"].as_str().expect("a text");
    assert_eq!(letters[1]["to"], json!([["石垣 一葉", "seal-0001@mihon-bank.example"]]));
    assert!(body.contains(serial), "{body}");
    assert!(body.contains(&format!("/console/certificates/{serial}")), "{body}");
    assert!(letters[1]["html"].as_str().expect("HTML").contains(serial));
    assert_eq!(server.terminate(), Some(0));
    assert_eq!(installation.json(["mail", "waiting"])["letters"], json!([]));
    drop(mail_server);
}

#[test]
fn an_evaluation_writes_letters_as_files() {
    let installation = Installation::evaluation();
    installation.tenkoku(["mail", "test", "--to", "hanako@sample.example"]).success();
    let [letter] = letters_in(&installation.path().join("mail")).try_into().expect("one letter");
    assert_eq!(letter["subject"], "A letter to try out the mail server");
    assert_eq!(letter["from"], json!([["Sample Trust Services", "info@tenkoku.example"]]));
    let text = letter["text"].as_str().expect("a text");
    assert!(text.contains("evaluation"), "{text}");
}

#[test]
fn a_password_that_others_can_read_is_refused() {
    let place = MailPlace::new();
    let installation = installation(&place);
    let secret = installation.path().join("mail-password");
    run(std::process::Command::new("chmod").arg("644").arg(&secret)).success();
    let refused = installation.tenkoku(["mail", "test", "--to", "hanako@sample.example"]);
    assert_eq!(refused.code, Some(1), "{}", refused.said());
    assert!(refused.said().contains("key-store-exposed"), "{}", refused.said());
}
