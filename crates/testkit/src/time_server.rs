//! A time server on loopback that is as wrong as a story wants it.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Seconds from 1900-01-01 to 1970-01-01.
const ERA_SECONDS: u128 = 2_208_988_800;

/// Answers SNTP questions until it is dropped.
#[derive(Debug)]
pub struct TimeServer {
    address: SocketAddr,
    offset_millis: Arc<AtomicI64>,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl TimeServer {
    /// A server whose time is the machine's.
    ///
    /// # Panics
    /// When no port is free.
    pub fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port for the time server");
        let address = socket.local_addr().expect("its address");
        socket.set_read_timeout(Some(Duration::from_millis(100))).expect("a time limit");
        let (offset_millis, ended) =
            (Arc::new(AtomicI64::new(0)), Arc::new(AtomicBool::new(false)));
        let (offset, end) = (Arc::clone(&offset_millis), Arc::clone(&ended));
        let thread = std::thread::spawn(move || {
            while !end.load(Ordering::SeqCst) {
                let mut question = [0; 48];
                if let Ok((48, client)) = socket.recv_from(&mut question) {
                    let answer = answer(&question, offset.load(Ordering::SeqCst));
                    socket.send_to(&answer, client).expect("the client hears");
                }
            }
        });
        Self { address, offset_millis, ended, thread: Some(thread) }
    }

    /// Its `host:port`.
    pub fn name(&self) -> String {
        self.address.to_string()
    }

    /// From now on its time is the machine's plus so many milliseconds.
    pub fn drift(&self, millis: i64) {
        self.offset_millis.store(millis, Ordering::SeqCst);
    }
}

impl Drop for TimeServer {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the time server ends");
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a time server tells the time")]
fn answer(question: &[u8; 48], offset_millis: i64) -> [u8; 48] {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis();
    let millis = now.saturating_add_signed(i128::from(offset_millis));
    let seconds = u32::try_from((millis / 1000 + ERA_SECONDS) % (1 << 32)).expect("32 bits");
    let fraction = u32::try_from(((millis % 1000) << 32) / 1000).expect("32 bits");
    let mut answer = [0; 48];
    // No alarm, version 4, server; stratum 2.
    answer[0] = 0x24;
    answer[1] = 2;
    answer[24..32].copy_from_slice(&question[40..48]);
    for at in [16, 32, 40] {
        answer[at..at + 4].copy_from_slice(&seconds.to_be_bytes());
        answer[at + 4..at + 8].copy_from_slice(&fraction.to_be_bytes());
    }
    answer
}
