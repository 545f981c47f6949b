//! Keeps the responder up to date with changes that other processes commit: on the bell of the
//! database, and by looking again and again all the same.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use tenkoku_ports::Env;
use tenkoku_responder::figures::Count;
use tenkoku_responder::responder::Responder;
use tenkoku_store::{StatusBell, StatusLoad};

use crate::failure::Failure;

/// How often the bell is asked.
const TICK: Duration = Duration::from_millis(20);
/// After how many ticks the log is looked into though no bell rang: 240 ms; where there is no bell
/// to be had, 100 ms.
const LOOK: u32 = 12;
const LOOK_WITHOUT_BELL: u32 = 5;
/// After how many ticks a sign of life is left for copies: two seconds.
const BEAT: u32 = 100;
/// After how many ticks the answers given are added to the hour: a minute.
const LOAD: u32 = 3_000;
/// After how many ticks a bell is looked for again: five seconds.
const BELL: u32 = 250;

/// Whether this node writes into the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// It does, and leaves signs of life.
    Writer,
    /// It only reads, maybe from a copy.
    Reader,
}

/// The running thread.
pub(crate) struct Follower {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl Follower {
    /// Starts following.
    pub(crate) fn start(
        env: Arc<Env>,
        responder: Arc<Responder>,
        part: Part,
    ) -> Result<Self, Failure> {
        let (stop, stopped) = channel();
        let told = StatusLoad::default();
        let mut following = Following { env, responder, part, bell: None, fails: false, told };
        let thread = std::thread::Builder::new()
            .name("status".to_owned())
            .spawn(move || {
                let mut tick = 0_u32;
                loop {
                    following.tick(tick);
                    tick = tick.wrapping_add(1);
                    match stopped.recv_timeout(TICK) {
                        Err(RecvTimeoutError::Timeout) => {}
                        Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
                    }
                }
            })
            .map_err(Failure::internal)?;
        Ok(Self { stop, thread })
    }

    /// Stops it.
    pub(crate) fn stop(self) {
        // It may have ended by itself; then there is nobody to tell.
        let _ = self.stop.send(());
        if self.thread.join().is_err() {
            tracing::error!("the thread that follows the status log had ended");
        }
    }
}

struct Following {
    env: Arc<Env>,
    responder: Arc<Responder>,
    part: Part,
    bell: Option<StatusBell>,
    fails: bool,
    /// The answers that were added to an hour already.
    told: StatusLoad,
}

impl Following {
    fn tick(&mut self, tick: u32) {
        if self.bell.is_none() && tick.is_multiple_of(BELL) && !self.env.store.is_sqlite() {
            self.bell = self.env.store.status_bell().unwrap_or_default();
        }
        let rang = match self.bell.as_mut().map(StatusBell::rang) {
            Some(Ok(rang)) => rang,
            // The connection is gone; another is made in a while.
            Some(Err(_)) => {
                self.bell = None;
                true
            }
            None => false,
        };
        let look = if self.bell.is_some() { LOOK } else { LOOK_WITHOUT_BELL };
        if rang || tick.is_multiple_of(look) {
            self.look();
        }
        if self.part == Part::Writer && tick.is_multiple_of(BEAT) && !self.env.store.is_sqlite() {
            let now = self.env.clock.now();
            // When the database does not answer, looking has said so.
            let _ = self.env.store.write(|tx| tx.beat_status(now));
        }
        if self.part == Part::Writer && tick.is_multiple_of(LOAD) {
            self.add_load();
        }
    }

    /// Adds what was answered since the last time to the present hour, if anything was.
    fn add_load(&mut self) {
        let figures = self.responder.figures();
        let count = |count| i64::try_from(figures.get(count)).unwrap_or(i64::MAX);
        let all = StatusLoad {
            answers: i64::try_from(figures.answers()).unwrap_or(i64::MAX),
            signed: count(Count::Signed) + count(Count::Live),
            failed: count(Count::Failed) + count(Count::Crowded),
        };
        if all == self.told {
            return;
        }
        let more = StatusLoad {
            answers: all.answers - self.told.answers,
            signed: all.signed - self.told.signed,
            failed: all.failed - self.told.failed,
        };
        let now = self.env.clock.now();
        // What could not be added is added the next time.
        if self.env.store.write(|tx| tx.add_status_load(now, more)).is_ok() {
            self.told = all;
        }
    }

    fn look(&mut self) {
        match self.responder.follow() {
            Ok(()) if self.fails => {
                tracing::info!("the status log is followed again");
                self.fails = false;
            }
            Err(error) if !self.fails => {
                tracing::error!(%error, "the status log cannot be read; answers go on while they are fresh");
                self.fails = true;
            }
            // What went on before goes on.
            Ok(()) | Err(_) => {}
        }
    }
}
