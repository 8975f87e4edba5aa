//! Keeps garbled digits of temperature reports away from people and alarms: a jump is believed when it was read
//! twice.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::devices::session::Temperature;
use crate::units::Tick;

/// More than a heater or its cooling can do between two readings a second apart.
const JUMP_CELSIUS: f32 = 15.0;
/// After this long without a reading any value may be right.
const STALE: Duration = Duration::from_secs(10);
/// Sensors of one printer.
const SENSORS_MAX: usize = 16;

/// The last readings of each sensor.
#[derive(Debug, Default)]
pub(super) struct Readings {
    last: BTreeMap<String, Reading>,
}

#[derive(Debug)]
struct Reading {
    celsius: f32,
    at: Tick,
    doubted: Option<f32>,
}

impl Readings {
    /// The readings that can be believed.
    pub(super) fn credible(&mut self, now: Tick, readings: Vec<Temperature>) -> Vec<Temperature> {
        readings.into_iter().filter(|reading| self.is_credible(now, reading)).collect()
    }

    fn is_credible(&mut self, now: Tick, reading: &Temperature) -> bool {
        let celsius = reading.actual.0;
        let is_near = |other: f32| (celsius - other).abs() <= JUMP_CELSIUS;
        let Some(last) = self.last.get_mut(&reading.sensor) else {
            if self.last.len() < SENSORS_MAX {
                self.last.insert(reading.sensor.clone(), Reading { celsius, at: now, doubted: None });
            }
            return true;
        };
        let is_believed =
            is_near(last.celsius) || last.doubted.is_some_and(is_near) || now.since(last.at) > STALE;
        if is_believed {
            *last = Reading { celsius, at: now, doubted: None };
        } else {
            last.doubted = Some(celsius);
        }
        is_believed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sprue_station_protocol::Celsius;

    #[test]
    fn a_jump_is_believed_when_it_was_read_twice() {
        let mut readings = Readings::default();
        let mut believed = Vec::new();
        for (second, celsius) in [20.0, 21.0, 210.0, 22.0, 209.0, 210.0, 211.0].into_iter().enumerate() {
            let reading = Temperature { sensor: "T".into(), actual: Celsius(celsius), target: None };
            let now = Tick(u64::try_from(second).unwrap() * 1000);
            believed
                .extend(readings.credible(now, vec![reading]).into_iter().map(|reading| reading.actual.0));
        }
        assert_eq!(believed, [20.0, 21.0, 22.0, 210.0, 211.0]);
    }
}
