//! Random piles of convex solids against the exact area of the union of their sections.
//!
//! The reference shares nothing with the slicer: a solid is a set of half-spaces, its section a polygon that is
//! clipped out of a square, and the union is summed up over all intersections.

use nalgebra::{Point3, Rotation3, Vector3};
use proptest::prelude::*;

use super::super::{Heights, Layer, LayerSource, Part, Plate, Sampling, Settings};
use super::{settings, solids};
use crate::mesh::Mesh;
use crate::mesh::shells::orient_shells;
use crate::mesh_files::{Limits, stl};
use crate::units::Microns;

type Polygon = Vec<[f64; 2]>;

/// A turned box or prism: its faces as points and outward normals, and as a mesh.
#[derive(Debug, Clone)]
struct Solid {
    planes: Vec<(Point3<f64>, Vector3<f64>)>,
    mesh: Mesh,
}

/// How a solid is made: corners of its base, height, turn, place.
#[derive(Debug, Clone)]
struct Recipe {
    corners: u32,
    radius: f64,
    height: f64,
    turn: [f64; 3],
    place: [f64; 3],
    is_reversed: bool,
}

impl Recipe {
    fn make(&self) -> Solid {
        let upright = solids::cylinder(self.radius, self.height, self.corners);
        let turn = Rotation3::from_euler_angles(self.turn[0], self.turn[1], self.turn[2]);
        let middle = Vector3::new(0.0, 0.0, self.height / 2.0);
        let placed = |v: &Point3<f32>| {
            let point = turn * (v.cast::<f64>() - middle) + Vector3::from(self.place);
            point.cast::<f32>()
        };
        // What the mesh really holds, with the rounding to single precision.
        let mesh = Mesh {
            vertices: upright.vertices.iter().map(placed).collect(),
            triangles: upright.triangles.clone(),
        };
        let planes = mesh
            .triangles
            .iter()
            .map(|face| {
                let [a, b, c] =
                    face.map(|corner| mesh.vertices[super::super::usize_of(corner)].cast::<f64>());
                (a, (b - a).cross(&(c - a)).normalize())
            })
            .collect();
        Solid { planes, mesh }
    }
}

/// The part of a convex polygon where `normal . p <= bound`.
fn clip(polygon: &Polygon, normal: [f64; 2], bound: f64) -> Polygon {
    let depth = |p: &[f64; 2]| normal[0] * p[0] + normal[1] * p[1] - bound;
    let mut out = Vec::new();
    for (index, from) in polygon.iter().enumerate() {
        let to = &polygon[(index + 1) % polygon.len()];
        let (here, there) = (depth(from), depth(to));
        if here <= 0.0 {
            out.push(*from);
        }
        if (here < 0.0) != (there < 0.0) && (here - there).abs() > 0.0 {
            let share = here / (here - there);
            out.push([from[0] + (to[0] - from[0]) * share, from[1] + (to[1] - from[1]) * share]);
        }
    }
    out
}

fn area(polygon: &Polygon) -> f64 {
    let crosses = polygon.iter().enumerate().map(|(index, a)| {
        let b = polygon[(index + 1) % polygon.len()];
        a[0] * b[1] - b[0] * a[1]
    });
    crosses.sum::<f64>() / 2.0
}

fn outline(polygon: &Polygon) -> f64 {
    let sides = polygon.iter().enumerate().map(|(index, a)| {
        let b = polygon[(index + 1) % polygon.len()];
        (a[0] - b[0]).hypot(a[1] - b[1])
    });
    sides.sum()
}

/// The half-planes of a solid's section.
fn half_planes(solid: &Solid, z: f64) -> impl Iterator<Item = ([f64; 2], f64)> + '_ {
    solid.planes.iter().map(move |(point, normal)| {
        let bound = normal.x * point.x + normal.y * point.y - normal.z * (z - point.z);
        ([normal.x, normal.y], bound)
    })
}

/// The common section of some solids.
fn section(solids: &[&Solid], z: f64) -> Polygon {
    let everywhere = vec![[-50.0, -50.0], [50.0, -50.0], [50.0, 50.0], [-50.0, 50.0]];
    solids
        .iter()
        .flat_map(|solid| half_planes(solid, z))
        .fold(everywhere, |polygon, (normal, bound)| clip(&polygon, normal, bound))
}

