//! What a configuration must and must not say.

use super::*;

fn starter(kind: Installation) -> String {
    starter_text(&Starter {
        kind,
        policy_arc: match kind {
            Installation::Evaluation => "1.3.6.1.4.1.32473.1".to_owned(),
            Installation::Production => "1.3.6.1.4.1.99999.1".to_owned(),
        },
        database_url: "sqlite:tenkoku.db".to_owned(),
        listen: ["127.0.0.1:8080", "127.0.0.1:8081", "127.0.0.1:8082"].map(str::to_owned),
        public_address: "http://127.0.0.1:8080".to_owned(),
        clock_servers: vec!["time.example".to_owned()],
    })
}

fn check(from: &str, to: &str, expected: &str) {
    let text = starter(Installation::Production).replacen(from, to, 1);
    let problem = Config::parse(Path::new("data/tenkoku.toml"), &text).unwrap_err();
    assert_eq!(problem.to_string(), expected);
}

#[test]
fn the_starter_file_is_accepted() {
    for kind in [Installation::Evaluation, Installation::Production] {
        let config = Config::parse(Path::new("data/tenkoku.toml"), &starter(kind)).unwrap();
        assert_eq!(config.settings.installation, kind);
        assert_eq!(config.database_url, "sqlite:data/tenkoku.db");
        assert_eq!(config.keys, KeyPlace::Files("data/keys".into()));
    }
}

#[test]
fn an_unknown_key_is_told_with_its_line_and_the_nearest_known() {
    check(
        "policy_arc =",
        "polcy_arc =",
        "data/tenkoku.toml:9: the key polcy_arc is not known; did you mean policy_arc?",
    );
}

#[test]
fn values_that_break_a_rule_are_told_by_key() {
    check(
        "1.3.6.1.4.1.99999.1",
        "1.3.6.1.4.1.32473.7",
        "installation.policy_arc: 1.3.6.1.4.1.32473 is the arc for documentation; a production \
         installation needs the operator's own enterprise number (PR-1)",
    );
    check(
        "address = \"http://127.0.0.1:8080\"",
        "address = \"https://127.0.0.1\"",
        "public.address: must begin with http:// (certificates name plain http addresses)",
    );
    check(
        "kind = \"production\"",
        "kind = \"prod\"",
        "installation.kind: \"prod\" is not a kind; write \"evaluation\" or \"production\"",
    );
    check(
        "public = \"127.0.0.1:8080\"",
        "public = \"8080\"",
        "listen.public: \"8080\" is not ADDRESS:PORT, like 127.0.0.1:8080",
    );
}

const TOKEN: &str = "store = \"pkcs11\"\nmodule = \"/lib/hsm.so\"\ntoken = \"tenkoku\"\n";

#[test]
fn a_key_device_is_named_by_module_and_token() {
    let text = starter(Installation::Production).replacen("store = \"files\"\n", TOKEN, 1);
    let config = Config::parse(Path::new("data/tenkoku.toml"), &text).unwrap();
    let KeyPlace::Token(place) = config.keys else { panic!("{:?}", config.keys) };
    assert_eq!(place.settings.module, Path::new("/lib/hsm.so"));
    assert_eq!(place.settings.token, tenkoku_pkcs11::TokenChoice::Label("tenkoku".to_owned()));
    assert_eq!(place.settings.sessions, 4);
    assert_eq!(place.pin.file, Path::new("data/pin"));
}

#[test]
fn a_key_device_that_is_not_named_is_told_by_key() {
    let files = "store = \"files\"\n";
    let with = |more: &str| TOKEN.to_owned() + more;
    check(
        files,
        "store = \"hsm\"\n",
        "keys.store: \"hsm\" is no key store; write \"files\" or \"pkcs11\"",
    );
    check(files, "store = \"pkcs11\"\n", "keys.module: a key device needs the path of its module");
    let both = "keys.token: a token is named by its label (token) or by its serial number \
                (serial), and by one of them only";
    check(files, &with("serial = \"1\"\n"), both);
    check(files, "store = \"pkcs11\"\nmodule = \"/lib/hsm.so\"\n", both);
    check(files, &with("sessions = 0\n"), "keys.sessions: must be 1 to 256");
}
