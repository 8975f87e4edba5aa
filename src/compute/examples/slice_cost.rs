//! What one job costs from file to file: reading, welding, orienting, slicing, encoding.
//!
//! ```text
//! slice_cost make plate FILE.stl      24 rings on a plate, 1.7 M triangles
//! slice_cost make ring FILE.stl       one ring of 3.5 M triangles
//! slice_cost run FILE.stl OUT 12k|2k centre|coverage goo|sl1
//! ```
//!
//! Each step prints processor seconds (user and system, all threads) and the peak of memory so far, as the
//! kernel counts them. `make` writes the meshes that the figures are measured on, from the ring generator.

#![expect(clippy::print_stdout, clippy::expect_used, reason = "a measuring program")]

use std::fs::{self, File};
use std::io::BufWriter;
use std::sync::atomic::AtomicBool;

use nalgebra::Point3;
use sprue_compute::mesh::{Mesh, shells};
use sprue_compute::mesh_files::{self, Limits, stl};
use sprue_compute::print_files::{
    Exposure, Format, Job, LayerMotion, Light, Machine, Move, Origin, Resin, Separation, Sl1Names, Waits,
    write,
};
use sprue_compute::rings::RingDesign;
use sprue_compute::slice::{Control, Display, Heights, Orientation, Part, Plate, Sampling, Settings};
use sprue_compute::units::Microns;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["make", "plate", path] => save(&plate_of_24(), path),
        ["make", "ring", path] => save(&dense_ring(), path),
        ["run", path, out, display, sampling, format] => run(path, out, display, sampling, format),
        _ => println!("see the head of the file"),
    }
}

fn run(path: &str, out: &str, display: &str, sampling: &str, format: &str) {
    let (width_px, height_px, pitch) =
        if display == "12k" { (11520, 5120, 0.019) } else { (2560, 1440, 0.04725) };
    let display = Display {
        width_px,
        height_px,
        pitch_mm: [pitch; 2],
        orientation: Orientation::Landscape,
        mirror_x: false,
        mirror_y: false,
    };
    let sampling = if sampling == "centre" { Sampling::Centre } else { Sampling::Coverage };
    let settings =
        Settings { display, height_max_mm: 260.0, heights: Heights::uniform(Microns(50)), sampling };
    let format = if format == "goo" { Format::Goo } else { Format::Sl1 };

    let mut mesh = {
        let bytes = fs::read(path).expect("a mesh file");
        cost("file");
        mesh_files::read(&bytes, None, &Limits::DESIGN).expect("a mesh").mesh
    };
    cost("weld");
    let repairs = shells::orient_shells(&mut mesh);
    cost("orient");
    let [x, y] = display.plate_mm();
    let bounds = mesh.bounds().expect("faces");
    let middle = bounds.center();
    let offset_mm = [x / 2.0 - middle.x, y / 2.0 - middle.y, -bounds.min.z];
    let parts = [Part { name: "part", mesh: &mesh, offset_mm }];
    let plate = Plate::prepare(&parts, settings).expect("the part fits");
    cost("prepare");
    let cancel = AtomicBool::new(false);
    let control = Control { cancel: &cancel, progress: &|_, _| {} };
    let file = BufWriter::new(File::create(out).expect("a place to write"));
    let written = write(format, &job(display), &plate, &[], file, control).expect("a file");
    cost("write");
    println!(
        "{} triangles, {} layers, {} bytes, {:.3} mm3, {} open rows, {} repairs",
        mesh.triangles.len(),
        written.layers,
        written.bytes,
        written.volume_ml * 1000.0,
        written.open_rows,
        repairs.len()
    );
}

/// Processor time of the process so far and its peak of memory.
fn cost(step: &str) {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks: u32 =
        fields.get(11..13).unwrap_or_default().iter().filter_map(|f| f.parse::<u32>().ok()).sum();
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("?");
    println!("{step:8} {:5.2} s {:>14}", f64::from(ticks) / 100.0, peak.trim());
}

fn save(mesh: &Mesh, path: &str) {
    let out = BufWriter::new(File::create(path).expect("a place to write"));
    stl::write_stl(mesh, out).expect("a file");
    println!("{} triangles", mesh.triangles.len());
}

