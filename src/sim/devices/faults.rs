//! What goes wrong at a simulated device, from a seed, by chance or at a certain place.

use std::time::Duration;

/// One kind of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A bit of a line or packet flips, in either direction.
    Corrupt,
    /// A line or packet from the host is lost.
    LoseLine,
    /// A reply is lost.
    LoseOk,
    /// Only the `k` of an `ok` arrives.
    MangleOk,
    /// An `ok` comes twice.
    DoubleOk,
    /// Four bytes of garbage stand in front of an `ok`.
    GarbageOk,
    /// The `ok` after a resend is missing.
    ResendOnly,
    /// The line is refused so many times.
    Refuse,
    /// The device says nothing for so many seconds, then goes on.
    Silence,
    /// The device is busy, and says so, for so many seconds.
    Busy,
    /// The device resets and says so.
    Reset,
    /// The device resets without a word.
    QuietReset,
    /// The firmware kills itself.
    Kill,
    /// The plug is pulled for so many seconds.
    Unplug,
    /// The power is gone for so many seconds, then the device boots.
    PowerDip,
    /// The nozzle is too cold: material isn't pushed any more.
    ColdExtrusion,
    /// The card is full.
    CardFull,
}

/// Name, kind, and the argument if none is given: times for `refuse`, seconds for the others.
const NAMES: &[(&str, Fault, f64)] = &[
    ("corrupt", Fault::Corrupt, 0.0),
    ("lose-line", Fault::LoseLine, 0.0),
    ("lose-ok", Fault::LoseOk, 0.0),
    ("mangle-ok", Fault::MangleOk, 0.0),
    ("double-ok", Fault::DoubleOk, 0.0),
    ("garbage-ok", Fault::GarbageOk, 0.0),
    ("resend-only", Fault::ResendOnly, 0.0),
    ("refuse", Fault::Refuse, 30.0),
    ("silence", Fault::Silence, 20.0),
    ("busy", Fault::Busy, 8.0),
    ("reset", Fault::Reset, 0.0),
    ("quiet-reset", Fault::QuietReset, 0.0),
    ("kill", Fault::Kill, 0.0),
    ("unplug", Fault::Unplug, 3.0),
    ("power-dip", Fault::PowerDip, 1.0),
    ("cold-extrusion", Fault::ColdExtrusion, 0.0),
    ("card-full", Fault::CardFull, 0.0),
];

/// All that goes wrong, and the dice.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    chances: Vec<(Fault, f64)>,
    places: Vec<Place>,
    random: u64,
}

#[derive(Debug, Clone)]
struct Place {
    fault: Fault,
    at: u64,
    argument: f64,
    has_struck: bool,
}

impl Faults {
    /// Reads a list such as `corrupt=0.01,lose-ok=0.005,reset-at=120,unplug-at=300:5`: `NAME=CHANCE` for each
    /// line or packet, or `NAME-at=COUNT[:ARGUMENT]` once, at the line, packet or layer of that count.
    ///
    /// # Errors
    /// A sentence that names the entry.
    pub fn parse(spec: &str) -> Result<Self, String> {
        let mut faults = Self::default();
        for entry in spec.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            faults.add(entry).ok_or_else(|| {
                let known: Vec<&str> = NAMES.iter().map(|(name, _, _)| *name).collect();
                format!(
                    "\"{entry}\" is no fault: write NAME=CHANCE or NAME-at=COUNT[:ARGUMENT] with one of {}",
                    known.join(", ")
                )
            })?;
        }
        Ok(faults)
    }

    /// The same faults with other dice.
    #[must_use]
    pub fn seeded(mut self, seed: u64) -> Self {
        self.random = seed;
        self
    }

    fn add(&mut self, entry: &str) -> Option<()> {
        let (name, value) = entry.split_once('=')?;
        let known = |name: &str| NAMES.iter().find(|(known, _, _)| *known == name);
        if let Some(name) = name.strip_suffix("-at") {
            let (_, fault, default) = *known(name)?;
            let (at, argument) = value.split_once(':').unwrap_or((value, ""));
            let argument = if argument.is_empty() { default } else { argument.parse().ok()? };
            let is_sane = (0.0..=1e6).contains(&argument);
            let place = Place { fault, at: at.parse().ok()?, argument, has_struck: false };
            return is_sane.then(|| self.places.push(place));
        }
        let (_, fault, _) = *known(name)?;
        let chance = value.parse().ok().filter(|chance| (0.0..=1.0).contains(chance))?;
        self.chances.push((fault, chance));
        Some(())
    }

    /// Whether a fault strikes now that `count` lines, packets or layers are done; its argument if it does.
    pub(super) fn strikes(&mut self, fault: Fault, count: u64) -> Option<f64> {
        let due = |place: &&mut Place| place.fault == fault && !place.has_struck && count >= place.at;
        if let Some(place) = self.places.iter_mut().find(due) {
            place.has_struck = true;
            return Some(place.argument);
        }
        let chance = self.chances.iter().find(|(kind, _)| *kind == fault)?.1;
        let default = NAMES.iter().find(|(_, kind, _)| *kind == fault)?.2;
        self.chance(chance).then_some(default)
    }

    /// Flips one bit of one byte.
    pub(super) fn flip(&mut self, bytes: &mut [u8]) {
        let (place, bit) = (self.next(), self.next() % 8);
        let count = u64::try_from(bytes.len()).unwrap_or(u64::MAX).max(1);
        let byte = usize::try_from(place % count).ok().and_then(|index| bytes.get_mut(index));
        if let Some(byte) = byte {
            *byte ^= 1 << bit;
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "53 bits of chance are plenty")]
    fn chance(&mut self, chance: f64) -> bool {
        chance > 0.0 && ((self.next() >> 11) as f64) < chance * 9_007_199_254_740_992.0
    }

    /// SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
    fn next(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// A fault's argument as seconds.
pub(super) fn seconds(argument: f64) -> Duration {
    Duration::try_from_secs_f64(argument).unwrap_or(Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_strikes_once_and_bad_entries_are_named() {
        let mut faults = Faults::parse("reset-at=3, unplug-at=5:2.5").unwrap();

        assert_eq!(faults.strikes(Fault::Reset, 2), None);
        assert!(faults.strikes(Fault::Reset, 3).is_some());
        assert_eq!(faults.strikes(Fault::Reset, 4), None);
        assert_eq!(faults.strikes(Fault::Unplug, 5), Some(2.5));
        for bad in ["frob=1", "corrupt=2", "corrupt", "reset-at=x", "corrupt=nan", "unplug-at=1:inf"] {
            assert!(Faults::parse(bad).unwrap_err().contains(bad), "{bad} was taken");
        }
    }
}
