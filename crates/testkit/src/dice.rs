//! Chance that can be repeated: the same seed gives the same choices.

use forge_app::{OsRandom, Random as _};

/// Dice for tests that try what nobody thought of.
///
/// A test prints the seed, so that its choices can be made again; how things then interleave is still up to the
/// machine.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Returns dice that always fall the same way for a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns the seed in the variable `FORGE_TEST_SEED`, or else a new one.
    ///
    /// # Panics
    /// If the variable holds something else than a number.
    pub fn seed() -> u64 {
        if let Ok(text) = std::env::var("FORGE_TEST_SEED") {
            return text.parse().unwrap();
        }
        let mut bytes = [0; 8];
        OsRandom::default().fill(&mut bytes).unwrap();
        u64::from_le_bytes(bytes)
    }

    /// Returns a number from 0 up to, but without, `end`, which is not 0.
    pub fn below(&mut self, end: u64) -> u64 {
        // SplitMix64; that some numbers are a little likelier than others does no harm here.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % end
    }

    /// Returns true once in so many times.
    pub fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// Returns a number from `first` to `last`.
    ///
    /// # Panics
    /// If the range is empty or not within the positive numbers.
    pub fn within(&mut self, first: i64, last: i64) -> i64 {
        let span = u64::try_from(last - first + 1).unwrap();
        first + i64::try_from(self.below(span)).unwrap()
    }

    /// Returns one of several things.
    ///
    /// # Panics
    /// If there is none.
    pub fn pick<T: Clone>(&mut self, things: &[T]) -> T {
        let index = self.below(u64::try_from(things.len()).unwrap());
        things[usize::try_from(index).unwrap()].clone()
    }

    /// Returns other dice that these determine, for a client of its own.
    #[must_use]
    pub fn split(&mut self) -> Self {
        Self(self.below(u64::MAX))
    }
}