/// Solitaires, signets with hoops, and rings of wire: 70,000 triangles each, upright, in 8 columns and 3 rows.
///
/// Their outlines are as long as those of pierced and beaded rings: about 13 million crossings at 12K.
fn plate_of_24() -> Mesh {
    let mut solitaire = RingDesign::solitaire(17.0, 6, 6.5);
    solitaire.resolution_mm = 0.28;
    let mut signet = RingDesign::signet(18.0);
    signet.resolution_mm = 0.25;
    let solitaire = upright(&solitaire.generate().expect("a ring"));
    let mut signet = upright(&signet.generate().expect("a ring"));
    hoops(&mut signet, 12, 7.6);
    let mut wires = Mesh::default();
    hoops(&mut wires, 15, 8.0);
    let mut all = Mesh::default();
    for place in 0..24_u8 {
        let kind = [&solitaire, &signet, &wires][usize::from(place % 3)];
        let (column, row) = (f32::from(place / 3), f32::from(place % 3));
        add(&mut all, kind, [column * 26.0, row * 28.0, 0.0]);
    }
    all
}

/// Adds rings of wire, 0.5 mm thick, beside each other; 3,840 triangles each.
fn hoops(mesh: &mut Mesh, count: u16, radius_mm: f32) {
    let (steps, turns) = (160_u16, 12_u16);
    let at = |i: u16, all: u16| std::f32::consts::TAU * f32::from(i) / f32::from(all);
    for hoop in 0..count {
        let first = u32::try_from(mesh.vertices.len()).expect("few vertices");
        let y = (f32::from(hoop) - f32::from(count) / 2.0) * 0.62;
        for i in 0..steps {
            for j in 0..turns {
                let (around, turn) = (at(i, steps), at(j, turns));
                let radius = radius_mm + 0.25 * turn.cos();
                mesh.vertices.push(Point3::new(
                    radius * around.cos(),
                    y + 0.25 * turn.sin(),
                    radius * around.sin(),
                ));
            }
        }
        for i in 0..steps {
            for j in 0..turns {
                let corner = |i: u16, j: u16| first + u32::from(i % steps * turns + j % turns);
                let [a, b, c, d] = [corner(i, j), corner(i + 1, j), corner(i + 1, j + 1), corner(i, j + 1)];
                mesh.triangles.extend([[a, c, b], [a, d, c]]);
            }
        }
    }
}

/// A wide solitaire of about 3.5 million triangles.
fn dense_ring() -> Mesh {
    let mut design = RingDesign::solitaire(19.0, 6, 7.0);
    design.width_mm = 4.0;
    design.thickness_mm = 2.6;
    design.resolution_mm = 0.05;
    upright(&design.generate().expect("a ring"))
}

/// The head up: y becomes z.
fn upright(mesh: &Mesh) -> Mesh {
    let vertices = mesh.vertices.iter().map(|v| Point3::new(v.x, -v.z, v.y)).collect();
    Mesh { vertices, triangles: mesh.triangles.clone() }
}

fn add(all: &mut Mesh, part: &Mesh, by: [f32; 3]) {
    let low = part.bounds().expect("faces").min;
    let first = u32::try_from(all.vertices.len()).expect("few vertices");
    #[expect(clippy::cast_possible_truncation, reason = "meshes are single precision")]
    let floor = low.z as f32;
    all.vertices
        .extend(part.vertices.iter().map(|v| Point3::new(v.x + by[0], v.y + by[1], v.z - floor + by[2])));
    all.triangles.extend(part.triangles.iter().map(|face| face.map(|corner| corner + first)));
}

/// The numbers only have to be there: nothing is printed.
fn job(display: Display) -> Job {
    let motion = LayerMotion {
        lift: Move { mm: 1.0, mm_per_min: 1.0 },
        lift_second: Move { mm: 1.0, mm_per_min: 1.0 },
        retract: Move { mm: 1.0, mm_per_min: 1.0 },
        retract_second: Move { mm: 1.0, mm_per_min: 1.0 },
        waits: Waits { before_lift_s: 1.0, after_lift_s: 1.0, after_retract_s: 1.0 },
    };
    let text = || "bench".to_owned();
    Job {
        machine: Machine { name: text(), kind: text(), build_mm: [200.0, 100.0, 150.0] },
        display,
        heights: Heights::uniform(Microns(50)),
        exposure: Exposure {
            normal_s: 1.0,
            bottom_s: 1.0,
            bottom_layers: 1,
            transition_layers: 1,
            ranges: Vec::new(),
        },
        separation: Separation::Lift { bottom: motion, normal: motion },
        light: Light { bottom_pwm: 1, pwm: 1 },
        anti_aliasing: 1,
        resin: Resin { name: text(), density_g_per_ml: None, price_per_ml: None, currency: text() },
        origin: Origin { software: text(), version: text(), written_at_s: 0 },
        sl1: Some(Sl1Names {
            job: text(),
            printer_model: text(),
            printer_variant: text(),
            printer_profile: text(),
            print_profile: text(),
            user_profile: 0,
        }),
    }
}
