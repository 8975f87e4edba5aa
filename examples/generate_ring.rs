//! Writes a ring as binary STL: `generate_ring solitaire 17.3 6 6.5 -o ring.stl`.
//!
//! ```text
//! generate_ring band INNER_MM WIDTH_MM THICKNESS_MM flat|half-round|comfort [-o OUT.stl]
//! generate_ring signet INNER_MM [-o OUT.stl]
//! generate_ring solitaire INNER_MM PRONGS STONE_MM [-o OUT.stl]
//! ```
//! The inner size is a diameter in mm or a ring size like `us:7`. `resolution=MM` makes the mesh finer or
//! coarser. Without `-o` the file goes to standard output.

use std::fs::File;
use std::io::{BufWriter, Write};

use anyhow::{Context, Result, bail};
use sprue_compute::mesh_files::stl::write_stl;
use sprue_compute::ring_size::RingSize;
use sprue_compute::rings::{BandProfile, RingDesign};

fn main() -> Result<()> {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let out = match words.iter().position(|word| word == "-o") {
        Some(at) if at + 1 < words.len() => words.drain(at..=at + 1).nth(1),
        Some(_) => bail!("-o needs a file name"),
        None => None,
    };
    let resolution = match words.iter().position(|word| word.starts_with("resolution=")) {
        Some(at) => Some(length(&words.remove(at)["resolution=".len()..])?),
        None => None,
    };
    let mut design = design(&words.iter().map(String::as_str).collect::<Vec<_>>())?;
    design.resolution_mm = resolution.unwrap_or(design.resolution_mm);
    let mesh = design.generate()?;
    let mut file: Box<dyn Write> = match &out {
        Some(path) => {
            Box::new(BufWriter::new(File::create(path).with_context(|| format!("creating {path}"))?))
        }
        None => Box::new(std::io::stdout().lock()),
    };
    write_stl(&mesh, &mut file)?;
    Ok(file.flush()?)
}

fn design(words: &[&str]) -> Result<RingDesign> {
    match words {
        ["band", inner, width, thickness, profile] => {
            let profile = match *profile {
                "flat" => BandProfile::Flat,
                "half-round" => BandProfile::HalfRound,
                "comfort" => BandProfile::Comfort,
                other => bail!("\"{other}\" is no profile; use flat, half-round or comfort"),
            };
            Ok(RingDesign::band(inner_mm(inner)?, length(width)?, length(thickness)?, profile))
        }
        ["signet", inner] => Ok(RingDesign::signet(inner_mm(inner)?)),
        ["solitaire", inner, prongs, stone] => {
            let prongs = prongs.parse().with_context(|| format!("\"{prongs}\" is no count of prongs"))?;
            Ok(RingDesign::solitaire(inner_mm(inner)?, prongs, length(stone)?))
        }
        _ => bail!(
            "use: band INNER WIDTH THICKNESS PROFILE, signet INNER, or solitaire INNER PRONGS STONE; then [resolution=MM] [-o OUT.stl]"
        ),
    }
}

fn inner_mm(text: &str) -> Result<f64> {
    if text.contains(':') { Ok(text.parse::<RingSize>()?.inner_diameter_mm()?) } else { length(text) }
}

fn length(text: &str) -> Result<f64> {
    text.parse().with_context(|| format!("\"{text}\" is no length in mm"))
}
