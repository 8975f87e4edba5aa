//! What comes in from order systems: designs by hash, and orders that name them.

use std::path::PathBuf;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use sha2::{Digest, Sha256};
use sprue_compute::mesh::{self, CheckSettings, MeshReport};
use sprue_compute::mesh_files::{self, Limits as FileLimits};

use crate::finding::Finding;
use crate::services::{Error, Shop};
use crate::shop::design::{Design, PartFacts, Sha256Hex};
use crate::shop::event::Event;
use crate::store::blobs::NewBlob;
use crate::units::Millimeters;

mod order;
mod order_check;

pub use order::{ApprovalRequest, OrderRequest, PieceRequest, Repeat, Sender, accept_order};

/// What is measured of every design as it comes in; what the order says of it is compared later.
const INTAKE_CHECK: CheckSettings = CheckSettings {
    pieces_expected: 1,
    inner_diameter_mm: None,
    wall_samples: WALL_SAMPLES,
    wall_mm_min: None,
};
/// Places at which the wall is measured: finds a band or bezel that is too thin, in a fraction of a second.
const WALL_SAMPLES: usize = 2_000;

/// Whether a design was new.
#[derive(Debug, Clone, PartialEq)]
pub enum Stored {
    /// Its bytes are stored now.
    New(Design),
    /// They were known.
    Known(Design),
}

/// Takes in the bytes of a design: streamed to disk, hashed, read, checked, and only then kept.
///
/// # Errors
/// `Invalid` if the bytes don't have this hash or can't be read; `TooLarge`; `NoSpace`; `UploadBroken`. Nothing
/// is stored then.
pub async fn put_design<S, E>(
    shop: &Shop,
    actor: &str,
    sha256: Sha256Hex,
    declared_bytes: Option<u64>,
    body: S,
) -> Result<Stored, Error>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    let wanted = sha256.clone();
    if let Some(known) = shop.store.read(move |rows| rows.design(&wanted).map_err(Error::from)).await? {
        return Ok(Stored::Known(known));
    }
    check_design_size(shop, declared_bytes.unwrap_or(0))?;
    shop.check_space()?;
    let blob = receive(shop, body).await?;
    let arrived = blob.hash();
    if arrived != sha256 {
        let text = format!("the bytes have SHA-256 {arrived}; send the bytes that were approved");
        return Err(Error::Invalid(vec![Finding::error("HASH_MISMATCH", "/", text)]));
    }
    keep_design(shop, actor, blob).await
}

fn check_design_size(shop: &Shop, bytes: u64) -> Result<(), Error> {
    let limit_bytes = shop.workshop.limits.design_max_bytes;
    if bytes > limit_bytes {
        return Err(Error::TooLarge { what: "the design", limit_bytes });
    }
    Ok(())
}

async fn receive<S, E>(shop: &Shop, mut body: S) -> Result<NewBlob, Error>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    let mut blob = shop.store.blobs().create()?;
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|_| Error::UploadBroken)?;
        check_design_size(shop, blob.bytes().saturating_add(chunk.len() as u64))?;
        blob.write(&chunk)?;
    }
    Ok(blob)
}

async fn keep_design(shop: &Shop, actor: &str, blob: NewBlob) -> Result<Stored, Error> {
    let (sha256, bytes) = (blob.hash(), blob.bytes());
    let (media_type, report) = check_file(shop, blob.path().to_owned()).await?;
    let store_blob = move || blob.keep();
    tokio::task::spawn_blocking(store_blob).await.map_err(|_| Error::Compute { what: "storing" })??;
    let by = actor.to_owned();
    shop.store
        .transact(actor, move |tx| {
            if let Some(known) = tx.design(&sha256)? {
                return Ok(Stored::Known(known));
            }
            let part = facts(report);
            let design = Design { sha256, media_type, bytes, by, stored_at: tx.at(), part };
            tx.record(&Event::DesignStored { design: design.clone() })?;
            Ok(Stored::New(design))
        })
        .await
}

/// Reads and checks an uploaded file, one at a time: a mesh may take a few hundred megabytes.
async fn check_file(shop: &Shop, path: PathBuf) -> Result<(String, MeshReport), Error> {
    let _permit = shop.compute.acquire().await.map_err(|_| Error::Compute { what: "checking" })?;
    let check = move || -> Result<(String, MeshReport), Error> {
        let bytes = std::fs::read(&path)
            .map_err(|source| crate::store::Error::ReadBlob { path: path.clone(), source })?;
        let read = mesh_files::read(&bytes, None, &FileLimits::DESIGN)
            .map_err(|refusal| Error::Invalid(vec![refusal.finding()]))?;
        let media_type = format!("model/{}", read.format.name());
        Ok((media_type, mesh::check(read, &INTAKE_CHECK).report))
    };
    tokio::task::spawn_blocking(check).await.map_err(|_| Error::Compute { what: "checking" })?
}

fn facts(report: MeshReport) -> PartFacts {
    PartFacts {
        triangles: report.triangles as u64,
        watertight: report.watertight,
        shells: u32::try_from(report.shells).unwrap_or(u32::MAX),
        volume_mm3: report.volume_mm3,
        bounds_mm: report.bounds_mm,
        ring_inner_diameter: report.ring.map(|ring| Millimeters(ring.inner_diameter_mm)),
        findings: report.findings,
    }
}

/// SHA-256 of a request's body.
#[must_use]
pub fn body_digest(body: &[u8]) -> [u8; 32] {
    Sha256::digest(body).into()
}
