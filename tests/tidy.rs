//! The house rules that a program can see: who may know whom, who may name what, what every crate
//! opens with, and what no file of the project says.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tenkoku_testkit::tools::{checkout, run};

/// Every crate and its layer: a crate uses crates of lower layers only, never one of its own.
const LAYERS: [(&str, u8); 18] = [
    ("domain", 0),
    ("pki", 1),
    ("tsl", 1),
    ("validation", 2),
    ("keys", 2),
    ("store", 3),
    ("mail", 3),
    ("fetch", 3),
    ("softkeys", 3),
    ("pkcs11", 3),
    ("ports", 4),
    ("ca", 5),
    ("responder", 5),
    ("publisher", 5),
    ("reader", 5),
    ("console", 6),
    ("server", 7),
    // For tests only: it may know everybody, and nobody it.
    ("testkit", u8::MAX),
];

/// Folders at the top that are not the project's: kept by git, built, or run.
const FOREIGN: [&str; 4] = [".git", "target", "var", ".venv"];

/// A crate of the workspace and what it uses of the others outside its tests.
struct Member {
    name: String,
    uses: Vec<String>,
}

/// The crates under `crates/`, without the prefix of their packages.
fn members() -> Vec<Member> {
    let cargo = ["metadata", "--offline", "--no-deps", "--format-version", "1"];
    let metadata = run(Command::new(env!("CARGO")).args(cargo).current_dir(checkout()));
    let metadata: Value = serde_json::from_str(metadata.success()).expect("cargo prints JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let named = packages.iter().map(|package| Member {
        name: short(&package["name"]).expect("packages carry our prefix"),
        uses: used(&package["dependencies"]),
    });
    named.filter(|member| member.name != "tests").collect()
}

/// Dependencies of a package on our crates, those for its tests left out.
fn used(dependencies: &Value) -> Vec<String> {
    let all = dependencies.as_array().expect("dependencies").iter();
    all.filter(|one| one["kind"] != "dev").filter_map(|one| short(&one["name"])).collect()
}

fn short(package: &Value) -> Option<String> {
    package.as_str().and_then(|name| name.strip_prefix("tenkoku-")).map(str::to_owned)
}

fn layer(name: &str) -> u8 {
    let found = LAYERS.iter().find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("the crate {name} has no layer: add it to LAYERS")).1
}

#[test]
fn a_crate_knows_lower_layers_only() {
    for Member { name, uses } in members() {
        for used in uses {
            assert!(layer(&used) < layer(&name), "{name} must not know {used}");
        }
    }
}

#[test]
fn every_crate_is_on_the_map() {
    let map = fs::read_to_string(checkout().join("docs/ARCHITECTURE.md")).expect("the map");
    for Member { name, .. } in members() {
        let shown = map.contains(&format!("`tenkoku-{name}`"));
        assert!(shown, "docs/ARCHITECTURE.md does not name the crate {name}");
    }
}

#[test]
fn every_crate_forbids_unsafe_code() {
    for Member { name, .. } in members().iter().filter(|member| member.name != "pkcs11") {
        let source = checkout().join("crates").join(name).join("src");
        let fronts = ["lib.rs", "main.rs"].map(|front| source.join(front));
        let present: Vec<_> = fronts.iter().filter(|front| front.is_file()).collect();
        assert!(!present.is_empty(), "{name} has neither lib.rs nor main.rs");
        for front in present {
            let opens = text(front).contains("#![forbid(unsafe_code)]");
            assert!(opens, "{} must forbid unsafe code", front.display());
        }
    }
}

#[test]
fn every_source_file_says_what_it_is_for() {
    for file in rust_files() {
        let opens = text(&file).starts_with("//!");
        assert!(opens, "{} must open with //!", file.display());
    }
}

/// Tables whose rows end: work that is done, plans that were carried out or given up, devices of
/// accounts that enrolled anew, octets of CRLs that a newer one replaced (what they were stays),
/// counts of answers of more than a month ago, answers of the API that a day went over.
const ENDING: [&str; 6] =
    ["jobs.rs", "ceremonies.rs", "passkeys.rs", "crls.rs", "status_load.rs", "api_answers.rs"];

