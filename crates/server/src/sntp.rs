//! Asks a time server how far our clock is off: one SNTP exchange (RFC 4330, 5).
//!
//! It only tells; nothing here sets a clock. That is the operating system's task.

use std::net::{ToSocketAddrs as _, UdpSocket};
use std::time::Duration;

use tenkoku_domain::clock::ClockCheck;
use tenkoku_domain::time::{Clock, Timestamp};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// Octets of a message without extensions (RFC 4330, 4).
const MESSAGE: usize = 48;
/// Version 4, mode 3: a client asks.
const CLIENT: u8 = 0x23;
/// Mode 4: a server answers.
const SERVER: u8 = 4;
/// Leap indicator 3: the server itself is not synchronised.
const ALARM: u8 = 3;
/// Seconds from 1900-01-01 to 1970-01-01.
const ERA_SECONDS: i64 = 2_208_988_800;
/// Seconds of one NTP era.
const ERA_LENGTH: i64 = 1 << 32;

/// Why a time server told nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SntpError {
    /// The name has no address, or nothing answers there.
    #[error("the time server {server} does not answer: {problem}")]
    Unreachable {
        /// The server.
        server: String,
        /// What the system says.
        problem: std::io::Error,
    },
    /// What came back is no answer to our question.
    #[error("the time server {server} gave no usable answer: {problem}")]
    Unusable {
        /// The server.
        server: String,
        /// What is wrong.
        problem: &'static str,
    },
}

/// Asks a server (`host` or `host:port`) once and compares.
pub(crate) fn compare(server: &str, clock: &dyn Clock) -> Result<ClockCheck, SntpError> {
    let unreachable = |problem| SntpError::Unreachable { server: server.to_owned(), problem };
    let unusable = |problem| SntpError::Unusable { server: server.to_owned(), problem };
    let socket = connect(server).map_err(unreachable)?;
    let asked = clock.now();
    let stamp = to_ntp(asked);
    let mut question = [0; MESSAGE];
    put(&mut question, 0, &[CLIENT]);
    put(&mut question, 40, &stamp);
    socket.send(&question).map_err(unreachable)?;
    let mut answer = [0; MESSAGE];
    let length = socket.recv(&mut answer).map_err(unreachable)?;
    let heard = clock.now();
    if length < MESSAGE {
        return Err(unusable("it is too short"));
    }
    let read = Answer::read(&answer, stamp).map_err(unusable)?;
    let (received, sent) = (from_ntp(read.received, asked), from_ntp(read.sent, asked));
    // RFC 4330, 5: ((T2 - T1) + (T3 - T4)) / 2.
    let out = received.saturating_sub(asked.millis());
    let back = sent.saturating_sub(heard.millis());
    let offset_millis = out.saturating_add(back) / 2;
    Ok(ClockCheck { source: server.to_owned(), offset_millis, at: heard })
}

/// A socket that only hears the server. Its address family follows the server's.
fn connect(server: &str) -> std::io::Result<UdpSocket> {
    let name = if server.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) {
        server.to_owned()
    } else {
        format!("{server}:123")
    };
    let address = name.to_socket_addrs()?.next();
    let address = address.ok_or_else(|| std::io::Error::other("it has no address"))?;
    let here = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = UdpSocket::bind(here)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.connect(address)?;
    Ok(socket)
}

/// The times of an answer, in NTP's 64 bits.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    received: u64,
    sent: u64,
}

impl Answer {
    /// Reads an answer and checks that it is one to our question (RFC 4330, 5).
    fn read(message: &[u8; MESSAGE], asked: [u8; 8]) -> Result<Self, &'static str> {
        let [first, stratum, ..] = *message;
        if first & 0x07 != SERVER {
            return Err("it is not a server's");
        }
        if stratum == 0 || stratum > 15 || first >> 6 == ALARM {
            return Err("the server is not synchronised itself");
        }
        let stamp = |from: usize| -> [u8; 8] {
            let mut octets = [0; 8];
            octets.iter_mut().zip(message.iter().skip(from)).for_each(|(to, from)| *to = *from);
            octets
        };
        if stamp(24) != asked {
            return Err("it answers another question");
        }
        let (received, sent) = (u64::from_be_bytes(stamp(32)), u64::from_be_bytes(stamp(40)));
        if sent == 0 {
            return Err("it tells no time");
        }
        Ok(Self { received, sent })
    }
}

fn put(message: &mut [u8; MESSAGE], at: usize, octets: &[u8]) {
    message.iter_mut().skip(at).zip(octets).for_each(|(to, from)| *to = *from);
}

/// An instant in NTP's form: 32 bits of seconds since 1900 in its era, 32 bits of a fraction.
fn to_ntp(at: Timestamp) -> [u8; 8] {
    let seconds = at.seconds().saturating_add(ERA_SECONDS).rem_euclid(ERA_LENGTH);
    let fraction = at.millis().rem_euclid(1000).saturating_mul(ERA_LENGTH) / 1000;
    // Neither is negative, and each is below 2^32.
    let [seconds, fraction] = [seconds, fraction].map(|part| u64::try_from(part).unwrap_or(0));
    (seconds << 32 | fraction).to_be_bytes()
}

/// Milliseconds since 1970, in the era that lies nearest to `near`.
fn from_ntp(stamp: u64, near: Timestamp) -> i64 {
    let seconds = i64::try_from(stamp >> 32).unwrap_or(0).saturating_sub(ERA_SECONDS);
    let fraction = i64::try_from(stamp & 0xFFFF_FFFF).unwrap_or(0);
    let eras = (near.seconds().saturating_sub(seconds).saturating_add(ERA_LENGTH / 2))
        .div_euclid(ERA_LENGTH);
    let seconds = seconds.saturating_add(eras.saturating_mul(ERA_LENGTH));
    seconds.saturating_mul(1000).saturating_add(fraction.saturating_mul(1000) >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(at: &str) {
        let at = Timestamp::parse(at).unwrap();
        let back = from_ntp(u64::from_be_bytes(to_ntp(at)), at.plus_seconds(5));
        assert!((back - at.millis()).abs() <= 1, "{at}: {back}");
    }

    #[test]
    fn instants_keep_their_place_in_both_eras() {
        check("2026-11-22T18:10:00Z");
        check("2036-02-07T06:28:15Z");
        check("2036-02-07T06:28:17Z");
        check("2050-01-01T00:00:00Z");
    }

    #[test]
    fn an_answer_to_another_question_is_not_taken() {
        let mut message = [0; MESSAGE];
        put(&mut message, 0, &[0x24, 2]);
        put(&mut message, 24, &[1; 8]);
        put(&mut message, 40, &[9; 8]);
        assert!(Answer::read(&message, [1; 8]).is_ok());
        assert_eq!(Answer::read(&message, [2; 8]), Err("it answers another question"));
        put(&mut message, 0, &[0xE4]);
        assert_eq!(Answer::read(&message, [1; 8]), Err("the server is not synchronised itself"));
    }
}
