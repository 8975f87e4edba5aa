//! The profiles that come with the program. A test holds this list against the files below `profiles/`.

use crate::shop::profile::ProfileKind;

/// One built-in profile.
#[derive(Debug, Clone, Copy)]
pub struct BuiltIn {
    /// What it describes.
    pub kind: ProfileKind,
    /// Its name.
    pub stem: &'static str,
    /// The file.
    pub text: &'static str,
}

macro_rules! built_in {
    ($($kind:ident $folder:literal: $($stem:literal),+;)+) => {
        /// All of them, by folder.
        pub const FILES: &[BuiltIn] = &[$($(BuiltIn {
            kind: ProfileKind::$kind,
            stem: $stem,
            text: include_str!(concat!("../../profiles/", $folder, "/", $stem, ".toml")),
        },)+)+];
    };
}

built_in! {
    Printer "printers": "elegoo-mars-4", "elegoo-saturn-3", "marlin-wax", "prusa-sl1";
    Resin "resins": "bluecast-x-one", "formlabs-castable-wax";
    Wax "waxes": "polycast";
    Alloy "alloys": "ag925", "au585-yellow", "au750-white-pd", "au750-yellow", "pt950-ru";
    Routing "routings": "direct-resin-cast", "print-only", "wax-cast";
    Burnout "burnout": "amc-12", "amc-6", "amc-8", "mc20-small";
    Kiln "kilns": "delta-dtb", "eurotherm-2416";
}
