//! The options of `sprue slice` that beat what the profiles say of a material on a printer.

use std::str::FromStr;

use sprue_compute::slice::HeightRange;

use crate::cli::Failure;
use crate::finding::Finding;
use crate::services::slicing::{PrintSettings, Process};
use crate::shop::profile::correction::{BloomBorder, Correction, ElephantFoot, GreyPoint, check_correction};
use crate::shop::profile::{ExposureOverride, Flaws};
use crate::units::Microns;

/// Where the numbers of these options come from, for the record of the print.
const SOURCE: &str = "given on the command line";

#[derive(Debug, clap::Args)]
pub(super) struct ProcessArguments {
    /// Other layer heights from some heights on, in µm: FROM:LAYER,FROM:LAYER. Each needs a known exposure.
    #[arg(long, value_delimiter = ',')]
    layer_ranges: Vec<Pair<i32, i32>>,
    /// Other exposures from some heights on, µm and s: FROM:SECONDS,FROM:SECONDS.
    #[arg(long, value_delimiter = ',')]
    exposure_ranges: Vec<Pair<i32, f64>>,
    /// Growth of every section on each side in µm; below zero it shrinks.
    #[arg(long, allow_negative_numbers = true)]
    xy_compensation: Option<i32>,
    /// Shrinkage of the first layers, µm and layers over which it falls to nothing: UM:LAYERS.
    #[arg(long)]
    elephant_foot: Option<Pair<i32, u32>>,
    /// Walls and gaps that compensation would make thinner than this, in µm, keep their size.
    #[arg(long)]
    thinnest: Option<i32>,
    /// Written values for coverages, 1 to 255: COVERAGE:VALUE,COVERAGE:VALUE.
    #[arg(long, value_delimiter = ',')]
    grey: Vec<Pair<u8, u8>>,
    /// Border inside outlines with weaker light, µm and value: UM:VALUE.
    #[arg(long)]
    bloom: Option<Pair<i32, u8>>,
    /// The lamp stays dark at least this long between exposures, in s.
    #[arg(long)]
    light_off: Option<f64>,
}

/// Two values with a colon between them.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Pair<A, B>(A, B);

impl<A: FromStr, B: FromStr> FromStr for Pair<A, B> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("\"{text}\" is no pair of numbers; write it like 50:8");
        let (first, second) = text.split_once(':').ok_or_else(wrong)?;
        Ok(Self(first.parse().map_err(|_| wrong())?, second.parse().map_err(|_| wrong())?))
    }
}

/// Lays the options over the settings. `stems` are those of printer and material.
pub(super) fn apply(
    arguments: &ProcessArguments,
    stems: (&str, &str),
    exposures: &[ExposureOverride],
    settings: &mut PrintSettings,
) -> Result<(), Failure> {
    if !arguments.layer_ranges.is_empty() {
        let range = |pair: &Pair<i32, i32>| HeightRange { from: Microns(pair.0), layer: Microns(pair.1) };
        let ranges: Vec<HeightRange> = arguments.layer_ranges.iter().map(range).collect();
        let set = settings.set_layer_ranges(stems, exposures, &ranges);
        set.map_err(|finding| Failure::Refused(vec![finding]))?;
    }
    if !arguments.corrects() {
        return Ok(());
    }
    let Process::Resin(_, exposure) = &mut settings.process else {
        let text =
            "this printer lays wax and exposes nothing; leave the options for exposure and sections out";
        return Err(Failure::Refused(vec![Finding::error("NOT_A_RESIN_PRINTER", "settings", text)]));
    };
    for &Pair(from, exposure_s) in &arguments.exposure_ranges {
        exposure.add_range(Microns(from), exposure_s, None);
    }
    let correction = exposure.correction.get_or_insert_with(|| Box::new(Correction::none(SOURCE)));
    arguments.correct(correction);
    let mut flaws = Flaws::default();
    check_correction("settings", correction, &mut flaws);
    let findings: Vec<Finding> =
        flaws.0.into_iter().map(|flaw| Finding::error("CORRECTION", flaw.path, flaw.text)).collect();
    if findings.is_empty() { Ok(()) } else { Err(Failure::Refused(findings)) }
}

impl ProcessArguments {
    fn corrects(&self) -> bool {
        !self.exposure_ranges.is_empty()
            || !self.grey.is_empty()
            || self.xy_compensation.is_some()
            || self.elephant_foot.is_some()
            || self.thinnest.is_some()
            || self.bloom.is_some()
            || self.light_off.is_some()
    }

    fn correct(&self, correction: &mut Correction) {
        correction.xy = self.xy_compensation.map(Microns).or(correction.xy);
        correction.thinnest = self.thinnest.map(Microns).or(correction.thinnest);
        correction.light_off_s = self.light_off.or(correction.light_off_s);
        if let Some(Pair(inward, layers)) = self.elephant_foot {
            correction.elephant_foot = Some(ElephantFoot { inward_um: Microns(inward), layers });
        }
        if let Some(Pair(margin, grey)) = self.bloom {
            correction.bloom = Some(BloomBorder { margin_um: Microns(margin), grey });
        }
        if !self.grey.is_empty() {
            let point = |&Pair(coverage, value): &Pair<u8, u8>| GreyPoint { coverage, value };
            correction.grey = self.grey.iter().map(point).collect();
        }
    }
}
