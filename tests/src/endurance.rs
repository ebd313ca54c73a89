//! Faults of the machine under real nodes, for as long as one likes: processes that are killed
//! while they write and synchronise, and store files with damage in them.

mod damage;
mod kills;

pub use damage::{Damage, damage};
pub use kills::{Kills, kills};
