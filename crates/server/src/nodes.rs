//! Asks the nodes that answer beside this one, as relying parties ask: OCSP by POST.

use std::io::{Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::thread;
use std::time::Duration;

use tenkoku_domain::authority::AuthorityCode;
use tenkoku_ports::StatusNodes;

/// How long a node may take for each step.
const PATIENCE: Duration = Duration::from_millis(500);
/// Longest reply that is read, in octets.
const LONGEST: u64 = 64 << 10;

/// The nodes, each `host:port`.
#[derive(Debug)]
pub(crate) struct Nodes(Vec<String>);

impl Nodes {
    pub(crate) fn new(nodes: Vec<String>) -> Self {
        Self(nodes)
    }
}

impl StatusNodes for Nodes {
    fn ask(&self, authority: &AuthorityCode, request: &[u8]) -> Vec<(String, Option<Vec<u8>>)> {
        thread::scope(|scope| {
            let asked: Vec<_> = self
                .0
                .iter()
                .map(|node| scope.spawn(|| (node.clone(), post(node, authority, request))))
                .collect();
            asked.into_iter().filter_map(|answer| answer.join().ok()).collect()
        })
    }
}

/// One question, by HTTP/1.0: the reply ends with the connection.
fn post(node: &str, authority: &AuthorityCode, request: &[u8]) -> Option<Vec<u8>> {
    let address = node.to_socket_addrs().ok()?.next()?;
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.set_write_timeout(Some(PATIENCE)).ok()?;
    let head = format!(
        "POST /ocsp/{authority} HTTP/1.0\r\nHost: {node}\r\nContent-Type: \
         application/ocsp-request\r\nContent-Length: {}\r\n\r\n",
        request.len()
    );
    stream.write_all(&[head.as_bytes(), request].concat()).ok()?;
    let mut reply = Vec::new();
    stream.take(LONGEST).read_to_end(&mut reply).ok()?;
    let end = reply.windows(4).position(|four| four == b"\r\n\r\n")?;
    let is_fine = reply.split(|octet| *octet == b' ').nth(1) == Some(b"200");
    is_fine.then(|| reply.split_off(end + 4))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn check(reply: &'static [u8], expected: Option<&[u8]>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let node = listener.local_addr().unwrap().to_string();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = [0; 512];
            let count = stream.read(&mut asked).unwrap();
            stream.write_all(reply).unwrap();
            asked[..count].to_vec()
        });
        let code = AuthorityCode::parse("seal-l1-g1").unwrap();
        let answers = Nodes::new(vec![node.clone()]).ask(&code, &[1, 2, 3]);
        assert_eq!(answers, [(node, expected.map(<[u8]>::to_vec))]);
        let asked = server.join().unwrap();
        assert!(asked.starts_with(b"POST /ocsp/seal-l1-g1 HTTP/1.0\r\n"), "{asked:?}");
        assert!(asked.ends_with(&[b'\n', 1, 2, 3]));
    }

    #[test]
    fn a_node_is_asked_as_relying_parties_ask() {
        check(b"HTTP/1.0 200 OK\r\nA: b\r\n\r\n0\n1", Some(b"0\n1"));
        check(b"HTTP/1.1 429 Too Many Requests\r\n\r\n", None);
        check(b"HTTP/1.1 200", None);
        check(b"", None);
    }

    #[test]
    fn a_node_that_is_away_says_nothing() {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let code = AuthorityCode::parse("seal-l1-g1").unwrap();
        let names = [free, "not-a-host.invalid:80".to_owned()];
        let answers = Nodes::new(names.to_vec()).ask(&code, &[0]);
        assert_eq!(answers, names.map(|name| (name, None)));
    }
}
