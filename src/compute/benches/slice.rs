//! How long a ring takes from mesh to runs and to a file, for a small and a large display.
//!
//! `cargo bench -p sprue-compute --bench slice`

#![expect(clippy::expect_used, reason = "a bench may stop")]

use std::f64::consts::TAU;
use std::hint::black_box;
use std::io::Cursor;
use std::sync::atomic::AtomicBool;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use nalgebra::Point3;
use sprue_compute::mesh::Mesh;
use sprue_compute::print_files::{
    Exposure, Format, Job, LayerMotion, Light, Machine, Move, Origin, Resin, Separation, Sl1Names, Waits,
    write,
};
use sprue_compute::slice::{
    Control, Display, Heights, Layer, LayerSource, Orientation, Part, Plate, Sampling, Settings, stream,
};
use sprue_compute::units::Microns;

/// A ring of 57,600 triangles standing upright, as rings are printed: 20 mm inside, 2 mm thick.
fn ring() -> Mesh {
    let (steps, minor_steps) = (360_u32, 80_u32);
    let mut mesh = Mesh::default();
    for i in 0..steps {
        let around = TAU * f64::from(i) / f64::from(steps);
        for j in 0..minor_steps {
            let turn = TAU * f64::from(j) / f64::from(minor_steps);
            let radius = 10.0 + turn.cos();
            let corner = [radius * around.cos(), turn.sin(), 11.0 + radius * around.sin()];
            #[expect(clippy::cast_possible_truncation, reason = "meshes are single precision")]
            mesh.vertices.push(Point3::from(corner.map(|side| side as f32)));
        }
    }
    for i in 0..steps {
        for j in 0..minor_steps {
            let at = |i: u32, j: u32| i % steps * minor_steps + j % minor_steps;
            let [a, b, c, d] = [at(i, j), at(i + 1, j), at(i + 1, j + 1), at(i, j + 1)];
            mesh.triangles.extend([[a, c, b], [a, d, c]]);
        }
    }
    mesh
}

fn settings(width_px: u32, height_px: u32, pitch: f64, sampling: Sampling) -> Settings {
    let display = Display {
        width_px,
        height_px,
        pitch_mm: [pitch; 2],
        orientation: Orientation::Landscape,
        mirror_x: false,
        mirror_y: false,
    };
    Settings { display, height_max_mm: 150.0, heights: Heights::uniform(Microns(50)), sampling }
}

/// The numbers only have to be there: the bench measures, it prints nothing.
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

fn slicing(criterion: &mut Criterion) {
    let mesh = ring();
    let parts = [Part { name: "ring", mesh: &mesh, offset_mm: [60.0, 34.0, 0.0] }];
    let cancel = AtomicBool::new(false);
    let control = Control { cancel: &cancel, progress: &|_, _| {} };
    let mut group = criterion.benchmark_group("slice");
    group.sample_size(20);
    for (name, width, height, pitch) in
        [("2560x1440", 2560, 1440, 0.04725), ("11520x5120", 11520, 5120, 0.019)]
    {
        for sampling in [Sampling::Centre, Sampling::Coverage] {
            let settings = settings(width, height, pitch, sampling);
            group.bench_function(BenchmarkId::new(format!("{sampling:?}"), name), |bench| {
                bench.iter(|| {
                    let plate = Plate::prepare(&parts, settings.clone()).expect("the ring fits");
                    let mut light = 0;
                    let add = |layer: u64| {
                        light += layer;
                        Ok::<(), ()>(())
                    };
                    stream(&plate, control, |layer: &Layer| layer.light, add).expect("layers");
                    black_box(light)
                });
            });
        }
        for format in Format::ALL {
            let settings = settings(width, height, pitch, Sampling::Coverage);
            let job = job(settings.display);
            group.bench_function(BenchmarkId::new(format!("Coverage to {format:?}"), name), |bench| {
                bench.iter(|| {
                    let plate = Plate::prepare(&parts, settings.clone()).expect("the ring fits");
                    assert!(plate.layer_count() > 400);
                    let out = Cursor::new(Vec::new());
                    black_box(write(format, &job, &plate, &[], out, control).expect("a file"))
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, slicing);
criterion_main!(benches);
