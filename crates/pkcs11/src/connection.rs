//! The way to one token: a pool of sessions, the log-in, and finding back after a loss.
//!
//! A session serves one thread at a time. A wrong PIN is tried once and remembered: no loss, no
//! other thread and no later call tries it again, so that this program never locks a token. What
//! is lost is looked for once more; what fails twice is told. Deliberately not here: keys.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use cryptoki::context::Pkcs11;
use cryptoki::error::{Error, RvError};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use secrecy::SecretString;
use tenkoku_keys::{Container, KeyError};

use crate::module::{Entered, Module};
use crate::token::{TokenChoice, container};
use crate::trouble::Trouble;

/// The way to a token.
pub(crate) struct Connection {
    module: Arc<Module>,
    token: TokenChoice,
    pin: SecretString,
    /// Sessions at most.
    size: usize,
    state: Mutex<State>,
    freed: Condvar,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { module, token, size, .. } = self;
        f.debug_struct("Connection")
            .field("module", module)
            .field("token", token)
            .field("size", size)
            .finish_non_exhaustive()
    }
}

#[derive(Default)]
struct State {
    /// Counts the losses: sessions and handles of an earlier epoch are void.
    epoch: u64,
    /// The generation of the module that the rest belongs to.
    generation: u64,
    /// Where the token was found.
    place: Option<(Slot, Container)>,
    idle: Vec<Session>,
    /// Sessions of this epoch, idle and lent.
    open: usize,
    refusal: Option<Refusal>,
}

/// Why the token is not asked again.
#[derive(Clone, Copy)]
enum Refusal {
    WrongPin,
    PinLocked,
}

/// A session that is lent to one thread, and where it leads.
pub(crate) struct Lent<'a> {
    pub(crate) session: Session,
    module: &'a Pkcs11,
    slot: Slot,
    pub(crate) container: Container,
    /// Handles found in another epoch mean nothing here.
    pub(crate) epoch: u64,
    generation: u64,
}

impl Connection {
    /// Nothing is reached before the first call. `size` is at least 1.
    pub(crate) fn new(
        module: Arc<Module>,
        token: TokenChoice,
        pin: SecretString,
        size: usize,
    ) -> Self {
        let (state, freed) = (Mutex::default(), Condvar::new());
        Self { module, token, pin, size: size.max(1), state, freed }
    }

