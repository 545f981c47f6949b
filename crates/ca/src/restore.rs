//! Backups: that one was made or rehearsed, and that the installation was restored from one, which
//! two administrators accept before anything is issued again (DOMAIN 17): a copy has forgotten what
//! came after it.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::json;
use tenkoku_domain::access::{ManageAccounts, Origin, Permit};
use tenkoku_domain::approval::{Approvable, ApprovalRequest, ApprovalState, Step, needs};
use tenkoku_domain::audit::{AuditCode, BackupEvent, BackupSummary, Event, ObjectRef};
use tenkoku_domain::id::{ApprovalId, Entropy};
use tenkoku_domain::policy::Installation;
use tenkoku_domain::refusal::{Refusal, RefusalCode};
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::Env;
use tenkoku_store::{StoreError, Tx};

use crate::act::{ActError, told};
use crate::approval::{Opening, Ruling, open, rule};
use crate::issuer::EVERYWHERE;

/// The kind of a request that is about a restored installation.
pub const RESTORE: &str = "restore";

/// What was shown about a restored installation.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ShownRestore {
    /// From which backup.
    pub backup: BackupSummary,
}

/// Records that a backup was made, or that it was rehearsed.
pub fn record_backup(env: &Env, origin: &Origin, event: BackupEvent) -> Result<(), StoreError> {
    let now = env.clock.now();
    env.store.write(|tx| tx.record(origin, now, &Event::Backup(event)).map(drop))
}

/// Records, in a database that was just filled, what it was filled from. In production nothing is
/// issued from here until two administrators accept it; an evaluation goes on.
pub fn record_restored(
    tx: &mut Tx<'_>,
    (installation, entropy): (Installation, &dyn Entropy),
    origin: &Origin,
    backup: BackupSummary,
    now: Timestamp,
) -> Result<Option<ApprovalRequest>, ActError> {
    let request = match installation {
        Installation::Evaluation => None,
        Installation::Production => {
            let opening = Opening {
                object: ObjectRef::new(RESTORE, backup.digest),
                organisation: None,
                shown: json!({ "backup": backup }),
                askers: BTreeSet::from([tx.party(&origin.actor)?]),
                needs: needs(Approvable::Restore),
            };
            Some(open(entropy, opening, now)?)
        }
    };
    let event = BackupEvent::Restored { backup, request: request.clone().map(Box::new) };
    tx.record(origin, now, &Event::Backup(event))?;
    Ok(request)
}

/// When this node's installation was last saved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BackupTimes {
    /// The last backup.
    pub made: Option<Timestamp>,
    /// The last backup that was restored into a scratch place and held.
    pub rehearsed: Option<Timestamp>,
}

/// How many records about a node are looked through for its backups.
const RECORDS_OF_NODE: i64 = 500;

/// When the last backup was made and the last one rehearsed, as far as the newest records about
/// this node tell.
pub fn backup_times(env: &Env) -> Result<BackupTimes, StoreError> {
    let node = ObjectRef::new("node", env.store.node());
    let records =
        env.store.read(|tx| tx.audit_before(&EVERYWHERE, None, Some(&node), RECORDS_OF_NODE))?;
    let mut times = BackupTimes::default();
    for record in records {
        let Ok(record) = serde_json::from_str::<Told>(&record.record) else { continue };
        if record.code == AuditCode::SysBackupMade {
            times.made = times.made.or(Some(record.at));
        } else if record.code == AuditCode::SysSelftest {
            times.rehearsed = times.rehearsed.or(Some(record.at));
        }
    }
    Ok(times)
}

/// What is read of a record.
#[derive(Deserialize)]
struct Told {
    code: AuditCode,
    #[serde(with = "tenkoku_domain::time::text")]
    at: Timestamp,
}

/// Asks anew for the acceptance of a restored installation, where the last request ended without.
pub fn ask_again(env: &Env, origin: &Origin) -> Result<ApprovalRequest, ActError> {
    let now = env.clock.now();
    env.store.write(|tx| {
        let none = StoreError::NotFound { what: "approval request" };
        let last = tx.last_approval_request(RESTORE)?.ok_or(none)?;
        let waits = last.state == ApprovalState::Open && last.expires_at() >= now;
        let shown = serde_json::from_value::<ShownRestore>(last.shown.clone()).ok();
        let Some(shown) = shown.filter(|_| !waits && last.state != ApprovalState::Approved) else {
            return Ok(last);
        };
        let who = (env.settings.installation, &*env.entropy);
        Ok(record_restored(tx, who, origin, shown.backup, now)?.unwrap_or(last))
    })
}

/// An administrator's decision about a restored installation.
pub fn decide_restore(
    env: &Env,
    permit: &Permit<ManageAccounts>,
    id: &ApprovalId,
    ruling: &Ruling,
) -> Result<ApprovalRequest, ActError> {
    let now = env.clock.now();
    let origin = permit.origin();
    let done = env.store.write(|tx| {
        let request = tx.load_approval_request(&EVERYWHERE, id)?;
        if request.object.kind != RESTORE {
            return Err(StoreError::NotFound { what: "approval request" }.into());
        }
        rule(tx, origin, request, (Step::Officer, false), ruling, now)
    });
    told(env, origin, (AuditCode::SysBackupRestored, ObjectRef::new("approval", id)), None, done)
}

/// DOMAIN 17, asked before anything is issued: nothing is while a restored installation waits for
/// its acceptance.
pub(crate) fn check_restored(tx: &mut Tx<'_>) -> Result<Result<(), Refusal>, StoreError> {
    let last = tx.last_approval_request(RESTORE)?;
    Ok(match last.filter(|last| last.state != ApprovalState::Approved) {
        None => Ok(()),
        Some(_) => Err(Refusal::new(RefusalCode::DualControl, "17").with("problem", "restored")),
    })
}
