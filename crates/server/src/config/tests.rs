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
        assert_eq!(config.key_folder, Path::new("data/keys"));
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
