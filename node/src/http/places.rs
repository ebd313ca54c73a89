//! The places for connections. Whoever presented the token keeps its own; of the others, any
//! program of the machine, the one that came first leaves when there is no place for a new one.
//!
//! A program that means to ask sends its request when it connects, and has presented the token
//! long before as many others came as there are places.

use crate::limits;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// The places.
#[derive(Default)]
pub struct Places {
    taken: Mutex<Taken>,
    freed: Notify,
}

#[derive(Default)]
struct Taken {
    next: u64,
    /// In the order in which they came.
    by_number: BTreeMap<u64, Holder>,
}

struct Holder {
    known: bool,
    leave: Arc<Notify>,
}

/// A place, given back when this is dropped.
pub struct Place {
    number: u64,
    places: Arc<Places>,
    leave: Arc<Notify>,
}

impl Places {
    /// Waits for a place; only while all are held by such as presented the token.
    pub async fn enter(self: &Arc<Self>) -> Place {
        loop {
            if let Some(place) = self.try_enter() {
                return place;
            }
            self.freed.notified().await;
        }
    }

    fn try_enter(self: &Arc<Self>) -> Option<Place> {
        let mut taken = self.lock();
        if taken.by_number.len() >= limits::HTTP_CONNECTIONS_MAX {
            let (oldest, _) = taken.by_number.iter().find(|(_, holder)| !holder.known)?;
            let oldest = *oldest;
            taken.by_number.remove(&oldest)?.leave.notify_one();
        }
        let (number, leave) = (taken.next, Arc::new(Notify::new()));
        taken.next += 1;
        taken.by_number.insert(number, Holder { known: false, leave: Arc::clone(&leave) });
        Some(Place { number, places: Arc::clone(self), leave })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        // Nothing panics while it holds the lock.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Notes that whoever has this place presented the token.
    pub fn keep(&self) {
        if let Some(holder) = self.places.lock().by_number.get_mut(&self.number) {
            holder.known = true;
        }
    }

    /// Waits until the place was given to another.
    pub async fn given_away(&self) {
        self.leave.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.lock().by_number.remove(&self.number);
        self.places.freed.notify_one();
    }
}
