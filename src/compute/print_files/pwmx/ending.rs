//! Endings and versions of the Anycubic family: what each printer lists and reads.
//!
//! Source: file formats of UVtools, `AnycubicFile`, the table of versions for each extension. Version 518 and the
//! printers that want it are left out.

/// A version of the layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AnycubicVersion {
    /// Header, picture, layers.
    V1,
    /// With a table of grey levels.
    V515,
    /// With two-stage lifts and the machine.
    V516,
    /// With the writing program and the size of the model.
    V517,
}

impl AnycubicVersion {
    /// The number in the file.
    #[must_use]
    pub const fn number(self) -> u32 {
        match self {
            AnycubicVersion::V1 => 1,
            AnycubicVersion::V515 => 515,
            AnycubicVersion::V516 => 516,
            AnycubicVersion::V517 => 517,
        }
    }
}

/// An ending of file names, one for each printer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AnycubicEnding {
    /// Photon S; the only one with layers in one-bit planes.
    Pws,
    /// Photon Zero.
    Pw0,
    /// Photon X.
    Pwx,
    /// Photon Ultra.
    Dlp,
    /// Photon D2.
    Dl2p,
    /// Photon Mono X.
    Pwmx,
    /// Photon Mono X2.
    Pmx2,
    /// Photon Mono X 6K and M3 Plus.
    Pwmb,
    /// Photon Mono X 6Ks.
    Px6s,
    /// Photon Mono.
    Pwmo,
    /// Photon Mono 2.
    Pm3n,
    /// Photon Mono SE.
    Pwms,
    /// Photon Mono 4K.
    Pwma,
    /// Photon Mono SQ.
    Pmsq,
    /// Photon M3.
    Pm3,
    /// Photon M3 Max.
    Pm3m,
    /// Photon M3 Premium.
    Pm3r,
    /// Photon Mono M5.
    Pm5,
}

impl AnycubicEnding {
    /// Every ending.
    pub const ALL: [AnycubicEnding; 18] = [
        AnycubicEnding::Pws,
        AnycubicEnding::Pw0,
        AnycubicEnding::Pwx,
        AnycubicEnding::Dlp,
        AnycubicEnding::Dl2p,
        AnycubicEnding::Pwmx,
        AnycubicEnding::Pmx2,
        AnycubicEnding::Pwmb,
        AnycubicEnding::Px6s,
        AnycubicEnding::Pwmo,
        AnycubicEnding::Pm3n,
        AnycubicEnding::Pwms,
        AnycubicEnding::Pwma,
        AnycubicEnding::Pmsq,
        AnycubicEnding::Pm3,
        AnycubicEnding::Pm3m,
        AnycubicEnding::Pm3r,
        AnycubicEnding::Pm5,
    ];

    /// The ending, without the dot.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            AnycubicEnding::Pws => "pws",
            AnycubicEnding::Pw0 => "pw0",
            AnycubicEnding::Pwx => "pwx",
            AnycubicEnding::Dlp => "dlp",
            AnycubicEnding::Dl2p => "dl2p",
            AnycubicEnding::Pwmx => "pwmx",
            AnycubicEnding::Pmx2 => "pmx2",
            AnycubicEnding::Pwmb => "pwmb",
            AnycubicEnding::Px6s => "px6s",
            AnycubicEnding::Pwmo => "pwmo",
            AnycubicEnding::Pm3n => "pm3n",
            AnycubicEnding::Pwms => "pwms",
            AnycubicEnding::Pwma => "pwma",
            AnycubicEnding::Pmsq => "pmsq",
            AnycubicEnding::Pm3 => "pm3",
            AnycubicEnding::Pm3m => "pm3m",
            AnycubicEnding::Pm3r => "pm3r",
            AnycubicEnding::Pm5 => "pm5",
        }
    }

    /// The versions that firmware under this ending reads, oldest first.
    #[must_use]
    pub const fn versions(self) -> &'static [AnycubicVersion] {
        use AnycubicVersion::{V1, V515, V516, V517};
        match self {
            AnycubicEnding::Pws | AnycubicEnding::Pw0 | AnycubicEnding::Pwx => &[V1],
            AnycubicEnding::Pwmx
            | AnycubicEnding::Pwmo
            | AnycubicEnding::Pwms
            | AnycubicEnding::Pmsq
            | AnycubicEnding::Dlp => &[V1, V515, V516],
            AnycubicEnding::Pwma | AnycubicEnding::Pm3 | AnycubicEnding::Pm3m => &[V515, V516],
            AnycubicEnding::Pwmb | AnycubicEnding::Dl2p | AnycubicEnding::Pmx2 | AnycubicEnding::Pm3r => {
                &[V515, V516, V517]
            }
            AnycubicEnding::Pm3n | AnycubicEnding::Pm5 | AnycubicEnding::Px6s => &[V517],
        }
    }

    /// The newest version under this ending.
    pub(in crate::print_files) const fn newest_version(self) -> AnycubicVersion {
        let versions = self.versions();
        versions[versions.len() - 1]
    }

    /// The format of this ending in its newest version.
    pub(in crate::print_files) const fn newest(self) -> super::Format {
        super::Format::Anycubic(self, self.newest_version())
    }

    /// Name of the format on the command line and in reports; the ending alone for a version that no printer of
    /// the ending reads.
    pub(in crate::print_files) fn name(self, version: AnycubicVersion) -> &'static str {
        let names = NAMES.iter().find(|(ending, _)| *ending == self).map_or(&[][..], |(_, names)| *names);
        let place = self.versions().iter().position(|one| *one == version);
        place.and_then(|place| names.get(place)).copied().unwrap_or(self.extension())
    }
}

/// Names of the formats of each ending, in the order of [`AnycubicEnding::versions`].
const NAMES: [(AnycubicEnding, &[&str]); 18] = [
    (AnycubicEnding::Pws, &["pws-1"]),
    (AnycubicEnding::Pw0, &["pw0-1"]),
    (AnycubicEnding::Pwx, &["pwx-1"]),
    (AnycubicEnding::Pwmx, &["pwmx-1", "pwmx-515", "pwmx-516"]),
    (AnycubicEnding::Pwmo, &["pwmo-1", "pwmo-515", "pwmo-516"]),
    (AnycubicEnding::Pwms, &["pwms-1", "pwms-515", "pwms-516"]),
    (AnycubicEnding::Pmsq, &["pmsq-1", "pmsq-515", "pmsq-516"]),
    (AnycubicEnding::Dlp, &["dlp-1", "dlp-515", "dlp-516"]),
    (AnycubicEnding::Pwma, &["pwma-515", "pwma-516"]),
    (AnycubicEnding::Pm3, &["pm3-515", "pm3-516"]),
    (AnycubicEnding::Pm3m, &["pm3m-515", "pm3m-516"]),
    (AnycubicEnding::Pwmb, &["pwmb-515", "pwmb-516", "pwmb-517"]),
    (AnycubicEnding::Dl2p, &["dl2p-515", "dl2p-516", "dl2p-517"]),
    (AnycubicEnding::Pmx2, &["pmx2-515", "pmx2-516", "pmx2-517"]),
    (AnycubicEnding::Pm3r, &["pm3r-515", "pm3r-516", "pm3r-517"]),
    (AnycubicEnding::Pm3n, &["pm3n-517"]),
    (AnycubicEnding::Pm5, &["pm5-517"]),
    (AnycubicEnding::Px6s, &["px6s-517"]),
];
