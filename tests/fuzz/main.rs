//! Every reader of files that others send, fed with damaged ones: no panic, bounded memory.
//!
//! One list of readers ([`READERS`]), one of sound files ([`sound_files`]): what every writer makes, and meshes. Each
//! file is damaged in the ways of [`damage`], zip containers also inside their entries, where a wrong sum would
//! otherwise hide the readers of the texts and pictures. `SPRUE_FUZZ_ROUNDS` says how often (default 200 for each
//! file), `SPRUE_FUZZ_SEED` where the random numbers begin; a failure names both.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::io::{Cursor, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicBool;

use sprue_compute::mesh_files::{self, MeshFormat};
use sprue_compute::preview::Picture;
use sprue_compute::print_files::{
    Exposure, Format, Job, LayerMotion, Light, Limits, Machine, Move, Origin, Resin, Separation, Sl1Names,
    Waits, open, write, write_raster,
};
use sprue_compute::slice::{Control, Display, Heights, Layer, LayerError, LayerSource, Orientation, RunList};
use sprue_compute::units::Microns;

type Reader = fn(&[u8]);

/// Everything that reads foreign bytes.
const READERS: [(&str, Reader); 5] = [
    ("print file", read_print_file),
    ("stl", |bytes| read_mesh(bytes, MeshFormat::Stl)),
    ("3mf", |bytes| read_mesh(bytes, MeshFormat::ThreeMf)),
    ("obj", |bytes| read_mesh(bytes, MeshFormat::Obj)),
    ("mesh by its bytes", |bytes| {
        let _ = mesh_files::read(bytes, None, &mesh_files::Limits::DESIGN);
    }),
];

/// The readers hold the file's text once or twice and one layer; a lie about a length would cost gigabytes.
const PEAK_KB_MAX: u64 = 256 * 1024;

#[test]
fn no_damaged_file_makes_a_reader_panic_or_take_memory_without_bound() {
    let rounds = number_of("SPRUE_FUZZ_ROUNDS", 200);
    let seed = number_of("SPRUE_FUZZ_SEED", 20_261_122);
    println!("seed {seed}, {rounds} rounds for each file");
    let sound = sound_files();
    let mut failures = Vec::new();
    for (name, bytes) in &sound {
        for round in 0..rounds {
            let mut random = Random::of(seed, name, round);
            let damaged = damaged(bytes, &sound, &mut random);
            for (reader, read) in READERS {
                if catch_unwind(AssertUnwindSafe(|| read(&damaged))).is_err() {
                    failures.push(format!("{reader}: {name}, SPRUE_FUZZ_SEED={seed}, round {round}"));
                }
            }
        }
    }
    assert!(failures.is_empty(), "panics:\n{}", failures.join("\n"));
    if let Some(peak_kb) = peak_kb() {
        assert!(peak_kb < PEAK_KB_MAX, "{peak_kb} KB at the peak");
        println!("{} files, peak {peak_kb} KB", sound.len());
    }
}

#[test]
fn the_sound_files_are_read_whole() {
    for (name, bytes) in sound_files().iter().filter(|(name, _)| name.starts_with("print")) {
        let file = open(bytes, &LIMITS).unwrap();
        assert_eq!(file.layer_count(), 3, "{name}");
        for index in 0..3 {
            assert!(file.layer(index).unwrap().lit_px > 0, "{name}");
        }
    }
}

const LIMITS: Limits = Limits { pixels_max: 1 << 22, layers_max: 1000, entry_bytes_max: 1 << 22 };

fn read_print_file(bytes: &[u8]) {
    let Ok(file) = open(bytes, &LIMITS) else { return };
    let pixels = file.display().pixels();
    for index in 0..file.layer_count().min(8) {
        if let Ok(layer) = file.layer(index) {
            let sum: u64 = layer.runs.iter().map(|run| u64::from(run.length)).sum();
            assert_eq!(sum, pixels, "a layer of another size was taken");
        }
        let _ = file.support_layer(index);
    }
    let told = file.job();
    let _ = told.job.exposure_s(3) + told.job.layer_s(5, 0.5);
    let _ = file.previews();
    // Whatever was read can be written, or is refused.
    let cancel = AtomicBool::new(false);
    let control = Control { cancel: &cancel, progress: &|_, _| {} };
    if file.layer_count() < 20 {
        let _ = write(Format::Zip, &told.job, file.as_ref(), &[], Cursor::new(Vec::new()), control);
    }
}

