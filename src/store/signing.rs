//! The workshop's own signature: an Ed25519 key that never leaves the data directory.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signer as _, SigningKey};

/// Signs what the workshop says of itself.
pub struct Signer(SigningKey);

/// Why there is no signing key.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file can't be read or written.
    #[error("can't use {path}; check the disk, its owner and rights")]
    File {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file holds something else.
    #[error(
        "{path} is no signing key; put the workshop's key back from a backup: a new one can't vouch for what the \
             old one signed"
    )]
    Unreadable {
        /// Its path.
        path: PathBuf,
    },
    /// The operating system gives no randomness.
    #[error("the operating system gives no random numbers")]
    Random(#[from] getrandom::Error),
}

impl Signer {
    /// Reads the key of a data directory; makes it on the first start.
    ///
    /// # Errors
    /// If the file can't be used. A file with something else in it is never overwritten.
    pub fn open(data_dir: &Path) -> Result<Self, Error> {
        let path = data_dir.join("keys").join("workshop.ed25519");
        match fs::read_to_string(&path) {
            Ok(text) => decode(&text)
                .map(|seed| Self(SigningKey::from_bytes(&seed)))
                .ok_or(Error::Unreadable { path }),
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => Self::create(path),
            Err(source) => Err(Error::File { path, source }),
        }
    }

    fn create(path: PathBuf) -> Result<Self, Error> {
        let mut seed = [0_u8; 32];
        getrandom::fill(&mut seed)?;
        let write = || -> io::Result<()> {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&path)?;
            file.write_all(format!("{}\n", BASE64.encode(seed)).as_bytes())?;
            file.sync_all()
        };
        write().map_err(|source| Error::File { path: path.clone(), source })?;
        Ok(Self(SigningKey::from_bytes(&seed)))
    }

    /// A signature over bytes, base64.
    #[must_use]
    pub fn sign(&self, bytes: &[u8]) -> String {
        BASE64.encode(self.0.sign(bytes).to_bytes())
    }

    /// What others check signatures with, base64.
    #[must_use]
    pub fn public_key(&self) -> String {
        BASE64.encode(self.0.verifying_key().to_bytes())
    }
}

impl std::fmt::Debug for Signer {
    /// The public half only.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Signer").field(&self.public_key()).finish()
    }
}

fn decode(text: &str) -> Option<[u8; 32]> {
    BASE64.decode(text.trim()).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_workshop_keeps_its_key_and_nobody_else_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let first = Signer::open(folder.path()).unwrap();
        let again = Signer::open(folder.path()).unwrap();
        assert_eq!((first.public_key(), first.sign(b"ring")), (again.public_key(), again.sign(b"ring")));
        let path = folder.path().join("keys/workshop.ed25519");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!format!("{first:?}").contains(fs::read_to_string(&path).unwrap().trim()));
    }

    #[test]
    fn a_spoilt_key_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        Signer::open(folder.path()).unwrap();
        let path = folder.path().join("keys/workshop.ed25519");
        fs::write(&path, "gone").unwrap();
        assert!(matches!(Signer::open(folder.path()), Err(Error::Unreadable { .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), "gone");
    }
}