    /// Acts in a session; once more in another one when the first was lost, and after a new start
    /// of the module when the token was in no slot. So only for acts that may be done twice.
    pub(crate) fn run<T>(
        &self,
        act: impl Fn(&Lent<'_>) -> Result<T, Trouble>,
    ) -> Result<T, KeyError> {
        let done = match self.attempt(&act) {
            (_, Err(Trouble::Lost(_))) => self.attempt(&act),
            done => done,
        };
        let done = match done {
            (seen, Err(Trouble::Absent | Trouble::Lost(_))) => {
                // A module that does not start has no token either.
                self.module.restart(seen).map_err(|_| self.told(Trouble::Absent))?;
                self.attempt(&act)
            }
            done => done,
        };
        done.1.map_err(|trouble| self.told(trouble))
    }

    /// Acts in a session, once.
    pub(crate) fn run_once<T>(
        &self,
        act: impl Fn(&Lent<'_>) -> Result<T, Trouble>,
    ) -> Result<T, KeyError> {
        self.attempt(&act).1.map_err(|trouble| self.told(trouble))
    }

    /// In the words of every key store.
    pub(crate) fn told(&self, trouble: Trouble) -> KeyError {
        trouble.told(&self.token.to_string(), self.module.name())
    }

    fn attempt<T>(
        &self,
        act: &impl Fn(&Lent<'_>) -> Result<T, Trouble>,
    ) -> (u64, Result<T, Trouble>) {
        let entered = self.module.enter();
        let seen = entered.generation();
        let done = self.lend(&entered).and_then(|lent| {
            let done = act(&lent);
            self.take_back(lent, matches!(done, Err(Trouble::Lost(_))));
            done
        });
        (seen, done)
    }

    fn lend<'a>(&self, entered: &'a Entered<'_>) -> Result<Lent<'a>, Trouble> {
        let mut state = self.state();
        loop {
            if state.generation != entered.generation() {
                state.start_anew(entered.generation());
            }
            if let Some(session) = state.idle.pop() {
                return state.lent(session, entered);
            }
            if state.open < self.size {
                match self.open(&mut state, entered) {
                    // The token allows fewer than were configured.
                    Err(Trouble::Sessions) if state.open > 0 => {}
                    done => return done,
                }
            }
            state = self.freed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Opens one session more. The lock is held, so that two threads do not log in at once.
    fn open<'a>(&self, state: &mut State, entered: &'a Entered<'_>) -> Result<Lent<'a>, Trouble> {
        match state.refusal {
            Some(Refusal::WrongPin) => return Err(Trouble::WrongPin),
            Some(Refusal::PinLocked) => return Err(Trouble::PinLocked),
            None => {}
        }
        let slot = self.place(state, entered)?;
        let session =
            entered.open_rw_session_no_drop(slot).map_err(|err| state.lost(err.into()))?;
        if let Err(trouble) = self.log_in(&session, slot, entered) {
            close(session);
            state.refusal = Refusal::of(&trouble);
            return Err(state.lost(trouble));
        }
        state.open += 1;
        state.lent(session, entered)
    }

    fn place(&self, state: &mut State, entered: &Entered<'_>) -> Result<Slot, Trouble> {
        if let Some((slot, _)) = state.place {
            return Ok(slot);
        }
        let (slot, token) = self.token.find(entered)?;
        state.place = Some((slot, container(&token, &entered.get_library_info()?)));
        Ok(slot)
    }

    fn log_in(&self, session: &Session, slot: Slot, entered: &Entered<'_>) -> Result<(), Trouble> {
        let token = entered.get_token_info(slot)?;
        if token.user_pin_locked() {
            return Err(Trouble::PinLocked);
        }
        if token.user_pin_final_try() {
            return Err(Trouble::FinalTry);
        }
        match session.login(UserType::User, Some(&self.pin)) {
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(()),
            Err(other) => Err(other.into()),
        }
    }

    fn take_back(&self, lent: Lent<'_>, is_lost: bool) {
        let mut state = self.state();
        let Lent { session, epoch, generation, .. } = lent;
        if state.epoch == epoch {
            state.idle.push(session);
            if is_lost {
                state.start_anew(generation);
            }
        } else if state.generation == generation {
            close(session);
        }
        self.freed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Forgets what belonged to sessions that were lost. They are closed, but not when the module
    /// was started anew: by then their numbers may be those of others.
    fn start_anew(&mut self, generation: u64) {
        let idle = std::mem::take(&mut self.idle);
        if self.generation == generation {
            idle.into_iter().for_each(close);
        }
        self.epoch += 1;
        self.generation = generation;
        self.place = None;
        self.open = 0;
    }

    fn lost(&mut self, trouble: Trouble) -> Trouble {
        if matches!(trouble, Trouble::Lost(_)) {
            let generation = self.generation;
            self.start_anew(generation);
        }
        trouble
    }

    fn lent<'a>(&self, session: Session, module: &'a Pkcs11) -> Result<Lent<'a>, Trouble> {
        let (slot, container) = self.place.clone().ok_or(Trouble::Absent)?;
        let (epoch, generation) = (self.epoch, self.generation);
        Ok(Lent { session, module, slot, container, epoch, generation })
    }
}

impl Lent<'_> {
    /// Whether the token that was found still is where it was found, and is the same.
    pub(crate) fn check_token(&self) -> Result<(), Trouble> {
        let token = self.module.get_token_info(self.slot)?;
        let is_same = container(&token, &self.module.get_library_info()?) == self.container;
        if is_same { Ok(()) } else { Err(Trouble::Lost("another token is in its slot".to_owned())) }
    }
}

impl Refusal {
    fn of(trouble: &Trouble) -> Option<Self> {
        match trouble {
            Trouble::WrongPin => Some(Self::WrongPin),
            Trouble::PinLocked => Some(Self::PinLocked),
            Trouble::Lost(_)
            | Trouble::Absent
            | Trouble::Handle
            | Trouble::Full
            | Trouble::Sessions
            | Trouble::FinalTry
            | Trouble::Unknown(_)
            | Trouble::Other(_)
            | Trouble::Refused(_) => None,
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let entered = self.module.enter();
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        state.start_anew(entered.generation());
    }
}

/// Closes a session. One that is gone already is closed enough.
fn close(session: Session) {
    drop(session.close());
}