fn read_mesh(bytes: &[u8], format: MeshFormat) {
    let _ = mesh_files::read(bytes, Some(format), &mesh_files::Limits::DESIGN);
}

fn number_of(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Highest memory of this process so far, where the system says it.
fn peak_kb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok())
}

/// Reproducible on every machine: xorshift.
struct Random(u64);

impl Random {
    fn of(seed: u64, name: &str, round: u64) -> Self {
        let mixed = name
            .bytes()
            .fold(seed ^ (round << 32), |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        Self(mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap() % end.max(1)
    }
}

/// The file with one to three damages, outside or inside its container.
fn damaged(bytes: &[u8], sound: &[(String, Vec<u8>)], random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=random.below(3) {
        let inside = bytes.starts_with(b"PK") && random.below(3) > 0;
        let other = &sound[random.below(sound.len())].1;
        bytes = match inside.then(|| damage_entry(&bytes, other, random)).flatten() {
            Some(changed) => changed,
            None => damage(&bytes, other, random),
        };
    }
    bytes
}

/// Flips, cuts, lying numbers, splices, repeats.
fn damage(bytes: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let at = random.below(bytes.len());
    match random.below(6) {
        0 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
        1 => bytes.truncate(at),
        2 => {
            let length = u64::try_from(bytes.len()).unwrap();
            let lies = [0, 1, length, length - 1, u64::MAX, 1 << 31, 0x7F80_0000, 0x7FC0_0000];
            let lie = lies[random.below(lies.len())];
            let width = [1, 2, 4, 8][random.below(4)];
            let big = random.below(2) == 0;
            for (place, byte) in bytes.iter_mut().skip(at).take(width).enumerate() {
                let [little_place, big_place] = [place, width - 1 - place];
                *byte = lie.to_le_bytes()[if big { big_place } else { little_place }];
            }
        }
        3 => bytes.splice(at.., other[random.below(other.len())..].iter().copied()).for_each(drop),
        4 => {
            let end = (at + random.below(4096)).min(bytes.len());
            let again: Vec<u8> = bytes[at..end].to_vec();
            bytes.splice(at..at, again).for_each(drop);
        }
        // In texts: a number that is none, or far too large.
        _ => {
            let digits: Vec<usize> =
                (0..bytes.len()).filter(|&place| bytes[place].is_ascii_digit()).collect();
            let words: [&[u8]; 6] = [b"-1", b"1e308", b"NaN", b"99999999999999999999", b"0", b"\""];
            if let Some(&place) = digits.get(random.below(digits.len())) {
                bytes.splice(place..=place, words[random.below(words.len())].iter().copied()).for_each(drop);
            }
        }
    }
    bytes
}

/// Rebuilds a container with one entry damaged, renamed or left out; `None` if it is none any more.
fn damage_entry(bytes: &[u8], other: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).ok()?;
    let chosen = random.below(archive.len());
    let way = random.below(5);
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for place in 0..archive.len() {
        let entry = archive.by_index(place).ok()?;
        let mut name = entry.name().to_owned();
        let mut content = Vec::new();
        entry.take(1 << 22).read_to_end(&mut content).ok()?;
        if place == chosen {
            match way {
                0 => continue,
                1 => name = format!("{}{name}", random.below(99_999)),
                _ => content = damage(&content, other, random),
            }
        }
        out.start_file(name, zip::write::SimpleFileOptions::default()).ok()?;
        out.write_all(&content).ok()?;
    }
    Some(out.finish().ok()?.into_inner())
}

/// A file of every writer, and meshes.
fn sound_files() -> Vec<(String, Vec<u8>)> {
    let cancel = AtomicBool::new(false);
    let control = Control { cancel: &cancel, progress: &|_, _| {} };
    let previews = [Picture { width_px: 8, height_px: 8, rgb: vec![[9, 99, 199]; 64] }];
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    for format in Format::ALL {
        let mut out = Cursor::new(Vec::new());
        let _ = write(format, &job(), &Bars, &previews, &mut out, control).unwrap();
        files.push((format!("print {}", format.name()), out.into_inner()));
    }
    let mut out = Cursor::new(Vec::new());
    let _ = write_raster(&job(), &Bars, Some(&Bars), &[], &mut out, control).unwrap();
    files.push(("print raster with support".to_owned(), out.into_inner()));
    files.push((
        "mesh.obj".to_owned(),
        b"v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 3 2\nf 1 2 4\nf 2/1 3/1/1 4//1\nf -1 -2 -4\n".to_vec(),
    ));
    let facet =
        "facet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1.5 0 0\nvertex 0 1e0 0\nendloop\nendfacet\n";
    files.push((
        "text.stl".to_owned(),
        format!("solid ring\n{}endsolid ring\n", facet.repeat(4)).into_bytes(),
    ));
    let mut binary = vec![b' '; 80];
    binary.extend(4_u32.to_le_bytes());
    (0..4_u8).for_each(|turn| binary.extend([turn.wrapping_mul(16); 50]));
    files.push(("binary.stl".to_owned(), binary));
    let model = "<?xml version=\"1.0\"?><model unit=\"millimeter\" xmlns=\"http://schemas.microsoft.com/3dmanufacturing/core/2015/02\">\
        <resources><object id=\"1\" type=\"model\"><mesh><vertices><vertex x=\"0\" y=\"0\" z=\"0\"/><vertex x=\"1\" y=\"0\" z=\"0\"/>\
        <vertex x=\"0\" y=\"1\" z=\"0\"/><vertex x=\"0\" y=\"0\" z=\"1\"/></vertices><triangles><triangle v1=\"0\" v2=\"2\" v3=\"1\"/>\
        <triangle v1=\"0\" v2=\"1\" v3=\"3\"/><triangle v1=\"1\" v2=\"2\" v3=\"3\"/><triangle v1=\"2\" v2=\"0\" v3=\"3\"/></triangles></mesh></object>\
        </resources><build><item objectid=\"1\"/></build></model>";
    let relations = "<?xml version=\"1.0\"?><Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">\
        <Relationship Id=\"r\" Target=\"/3D/3dmodel.model\" Type=\"http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel\"/></Relationships>";
    let mut package = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in [("_rels/.rels", relations), ("3D/3dmodel.model", model)] {
        package.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        package.write_all(text.as_bytes()).unwrap();
    }
    files.push(("mesh.3mf".to_owned(), package.finish().unwrap().into_inner()));
    files
}

/// Three layers of a grey and a white bar.
struct Bars;

impl LayerSource for Bars {
    fn display(&self) -> Display {
        job().display
    }

