//! What stands in this workshop and who works in it, as the shop file says.

use jiff::tz::TimeZone;

use crate::shop::operation::Operation;
use crate::shop::profile::ExposureOverride;
use crate::shop::profile::material::Price;
use crate::shop::shift::Shift;

/// The workshop.
#[derive(Debug, Clone)]
pub struct Workshop {
    /// Its name.
    pub name: String,
    /// Where its clocks are.
    pub zone: TimeZone,
    /// The routing of a piece that doesn't name one.
    pub routing: String,
    /// Its stations, in the order of the shop file.
    pub stations: Vec<Station>,
    /// Its people.
    pub people: Vec<Person>,
    /// Exposures that the shop measured itself.
    pub exposures: Vec<ExposureOverride>,
    /// What materials cost this shop.
    pub prices: Vec<MaterialPrice>,
    /// How much is taken in.
    pub limits: Limits,
}

/// What the shop pays for a litre of a material: `[[price]]`.
#[derive(Debug, Clone, PartialEq)]
pub struct MaterialPrice {
    /// Stem of the material's profile.
    pub material: String,
    /// The price; it beats the one of the profile.
    pub per_litre: Price,
}

/// Anything that performs operations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Station {
    /// Its name.
    pub name: String,
    /// The driver that talks to it; `manual` where people do the work.
    pub driver: String,
    /// Stem of its profile, for printers and kilns.
    pub profile: Option<String>,
    /// The line that its device sits on.
    pub line: Option<String>,
    /// The address of its device on a shared line.
    pub unit: Option<u8>,
    /// Stem of the material that is loaded.
    pub material: Option<String>,
    /// What it can do, resolved: a manual station without a list does whatever no device does.
    pub abilities: Vec<String>,
    /// Operations at once: places in a kiln, on a rack, at a bench.
    pub capacity: u32,
}

/// Somebody who works here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Name, as shown and recorded.
    pub name: String,
    /// When.
    pub shifts: Vec<Shift>,
    /// What the person can do, as abilities of stations; `None` is everything.
    pub skills: Option<Vec<String>>,
}

/// How much is taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest design file.
    pub design_max_bytes: u64,
    /// Largest order body.
    pub order_max_bytes: u64,
    /// Below this much free disk nothing new is taken in; running work goes on.
    pub disk_reserve_bytes: u64,
}

impl Limits {
    /// What holds if the file says nothing.
    pub const USUAL: Limits =
        Limits { design_max_bytes: 256 << 20, order_max_bytes: 1 << 20, disk_reserve_bytes: 512 << 20 };
}

/// Whether an ability is a printer's; everything else is done by people or at their hands.
#[must_use]
pub fn is_print(ability: &str) -> bool {
    ability.starts_with("print-")
}

impl Station {
    /// Whether it is a printer.
    #[must_use]
    pub fn prints(&self) -> bool {
        self.abilities.iter().any(|ability| is_print(ability))
    }

    /// Whether it can do this.
    #[must_use]
    pub fn can(&self, ability: &str) -> bool {
        self.abilities.iter().any(|known| known == ability)
    }
}

impl Station {
    /// Whether an operation can be done here: the ability, and for a print the printer and the material.
    #[must_use]
    pub fn fits(&self, operation: &Operation) -> bool {
        let prepared_for = operation.print_on.as_ref().is_none_or(|on| {
            self.profile.as_deref() == Some(&on.printer) && self.material.as_deref() == Some(&on.material)
        });
        prepared_for && self.can(&operation.ability)
    }
}

impl Workshop {
    /// A station by its name.
    #[must_use]
    pub fn station(&self, name: &str) -> Option<&Station> {
        self.stations.iter().find(|station| station.name == name)
    }

    /// The stations that print, each with its printer profile and loaded material.
    pub fn printers(&self) -> impl Iterator<Item = (&Station, &str, &str)> {
        self.stations
            .iter()
            .filter(|station| station.prints())
            .filter_map(|station| Some((station, station.profile.as_deref()?, station.material.as_deref()?)))
    }
}