#[test]
fn i_5_nothing_that_was_decided_is_deleted() {
    for file in rust_files() {
        let place = file.strip_prefix(checkout()).expect("inside the checkout");
        let ending = ENDING.iter().any(|name| place.ends_with(name));
        let in_store =
            place.starts_with("crates/store/src") && !place.to_string_lossy().contains("tests");
        if in_store && !ending {
            let deletes = text(&file).contains("diesel::delete");
            assert!(!deletes, "{} deletes rows", place.display());
        }
    }
}

#[test]
fn only_the_store_names_diesel() {
    nobody_names("diesel", |place| place.starts_with("crates/store/"));
}

#[test]
fn only_the_edge_names_the_web_framework() {
    nobody_names("actix_web", |place| {
        place.starts_with("crates/console/")
            || place.starts_with("crates/server/")
            || place.ends_with("/http.rs")
    });
}

#[test]
fn only_the_configuration_reads_the_environment() {
    for name in ["env::var", "env::vars", "env::var_os"] {
        nobody_names(name, |place| {
            place.starts_with("crates/server/src/config")
                || place.starts_with("crates/testkit/")
                || is_test(place)
        });
    }
}

/// Whether a place is one of tests only: ours, or those of one crate from outside.
fn is_test(place: &str) -> bool {
    place.starts_with("tests/")
        || place.starts_with("crates/pki/src/interop")
        || ["/tests/", "/benches/"].iter().any(|folder| place.contains(folder))
}

/// Fails where code outside the places that `may` says `word`; comments may.
fn nobody_names(word: &str, may: impl Fn(&str) -> bool) {
    for file in rust_files() {
        let place = place(&file);
        if may(&place) || place == "tests/tidy.rs" {
            continue;
        }
        for (number, line) in text(&file).lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            assert!(!says(code, word), "{place}:{} must not name {word}", number + 1);
        }
    }
}

/// Whether `code` holds `word` as a whole name.
fn says(code: &str, word: &str) -> bool {
    let of_a_name = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = code[at + word.len()..].chars().next();
        !before.is_some_and(of_a_name) && !after.is_some_and(of_a_name)
    })
}

#[test]
fn a_name_is_found_whole() {
    assert!(says("use diesel::prelude", "diesel"));
    assert!(!says("let diesels = 1", "diesel"));
    assert!(!says("tracing_actix_web::x", "actix_web"));
}

#[test]
fn the_project_speaks_of_itself_alone() {
    // Spelt apart, so that this file does not say them.
    let foreign = [
        ["/wo", "rk/"],
        ["/ro", "ot/"],
        ["crates", ".io/api"],
        ["static.crates", ".io"],
        ["pypi", ".org"],
        ["registry.npm", "js.org"],
        ["deb.debian", ".org"],
    ]
    .map(|parts| parts.concat());
    for file in files() {
        let text = String::from_utf8_lossy(&fs::read(&file).expect("a file")).into_owned();
        for word in &foreign {
            assert!(!text.contains(word.as_str()), "{} says {word}", place(&file));
        }
    }
}

/// The code that an error names is explained in both languages, or nobody is helped by it.
#[test]
fn every_problem_that_the_program_names_has_words() {
    let catalogues =
        ["en", "ja"].map(|lang| text(&checkout().join(format!("web/text/{lang}.toml"))));
    let mut named = 0;
    for file in rust_files().iter().filter(|file| place(file).starts_with("crates/server/src")) {
        for part in text(file).split("problem(\"").skip(1) {
            let code = part.split('"').next().unwrap_or_default();
            named += 1;
            for catalogue in &catalogues {
                let entry = format!("[problem.{code}]");
                assert!(catalogue.contains(&entry), "{} names {code}", place(file));
            }
        }
    }
    assert!(named > 20, "only {named} were found");
}

fn text(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
}

/// The path of a file from the top of the checkout.
fn place(file: &Path) -> String {
    let inside = file.strip_prefix(checkout()).expect("a file of the checkout");
    inside.to_string_lossy().into_owned()
}

fn rust_files() -> Vec<PathBuf> {
    files().into_iter().filter(|file| file.extension().is_some_and(|ext| ext == "rs")).collect()
}

/// Every file of the project.
fn files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![checkout()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the checkout") {
            let path = entry.expect("an entry").path();
            if !path.is_dir() {
                found.push(path);
            } else if !FOREIGN.contains(&place(&path).as_str()) {
                folders.push(path);
            }
        }
    }
    found
}
