//! Trade rules of the casting floor: what a tree weighs and needs, who may share a flask, a kiln or a melt, when a
//! step must have happened, and where the metal is.
//!
//! Pure functions of nouns and numbers. A number of a process comes in from a profile or a person, with its source;
//! constants that stand here are laws of geometry or published limits, each with its source beside it.

pub mod charge;
pub mod combination;
pub mod firing;
pub mod flask;
pub mod grouping;
pub mod hallmark;
pub mod investing;
pub mod ledger;
pub mod spares;
pub mod stones;
