//! The pure rules of Sincronia.
//!
//! Everything two nodes must agree on lives here, and nothing else: identities, logs, encryption,
//! access, records, and the sync machine. The crate does no I/O and reads neither a clock nor a
//! random source: time and randomness are arguments, storage is a trait the caller implements.
//! The same inputs therefore give the same result on every machine, and a simulation drives
//! exactly the code that runs in production.
//!
//! # Layers
//! From the ground up; a module knows only the layers below its own.
//!
//! 1. `limits`, `ids`, `text`, `time`
//! 2. `codec`
//! 3. `crypto`
//! 4. `log`, `recovery`, `invitation`
//! 5. `identity`, `phrase`, `backup`
//! 6. `access`, `joining`
//! 7. `record`, which knows neither logs nor access nor keys
//! 8. `storage`
//! 9. `replica`
//! 10. `sync`
//! 11. `bundle`
//!
//! A test in `tests/` reads the `crate::` paths and fails when an arrow runs the other way.
//!
//! # Glossary
//! | word | meaning |
//! |---|---|
//! | organisation | a legal body; the unit of trust and ownership; has a root key |
//! | node | one installation, certified by its organisation; has its own key |
//! | operator | a person who signs in to a node; named inside every change |
//! | partner | an organisation whose identity this one has accepted |
//! | space | the unit of sharing: one owner, members with roles, one key per epoch, some records |
//! | record | one document: a convention, a contact, an insurance cover … |
//! | entry, log | an element of an append-only, hash-chained, signed sequence |
//! | access log | the owner's log of a space: who may read and write, and the sealed keys |
//! | carrier | a partner that stores and forwards a space it cannot read |
//! | bundle | what a session would send to a partner, in sealed files, where there is no line |
//! | cut | the length of an author's log that still counts after a removal |
//! | gate | the deterministic rules a change must satisfy before Automerge sees it |
//! | Input, Effect, Event, Session | into a machine; asked of its driver; told to the application; one partner link |
//!
//! # Deliberately absent
//! libp2p, redb, axum, tokio, files, sockets, `std::time` clocks, `getrandom`.

pub mod access;
pub mod backup;
pub mod bundle;
pub mod codec;
pub mod crypto;
pub mod identity;
pub mod ids;
pub mod invitation;
pub mod joining;
pub mod limits;
pub mod log;
pub mod phrase;
pub mod record;
pub mod recovery;
pub mod replica;
pub mod storage;
pub mod sync;
pub mod text;
pub mod time;