    fn layer_count(&self) -> u32 {
        3
    }

    fn layer(&self, index: u32) -> Result<Layer, LayerError> {
        let mut list = RunList::new();
        for (value, length) in [(0, 100 + index), (200, 50), (255, 150), (0, 2100 - index)] {
            list.push(value, length);
        }
        Ok(list.finish(index, self.display().pixel_mm2(), 0))
    }
}

fn job() -> Job {
    let stage = |mm: f64| Move { mm, mm_per_min: 60.0 };
    let waits = Waits { before_lift_s: 0.5, after_lift_s: 0.0, after_retract_s: 1.0 };
    let motion = LayerMotion {
        lift: stage(2.0),
        lift_second: stage(4.0),
        retract: stage(4.0),
        retract_second: stage(2.0),
        waits,
    };
    let text = |text: &str| text.to_owned();
    Job {
        machine: Machine { name: text("Machine"), kind: text("MSLA"), build_mm: [3.0, 2.0, 100.0] },
        display: Display {
            width_px: 60,
            height_px: 40,
            pitch_mm: [0.05; 2],
            orientation: Orientation::Landscape,
            mirror_x: true,
            mirror_y: false,
        },
        heights: Heights::uniform(Microns(50)),
        exposure: Exposure {
            normal_s: 2.0,
            bottom_s: 20.0,
            bottom_layers: 1,
            transition_layers: 1,
            ranges: Vec::new(),
        },
        separation: Separation::Lift { bottom: motion, normal: motion },
        light: Light { bottom_pwm: 255, pwm: 255 },
        anti_aliasing: 8,
        resin: Resin {
            name: text("Resin"),
            density_g_per_ml: Some(1.1),
            price_per_ml: None,
            currency: text(""),
        },
        origin: Origin { software: text("sprue"), version: text("1"), written_at_s: 1_700_000_000 },
        sl1: Some(Sl1Names {
            job: text("ring"),
            printer_model: text("SL1"),
            printer_variant: text("default"),
            printer_profile: text("SL1"),
            print_profile: text("50"),
            user_profile: 0,
        }),
    }
}
