//! A bad line between nodes: a TCP relay that delays, narrows, breaks, and lets nothing through in
//! one direction or both, all from one seed.
//!
//! A node that announces the relay's address (`network.announce`) is reached through it alone, as
//! behind the router of an office.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What goes through at once: a little more than a packet, so that delays are felt.
const PIECE_BYTES: usize = 4 * 1024;
/// How often a relay that waits looks whether it still has to.
const PATIENCE: Duration = Duration::from_millis(20);

/// How bad the line is now.
#[derive(Debug, Default)]
pub struct Line {
    /// Longest delay of a piece, in milliseconds.
    pub delay_ms: AtomicU64,
    /// One piece of so many breaks its connection; none at 0.
    pub breaks: AtomicU64,
    /// Whether what the callers say gets through.
    pub deaf: AtomicBool,
    /// Whether what they are answered gets through.
    pub mute: AtomicBool,
    /// Whether there is a line at all.
    pub cut: AtomicBool,
    /// Bytes that went through.
    pub bytes: AtomicU64,
    /// Connections that it broke.
    pub broken: AtomicU64,
}

/// The relay.
#[derive(Debug)]
pub struct Relay {
    /// How bad its line is; changed while it works.
    pub line: Arc<Line>,
    address: SocketAddr,
    target: Arc<Mutex<Option<SocketAddr>>>,
}

impl Relay {
    /// Listens; nobody is reached before [`Relay::lead_to`].
    ///
    /// # Panics
    /// When the system gives no port.
    #[must_use]
    pub fn start(seed: u64) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("its address");
        let (line, target) = (Arc::<Line>::default(), Arc::<Mutex<Option<SocketAddr>>>::default());
        let relay = Self { line: Arc::clone(&line), address, target: Arc::clone(&target) };
        std::thread::spawn(move || {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            for caller in listener.incoming().flatten() {
                let to = *target.lock().expect("nobody panics with it");
                let place = to.filter(|_| !line.cut.load(Ordering::SeqCst));
                if let Some(reached) = place.and_then(|to| TcpStream::connect(to).ok()) {
                    connect(caller, reached, &line, &mut random);
                }
            }
        });
        relay
    }

    /// Where it is, as a node announces it.
    #[must_use]
    pub fn multiaddress(&self) -> String {
        format!("/ip4/{}/tcp/{}", self.address.ip(), self.address.port())
    }

    /// Whom callers reach.
    ///
    /// # Panics
    /// When the address is none over TCP.
    pub fn lead_to(&self, multiaddress: &str) {
        let mut parts = multiaddress.split('/').skip(2);
        let host = parts.next().expect("a host");
        let port = parts.nth(1).expect("a port");
        let to = format!("{host}:{port}").parse().expect("an address over TCP");
        *self.target.lock().expect("nobody panics with it") = Some(to);
    }
}

fn connect(caller: TcpStream, reached: TcpStream, line: &Arc<Line>, random: &mut ChaCha8Rng) {
    let both = [caller.try_clone(), reached.try_clone()];
    let [Ok(calling_too), Ok(reached_too)] = both else { return };
    for (from, to, forth) in [(caller, reached, true), (reached_too, calling_too, false)] {
        let (line, seed) = (Arc::clone(line), random.next_u64());
        std::thread::spawn(move || carry(from, to, &line, forth, seed));
    }
}

/// Carries one direction of a connection, until it ends or is broken; then both ends know.
fn carry(mut from: TcpStream, mut to: TcpStream, line: &Line, forth: bool, seed: u64) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let blocked = if forth { &line.deaf } else { &line.mute };
    let mut piece = vec![0; PIECE_BYTES];
    let _ = from.set_read_timeout(Some(PATIENCE));
    while !line.cut.load(Ordering::SeqCst) {
        let size = match from.read(&mut piece) {
            Ok(0) => break,
            Ok(size) => size,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                continue;
            }
            Err(_) => break,
        };
        let breaks = line.breaks.load(Ordering::SeqCst);
        if breaks > 0 && random.next_u64() % breaks == 0 {
            line.broken.fetch_add(1, Ordering::SeqCst);
            break;
        }
        let delay = line.delay_ms.load(Ordering::SeqCst);
        if delay > 0 {
            std::thread::park_timeout(Duration::from_millis(random.next_u64() % delay));
        }
        while blocked.load(Ordering::SeqCst) && !line.cut.load(Ordering::SeqCst) {
            std::thread::park_timeout(PATIENCE);
        }
        if to.write_all(&piece[..size]).is_err() {
            break;
        }
        line.bytes.fetch_add(size as u64, Ordering::SeqCst);
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}
