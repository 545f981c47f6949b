//! What `make bench` measures in one process: `bench issuance [N]`, `bench start [AUTHORITIES]
//! [CERTIFICATES]`, `bench token MODULE LABEL PIN [COUNT]`, `bench weak [COUNT] [BITS]`. One program,
//! because putting a program together takes longer than most of what is measured.
#![forbid(unsafe_code)]

mod issuance;
mod start;
mod token;
mod weak;

use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.split_first().map(|(what, rest)| (what.as_str(), rest)) {
        Some(("issuance", rest)) => issuance::run(rest),
        Some(("start", rest)) => start::run(rest),
        Some(("token", rest)) => token::run(rest),
        Some(("weak", rest)) => weak::run(rest),
        _ => return ExitCode::from(2),
    }
    ExitCode::SUCCESS
}