/// Inclusion and exclusion: exact for convex sections.
fn union_area(solids: &[Solid], z: f64) -> f64 {
    let mut sum = 0.0;
    for choice in 1..1_u32 << solids.len() {
        let chosen: Vec<&Solid> =
            solids.iter().enumerate().filter(|(index, _)| choice >> index & 1 == 1).map(|(_, s)| s).collect();
        let sign = if chosen.len() % 2 == 1 { 1.0 } else { -1.0 };
        sum += sign * area(&section(&chosen, z));
    }
    sum
}

/// Whether all of `inner` lies in `outer`: if their senses differ that is a cavity, not a mistake.
fn holds(outer: &Solid, inner: &Solid) -> bool {
    inner.mesh.vertices.iter().all(|vertex| {
        outer.planes.iter().all(|(point, normal)| (vertex.cast::<f64>() - point).dot(normal) <= 1e-6)
    })
}

/// 10 x 10 mm with pixels of 0.05 mm.
fn small(sampling: Sampling, layer: Microns) -> Settings {
    let mut settings = settings(sampling);
    settings.display.width_px = 200;
    settings.display.height_px = 200;
    settings.display.pitch_mm = [0.05, 0.05];
    settings.heights = Heights::uniform(layer);
    settings
}

/// Layers of one mesh that holds everything, after its shells were turned outward.
fn layers_of_pile(solids: &[Solid], recipes: &[Recipe], settings: Settings) -> Vec<Layer> {
    let mut pile = Mesh::default();
    for (index, solid) in solids.iter().enumerate() {
        let is_nested = solids
            .iter()
            .enumerate()
            .any(|(other, near)| other != index && (holds(near, solid) || holds(solid, near)));
        let reversed = recipes[index].is_reversed && !is_nested;
        let mesh = if reversed { solids::reversed(&solid.mesh) } else { solid.mesh.clone() };
        pile = solids::joined(&pile, &mesh);
    }
    // As a file would bring it: corners with equal coordinates are one.
    let mut file = Vec::new();
    stl::write_stl(&pile, &mut file).expect("a file");
    pile = stl::read(&file, &Limits::DESIGN).expect("a mesh").mesh;
    orient_shells(&mut pile);
    let parts = [Part { name: "pile", mesh: &pile, offset_mm: [0.0; 3] }];
    let plate = Plate::prepare(&parts, settings).expect("the pile fits");
    (0..plate.layer_count()).map(|index| plate.layer(index).expect("a layer")).collect()
}

