//! Exponential backoff with jitter. Pure.

use std::time::Duration;

/// The first and the longest back-off.
#[derive(Clone, Copy, Debug)]
pub struct Waits {
    pub base: Duration,
    pub cap: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        Self { base: Duration::from_secs(1), cap: Duration::from_secs(60) }
    }
}

/// The wait before attempt number `attempt` (from 1). `random` is uniform over all of `u64`.
pub fn wait(base: Duration, cap: Duration, attempt: u32, random: u64) -> Duration {
    let factor = 1u32.checked_shl(attempt.saturating_sub(1).min(20)).unwrap_or(u32::MAX);
    let ceiling = base.saturating_mul(factor).min(cap);
    // At least half of it: the first attempts would follow each other too closely otherwise.
    let floor = ceiling / 2;
    let span = u64::try_from(ceiling.saturating_sub(floor).as_micros())
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    floor + Duration::from_micros(random % span)
}

pub fn random() -> u64 {
    getrandom::u64().unwrap_or(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn waits_stay_between_half_of_the_ceiling_and_the_cap(attempt in 0u32..1000, random: u64) {
            let (base, cap) = (Duration::from_secs(1), Duration::from_secs(60));
            let wait = wait(base, cap, attempt, random);
            prop_assert!(wait >= base / 2);
            prop_assert!(wait <= cap);
        }
    }

    #[test]
    fn the_ceiling_doubles_and_stops_at_the_cap() {
        let ceiling = |attempt| {
            (0..2_000u64)
                .map(|r| {
                    wait(
                        Duration::from_secs(1),
                        Duration::from_secs(60),
                        attempt,
                        r.wrapping_mul(0x9e37_79b9_7f4a_7c15),
                    )
                })
                .max()
                .unwrap()
                .as_secs_f32()
                .round() as u32
        };
        assert_eq!([ceiling(1), ceiling(2), ceiling(3)], [1, 2, 4]);
        assert!(ceiling(30) <= 60);
    }
}
