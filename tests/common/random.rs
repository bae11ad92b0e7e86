//! Random numbers for storms and kills. The seed is printed; `SKCHAT_SEED` sets one, so that a failure can be repeated.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The name of the variable that sets a seed.
pub const SEED: &str = "SKCHAT_SEED";

/// A sequence of random numbers; clones draw from the same one.
#[derive(Clone)]
pub struct Random(Arc<AtomicU64>);

impl Random {
    /// With the seed from the environment, or a new one.
    pub fn new(what: &str) -> Self {
        let given = std::env::var(SEED).ok();
        let given = given.map(|text| text.parse().expect("SKCHAT_SEED is a number"));
        Self::of_seed(what, given.unwrap_or_else(|| getrandom::u64().unwrap()))
    }

    pub fn of_seed(what: &str, seed: u64) -> Self {
        println!("{what}: seed {seed} ({SEED}={seed} repeats its choices)");
        Self(Arc::new(AtomicU64::new(seed)))
    }

    /// SplitMix64: every seed gives a sequence of full length.
    fn next(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below a limit, or 0.
    pub fn below(&self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    /// A separate sequence, for something that runs concurrently: how often one draws must not change the other.
    pub fn split(&self) -> Self {
        Self(Arc::new(AtomicU64::new(self.next())))
    }
}
