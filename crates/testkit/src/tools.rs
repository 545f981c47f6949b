//! Other people's programs as judges: run one, see what it said, fail with all of it.
//!
//! Also where the things lie that are no part of the checkout: the cache, and the folder `shared`
//! beside it with checkers of the field.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// What a program said and how it ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The command line, for messages.
    pub line: String,
    /// Exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Outcome {
    /// The standard output of a program that must have succeeded.
    ///
    /// # Panics
    /// When it did not, with everything it said.
    #[track_caller]
    pub fn success(&self) -> &str {
        self.exited(0)
    }

    /// The standard output of a program that must have ended with `code`.
    ///
    /// # Panics
    /// When it ended otherwise, with everything it said.
    #[track_caller]
    pub fn exited(&self, code: i32) -> &str {
        let Self { line, stdout, stderr, .. } = self;
        assert_eq!(self.code, Some(code), "{line}\n--- stdout\n{stdout}\n--- stderr\n{stderr}");
        stdout
    }

    /// Everything it said: some programs give their verdict on standard error.
    pub fn said(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

/// Runs a program to its end, without standard input.
///
/// # Panics
/// When it cannot be started.
pub fn run(command: &mut Command) -> Outcome {
    let line = format!("{command:?}");
    let output = command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|e| panic!("{line}: {e}; is it installed? type  scripts/setup-tests"));
    Outcome {
        line,
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// `openssl` with these words; paths and texts alike.
pub fn openssl<W: AsRef<std::ffi::OsStr>>(words: impl IntoIterator<Item = W>) -> Outcome {
    run(Command::new("openssl").args(words))
}

/// `xmllint` with these words.
pub fn xmllint<W: AsRef<std::ffi::OsStr>>(words: impl IntoIterator<Item = W>) -> Outcome {
    run(Command::new("xmllint").args(words))
}

/// `xmlsec1` with these words.
pub fn xmlsec1<W: AsRef<std::ffi::OsStr>>(words: impl IntoIterator<Item = W>) -> Outcome {
    run(Command::new("xmlsec1").args(words))
}

/// A program of the pinned linters, such as `lint_pkix_cert`.
pub fn linter(name: &str) -> Command {
    Command::new(cache().join("linters/bin").join(name))
}

/// The program that calls an API with everything that its document allows.
pub fn schemathesis() -> Command {
    Command::new(cache().join("schemathesis/bin/schemathesis"))
}

/// The script that judges the accessibility of a page in the browser (axe-core).
///
/// # Panics
/// When it is not there.
pub fn axe() -> &'static str {
    static SCRIPT: OnceLock<String> = OnceLock::new();
    SCRIPT.get_or_init(|| {
        let file = cache().join("pages/node_modules/axe-core/axe.min.js");
        let missing = |e| panic!("{}: {e}; type  scripts/setup-tests", file.display());
        std::fs::read_to_string(&file).unwrap_or_else(missing)
    })
}

/// The checker of HTML, CSS and SVG (Nu Html Checker), for files.
pub fn html_checker() -> Command {
    let program = cache().join("pages/node_modules/vnu-jar/build/dist/vnu.jar");
    let mut command = Command::new("java");
    command.arg("-jar").arg(program);
    command
}

/// `lint-pki` of the folder beside the checkout, where there is one.
pub fn lint_pki() -> Option<Command> {
    judge("lint-pki", "LINT_PKI_CACHE")
}

/// `check-trust-list` of the folder beside the checkout, where there is one.
pub fn check_trust_list() -> Option<Command> {
    judge("check-trust-list", "CHECK_TRUST_LIST_CACHE")
}

fn judge(tool: &str, cache_name: &str) -> Option<Command> {
    let mut command = Command::new(shared()?.join("tools").join(tool));
    command.env(cache_name, cache().join(tool));
    Some(command)
}

/// The folder `shared` beside the checkout, where there is one; says so where there is none.
#[expect(clippy::print_stderr, reason = "a test that judges less than usual says so")]
pub fn shared() -> Option<PathBuf> {
    let folder = checkout().join("../shared");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: ../shared absent");
    None
}

/// The top of the checkout.
pub fn checkout() -> PathBuf {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    top.canonicalize().expect("the checkout the tests were built from")
}

/// A file under `tests/data`.
pub fn data(name: &str) -> PathBuf {
    checkout().join("tests/data").join(name)
}

/// Where things lie that are costly to make: `TENKOKU_TEST_CACHE`, else as `scripts/cache.sh` has
/// it.
#[expect(clippy::disallowed_methods, reason = "scripts/cache.sh tells by the environment")]
fn cache() -> PathBuf {
    let folder = |name: &str, below: &str| {
        let value = std::env::var(name).ok().filter(|value| !value.is_empty())?;
        Some(Path::new(&value).join(below))
    };
    folder("TENKOKU_TEST_CACHE", "")
        .or_else(|| folder("XDG_CACHE_HOME", "tenkoku"))
        .or_else(|| folder("HOME", ".cache/tenkoku"))
        .expect("HOME is set")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_heard_out() {
        assert!(openssl(["version"]).success().starts_with("OpenSSL"));
        let refused = openssl(["nonsense"]);
        assert_ne!(refused.code, Some(0));
        assert!(refused.said().contains("nonsense"), "{}", refused.said());
    }

    #[test]
    fn the_linters_are_there() {
        assert!(run(linter("lint_pkix_cert").arg("--help")).success().contains("lint"));
    }
}