fn recipes() -> impl Strategy<Value = Vec<Recipe>> {
    let free = (3..9_u32, 0.4..2.0_f64, 0.3..2.5_f64, prop::array::uniform3(-3.0..3.0_f64));
    let place = (3.5..6.5_f64, 3.5..6.5_f64, 2.5..3.5_f64);
    let one =
        (free, place, any::<bool>()).prop_map(|((corners, radius, height, turn), (x, y, z), is_reversed)| {
            Recipe { corners, radius, height, turn, place: [x, y, z], is_reversed }
        });
    prop::collection::vec(one, 1..5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Overlapping, nested and reversed; every layer to within the rounding of its border to grey.
    #[test]
    fn coverage_of_any_pile_is_the_area_of_the_union(recipes in recipes()) {
        let solids: Vec<Solid> = recipes.iter().map(Recipe::make).collect();
        let heights = Heights::uniform(Microns(130));
        for layer in layers_of_pile(&solids, &recipes, small(Sampling::Coverage, Microns(130))) {
            let z = heights.plane_mm(layer.index);
            let exact = union_area(&solids, z);
            // Half a grey level on each pixel of the border if all of them round the same way, which a border
            // along the pixels does; where corners meet, two borders share a pixel.
            let border: f64 = solids.iter().map(|solid| outline(&section(&[solid], z))).sum();
            let bound = (border / 0.05 * 1.5 + 8.0) * 0.5 / 255.0 * 0.05 * 0.05 + 1e-5;
            prop_assert!(
                (layer.area_mm2 - exact).abs() <= bound,
                "layer {}: {} instead of {exact}, bound {bound}", layer.index, layer.area_mm2
            );
            prop_assert_eq!(layer.open_rows, 0);
        }
    }

    /// Boxes on a grid that planes, pixel borders and pixel middles all share: faces touch, coincide and lie in
    /// planes and rows. A box holds the planes from its bottom up to below its top.
    #[test]
    fn boxes_on_the_grid_of_planes_and_pixels_unite_to_the_pixel(
        boxes in prop::collection::vec(prop::array::uniform3((0..16_u8, 1..8_u8)), 1..7),
        is_grey in any::<bool>(),
    ) {
        let mut settings = small(if is_grey { Sampling::Coverage } else { Sampling::Centre }, Microns(500));
        // Quarters of a millimetre are exact; a pixel is half of one.
        settings.display.width_px = 48;
        settings.display.height_px = 48;
        settings.display.pitch_mm = [0.125, 0.125];
        let quarter = |at: u8| f64::from(at) * 0.25;
        let mut pile = Mesh::default();
        for sides in &boxes {
            let low = sides.map(|(from, _)| quarter(from));
            let high = sides.map(|(from, size)| quarter(from + size));
            pile = solids::joined(&pile, &solids::cuboid(low, high));
        }
        let parts = [Part { name: "pile", mesh: &pile, offset_mm: [0.0; 3] }];
        let plate = Plate::prepare(&parts, settings).expect("the pile fits");
        for index in 0..plate.layer_count() {
            let layer = plate.layer(index).expect("a layer");
            let z = (f64::from(index) + 0.5) * 0.5;
            let holds = |at: f64, (from, size): (u8, u8)| quarter(from) <= at && at < quarter(from + size);
            for (place, value) in super::pixels(&layer).into_iter().enumerate() {
                let (column, row) = (place % 48, 47 - place / 48);
                let [x, y] = [column, row].map(|at| (at as f64 + 0.5) * 0.125);
                let inside = boxes.iter().any(|[bx, by, bz]| holds(x, *bx) && holds(y, *by) && holds(z, *bz));
                prop_assert_eq!(value, if inside { 255 } else { 0 }, "layer {} column {} row {}", index, column, row);
            }
            prop_assert_eq!(layer.open_rows, 0);
        }
    }
}

/// Middles of pixels see a solid too large as often as too small.
#[test]
fn centres_are_right_on_average_over_all_places_on_the_pixels() {
    let ring = crate::rings::RingDesign::signet(18.0).generate().expect("a ring");
    let (mut lit, mut exact) = (0.0, 0.0);
    for step in 0..40_u8 {
        // A low-discrepancy walk over the pixel.
        let shift =
            [f64::from(step) * 0.618_034 % 1.0, f64::from(step) * 0.754_878 % 1.0].map(|s| s * 0.04725);
        let low = ring.bounds().expect("faces").min;
        let offset_mm = [40.0 + shift[0], 30.0 + shift[1], -low.z];
        let parts = [Part { name: "ring", mesh: &ring, offset_mm }];
        let plate = Plate::prepare(&parts, settings(Sampling::Centre)).expect("the ring fits");
        for index in (0..plate.layer_count()).step_by(7) {
            lit += plate.layer(index).expect("a layer").area_mm2;
            exact += super::section_area_mm2(&ring, -low.z, plate.settings().heights.plane_mm(index));
        }
    }

    let bias = (lit - exact) / exact;
    println!("centres: bias {:.1} ppm", bias * 1e6);
    assert!(bias.abs() < 3e-4, "{:.1} ppm", bias * 1e6);
}

/// The mean over heights lies on the volume, also where the middle of a layer doesn't.
#[test]
fn samples_within_a_layer_give_its_volume_and_one_sample_is_its_middle() {
    let cone = solids::cone(5.0, 4.0, 90);
    let volume = cone.signed_volume();
    let lit = |sampling| {
        let mut coarse = settings(sampling);
        coarse.heights = Heights::uniform(Microns(500));
        super::layers_of(&cone, coarse)
    };
    let litre = |layers: &[Layer]| layers.iter().map(|layer| layer.area_mm2 * 0.5).sum::<f64>();

    assert_eq!(lit(Sampling::Supersampled { samples: 1 }), lit(Sampling::Coverage));
    let (plain, fine) = (litre(&lit(Sampling::Coverage)), litre(&lit(Sampling::Supersampled { samples: 8 })));
    assert!((plain - volume).abs() > 3e-3 * volume, "{plain} {volume}");
    assert!((fine - volume).abs() < 3e-4 * volume, "{fine} {volume}");
}
