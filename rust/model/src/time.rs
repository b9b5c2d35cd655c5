//! Points in time, and where they come from.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// 0001-01-01T00:00:00Z, the earliest time that Python can say.
    pub const MIN: Self = Self(-62_135_596_800_000_000);
    /// 9999-12-31T23:59:59.999999Z, the latest.
    pub const MAX: Self = Self(253_402_300_799_999_999);

    /// That many microseconds later, within [`Self::MIN`] and [`Self::MAX`].
    #[must_use]
    pub const fn plus_micros(self, micros: i64) -> Self {
        let sum = self.0.saturating_add(micros);
        if sum > Self::MAX.0 {
            Self::MAX
        } else if sum < Self::MIN.0 {
            Self::MIN
        } else {
            Self(sum)
        }
    }
}

/// Where "now" comes from.
pub trait Clock: Send + Sync {
    /// The present time.
    fn now(&self) -> Timestamp;
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let micros = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_micros()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_micros()).map_or(i64::MIN, |micros| -micros),
        };
        Timestamp(0).plus_micros(micros)
    }
}
