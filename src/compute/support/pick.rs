//! Whether the contacts below each layer are strong enough to pull it off the film; more of them if not.

use nalgebra::Point3;

use super::surface::Surface;
use super::{Cause, Contact, Params, Zone};

/// Contacts nearer than this to each other hold no more together: the part breaks out between them, mm.
const NEAREST_MM: f64 = 1.0;

/// Play of a vertical line through the middle of a face, mm.
const SLACK_MM: f64 = 0.005;

/// Adds contacts on undersides, each as far as can be from all others, until every layer is held.
pub(super) fn strengthen(
    mut wanted: Vec<Contact>,
    surface: &Surface<'_>,
    areas: &[[f64; 2]],
    params: &Params,
) -> Vec<Contact> {
    let lowest_mm = wanted.iter().map(|contact| contact.point.z).fold(f64::INFINITY, f64::min);
    if !lowest_mm.is_finite() {
        return wanted;
    }
    let mut spots = None;
    for &[z_mm, area_mm2] in areas {
        let needed_mm2 = area_mm2 * params.held_share();
        while held_mm2(&wanted, z_mm) < needed_mm2 {
            let spots = spots.get_or_insert_with(|| Spots::of(surface, &wanted));
            let Some(place) = spots.farthest(z_mm) else { break };
            let spot = spots.list[place].0;
            if !is_outside(&spot, surface) {
                // The underside of a body that is part of another one.
                spots.list[place].1 = 0.0;
                continue;
            }
            let diameter_mm = match spot.zone {
                Zone::Prong => params.tip_fine_mm,
                Zone::ShankBottom => params.tip_heavy_mm,
                Zone::Finger | Zone::Head | Zone::Side | Zone::Seat | Zone::Engraved => {
                    let is_low = spot.point.z <= lowest_mm + params.heavy_height_mm;
                    if is_low { params.tip_heavy_mm } else { params.tip_mm }
                }
            };
            wanted.push(Contact {
                point: spot.point,
                normal: spot.normal,
                diameter_mm,
                zone: spot.zone,
                cause: Cause::Strength,
            });
            spots.occupy(spot.point);
        }
    }
    wanted
}

/// Whether an underside is not inside of the part.
fn is_outside(spot: &super::surface::Spot, surface: &Surface<'_>) -> bool {
    let found = surface.below([spot.point.x, spot.point.y], spot.point.z + SLACK_MM);
    found.is_some_and(|found| (found.point.z - spot.point.z).abs() <= SLACK_MM)
}

/// Section of the contacts below a height.
fn held_mm2(wanted: &[Contact], z_mm: f64) -> f64 {
    let below = wanted.iter().filter(|contact| contact.point.z <= z_mm);
    below.map(|contact| std::f64::consts::PI * contact.diameter_mm.powi(2) / 4.0).sum()
}

/// Undersides, with the distance of each to the nearest contact.
struct Spots {
    list: Vec<(super::surface::Spot, f64)>,
}

impl Spots {
    fn of(surface: &Surface<'_>, wanted: &[Contact]) -> Self {
        let list = surface.undersides().into_iter().map(|spot| (spot, f64::INFINITY)).collect();
        let mut spots = Self { list };
        wanted.iter().for_each(|contact| spots.occupy(contact.point));
        spots
    }

    fn occupy(&mut self, at: Point3<f64>) {
        for (spot, away) in &mut self.list {
            *away = away.min((spot.point - at).norm());
        }
    }

    /// The one below a height that is furthest from all contacts, the first of equals.
    fn farthest(&self, z_mm: f64) -> Option<usize> {
        let mut best: Option<usize> = None;
        for (index, (spot, away)) in self.list.iter().enumerate() {
            let is_better = best.is_none_or(|best| *away > self.list[best].1);
            if spot.point.z <= z_mm && *away >= NEAREST_MM && is_better {
                best = Some(index);
            }
        }
        best
    }
}
