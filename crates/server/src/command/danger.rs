//! Asks before what cannot be taken back (UX 12).

use std::io::Write as _;

use tenkoku_console::text::Words;

use crate::failure::Failure;
use crate::output::Output;

/// Asks for the object's name to be typed, unless `--yes` was given. `act` is a word of the texts
/// `cli-danger.act` and `cli-danger.meaning`.
pub(crate) fn confirm(act: &str, name: &str, yes: bool, output: &Output) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    let w = Words::of(output.language);
    let question = w
        .say("cli-danger.ask")
        .with("act", w.word("cli-danger.act", act))
        .with("meaning", w.word("cli-danger.meaning", act))
        .with("name", name)
        .text();
    let _ = write!(std::io::stderr(), "{question} ");
    let mut typed = String::new();
    let read = std::io::stdin().read_line(&mut typed);
    if read.is_ok() && typed.trim() == name {
        return Ok(());
    }
    Err(Failure::word(typed.trim(), &[name, "--yes"]))
}
