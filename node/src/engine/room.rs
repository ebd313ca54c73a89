//! Room on the disk: what partners send may take all but a reserve, which is this organisation's.
//!
//! Below the reserve nothing is exchanged, with anybody; people go on reading and writing. When
//! there is room again, everybody is called again.

use super::Core;
use crate::limits::{ROOM_INTERVAL, ROOM_MIN};
use std::path::{Path, PathBuf};
use std::time::Instant;
use tracing::{info, warn};

/// What is known of the room on the disk.
#[derive(Debug)]
pub struct Room {
    path: PathBuf,
    reserve: u64,
    looked: Option<Instant>,
    is_short: bool,
}

impl Room {
    /// Of the disk that holds `path`.
    pub fn new(path: &Path, reserve: u64) -> Self {
        Self { path: path.to_path_buf(), reserve, looked: None, is_short: false }
    }

    /// Whether the reserve is touched.
    pub const fn is_short(&self) -> bool {
        self.is_short
    }

    /// Bytes that are left for this process, if the system says.
    pub fn free(&self) -> Option<u64> {
        let disk = rustix::fs::statvfs(&self.path).ok()?;
        Some(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    /// Whether the next write may fail, however small the reserve is.
    pub fn is_full(&self) -> bool {
        is_full(self.free())
    }

    /// Looks again, if the last time is long enough ago. Whether it changed.
    fn look(&mut self, now: Instant) -> bool {
        let is_due = self.looked.is_none_or(|at| now.duration_since(at) >= ROOM_INTERVAL);
        if self.reserve == 0 || !is_due {
            return false;
        }
        self.looked = Some(now);
        let was_short = self.is_short;
        // Room comes back only with some to spare, so that it does not change at every entry.
        let wanted = if was_short { self.reserve.saturating_mul(5) / 4 } else { self.reserve };
        self.is_short = self.free().is_some_and(|free| free < wanted);
        self.is_short != was_short
    }
}

fn is_full(free: Option<u64>) -> bool {
    free.is_some_and(|free| free < ROOM_MIN)
}

impl Core {
    /// Ends all exchange when the reserve is touched, and begins again when it is not.
    pub(super) fn look_at_room(&mut self) {
        if !self.room.look(Instant::now()) {
            return;
        }
        if self.room.is_short() {
            warn!("the disk is nearly full; nothing is exchanged until there is room again");
            self.end_links("the disk is nearly full");
        } else {
            info!("there is room on the disk again");
            self.dial_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reserve_is_looked_at_once_in_a_while() {
        let place = tempfile::tempdir().unwrap();
        let mut room = Room::new(place.path(), u64::MAX);
        let now = Instant::now();
        assert!(room.look(now) && room.is_short());
        room.reserve = 1;
        assert!(!room.look(now), "not yet");
        assert!(room.look(now + ROOM_INTERVAL) && !room.is_short());
        assert!(is_full(Some(0)) && !is_full(Some(ROOM_MIN)) && !is_full(None));
        let mut none = Room::new(place.path(), 0);
        assert!(!none.look(now) && !none.is_short());
    }
}
