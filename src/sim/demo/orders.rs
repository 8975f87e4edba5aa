//! A simulated order system: rings from the generator, pushed over HTTP like those of a real one.

use anyhow::{Context, bail};
use reqwest::Client;
use serde_json::{Value, json};
use sprue_compute::mesh_files::stl::write_stl;
use sprue_compute::rings::{BandProfile, RingDesign};

use crate::services::intake::body_digest;
use crate::shop::design::Sha256Hex;
use crate::units::{Span, Timestamp};

/// Pushes designs and orders.
pub(super) struct OrderSystem {
    base: String,
    key: String,
    client: Client,
}

/// One kind of ring that the demonstration orders.
struct Sample {
    ring: RingDesign,
    size: &'static str,
    alloy: &'static str,
    routing: &'static str,
    stones: Value,
}

impl OrderSystem {
    pub(super) fn new(base: &str, key: &str) -> Self {
        Self { base: base.to_owned(), key: key.to_owned(), client: Client::new() }
    }

    /// Pushes one order with one or two pieces; gives its external reference.
    pub(super) async fn push(&self, number: u32, now: Timestamp) -> anyhow::Result<String> {
        let sample = sample(number)?;
        let mut stl = Vec::new();
        write_stl(&sample.ring.generate()?, &mut stl)?;
        let sha256 = Sha256Hex::from_digest(&body_digest(&stl));
        let url = format!("{}/designs/{sha256}", self.base);
        let put = self.client.put(url).bearer_auth(&self.key).header("content-type", "model/stl").body(stl);
        answered(put.send().await?).await.context("pushing a design")?;

        // Short enough for a slip of paper, and another one at each start.
        let external_ref = format!("DEMO-{:05X}-{number}", now.0 / 1000 % 0x10_0000);
        let order = order(&sample, &external_ref, number, &sha256, now);
        let post = self
            .client
            .post(format!("{}/orders", self.base))
            .bearer_auth(&self.key)
            .header("idempotency-key", format!("\"{external_ref}\""))
            .json(&order);
        answered(post.send().await?).await.context("pushing an order")?;
        Ok(external_ref)
    }
}

async fn answered(response: reqwest::Response) -> anyhow::Result<()> {
    let status = response.status();
    if !status.is_success() {
        bail!("{status}: {}", response.text().await?);
    }
    Ok(())
}

fn order(sample: &Sample, external_ref: &str, number: u32, sha256: &Sha256Hex, now: Timestamp) -> Value {
    let due = now.after(Span::minutes(u64::from(4 + number % 5) * 24 * 60));
    json!({
        "external_ref": external_ref,
        "due": due,
        "priority": if number % 4 == 3 { "rush" } else { "normal" },
        "pieces": [{
            "external_ref": format!("{external_ref}-1"),
            "design_sha256": sha256,
            "quantity": if number.is_multiple_of(5) { 2 } else { 1 },
            "alloy": sample.alloy,
            "routing": sample.routing,
            "ring_size": { "system": "us", "value": sample.size },
            "engraving": if number.is_multiple_of(2) { Some("17·V·2026") } else { None },
            "stones": sample.stones,
            "scaled_by": null,
        }],
        "approval": {
            "by": "designer@house", "at": now, "design_sha256": [sha256], "signature": null,
        },
    })
}

fn sample(number: u32) -> anyhow::Result<Sample> {
    let none = json!([]);
    let (style, size) = (number % 4, ["7", "9.5", "6.5", "8"][(number / 4 % 4) as usize]);
    let bore = format!("us:{size}").parse::<sprue_compute::ring_size::RingSize>()?.inner_diameter_mm()?;
    let (ring, alloy, routing, stones) = match style {
        0 => (RingDesign::band(bore, 4.0, 1.8, BandProfile::Comfort), "ag925", "direct-resin-cast", none),
        1 => (RingDesign::signet(bore), "au585-yellow", "direct-resin-cast", none),
        2 => {
            let stone = json!([{ "shape": "round", "diameter_mm": 5.0, "count": 1, "cast_in_place": false }]);
            (RingDesign::solitaire(bore, 6, 5.0), "au750-yellow", "direct-resin-cast", stone)
        }
        _ => (RingDesign::band(bore, 5.0, 2.0, BandProfile::Flat), "ag925", "wax-cast", none),
    };
    Ok(Sample { ring, size, alloy, routing, stones })
}
