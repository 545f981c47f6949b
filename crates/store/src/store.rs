//! The door to the database.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, Weak};

use crate::connection::{Access, AnyConnection};
use crate::error::StoreError;
use crate::group::Group;
use crate::location::Location;
use crate::pool::Pools;
use crate::setup::SchemaState;
use crate::status::{StatusChange, StatusListener};
use crate::tx::Tx;

/// The database. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    pools: Pools,
    /// Writers that share a commit.
    group: Group,
    node: String,
    /// Whether the schema was found to be this program's.
    current: AtomicBool,
    /// Who is told of changes of status.
    listeners: RwLock<Vec<Weak<dyn StatusListener>>>,
}

impl Store {
    /// Opens the database at `sqlite:PATH`, a bare path, or `postgres://…`. Nothing is migrated.
    /// `node` names this node's audit chain (`node-1`).
    pub fn open(url: &str, node: &str) -> Result<Self, StoreError> {
        let pools = Pools::open(Location::parse(url)?)?;
        let current = AtomicBool::new(false);
        let listeners = RwLock::default();
        Ok(Self {
            inner: Arc::new(Inner {
                pools,
                group: Group::default(),
                node: node.to_owned(),
                current,
                listeners,
            }),
        })
    }

    /// Runs `f` on one consistent state of the database. Changes made in it fail.
    pub fn read<T, E: From<StoreError>>(
        &self,
        f: impl FnOnce(&mut Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.check_current()?;
        self.transaction(Access::Read, f)
    }

    /// Runs `f` in one transaction: kept when it gives `Ok`, without a trace when it gives `Err`.
    ///
    /// Those who write at the same time share one durable commit: they run one after the other, each
    /// sees what those before it did, each can be taken back alone, and none goes on before
    /// everything it saw is kept (ADR 21).
    pub fn write<T, E: From<StoreError>>(
        &self,
        f: impl FnOnce(&mut Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.check_current()?;
        self.inner.group.write(&self.inner.pools, &self.inner.node, f, |changes| self.tell(changes))
    }

    /// The node whose audit chain this store writes.
    pub fn node(&self) -> &str {
        &self.inner.node
    }

    /// Whether the database is a file.
    pub fn is_sqlite(&self) -> bool {
        self.inner.pools.is_sqlite()
    }

    /// Writers that wait for their turn.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.inner.group.waiting()
    }

    /// One transaction, whatever the schema.
    pub(crate) fn transaction<T, E: From<StoreError>>(
        &self,
        access: Access,
        f: impl FnOnce(&mut Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut conn = self.inner.pools.take(access)?;
        let mut tx = Tx::begin(&mut conn, &self.inner.node, access)?;
        match f(&mut tx) {
            Ok(done) => {
                let changes = tx.commit()?;
                // The connection is given back before anybody reads what was committed.
                drop(conn);
                self.tell(&changes);
                Ok(done)
            }
            Err(error) => {
                tx.roll_back();
                Err(error)
            }
        }
    }

    /// A connection outside the pools.
    pub(crate) fn connect_alone(&self) -> Result<AnyConnection, StoreError> {
        self.inner.pools.connect_alone()
    }

    pub(crate) fn add_listener(&self, listener: Weak<dyn StatusListener>) {
        let mut listeners = self.inner.listeners.write().unwrap_or_else(PoisonError::into_inner);
        listeners.retain(|known| known.strong_count() > 0);
        listeners.push(listener);
    }

    fn tell(&self, changes: &[StatusChange]) {
        if changes.is_empty() {
            return;
        }
        let listeners = self.inner.listeners.read().unwrap_or_else(PoisonError::into_inner).clone();
        for listener in listeners.iter().filter_map(Weak::upgrade) {
            listener.committed(changes);
        }
    }

    /// Forgets that the schema was found to be this program's.
    pub(crate) fn forget_schema(&self) {
        self.inner.current.store(false, Ordering::Relaxed);
    }

    fn check_current(&self) -> Result<(), StoreError> {
        if self.inner.current.load(Ordering::Relaxed) {
            return Ok(());
        }
        match self.schema_state()? {
            SchemaState::Current => {
                self.inner.current.store(true, Ordering::Relaxed);
                Ok(())
            }
            SchemaState::Empty | SchemaState::Older { .. } => Err(StoreError::NotMigrated),
            SchemaState::Newer { found, known } => Err(StoreError::Newer { found, known }),
        }
    }
}
