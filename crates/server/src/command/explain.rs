//! `tenkoku explain CODE`: what an error code means, why, and what to do.

use clap::Args;
use serde_json::json;
use tenkoku_console::text::explain;

use crate::failure::Failure;
use crate::output::Output;

/// `tenkoku explain`
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The code, as an error shows it: key-duplicate
    code: String,
}

pub(crate) fn run(args: &ExplainArgs, output: &Output) -> Result<(), Failure> {
    let told = explain::explain(output.language, &args.code)
        .ok_or_else(|| Failure::nothing("code", &args.code))?;
    let value = json!({
        "code": args.code,
        "title": told.title,
        "what": told.what,
        "why": told.why,
        "help": told.remedy,
    });
    output.result("explanation", value, || {
        format!("{}: {}\n\n{}\n{}\n{}", args.code, told.title, told.what, told.why, told.remedy)
    });
    Ok(())
}
