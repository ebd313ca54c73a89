//! Every bound of the node, each with its reason. Those of the protocol are in its own module.

use std::time::Duration;

/// So many at once, then so many a second.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// At once.
    pub burst: u32,
    /// Afterwards.
    pub per_second: f64,
}

/// Connections being negotiated: more than all partners that reconnect after a power cut.
pub const CONNECTIONS_PENDING_MAX: u32 = 128;
/// Of these, begun by one place: nobody who leaves connections hanging fills the door alone.
pub const CONNECTIONS_PENDING_PER_PLACE_MAX: usize = 16;
/// Of these, begun on this machine, where a whole federation may live; strangers' programs still
/// leave room for others.
pub const CONNECTIONS_PENDING_LOCAL_MAX: usize = 96;
/// Of these, begun by one network of IPv6 (/48), which a line has whole: it brings as many places
/// as it likes.
pub const CONNECTIONS_PENDING_PER_NETWORK_MAX: usize = 48;
/// Connections that stand: a thousand partners.
pub const CONNECTIONS_MAX: u32 = 1_024;
/// Connections with one peer: both sides may dial at once, over TCP and QUIC.
pub const CONNECTIONS_PER_PEER_MAX: u32 = 4;
/// Streams of one connection: one session, one joining, identify, ping, and reserve.
pub const STREAMS_PER_CONNECTION_MAX: usize = 32;
/// What a peer may send over QUIC that is not read yet, on one stream: it is held in memory.
pub const UNREAD_OF_STREAM_BYTES_MAX: u32 = 512 * 1024;
/// The same on all streams of one connection; strangers have 128 connections.
pub const UNREAD_OF_CONNECTION_BYTES_MAX: u32 = 1024 * 1024;
/// Streams of one connection whose protocol is not yet agreed on.
pub const STREAMS_NEGOTIATING_MAX: usize = 16;
/// Connections from nodes that are not partners: they may come to join, never take partners'
/// places.
pub const STRANGERS_MAX: usize = 128;
/// Of these, from one place; a municipality behind one address brings several nodes at most.
pub const STRANGERS_PER_PLACE_MAX: usize = 8;
/// Of these, from one network of IPv6 (/48).
pub const STRANGERS_PER_NETWORK_MAX: usize = 32;
/// How long a stranger keeps its place when another wants one: four times as long as a joining may
/// take.
pub const STRANGER_STAY: Duration = Duration::from_mins(2);
/// Places of one network of IPv6 (/48) that may knock as fast as each may.
pub const PLACES_PER_NETWORK: u32 = 4;
/// Connections begun from one place: all nodes of an office that reconnect at once.
pub const CONNECTING_RATE_EACH: Rate = Rate { burst: 64, per_second: 4.0 };
/// Connections begun by all: a handshake costs half a millisecond, so a tenth of one processor.
pub const CONNECTING_RATE_ALL: Rate = Rate { burst: 2_048, per_second: 200.0 };
/// Joinings begun from one place: all bodies of a province behind one line on the day they begin.
pub const JOINING_RATE_EACH: Rate = Rate { burst: 64, per_second: 0.2 };
/// Joinings begun by all: an assembly of all mayors of a region.
pub const JOINING_RATE_ALL: Rate = Rate { burst: 512, per_second: 20.0 };
/// Share of the machine's memory beyond which no further connection is made.
pub const MEMORY_SHARE_MAX: f64 = 0.7;
/// How often a connection is asked whether it lives.
pub const PING_INTERVAL: Duration = Duration::from_secs(30);
/// How long the answer may take: a full window may stand before it on a slow line.
pub const PING_TIMEOUT: Duration = Duration::from_mins(1);
/// Sessions with one peer that are open at once: a new one may stand before the old one is closed.
pub const SESSIONS_PER_PEER_MAX: usize = 4;
/// Joining sessions at once, whoever opens them.
pub const JOINING_MAX: usize = 16;
/// Bytes queued for one session; a window of unacknowledged entries and answers fit.
pub const SESSION_QUEUE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How long one frame may take to be written: 1 MiB at 300 kbit/s.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long the rest of a frame may take once it began: 1 MiB at 150 kbit/s.
pub const READ_TIMEOUT: Duration = Duration::from_mins(1);
/// How long saying goodbye may take: what was queued has been flushed by then.
pub const CLOSING_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a port of QUIC may take to be given back: three times the longest round trip, twice.
pub const PORT_RELEASE_TIMEOUT: Duration = Duration::from_secs(8);
/// How often it is asked for meanwhile.
pub const PORT_RELEASE_INTERVAL: Duration = Duration::from_millis(200);
/// How long a joining may take altogether.
pub const JOIN_TIMEOUT: Duration = Duration::from_secs(30);
/// How long opening a stream may take.
pub const OPEN_TIMEOUT: Duration = Duration::from_secs(10);
/// How long reaching a node may take before it is tried again: several addresses, one after
/// another.
pub const DIAL_TIMEOUT: Duration = Duration::from_mins(1);
/// A connection without streams is closed after this.
pub const IDLE_TIMEOUT: Duration = Duration::from_mins(1);
/// Events of the network that wait for the engine; beyond it, reading from peers pauses. Many, so
/// that the small messages of many spaces share a commit.
pub const NETWORK_EVENTS_MAX: usize = 2_048;
/// Bytes of frames that wait for the engine, of all sessions together; beyond it, reading pauses.
/// Four windows of unacknowledged entries.
pub const NETWORK_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Frames that wait are written together up to about this many bytes.
pub const WRITE_BATCH_BYTES: usize = 256 * 1024;
/// Requests that wait for the engine; beyond it, the API answers "busy".
pub const REQUESTS_MAX: usize = 1_024;
/// Inputs that one commit covers.
pub const GROUP_INPUTS_MAX: usize = 512;
/// Bytes of their frames, which are in memory until then, up to seven times as large: two windows
/// of unacknowledged entries.
pub const GROUP_BYTES_MAX: usize = 8 * 1024 * 1024;
/// How long they are taken in before the commit; whoever asked for something waits for it, and
/// answers to partners are in memory until then. Several times as long as a commit on a slow disk.
pub const GROUP_TIME_MAX: Duration = Duration::from_millis(200);
/// Entries projected in one go while other work waits.
pub const PROJECTION_ENTRIES: usize = 4_096;
/// How long entries are opened for rows before whoever waits is served, though nobody did when it
/// began: an ordinary machine opens all of one go meanwhile.
pub const PROJECTION_TIME_MAX: Duration = Duration::from_millis(500);
/// A frame as large as this is one of many; live edits are a few hundred bytes.
pub const BULK_FRAME_BYTES_MIN: usize = 128 * 1024;
/// How long such frames must stay away before rows are built: longer than a round trip with a slow
/// disk, shorter than anybody waits for.
pub const BULK_PAUSE: Duration = Duration::from_millis(100);
/// How long rows wait at most while such frames keep coming: ten thousand records have arrived.
pub const BULK_WAIT_MAX: Duration = Duration::from_secs(5);
/// Failed joinings a minute before further ones are refused unheard.
pub const JOIN_FAILURES_PER_MINUTE_MAX: u32 = 5;
/// Lines of the log a minute about sessions that ended badly, and about joinings that were refused:
/// a partner whose program is broken is seen in a few.
pub const FOREIGN_LINES_PER_MINUTE_MAX: u32 = 20;
/// First and longest pause between attempts to reach a partner.
pub const RECONNECT_MIN: Duration = Duration::from_secs(1);
/// A partner whose node was off for a night is reached within five minutes of its return.
pub const RECONNECT_MAX: Duration = Duration::from_mins(5);
/// Header of an HTTP request.
pub const HTTP_HEADER_BYTES_MAX: usize = 16 * 1024;
/// How long an HTTP client may take to send its header.
pub const HTTP_HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an HTTP client may take to send its body.
pub const HTTP_BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// How long an HTTP client may take to read a stretch of an answer: a terminal that is scrolled
/// back, not one that was forgotten. Meanwhile a backup holds a snapshot, and the store grows.
pub const HTTP_READING_TIMEOUT: Duration = Duration::from_secs(30);
/// Such a stretch; so much within that time is 70 kbit/s, and who reads more slowly never ends.
pub const HTTP_READING_BYTES_MIN: usize = 256 * 1024;
/// Body of an HTTP request.
pub const HTTP_BODY_BYTES_MAX: usize = 1024 * 1024;
/// Body of an import.
pub const HTTP_IMPORT_BYTES_MAX: usize = 20 * 1024 * 1024;
/// Body of a bundle's import: the largest part.
pub const HTTP_BUNDLE_BYTES_MAX: usize = sincronia_protocol::limits::PART_BYTES_MAX;
/// HTTP connections at once.
pub const HTTP_CONNECTIONS_MAX: usize = 256;
/// Events that wait for a slow listener before it is told that it lost some.
pub const EVENTS_MAX: usize = 1_024;
/// Raw entries of one answer, which writes each byte with two letters; more are asked for again.
pub const RAW_ANSWER_BYTES: usize = 4 * 1024 * 1024;
/// Rows of one import.
pub const IMPORT_ROWS_MAX: usize = 50_000;
/// Results of one search.
pub const SEARCH_RESULTS_MAX: usize = 1_000;
/// HTTP connections that wait to be accepted: many programs of one machine that begin at once.
pub const HTTP_WAITING_MAX: u32 = 128;
/// How long requests under way may take once the node stops.
pub const HTTP_CLOSING_TIMEOUT: Duration = Duration::from_secs(5);
/// Records that are gone in a space, of which the state of the node tells.
pub const MISSING_SHOWN_MAX: usize = 20;
/// Conventions that passed to a successor, of which the state of the node tells.
pub const PASSED_SHOWN_MAX: usize = 20;
/// Conventions in which a successor stands, of which the history is read to see whether they passed
/// to it, each time the state of the node is asked for.
pub const PASSED_LOOKED_AT_MAX: usize = 100;
/// Conventions in which a successor of a divided body stands, of which the history is read to see
/// whether that body stood there: a search for its name, or a list, asks once for each.
pub const FORMER_LOOKED_AT_MAX: usize = 1_000;
/// Organisations behind one that took their places, of which its name and its former names are
/// sought: a merger joins a few, and a log may name a thousand.
pub const PREDECESSORS_NAMED_MAX: usize = 8;
/// Identity entries signed at once: one person's decision takes two.
pub const IDENTITY_REQUEST_MAX: usize = 8;
/// Room on the disk that is kept for what this organisation writes itself: a year of a busy office.
pub const STORE_RESERVE_BYTES: u64 = 256 * 1024 * 1024;
/// How often the room on the disk is looked at: at 100 MB/s a flood takes half a gigabyte
/// meanwhile.
pub const ROOM_INTERVAL: Duration = Duration::from_secs(5);
/// Characters of an invitation's identifier that name it: less may be meant for none, or for any.
pub const INVITATION_BEGINNING_MIN: usize = 6;
/// Below this a disk is full: an ordinary commit writes some hundred kilobytes of pages anew.
pub const ROOM_MIN: u64 = 1024 * 1024;
/// A node that presented itself to a partner calls it at once, but no oftener than this.
pub const HURRY_INTERVAL: Duration = Duration::from_mins(1);
/// Parts of a backup, of a megabyte each, that wait for whoever takes it.
pub const BACKUP_QUEUE_MAX: usize = 4;
/// What a restoration writes at once: large enough to be quick, small beside a node's memory.
pub const RESTORE_BATCH_BYTES: usize = 8 * 1024 * 1024;
/// How long a restoration waits for partners to tell what its organisation signed since.
pub const RECALL_TIMEOUT: Duration = Duration::from_secs(20);
/// Backups made at once: each holds a thread and a snapshot, and one person makes one.
pub const BACKUPS_MAX: usize = 2;
/// Listeners to events at once: they hold connections for hours, others must still get one.
pub const EVENT_LISTENERS_MAX: usize = 64;
/// A sign of life on a quiet event stream; a listener that hears nothing for a minute is cut off.
pub const EVENTS_KEEP_ALIVE: Duration = Duration::from_secs(15);

const _: () = assert!(
    CONNECTIONS_PENDING_LOCAL_MAX + CONNECTIONS_PENDING_PER_PLACE_MAX
        <= CONNECTIONS_PENDING_MAX as usize
);
const _: () = assert!(EVENT_LISTENERS_MAX < HTTP_CONNECTIONS_MAX);
/// Without a sign of a partner for so long, people are told that what they read may be old: a
/// weekend office is heard of on Monday, two beacons a day come through anybody.
pub const SILENCE_MS: u64 = 48 * 60 * 60 * 1000;
/// How long a session stands before a sign of life that did not come counts as never given.
pub const SETTLED_MS: u64 = 5 * 60 * 1000;
