//! `sprue check`: mesh report and jewellery findings of one design.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::anyhow;
use serde::Serialize;
use sprue_compute::measure::{self, Density};
use sprue_compute::mesh::{self, CheckSettings, MeshReport, ThinLimits};
use sprue_compute::mesh_files::{self, Limits, MeshFormat};
use sprue_compute::ring_size::RingSize;

use super::{Failure, print, print_json, read_file};
use crate::config::profiles;
use crate::finding::Finding;
use crate::services::intake::body_digest;
use crate::shop::design::Sha256Hex;
use crate::shop::profile::{AlloyProfile, Profiles};

/// Finds a prong of 0.5 mm (`CheckSettings::wall_samples`).
const WALL_SAMPLES: usize = 20_000;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// STL, 3MF or OBJ.
    design: PathBuf,
    /// The alloy it will be cast in: its wall limit and weight.
    #[arg(long)]
    alloy: Option<String>,
    /// The ordered ring size, as SYSTEM:VALUE: iso, us, uk, eu, ch, jp or diameter.
    #[arg(long)]
    ring_size: Option<RingSize>,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

/// The answer; its members are those of the command line's contract.
#[derive(Serialize)]
struct Answer {
    file: String,
    sha256: Sha256Hex,
    format: &'static str,
    #[serde(flatten)]
    report: MeshReport,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let profiles = profiles::built_in().map_err(|problems| anyhow!("built-in profiles: {problems:?}"))?;
    let alloys = chosen_alloys(&profiles, arguments.alloy.as_deref())?;
    let inner_diameter_mm = match &arguments.ring_size {
        Some(size) => Some(size.inner_diameter_mm().map_err(|refusal| Failure::Usage(refusal.to_string()))?),
        None => None,
    };
    let bytes = read_file(&arguments.design)?;
    let extension = arguments.design.extension().and_then(|extension| extension.to_str());
    let format = extension.and_then(MeshFormat::of_extension);
    let read = mesh_files::read(&bytes, format, &Limits::DESIGN)
        .map_err(|refusal| Failure::Refused(vec![refusal.finding()]))?;
    let format = read.format.name();
    let chosen = arguments.alloy.as_ref().and_then(|_| alloys.first());
    let wall_mm_min = chosen.and_then(|(_, alloy)| thin_limits(alloy));
    let settings =
        CheckSettings { pieces_expected: 1, inner_diameter_mm, wall_samples: WALL_SAMPLES, wall_mm_min };
    let mut report = mesh::check(read, &settings).report;
    weigh(&mut report, &alloys);
    let sha256 = Sha256Hex::from_digest(&body_digest(&bytes));
    let answer = Answer { file: arguments.design.display().to_string(), sha256, format, report };
    show(&answer, arguments.json)
}

fn chosen_alloys<'a>(
    profiles: &'a Profiles,
    wanted: Option<&str>,
) -> Result<Vec<(String, &'a AlloyProfile)>, Failure> {
    let Some(stem) = wanted else {
        return Ok(profiles.alloys.iter().map(|(stem, alloy)| (stem.clone(), alloy)).collect());
    };
    let alloy = profiles.alloy(stem).map_err(|unknown| {
        Failure::Refused(vec![Finding::error("ALLOY_UNKNOWN", "--alloy", unknown.to_string())])
    })?;
    Ok(vec![(stem.to_owned(), alloy)])
}

/// The limits of an alloy whose profile names all of them.
fn thin_limits(alloy: &AlloyProfile) -> Option<ThinLimits> {
    Some(ThinLimits {
        wall_mm: alloy.wall_mm_min.as_ref()?.value,
        prong_mm: alloy.prong_mm_min.as_ref()?.value,
        wire_mm: alloy.wire_mm_min.as_ref()?.value,
    })
}

/// Writes the weight in each alloy into the report; while stones are unanswered only its band.
fn weigh(report: &mut MeshReport, alloys: &[(String, &AlloyProfile)]) {
    let (mut metal_g, mut band_g) = (BTreeMap::new(), BTreeMap::new());
    for (stem, alloy) in alloys {
        let value = alloy.density_g_per_cm3.value;
        let range = alloy.density_range_g_per_cm3.as_ref();
        let [low, high] = range.map_or([value; 2], |range| [range.min, range.max]);
        let weight = measure::weight(report, Density { low, value, high });
        band_g.insert(stem.clone(), [weight.low_g, weight.high_g]);
        if let Some(grams) = weight.g {
            metal_g.insert(stem.clone(), grams);
        }
    }
    report.metal_g = report.stones.is_empty().then_some(metal_g);
    report.metal_band_g = Some(band_g);
}

fn show(answer: &Answer, json: bool) -> Result<(), Failure> {
    let report = &answer.report;
    if json {
        print_json(answer)?;
    } else {
        let [low, high] = report.bounds_mm;
        let size: Vec<String> = (0..3).map(|axis| format!("{:.2}", high[axis] - low[axis])).collect();
        print(&format!("{} ({}, {} triangles)", answer.file, answer.format, report.triangles));
        print(&format!(
            "  size {} mm, volume {:.2} mm³, {} shells",
            size.join(" x "),
            report.volume_mm3,
            report.shells
        ));
        if let Some(ring) = &report.ring {
            print(&format!("  ring, inner diameter {:.2} mm", ring.inner_diameter_mm));
        }
        if let Some(wall) = report.thinnest_wall_mm {
            let [x, y, z] = report.thinnest_wall_at_mm.unwrap_or_default();
            print(&format!("  thinnest metal {wall:.2} mm at x {x:.2} y {y:.2} z {z:.2} mm"));
        }
        for (alloy, [low, high]) in report.metal_band_g.iter().flatten() {
            let grams = report.metal_g.as_ref().and_then(|grams| grams.get(alloy));
            let grams = grams.map_or_else(|| "open".to_owned(), |grams| format!("{grams:.2} g"));
            print(&format!("  {alloy}: {grams} ({low:.2} to {high:.2} g)"));
        }
        for repair in &report.repairs {
            print(&format!("  repaired {}: {}", repair.code, repair.text));
        }
    }
    if report.is_refused() {
        return Err(Failure::Refused(report.findings.clone()));
    }
    if !json {
        report.findings.iter().for_each(|finding| print(&format!("  {finding}")));
    }
    Ok(())
}
