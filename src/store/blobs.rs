//! Files by the SHA-256 of their content: written, synced, renamed, and only then referenced.
//!
//! A blob without a row is garbage; a row without a blob is corruption. Unfinished files lie in `blobs/tmp`
//! and are removed at the next start.

use std::fs::{self, File};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

use super::Error;
use crate::shop::design::Sha256Hex;

/// The blob folder of a data directory. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Blobs {
    root: Arc<PathBuf>,
    next_tmp: Arc<AtomicU64>,
}

/// A blob that is being written. Dropped without `keep`, it leaves nothing behind.
#[derive(Debug)]
pub struct NewBlob {
    blobs: Blobs,
    path: PathBuf,
    file: Option<File>,
    hash: Sha256,
    bytes: u64,
}

/// Bytes that are read at once to be hashed.
const HASH_BLOCK: usize = 1 << 16;

impl Blobs {
    pub(super) fn open(data_dir: &Path) -> Result<Self, Error> {
        let root = data_dir.join("blobs");
        let tmp = root.join("tmp");
        // What a crash left unfinished was never acknowledged.
        let _ = fs::remove_dir_all(&tmp);
        fs::create_dir_all(&tmp).map_err(|source| Error::WriteBlob { path: tmp, source })?;
        Ok(Self { root: Arc::new(root), next_tmp: Arc::new(AtomicU64::new(0)) })
    }

    /// Where a blob lies, whether it exists or not.
    #[must_use]
    pub fn path(&self, hash: &Sha256Hex) -> PathBuf {
        self.root.join(&hash.as_str()[..2]).join(hash.as_str())
    }

    /// Whether a blob is there.
    #[must_use]
    pub fn has(&self, hash: &Sha256Hex) -> bool {
        self.path(hash).is_file()
    }

    /// The bytes of a blob.
    ///
    /// # Errors
    /// `Error::ReadBlob` if it is missing or can't be read.
    pub fn read(&self, hash: &Sha256Hex) -> Result<Vec<u8>, Error> {
        let path = self.path(hash);
        fs::read(&path).map_err(|source| Error::ReadBlob { path, source })
    }

    /// Starts a blob. Blocking.
    ///
    /// # Errors
    /// `Error::WriteBlob`.
    pub fn create(&self) -> Result<NewBlob, Error> {
        let number = self.next_tmp.fetch_add(1, Ordering::Relaxed);
        let path = self.root.join("tmp").join(number.to_string());
        let file = File::options().read(true).write(true).create(true).truncate(true).open(&path);
        let file = file.map_err(|source| Error::WriteBlob { path: path.clone(), source })?;
        Ok(NewBlob { blobs: self.clone(), path, file: Some(file), hash: Sha256::new(), bytes: 0 })
    }

    /// Stores bytes that are in memory. Blocking.
    ///
    /// # Errors
    /// `Error::WriteBlob`.
    pub fn put(&self, bytes: &[u8]) -> Result<Sha256Hex, Error> {
        let mut blob = self.create()?;
        blob.write(bytes)?;
        blob.keep()
    }
}

impl NewBlob {
    /// Appends bytes. Blocking.
    ///
    /// # Errors
    /// `Error::WriteBlob`, for example on a full disk.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        if let Some(file) = &mut self.file {
            file.write_all(bytes).map_err(|source| Error::WriteBlob { path: self.path.clone(), source })?;
        }
        Ok(())
    }

    /// Lets somebody write the file in any order, then hashes what is in it. Blocking.
    ///
    /// # Errors
    /// `Error::WriteBlob` if the file can't be read again; inside, what `fill` says.
    pub fn fill<T, E>(
        &mut self,
        fill: impl FnOnce(&mut File) -> Result<T, E>,
    ) -> Result<Result<T, E>, Error> {
        let path = self.path.clone();
        let failed = move |source| Error::WriteBlob { path: path.clone(), source };
        let Some(file) = &mut self.file else { return Err(failed(std::io::ErrorKind::NotFound.into())) };
        let filled = fill(file);
        file.rewind().map_err(&failed)?;
        let (mut hash, mut bytes, mut block) = (Sha256::new(), 0, vec![0; HASH_BLOCK]);
        loop {
            let read = file.read(&mut block).map_err(&failed)?;
            if read == 0 {
                break;
            }
            hash.update(&block[..read]);
            bytes += read as u64;
        }
        (self.hash, self.bytes) = (hash, bytes);
        Ok(filled)
    }

    /// How many bytes were written.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The hash of what was written so far.
    #[must_use]
    pub fn hash(&self) -> Sha256Hex {
        Sha256Hex::from_digest(&self.hash.clone().finalize())
    }

    /// The unfinished file, to look at before deciding to keep it.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Syncs the file and gives it its name. Blocking.
    ///
    /// # Errors
    /// `Error::WriteBlob`; then nothing is left behind.
    pub fn keep(mut self) -> Result<Sha256Hex, Error> {
        let hash = self.hash();
        let target = self.blobs.path(&hash);
        self.finish(&target).map_err(|source| Error::WriteBlob { path: target, source })?;
        Ok(hash)
    }

    fn finish(&mut self, target: &Path) -> std::io::Result<()> {
        if let Some(file) = self.file.take() {
            file.sync_all()?;
        }
        let folder = target.parent().unwrap_or(Path::new("."));
        if !folder.is_dir() {
            fs::create_dir_all(folder)?;
            sync_folder(folder.parent().unwrap_or(Path::new(".")))?;
        }
        fs::rename(&self.path, target)?;
        sync_folder(folder)
    }
}

impl Drop for NewBlob {
    fn drop(&mut self) {
        // After `keep` the name is gone already; otherwise the unfinished file goes.
        let _ = fs::remove_file(&self.path);
    }
}

/// A renamed file survives a power cut only when its folder is synced too.
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blob_is_found_by_its_hash_and_a_dropped_one_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(dir.path()).unwrap();

        let hash = blobs.put(b"ring").unwrap();
        let mut dropped = blobs.create().unwrap();
        dropped.write(b"never acknowledged").unwrap();
        let tmp = dropped.path().to_owned();
        drop(dropped);

        assert_eq!(hash.as_str(), "16b974583155fdcb11fb6832a37be09c18c7acecbfb352c25a35512bfd755a33");
        assert_eq!(blobs.read(&hash).unwrap(), b"ring");
        assert!(!tmp.exists());
    }
}
