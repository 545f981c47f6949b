//! `tenkoku db`: bring the database to this program's version.

use clap::Subcommand;
use serde_json::json;
use tenkoku_domain::time::Clock as _;
use tenkoku_store::SchemaState;

use crate::clock::WallClock;
use crate::config::Config;
use crate::failure::Failure;
use crate::output::Output;
use crate::wire;

/// `tenkoku db`
#[derive(Debug, Subcommand)]
pub(crate) enum DbCommand {
    /// Run the migrations that are missing
    Migrate,
    /// Say whether the database is of this program's version
    Verify,
}

pub(crate) fn run(command: &DbCommand, config: &Config, output: &Output) -> Result<(), Failure> {
    match command {
        DbCommand::Migrate => {
            let store = wire::open(config)?;
            let pending = match store.schema_state()? {
                SchemaState::Older { pending } => pending,
                SchemaState::Current | SchemaState::Empty | SchemaState::Newer { .. } => 0,
            };
            store.migrate(&wire::shell_origin(), WallClock.now())?;
            output.result("db-migrate", json!({ "migrations": pending }), || {
                format!("the database is current; {pending} migrations were run")
            });
        }
        DbCommand::Verify => {
            wire::store(config)?;
            output.result("db-verify", json!({ "current": true }), || {
                "the database is current".to_owned()
            });
        }
    }
    Ok(())
}
