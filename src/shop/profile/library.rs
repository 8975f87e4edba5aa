//! All profiles of a workshop, found by kind and stem.

use std::collections::BTreeMap;

use thiserror::Error;

use super::{AlloyProfile, BurnoutProfile, KilnProfile, MaterialProfile, PrinterProfile, RoutingProfile};

/// What a profile describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProfileKind {
    /// A printer model: `printers/`.
    Printer,
    /// A resin: `resins/`.
    Resin,
    /// A wax-like filament: `waxes/`.
    Wax,
    /// An alloy: `alloys/`.
    Alloy,
    /// A routing: `routings/`.
    Routing,
    /// A burnout program: `burnout/`.
    Burnout,
    /// A kiln controller: `kilns/`.
    Kiln,
}

impl ProfileKind {
    /// All kinds, in the order in which they are read.
    pub const ALL: &[ProfileKind] = &[
        ProfileKind::Printer,
        ProfileKind::Resin,
        ProfileKind::Wax,
        ProfileKind::Alloy,
        ProfileKind::Routing,
        ProfileKind::Burnout,
        ProfileKind::Kiln,
    ];

    /// The folder below a profile directory.
    #[must_use]
    pub fn folder(self) -> &'static str {
        match self {
            ProfileKind::Printer => "printers",
            ProfileKind::Resin => "resins",
            ProfileKind::Wax => "waxes",
            ProfileKind::Alloy => "alloys",
            ProfileKind::Routing => "routings",
            ProfileKind::Burnout => "burnout",
            ProfileKind::Kiln => "kilns",
        }
    }
}

/// All profiles, by stem. Resins and waxes share one space of stems: an order names a material, not a folder.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Profiles {
    /// Printer models.
    pub printers: BTreeMap<String, PrinterProfile>,
    /// Resins and waxes.
    pub materials: BTreeMap<String, MaterialProfile>,
    /// Alloys.
    pub alloys: BTreeMap<String, AlloyProfile>,
    /// Routings.
    pub routings: BTreeMap<String, RoutingProfile>,
    /// Burnout programs.
    pub burnouts: BTreeMap<String, BurnoutProfile>,
    /// Kiln controllers.
    pub kilns: BTreeMap<String, KilnProfile>,
}

/// No profile has this stem.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("there is no {kind} profile \"{stem}\"; known are: {known}")]
pub struct UnknownProfile {
    /// What was looked for, as a word.
    pub kind: &'static str,
    /// The stem that nothing has.
    pub stem: String,
    /// The stems that there are, joined by commas.
    pub known: String,
}

impl Profiles {
    /// A printer model.
    ///
    /// # Errors
    /// With the known stems, if there is none of this stem; so for all lookups here.
    pub fn printer(&self, stem: &str) -> Result<&PrinterProfile, UnknownProfile> {
        find(&self.printers, "printer", stem)
    }

    /// A resin or wax.
    ///
    /// # Errors
    /// With the known stems.
    pub fn material(&self, stem: &str) -> Result<&MaterialProfile, UnknownProfile> {
        find(&self.materials, "material", stem)
    }

    /// An alloy.
    ///
    /// # Errors
    /// With the known stems.
    pub fn alloy(&self, stem: &str) -> Result<&AlloyProfile, UnknownProfile> {
        find(&self.alloys, "alloy", stem)
    }

    /// A routing.
    ///
    /// # Errors
    /// With the known stems.
    pub fn routing(&self, stem: &str) -> Result<&RoutingProfile, UnknownProfile> {
        find(&self.routings, "routing", stem)
    }

    /// A burnout program.
    ///
    /// # Errors
    /// With the known stems.
    pub fn burnout(&self, stem: &str) -> Result<&BurnoutProfile, UnknownProfile> {
        find(&self.burnouts, "burnout", stem)
    }

    /// A kiln controller.
    ///
    /// # Errors
    /// With the known stems.
    pub fn kiln(&self, stem: &str) -> Result<&KilnProfile, UnknownProfile> {
        find(&self.kilns, "kiln", stem)
    }
}

fn find<'a, T>(
    profiles: &'a BTreeMap<String, T>,
    kind: &'static str,
    stem: &str,
) -> Result<&'a T, UnknownProfile> {
    profiles.get(stem).ok_or_else(|| {
        let known: Vec<&str> = profiles.keys().map(String::as_str).collect();
        UnknownProfile { kind, stem: stem.to_owned(), known: known.join(", ") }
    })
}
