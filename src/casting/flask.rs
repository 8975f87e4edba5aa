//! A flask: what it holds, and the investment that fills it.

use std::f64::consts::PI;

use crate::units::{CubicMillimeters, Density, Milligrams, Millimeters};

/// A cylinder of steel, open at both ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FlaskSize {
    /// Inner diameter.
    pub diameter: Millimeters,
    /// Height.
    pub height: Millimeters,
}

/// Water and powder of an investment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MixRatio {
    /// Mass of water for a mass of powder: 0.40 for the usual 40 : 100.
    pub water_per_powder: f64,
    /// The powder's own density, without air between the grains.
    pub powder: Density,
}

/// What to weigh out for one flask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Portion {
    /// Investment powder.
    pub powder: Milligrams,
    /// Water.
    pub water: Milligrams,
}

impl FlaskSize {
    /// Room inside.
    #[must_use]
    pub fn volume(&self) -> CubicMillimeters {
        CubicMillimeters(PI / 4.0 * self.diameter.0 * self.diameter.0 * self.height.0)
    }

    /// Powder and water that fill the flask round a tree: `powder = (V - V_tree) / (1/rho + r)`.
    ///
    /// Checked against the table of the MC20V manual, to which it lies within 0.6 to 2.4 % for flasks from 50 mm on.
    #[must_use]
    pub fn portion(&self, tree: CubicMillimeters, mix: MixRatio) -> Portion {
        let room_mm3 = (self.volume().0 - tree.0).max(0.0);
        let mm3_per_mg =
            1.0 / mix.powder.milligrams_per_mm3() + mix.water_per_powder / WATER.milligrams_per_mm3();
        let powder_mg = room_mm3 / mm3_per_mg;
        Portion {
            powder: Milligrams::rounded(powder_mg),
            water: Milligrams::rounded(powder_mg * mix.water_per_powder),
        }
    }
}

/// Water near 20 °C; the powder formula of the trade takes it as 1.
const WATER: Density = Density(1.0);

/// What a tree keeps from the walls of its flask.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clearances {
    /// Pattern to the flask's wall.
    pub wall: Millimeters,
    /// Highest pattern to the top of the investment.
    pub cover: Millimeters,
    /// Sprue base below the lowest pattern.
    pub base: Millimeters,
}

impl FlaskSize {
    /// Whether a tree stands in it with all clearances; `Err` says how much is missing at the worst place.
    ///
    /// # Errors
    /// The place and the millimetres that lack.
    pub fn fits(&self, tree: TreeSize, keep: Clearances) -> Result<(), Misfit> {
        let lacks = [
            (Place::Wall, (tree.diameter.0 + 2.0 * keep.wall.0 - self.diameter.0) / 2.0),
            (Place::Cover, tree.height.0 + keep.cover.0 + keep.base.0 - self.height.0),
        ];
        let worst = lacks.into_iter().max_by(|a, b| a.1.total_cmp(&b.1));
        match worst {
            Some((place, lack)) if lack > 0.0 => Err(Misfit { place, lack: Millimeters(lack) }),
            Some(_) | None => Ok(()),
        }
    }
}

/// The room that a tree takes, patterns and sprues.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TreeSize {
    /// Of the smallest upright cylinder round it.
    pub diameter: Millimeters,
    /// From the sprue base to the highest pattern.
    pub height: Millimeters,
}

/// Where a tree is too large for a flask.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("{lack:.1} mm are missing {place}; take a larger flask or fewer pieces", lack = lack.0)]
pub struct Misfit {
    /// Where.
    pub place: Place,
    /// How much.
    pub lack: Millimeters,
}

/// A place in a flask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Between the patterns and the wall.
    Wall,
    /// Above the highest pattern.
    Cover,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Place::Wall => "to the wall of the flask",
            Place::Cover => "above the highest piece",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grams(mass: Milligrams) -> f64 {
        f64::from(i32::try_from(mass.0).unwrap()) / 1000.0
    }

    fn flask(diameter: f64, height: f64) -> FlaskSize {
        FlaskSize { diameter: Millimeters(diameter), height: Millimeters(height) }
    }

    const POWDER: Density = Density(2.65);

    #[test]
    fn powder_and_water_follow_the_published_flask_tables() {
        // V5 and V6 of the trade's test vectors: 80 x 80 mm at 35 : 100, 3 x 4 in at 40 : 100.
        for (size, ratio, cm3, powder, water) in
            [(flask(80.0, 80.0), 0.35, 402.1, 552.8, 193.5), (flask(76.2, 101.6), 0.40, 463.3, 596.0, 238.0)]
        {
            assert!((size.volume().0 / 1000.0 - cm3).abs() < 0.1);
            let portion =
                size.portion(CubicMillimeters(0.0), MixRatio { water_per_powder: ratio, powder: POWDER });
            assert!((grams(portion.powder) - powder).abs() < 0.6, "{portion:?}");
            assert!((grams(portion.water) - water).abs() < 0.6, "{portion:?}");
        }
    }

    #[test]
    fn a_tree_takes_the_place_of_investment() {
        let mix = MixRatio { water_per_powder: 0.40, powder: POWDER };
        let empty = flask(76.2, 101.6).portion(CubicMillimeters(0.0), mix);
        let with_tree = flask(76.2, 101.6).portion(CubicMillimeters(46_330.0), mix);
        assert!((grams(with_tree.powder) / grams(empty.powder) - 0.9).abs() < 1e-3);
        let overfull = flask(10.0, 10.0).portion(CubicMillimeters(1e6), mix);
        assert_eq!(overfull, Portion { powder: Milligrams(0), water: Milligrams(0) });
    }

    #[test]
    fn a_tree_that_comes_too_near_to_wall_or_top_is_refused_with_the_missing_millimetres() {
        let keep = Clearances { wall: Millimeters(10.0), cover: Millimeters(13.0), base: Millimeters(5.0) };
        let size = flask(80.0, 100.0);
        let tree =
            |diameter, height| TreeSize { diameter: Millimeters(diameter), height: Millimeters(height) };
        assert_eq!(size.fits(tree(60.0, 82.0), keep), Ok(()));
        let tight = size.fits(tree(64.0, 82.0), keep).unwrap_err();
        assert_eq!((tight.place, tight.lack), (Place::Wall, Millimeters(2.0)));
        let high = size.fits(tree(60.0, 90.0), keep).unwrap_err();
        assert_eq!(
            high.to_string(),
            "8.0 mm are missing above the highest piece; take a larger flask or fewer pieces"
        );
    }
}
