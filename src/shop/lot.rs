//! A lot: a traceable quantity of something that goes into pieces.

use serde::{Deserialize, Serialize};

use crate::ids::LotId;
use crate::shop::metal::MetalKind;
use crate::units::Timestamp;

/// One lot, from delivery to the last of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lot {
    /// Our id.
    pub id: LotId,
    /// The number on the bag, bottle or drum; what people write into a task. No two open lots share one.
    pub label: String,
    /// What it is.
    pub content: LotContent,
    /// Who supplied it, and under which number.
    pub supplier: Option<String>,
    /// When it came.
    pub received_at: Timestamp,
    /// Not to be used after.
    pub expires_at: Option<Timestamp>,
    /// Why nothing is taken from it any more.
    pub closed: Option<String>,
}

/// What a lot holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LotContent {
    /// Grain or scrap; its mass is in the metal books.
    Metal {
        /// The alloy and whose it is.
        metal: MetalKind,
        /// 0 for fresh grain; each melting adds one.
        generation: u8,
    },
    /// Resin, by the stem of its profile.
    Resin {
        /// The profile.
        material: String,
    },
    /// Wax, by the stem of its profile.
    Wax {
        /// The profile.
        material: String,
    },
    /// Investment powder, in the maker's words.
    Powder {
        /// What stands on the drum.
        product: String,
    },
    /// Anything else that somebody wants traced: solvent, boric acid, solder.
    Other {
        /// What it is.
        product: String,
    },
}

impl Lot {
    /// The word for what it holds.
    #[must_use]
    pub fn kind_word(&self) -> &'static str {
        match self.content {
            LotContent::Metal { .. } => "metal",
            LotContent::Resin { .. } => "resin",
            LotContent::Wax { .. } => "wax",
            LotContent::Powder { .. } => "powder",
            LotContent::Other { .. } => "other",
        }
    }

    /// Why it must not be used at a time, if so.
    #[must_use]
    pub fn refusal(&self, at: Timestamp) -> Option<String> {
        if let Some(reason) = &self.closed {
            return Some(format!("lot {} is closed: {reason}; take another one", self.label));
        }
        let expired = self.expires_at.filter(|expires| *expires <= at)?;
        Some(format!("lot {} expired on {expired}; take another one", self.label))
    }
}
