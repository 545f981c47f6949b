//! Writers that share a commit (ADR 21).
//!
//! A durable commit takes a thousand times what a statement takes, and it takes the same for one
//! change as for fifty. Whoever wants to write enters the open transaction in turn and works in a
//! part of it that can be taken back alone. The last one for whom nobody waits, or the one after whom
//! the transaction is long enough, commits for all; the others wait for that. Who is alone commits
//! at once. While one transaction is being committed the next one is filled.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use diesel::r2d2::PooledConnection;

use crate::connection::{Access, PATIENCE_SECONDS};
use crate::error::StoreError;
use crate::ledger::Ledger;
use crate::pool::{Manager, Pools};
use crate::status::StatusChange;
use crate::tx::Tx;

/// Writers that share a commit, at most: another process waits that long for the file.
const MOST: usize = 64;
/// How long a writer waits for its turn.
const PATIENCE: Duration = Duration::from_secs(PATIENCE_SECONDS);

/// The writers of a store.
#[derive(Default)]
pub(crate) struct Group {
    state: Mutex<State>,
    /// Somebody left, or a commit ended.
    moved: Condvar,
}

#[derive(Default)]
struct State {
    /// The transaction that the next writer enters, while nobody is in it.
    open: Option<Shared>,
    /// Somebody is in it.
    is_busy: bool,
    /// A transaction is being committed.
    is_committing: bool,
    /// Writers that wait for their turn.
    waiting: usize,
}

/// A transaction that several writers are in.
struct Shared {
    conn: PooledConnection<Manager>,
    ledger: Ledger,
    members: usize,
    end: Arc<End>,
}

/// How a shared transaction ended. Set under the lock of the state, so that nobody misses it.
#[derive(Default)]
struct End(Mutex<Option<Result<(), StoreError>>>);

impl End {
    fn lock(&self) -> MutexGuard<'_, Option<Result<(), StoreError>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For each who was in it.
    fn get(&self) -> Option<Result<(), StoreError>> {
        self.lock().as_ref().map(|end| end.as_ref().map_err(StoreError::again).copied())
    }
}

impl Group {
    /// Runs `f` in a transaction that may be shared; `tell` hears of the changes of status in it
    /// when it is kept.
    pub(crate) fn write<T, E: From<StoreError>>(
        &self,
        pools: &Pools,
        node: &str,
        f: impl FnOnce(&mut Tx<'_>) -> Result<T, E>,
        tell: impl Fn(&[StatusChange]),
    ) -> Result<T, E> {
        let mut seat = self.enter(pools, node)?;
        let done = seat.run(node, f);
        // Who was refused waits too: it saw what others did, which must be kept before anybody
        // acts on it.
        match (done, seat.leave(node, tell)) {
            (Ok(done), Ok(())) => Ok(done),
            (Err(error), Ok(())) => Err(error),
            (_, Err(lost)) => Err(lost.into()),
        }
    }

    /// Writers that wait for their turn.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.lock().waiting
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for one's turn, and begins a transaction where none is open.
    fn enter(&self, pools: &Pools, node: &str) -> Result<Seat<'_>, StoreError> {
        let mut state = self.lock();
        state.waiting += 1;
        let may_not = |state: &mut State| state.is_busy || state.is_full();
        let (mut state, late) = self
            .moved
            .wait_timeout_while(state, PATIENCE, may_not)
            .unwrap_or_else(PoisonError::into_inner);
        state.waiting -= 1;
        if late.timed_out() {
            self.moved.notify_all();
            return Err(StoreError::Busy);
        }
        state.is_busy = true;
        let shared = state.open.take();
        drop(state);
        let end = shared.as_ref().map(|shared| Arc::clone(&shared.end)).unwrap_or_default();
        let mut seat = Seat { group: self, shared, end, is_in: true };
        if seat.shared.is_none() {
            let mut conn = pools.take(Access::Write)?;
            drop(Tx::begin(&mut conn, node, Access::Write)?);
            let (ledger, end) = (Ledger::default(), Arc::clone(&seat.end));
            seat.shared = Some(Shared { conn, ledger, members: 0, end });
        }
        Ok(seat)
    }

