//! `tenkoku audit`: verify the chain, list records.

use clap::Subcommand;
use serde_json::{Value, json};
use tenkoku_domain::access::Scope;
use tenkoku_domain::audit::{ChainBreak, ChainWalk, GENESIS};
use tenkoku_store::Store;

use crate::config::Config;
use crate::failure::{Failure, exit};
use crate::output::{Output, facts};
use crate::wire;

/// Records that one look-up brings; memory does not grow with the chain.
const PAGE: i64 = 2000;

/// `tenkoku audit`
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Verify the whole chain; names the first broken record
    Verify,
    /// List the newest records
    List {
        /// At most so many
        #[arg(long, default_value_t = 50)]
        limit: i64,
    },
    /// Show one record
    Show {
        /// Its number
        seq: i64,
    },
}

pub(crate) fn run(command: AuditCommand, config: &Config, output: &Output) -> Result<(), Failure> {
    let store = wire::store(config)?;
    match command {
        AuditCommand::Verify => verify(&store, output),
        AuditCommand::List { limit } => {
            let found =
                store.read(|tx| tx.audit_before(&Scope::Platform, None, None, limit.max(1)))?;
            let all: Vec<Value> = found
                .iter()
                .map(|stored| serde_json::from_str(&stored.record).unwrap_or(Value::Null))
                .collect();
            output
                .result("audit-list", json!({ "records": all }), || all.iter().map(line).collect());
            Ok(())
        }
        AuditCommand::Show { seq } => {
            let found = store.read(|tx| tx.audit_after(seq - 1, 1))?;
            let stored = found
                .into_iter()
                .find(|stored| stored.seq == seq)
                .ok_or_else(|| Failure::nothing("record", seq))?;
            let record: Value = serde_json::from_str(&stored.record).map_err(Failure::internal)?;
            let value = json!({ "record": record, "prev": stored.prev, "hash": stored.hash });
            output.result("audit-record", value, || {
                format!("{record:#}\nprev {}\nhash {}", stored.prev, stored.hash)
            });
            Ok(())
        }
    }
}

fn line(record: &Value) -> String {
    let text = |pointer: &str| {
        let found = record.pointer(pointer);
        let text = found.map(|value| value.as_str().map_or(value.to_string(), str::to_owned));
        text.unwrap_or_default()
    };
    format!(
        "{}  {}  {}  {}  {} {}\n",
        text("/seq"),
        text("/at"),
        text("/outcome"),
        text("/code"),
        text("/object/kind"),
        text("/object/id")
    )
}

fn verify(store: &Store, output: &Output) -> Result<(), Failure> {
    match walk(store)? {
        Ok(records) => {
            let value = json!({ "intact": true, "records": records });
            output.result("audit-verification", value, || {
                facts(&[("audit trail", "intact".to_owned()), ("records", records.to_string())])
            });
            Ok(())
        }
        Err(broken) => Err(Failure::problem("audit-broken", exit::REFUSED)
            .with("seq", broken.seq)
            .with("problem", broken.fault.word())),
    }
}

/// Walks the whole chain: the number of records, or where it breaks.
pub(crate) fn walk(store: &Store) -> Result<Result<i64, ChainBreak>, Failure> {
    let head = store.read(|tx| tx.audit_head())?;
    let (head_seq, head_hash) = head.unwrap_or((0, GENESIS));
    let mut walk = ChainWalk::default();
    let mut after = 0;
    loop {
        let page = store.read(|tx| tx.audit_after(after, PAGE))?;
        for stored in &page {
            // What was written after the head was read is the next verification's.
            if stored.seq > head_seq {
                return Ok(walk.finish(head_seq, &head_hash));
            }
            if let Err(broken) = walk.step(stored) {
                return Ok(Err(broken));
            }
            after = stored.seq;
        }
        if page.is_empty() {
            return Ok(walk.finish(head_seq, &head_hash));
        }
    }
}
