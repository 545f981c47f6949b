//! A migrated database for one test, on either kind of database.

use tempfile::TempDir;
use tenkoku_domain::audit::{ChainBreak, ChainWalk, Event};
use tenkoku_domain::time::Timestamp;
use tenkoku_testkit::postgres::Database;

use super::samples;
use crate::{Store, StoreError, Tx};

/// Makes of each function two tests, one per database.
macro_rules! both {
    ($($name:ident)*) => {
        mod sqlite {
            $(#[test] fn $name() { super::$name($crate::tests::World::on_sqlite()); })*
        }
        mod postgresql {
            $(#[test] fn $name() { super::$name($crate::tests::World::on_postgresql()); })*
        }
    };
}
pub(crate) use both;

/// Keeps the database for as long as the test runs.
pub(crate) enum Home {
    Folder(TempDir),
    Server(Database),
}

/// A store of a test's own.
pub(crate) struct World {
    // Dropped before its home.
    pub(crate) store: Store,
    pub(crate) home: Home,
}

impl World {
    pub(crate) fn on_sqlite() -> Self {
        Self::migrated(Home::Folder(TempDir::new().unwrap()))
    }

    pub(crate) fn on_postgresql() -> Self {
        Self::migrated(Home::Server(Database::create()))
    }

    fn migrated(home: Home) -> Self {
        let store = Store::open(&url(&home), "node-1").unwrap();
        store.migrate(&samples::origin(), samples::NOW).unwrap();
        Self { store, home }
    }

    /// The address of the database.
    pub(crate) fn url(&self) -> String {
        url(&self.home)
    }

    /// Records events in one transaction.
    pub(crate) fn record(&self, events: &[Event]) -> Result<(), StoreError> {
        self.record_at(samples::NOW, events)
    }

    /// Records events in one transaction at an instant.
    pub(crate) fn record_at(&self, at: Timestamp, events: &[Event]) -> Result<(), StoreError> {
        self.store.write(|tx| {
            events.iter().try_for_each(|event| tx.record(&samples::origin(), at, event).map(drop))
        })
    }

    /// Reads something.
    pub(crate) fn read<T>(&self, f: impl FnOnce(&mut Tx<'_>) -> Result<T, StoreError>) -> T {
        self.store.read(f).unwrap()
    }

    /// Walks this node's audit chain to its end.
    pub(crate) fn walk(&self) -> Result<i64, ChainBreak> {
        self.read(|tx| {
            let (last, hash) = tx.audit_head()?.unwrap();
            let mut walk = ChainWalk::default();
            let mut seq = 0;
            loop {
                let records = tx.audit_after(seq, 7)?;
                let Some(end) = records.last() else {
                    return Ok(walk.finish(last, &hash));
                };
                seq = end.seq;
                if let Err(broken) = records.iter().try_for_each(|record| walk.step(record)) {
                    return Ok(Err(broken));
                }
            }
        })
    }

    /// Runs SQL as somebody with the database's password would.
    pub(crate) fn tamper(&self, sql: &str) {
        use diesel::connection::SimpleConnection as _;
        self.store.write(|tx| Ok::<_, StoreError>(tx.conn.batch_execute(sql)?)).unwrap();
    }
}

fn url(home: &Home) -> String {
    match home {
        Home::Folder(folder) => format!("sqlite:{}", folder.path().join("test.db").display()),
        Home::Server(database) => database.url(),
    }
}

/// Runs `work` in `count` threads at once and gives what each came to.
pub(crate) fn at_once<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let start = std::sync::Barrier::new(count);
    std::thread::scope(|scope| {
        let (work, start) = (&work, &start);
        let threads: Vec<_> = (0..count)
            .map(|number| {
                scope.spawn(move || {
                    start.wait();
                    work(number)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}
