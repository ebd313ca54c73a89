//! Which key exchange really happens, read from the wire.

use super::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The group of a TLS 1.3 key exchange stands in clear in the server's first message.
#[tokio::test]
async fn threat_01_the_key_exchange_is_post_quantum_hybrid() {
    const X25519_MLKEM768: u16 = 0x11ec;
    let (a, b) = (node(1, TCP).await, node(2, TCP).await);
    let port = b.address.split('/').nth(4).unwrap().to_owned();
    let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let through = format!("/ip4/127.0.0.1/tcp/{}", proxy.local_addr().unwrap().port());
    a.network.open(b.id, vec![through], Purpose::Join);
    let (mut near, _) = proxy.accept().await.unwrap();
    let mut far = TcpStream::connect(format!("127.0.0.1:{port}")).await.unwrap();
    let mut seen = Vec::new();
    let group = tokio::time::timeout(DEADLINE, async {
        let (mut up, mut down) = (vec![0; 16_384], vec![0; 16_384]);
        loop {
            tokio::select! {
                read = near.read(&mut up) => far.write_all(&up[..read.unwrap()]).await.unwrap(),
                read = far.read(&mut down) => {
                    let read = read.unwrap();
                    seen.extend_from_slice(&down[..read]);
                    near.write_all(&down[..read]).await.unwrap();
                    if let Some(group) = server_key_share(&seen) {
                        return group;
                    }
                }
            }
        }
    });
    assert_eq!(group.await.unwrap(), X25519_MLKEM768);
}

/// The group of the `key_share` extension (51) of a `ServerHello` (RFC 8446 §4.1.3), found after
/// the plain text of multistream-select.
fn server_key_share(bytes: &[u8]) -> Option<u16> {
    let begin =
        bytes.windows(6).position(|part| part[..3] == [0x16, 0x03, 0x03] && part[5] == 0x02)?;
    let hello = bytes.get(begin + 9..)?;
    let session = usize::from(*hello.get(34)?);
    let mut extensions = hello.get(35 + session + 3 + 2..)?;
    loop {
        let kind = u16::from_be_bytes(extensions.get(..2)?.try_into().ok()?);
        let length = usize::from(u16::from_be_bytes(extensions.get(2..4)?.try_into().ok()?));
        if kind == 51 {
            return Some(u16::from_be_bytes(extensions.get(4..6)?.try_into().ok()?));
        }
        extensions = extensions.get(4 + length..)?;
    }
}
