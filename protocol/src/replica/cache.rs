//! Values kept loaded, as many as fit by what they weigh: what was put in first goes first.
//!
//! Whatever is taken out again can be loaded from the store, so nothing here is ever the only copy.
//! Values leave one by one, as others come: dropping thousands at once would stop the node for tens
//! of milliseconds.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// Names that lead nowhere any more are cleared away when there are this many beyond the values.
const STALE_MAX: usize = 64;

/// Values by key, in the order in which they were put in.
pub struct Cache<K, V> {
    values: HashMap<K, Held<V>>,
    /// Keys with the number under which they were put in; a key put in again has an old number here
    /// too, which says nothing.
    order: VecDeque<(u64, K)>,
    last: u64,
    /// What all values weigh together.
    weight: u64,
}

struct Held<V> {
    number: u64,
    weight: u64,
    value: V,
}

impl<K, V> Default for Cache<K, V> {
    fn default() -> Self {
        Self { values: HashMap::new(), order: VecDeque::new(), last: 0, weight: 0 }
    }
}

impl<K: Copy + Eq + Hash, V> Cache<K, V> {
    pub fn contains_key(&self, key: &K) -> bool {
        self.values.contains_key(key)
    }

    pub fn get(&self, key: &K) -> Option<&V> {
        self.values.get(key).map(|held| &held.value)
    }

    pub fn value_mut(&mut self, key: &K) -> Option<&mut V> {
        self.values.get_mut(key).map(|held| &mut held.value)
    }

    /// Puts a value in, as the last to go.
    pub fn insert(&mut self, key: K, weight: u64, value: V) {
        self.remove(&key);
        self.last += 1;
        self.weight = self.weight.saturating_add(weight);
        self.values.insert(key, Held { number: self.last, weight, value });
        self.order.push_back((self.last, key));
        if self.order.len() > 2 * self.values.len() + STALE_MAX {
            let values = &self.values;
            self.order.retain(|(number, key)| holds(values, *number, key));
        }
    }

    /// Takes a value out.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        let held = self.values.remove(key)?;
        self.weight = self.weight.saturating_sub(held.weight);
        Some(held.value)
    }

    /// Takes out all values whose key is not `wanted`.
    pub fn retain(&mut self, mut wanted: impl FnMut(&K) -> bool) {
        let mut weight = 0_u64;
        self.values.retain(|key, held| {
            let stays = wanted(key);
            weight = weight.saturating_add(if stays { held.weight } else { 0 });
            stays
        });
        self.weight = weight;
    }

    /// Takes everything out.
    pub fn clear(&mut self) {
        self.values.clear();
        self.order.clear();
        self.weight = 0;
    }

    /// Takes out what was put in first until the rest weighs no more than `most`. What was put in
    /// last stays, whatever it weighs.
    pub fn trim(&mut self, most: u64) {
        while self.weight > most && self.values.len() > 1 {
            let Some((number, key)) = self.order.pop_front() else { return };
            if holds(&self.values, number, &key) {
                self.remove(&key);
            }
        }
    }
}

fn holds<K: Eq + Hash, V>(values: &HashMap<K, Held<V>>, number: u64, key: &K) -> bool {
    values.get(key).is_some_and(|held| held.number == number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_first_goes_first() {
        let mut cache = Cache::default();
        for key in 0..5 {
            cache.insert(key, 1, key * 10);
        }
        let again = cache.remove(&0).unwrap();
        cache.insert(0, 1, again);
        cache.trim(2);
        assert_eq!((cache.get(&4), cache.get(&0)), (Some(&40), Some(&0)));
        assert!(!cache.contains_key(&3));
    }

    #[test]
    fn putting_in_again_and_again_takes_no_room() {
        let mut cache = Cache::default();
        for _ in 0..10_000 {
            cache.insert(1, 1, ());
        }
        assert!(cache.order.len() <= STALE_MAX + 2);
        cache.trim(1);
        assert!(cache.contains_key(&1));
    }

    #[test]
    fn one_heavy_value_pushes_out_many_light_ones_and_stays_itself() {
        let mut cache = Cache::default();
        for key in 0..10 {
            cache.insert(key, 1, ());
        }
        cache.insert(10, 95, ());
        cache.trim(100);
        assert!((0..5).all(|key| !cache.contains_key(&key)) && cache.contains_key(&5));
        cache.retain(|key| *key != 10);
        cache.insert(11, 1_000, ());
        cache.trim(100);
        assert!(cache.contains_key(&11) && !cache.contains_key(&9));
        cache.remove(&11);
        cache.insert(12, 100, ());
        cache.trim(100);
        assert!(cache.contains_key(&12));
    }
}
