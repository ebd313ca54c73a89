//! Randomness of the operating system, for whatever the protocol asks a random source for.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

/// A generator seeded with 256 bits of the operating system.
///
/// # Errors
/// When the operating system has no randomness to give: then nothing must go on.
pub fn generator() -> Result<ChaCha20Rng, getrandom::Error> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)?;
    Ok(ChaCha20Rng::from_seed(seed))
}
