//! `tenkoku completion SHELL` and `tenkoku man FOLDER`: what the package brings besides the program,
//! made from the same words as `--help`.

use std::fs;
use std::path::PathBuf;

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;
use serde_json::json;

use super::Cli;
use crate::failure::Failure;
use crate::output::Output;

/// `tenkoku completion`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tenkoku completion bash > ~/.local/share/bash-completion/completions/tenkoku
  tenkoku completion zsh > /usr/local/share/zsh/site-functions/_tenkoku")]
pub(crate) struct CompletionArgs {
    /// Which shell
    shell: Shell,
}

/// `tenkoku man`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tenkoku man /usr/local/share/man/man1")]
pub(crate) struct ManArgs {
    /// The folder; made where it is not there
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

pub(crate) fn run_completion(args: &CompletionArgs, output: &Output) {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "tenkoku", &mut text);
    output.raw(&text);
}

pub(crate) fn run_man(args: &ManArgs, output: &Output) -> Result<(), Failure> {
    let problem = |error: std::io::Error| Failure::file(args.folder.display(), &error);
    fs::create_dir_all(&args.folder).map_err(problem)?;
    clap_mangen::generate_to(Cli::command(), &args.folder).map_err(problem)?;
    let written = fs::read_dir(&args.folder).map_err(problem)?.count();
    output.result("manual", json!({ "pages": written }), || {
        format!("{written} pages in {}", args.folder.display())
    });
    Ok(())
}
