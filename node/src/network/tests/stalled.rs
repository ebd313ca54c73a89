//! Peers that begin a handshake and do not go on.

use super::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The beginning of a TLS record that announces more than ever comes.
const HALF_A_HELLO: [u8; 9] = [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc];

fn socket(address: &str) -> String {
    let parts: Vec<_> = address.split('/').collect();
    format!("{}:{}", parts[2], parts[4])
}

/// Whether the node ends a connection on which these bytes came, and nothing more.
async fn is_ended(address: String, bytes: &[u8]) -> bool {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut rest = Vec::new();
    // Whatever the node says first (an offer, an alert), in the end it hangs up.
    tokio::time::timeout(DEADLINE, stream.read_to_end(&mut rest)).await.is_ok()
}

#[tokio::test]
async fn threat_05_handshakes_that_stall_are_ended_and_partners_get_through_meanwhile() {
    let mut serving = node(1, TCP).await;
    let mut partner = node(2, TCP).await;
    serving.network.admit(HashSet::from([partner.id]));
    let address = socket(&serving.address);
    let stalled = [HALF_A_HELLO.as_slice(), &[], b"\x13/multistream/1.0.0\n", b"GET / HTTP/1.1"];
    let ended = stalled.map(|bytes| tokio::spawn(is_ended(address.clone(), bytes)));
    let _ = meet(&mut partner, &mut serving, Purpose::Sync).await;
    for one in ended {
        assert!(one.await.unwrap(), "a place is kept for who does not go on");
    }
}
