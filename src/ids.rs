//! Typed ids and their text form: a prefix that names the kind, then a sortable 128-bit value.
//!
//! Ids come from an `IdSource`, so that a simulation can repeat them. An id holds no dot (webhook ids are
//! signed as `id.timestamp.body`) and is never used twice.

use serde::{Deserialize, Serialize};
use uuid::{Uuid, Variant, Version};

use crate::units::Timestamp;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// What the text form starts with.
            pub const PREFIX: &'static str = $prefix;

            /// The next id of this kind.
            pub fn next(source: &mut IdSource, now: Timestamp) -> Self {
                Self(format!("{}{}", Self::PREFIX, source.next(now).simple()))
            }

            /// Reads the text form; `None` if it isn't one of this kind.
            pub fn parse(text: &str) -> Option<Self> {
                let value = text.strip_prefix(Self::PREFIX)?;
                let well_formed = value.len() == 32
                    && value.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
                well_formed.then(|| Self(text.to_owned()))
            }

            /// The text form.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

// Alphabetical; append only, a prefix is never used for another kind.
ids! {
    /// One delivery of one event to one webhook.
    DeliveryId = "dlv_";
    /// One API key.
    KeyId = "key_";
    /// One lot of material.
    LotId = "lot_";
    /// One movement of metal in the books.
    MetalEntryId = "mtl_";
    /// One operation: a step at a station.
    OperationId = "op_";
    /// One order.
    OrderId = "ord_";
    /// One physical item to deliver.
    PieceId = "pc_";
    /// One plan.
    PlanId = "pln_";
    /// One build plate.
    PlateId = "plt_";
    /// One tree (and, once invested, its flask).
    TreeId = "tre_";
    /// One webhook endpoint.
    WebhookId = "whk_";
}

/// Where new ids come from: the time for the sortable part, a seeded generator for the rest.
#[derive(Debug)]
pub struct IdSource {
    state: u64,
    last_ms: u64,
    /// Counts ids within one millisecond, so that ids of one source sort in the order they were made.
    counter: u16,
}

impl IdSource {
    /// A source that repeats itself for the same seed and times.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self { state: seed, last_ms: 0, counter: 0 }
    }

    /// A source for a real workshop, seeded by the operating system.
    ///
    /// # Errors
    /// If the operating system has no randomness to give.
    pub fn from_os() -> Result<Self, getrandom::Error> {
        let mut seed = [0_u8; 8];
        getrandom::fill(&mut seed)?;
        Ok(Self::seeded(u64::from_le_bytes(seed)))
    }

    fn next(&mut self, now: Timestamp) -> Uuid {
        let ms = u64::try_from(now.0).unwrap_or(0);
        if ms > self.last_ms {
            self.last_ms = ms;
            self.counter = 0;
        } else if self.counter == 0x0fff {
            // A clock that stands still or steps back: borrow from the next millisecond to stay sorted.
            self.last_ms += 1;
            self.counter = 0;
        } else {
            self.counter += 1;
        }
        let value =
            (u128::from(self.last_ms) << 80) | (u128::from(self.counter) << 64) | u128::from(self.random());
        let mut id = uuid::Builder::from_u128(value);
        id.set_version(Version::SortRand);
        id.set_variant(Variant::RFC4122);
        id.into_uuid()
    }

    /// SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