    /// Commits for everybody who is in it.
    fn commit(
        &self,
        shared: Shared,
        node: &str,
        tell: impl Fn(&[StatusChange]),
    ) -> Result<(), StoreError> {
        let Shared { mut conn, ledger, end, .. } = shared;
        let kept = Tx::whole(&mut conn, node, ledger).commit();
        // The connection is given back before anybody reads what was committed.
        drop(conn);
        self.lock().is_committing = false;
        self.moved.notify_all();
        let ended = kept.map(|changes| tell(&changes));
        let state = self.lock();
        *end.lock() = Some(ended.as_ref().copied().map_err(StoreError::again));
        drop(state);
        self.moved.notify_all();
        ended
    }
}

impl State {
    fn is_full(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.members >= MOST)
    }

    /// The open transaction, if it is this one and now is the time to commit it.
    fn closed(&mut self, end: &Arc<End>) -> Option<Shared> {
        let is_due = !self.is_busy && !self.is_committing && (self.waiting == 0 || self.is_full());
        let own = self.open.take_if(|open| is_due && Arc::ptr_eq(&open.end, end));
        self.is_committing |= own.is_some();
        own
    }
}

/// One's turn in the open transaction.
struct Seat<'g> {
    group: &'g Group,
    /// The transaction; none where it could not be begun, or is lost.
    shared: Option<Shared>,
    end: Arc<End>,
    /// Whether others still wait for this one.
    is_in: bool,
}

impl Seat<'_> {
    /// Does one's part. When it cannot be ended in order the whole transaction is lost.
    fn run<T, E: From<StoreError>>(
        &mut self,
        node: &str,
        f: impl FnOnce(&mut Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        // Taken out, so that a panic takes the connection with it.
        let Some(mut shared) = self.shared.take() else { return Err(StoreError::Abandoned.into()) };
        let ledger = std::mem::take(&mut shared.ledger);
        let (mut tx, mark) =
            Tx::join(&mut shared.conn, node, ledger).map_err(|error| self.lost(error))?;
        let done = f(&mut tx);
        let (ledger, keeps) = tx.leave(mark, done.is_ok()).map_err(|error| self.lost(error))?;
        shared.ledger = ledger;
        shared.members += 1;
        self.shared = Some(shared);
        if done.is_ok() && !keeps {
            return Err(StoreError::Abandoned.into());
        }
        done
    }

    /// The transaction is lost for everybody.
    fn lost(&self, error: StoreError) -> StoreError {
        *self.end.lock() = Some(Err(error.again()));
        error
    }

    /// Makes room for the next one, and waits until the transaction is committed: by this one where
    /// nobody waits.
    fn leave(mut self, node: &str, tell: impl Fn(&[StatusChange])) -> Result<(), StoreError> {
        let Some(shared) = self.shared.take() else { return Ok(()) };
        let end = Arc::clone(&self.end);
        let mut state = self.group.lock();
        state.open = Some(shared);
        state.is_busy = false;
        self.is_in = false;
        self.group.moved.notify_all();
        loop {
            if let Some(ended) = end.get() {
                return ended;
            }
            if let Some(own) = state.closed(&end) {
                drop(state);
                return self.group.commit(own, node, tell);
            }
            state = self.group.moved.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Seat<'_> {
    /// Still in it: the transaction could not be begun, or it was lost, or a panic ends it.
    fn drop(&mut self) {
        if self.is_in {
            let mut state = self.group.lock();
            state.is_busy = false;
            self.end.lock().get_or_insert(Err(StoreError::Abandoned));
            drop(state);
            self.group.moved.notify_all();
        }
    }
}
