//! Who may speak to this workshop: one file for each API key in `DATA/keys`, readable by the daemon's user alone.
//!
//! A key's text is `spk_<id>_<secret>`; only the SHA-256 of its 256 random bits is stored. Nothing about keys
//! is remembered beyond the file's identity, so that `sprue key revoke` of another process counts at once. The
//! secrets of webhooks that were registered over the API lie in the same folder.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::ids::{IdSource, KeyId, WebhookId};
use crate::shop::webhook;
use crate::units::Timestamp;

/// What somebody with a key may do; the table of routes says it in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Sends designs and orders, and sees what became of its own.
    OrderSystem,
    /// Works at the stations.
    Technician,
    /// A technician who also holds, releases and calls off orders.
    Manager,
    /// Everything.
    Admin,
    /// A screen on the wall: reads, and sees nothing of customers.
    Display,
}

/// A key as it is listed: everything but its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Key {
    /// Our id.
    pub id: KeyId,
    /// Whose it is; unique among active keys. Stands in the journal as the actor.
    pub name: String,
    /// What it allows.
    pub role: Role,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when it is void.
    pub revoked_at: Option<Timestamp>,
    /// Ed25519 key that approvals of this order system must be signed with, base64.
    pub approval_key: Option<String>,
}

/// Somebody whose key was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Which key.
    pub key_id: KeyId,
    /// Whose.
    pub name: String,
    /// What it allows.
    pub role: Role,
    /// Ed25519 key that approvals must be signed with.
    pub approval_key: Option<[u8; 32]>,
}

/// What went wrong with keys.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or the folder can't be read.
    #[error("can't read {path}; check its owner and rights")]
    Read {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file or the folder can't be written.
    #[error("can't write {path}; check the disk, its owner and rights")]
    Write {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A key file holds something else.
    #[error("{path} is no key file; revoke the key by deleting the file, and create a new one")]
    Parse {
        /// Its path.
        path: PathBuf,
        /// Why.
        source: Box<toml::de::Error>,
    },
    /// A key can't be written as text.
    #[error("can't write a key as text")]
    Render(#[from] toml::ser::Error),
    /// The name is taken.
    #[error("there is an active key named {name}; revoke it first, or choose another name")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// The name can't be used.
    #[error(
        "\"{name}\" can't be a key's name; use 1 to 64 letters, digits and . _ - @, and not a name of sprue's"
    )]
    NameUnusable {
        /// The name.
        name: String,
    },
    /// The approval key is none.
    #[error("the approval key is no Ed25519 public key; write its 32 bytes as base64")]
    ApprovalKey,
    /// No key by this id or name.
    #[error("there is no active key {name}; `sprue key list` shows them")]
    Unknown {
        /// What was asked for.
        name: String,
    },
    /// The operating system gives no randomness.
    #[error("the operating system gives no random numbers")]
    Random(#[from] getrandom::Error),
}

/// The keys of a data directory. Cheap to clone.
#[derive(Debug, Clone)]
pub struct KeyRing {
    folder: Arc<PathBuf>,
    seen: Arc<Mutex<BTreeMap<String, Seen>>>,
}

/// A key file as it was when it was read; a changed file has another inode.
#[derive(Debug, Clone)]
struct Seen {
    stamp: Stamp,
    file: KeyFile,
}

type Stamp = (u64, i64, i64, u64);

/// What stands in a key file.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct KeyFile {
    id: KeyId,
    name: String,
    role: Role,
    secret_sha256: String,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approval_key: Option<String>,
}

/// Actors in the journal that are no keys.
const RESERVED: &[&str] = &["sprue", "shop file"];
/// A key file is a few lines; anything longer is none.
const FILE_BYTES_MAX: u64 = 4096;
/// 192 to 512 bits are allowed for webhook secrets (Standard Webhooks 1.0.0, "Signature scheme").
const WEBHOOK_SECRET_BYTES: usize = 32;

impl Role {
    /// All of them.
    pub const ALL: [Role; 5] =
        [Role::OrderSystem, Role::Technician, Role::Manager, Role::Admin, Role::Display];

    /// Its word on the command line and in files.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Role::OrderSystem => "order-system",
            Role::Technician => "technician",
            Role::Manager => "manager",
            Role::Admin => "admin",
            Role::Display => "display",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }
}

impl KeyRing {
    /// Opens the keys of a data directory, creating the folder if it is missing.
    ///
    /// # Errors
    /// `Error::Write`.
    pub fn open(data_dir: &Path) -> Result<Self, Error> {
        let folder = data_dir.join("keys");
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(|source| Error::Write { path: folder.clone(), source })?;
        Ok(Self { folder: Arc::new(folder), seen: Arc::new(Mutex::new(BTreeMap::new())) })
    }

    /// Makes a key and returns it with its text, which can't be had again.
    ///
    /// # Errors
    /// `NameTaken`, `NameUnusable`, `ApprovalKey`, or why it can't be written.
    pub fn create(
        &self,
        name: &str,
        role: Role,
        approval_key: Option<&str>,
        now: Timestamp,
    ) -> Result<(Key, String), Error> {
        check_name(name)?;
        if approval_key.is_some_and(|text| read_approval_key(text).is_none()) {
            return Err(Error::ApprovalKey);
        }
        let _lock = self.lock()?;
        if self.list()?.iter().any(|key| key.name == name && key.revoked_at.is_none()) {
            return Err(Error::NameTaken { name: name.to_owned() });
        }
        let mut secret = [0_u8; 32];
        getrandom::fill(&mut secret)?;
        let id = KeyId::next(&mut IdSource::from_os()?, now);
        let text = format!("spk_{}_{}", id.as_str().trim_start_matches(KeyId::PREFIX), hex(&secret));
        let file = KeyFile {
            id,
            name: name.to_owned(),
            role,
            secret_sha256: hex(&Sha256::digest(secret)),
            created_at: now,
            revoked_at: None,
            approval_key: approval_key.map(str::to_owned),
        };
        self.write_key(&file)?;
        Ok((file.listed(), text))
    }

    /// All keys, revoked ones included, oldest first.
    ///
    /// # Errors
    /// `Error::Read`, `Error::Parse`.
    pub fn list(&self) -> Result<Vec<Key>, Error> {
        let unreadable = |source| Error::Read { path: self.folder.to_path_buf(), source };
        let mut keys = Vec::new();
        for entry in fs::read_dir(self.folder.as_path()).map_err(unreadable)? {
            let name = entry.map_err(unreadable)?.file_name();
            let id = name.to_str().and_then(|name| name.strip_suffix(".toml")).and_then(KeyId::parse);
            if let Some(id) = id {
                keys.push(read_key(&self.path(&id))?.1.listed());
            }
        }
        keys.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(keys)
    }

    /// Makes a key void, by its id or the name of an active one.
    ///
    /// # Errors
    /// `Unknown`, or why it can't be written.
    pub fn revoke(&self, id_or_name: &str, now: Timestamp) -> Result<Key, Error> {
        let _lock = self.lock()?;
        let unknown = || Error::Unknown { name: id_or_name.to_owned() };
        let active = self.list()?.into_iter().filter(|key| key.revoked_at.is_none());
        let key = active.into_iter().find(|key| key.id.as_str() == id_or_name || key.name == id_or_name);
        let (_, mut file) = read_key(&self.path(&key.ok_or_else(unknown)?.id))?;
        file.revoked_at = Some(now);
        self.write_key(&file)?;
        Ok(file.listed())
    }

    /// Whose key this text is; `None` if it is nobody's, or revoked.
    #[must_use]
    pub fn check(&self, text: &str) -> Option<Principal> {
        let (id, secret) = text.strip_prefix("spk_")?.split_once('_')?;
        let id = KeyId::parse(&format!("{}{id}", KeyId::PREFIX))?;
        let secret = unhex(secret)?;
        let file = self.active(&id)?;
        let stored = unhex(&file.secret_sha256)?;
        let given: [u8; 32] = Sha256::digest(secret).into();
        bool::from(given.ct_eq(&stored)).then(|| file.principal())
    }

    /// Whether a key that was accepted before still is.
    #[must_use]
    pub fn is_active(&self, id: &KeyId) -> bool {
        self.active(id).is_some()
    }

    /// Makes the secret of a webhook and returns its text (`whsec_…`); it replaces one that is there.
    ///
    /// # Errors
    /// `Error::Write`, `Error::Random`.
    pub fn create_webhook_secret(&self, webhook: &WebhookId) -> Result<String, Error> {
        let mut secret = [0_u8; WEBHOOK_SECRET_BYTES];
        getrandom::fill(&mut secret)?;
        let text = webhook::format_secret(&secret);
        self.write(&self.webhook_path(webhook), text.as_bytes())?;
        Ok(text)
    }

    /// The secret of a webhook that was registered over the API; `None` if it has none here.
    ///
    /// # Errors
    /// `Error::Read` if it is there and can't be read.
    pub fn webhook_secret(&self, webhook: &WebhookId) -> Result<Option<Vec<u8>>, Error> {
        let path = self.webhook_path(webhook);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(Error::Read { path, source }),
        };
        let secret = webhook::parse_secret(&text);
        let damaged = || io::Error::new(io::ErrorKind::InvalidData, "not a webhook secret");
        secret.map(Some).ok_or_else(|| Error::Read { path, source: damaged() })
    }

    fn active(&self, id: &KeyId) -> Option<KeyFile> {
        let path = self.path(id);
        let stamp = stamp(&fs::metadata(&path).ok()?);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = seen.get(id.as_str()).filter(|known| known.stamp == stamp) {
            return known.file.clone().if_active();
        }
        match read_key(&path) {
            Ok((stamp, file)) => {
                seen.insert(id.as_str().to_owned(), Seen { stamp, file: file.clone() });
                file.if_active()
            }
            Err(failure) => {
                tracing::error!(error = %failure, "an API key can't be checked");
                None
            }
        }
    }

    fn path(&self, id: &KeyId) -> PathBuf {
        self.folder.join(format!("{id}.toml"))
    }

    fn webhook_path(&self, webhook: &WebhookId) -> PathBuf {
        self.folder.join(format!("webhook_{webhook}.secret"))
    }

    /// Held while names are compared and files written, also against other processes.
    fn lock(&self) -> Result<File, Error> {
        let path = self.folder.join("lock");
        let unwritable = |source| Error::Write { path: path.clone(), source };
        let mut options = OpenOptions::new();
        let file = options.create(true).write(true).truncate(false).mode(0o600).open(&path);
        let file = file.map_err(unwritable)?;
        file.lock().map_err(unwritable)?;
        Ok(file)
    }

    fn write_key(&self, file: &KeyFile) -> Result<(), Error> {
        self.write(&self.path(&file.id), toml::to_string(file)?.as_bytes())
    }

    /// Written, synced, renamed: whoever reads sees the old file or the new one.
    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), Error> {
        let unwritable = |source| Error::Write { path: path.to_owned(), source };
        let fresh = path.with_extension("new");
        let mut options = OpenOptions::new();
        let mut file =
            options.create(true).write(true).truncate(true).mode(0o600).open(&fresh).map_err(unwritable)?;
        file.write_all(bytes).and_then(|()| file.sync_all()).map_err(unwritable)?;
        fs::rename(&fresh, path).map_err(unwritable)?;
        File::open(self.folder.as_path()).and_then(|folder| folder.sync_all()).map_err(unwritable)
    }
}

impl KeyFile {
    fn listed(&self) -> Key {
        Key {
            id: self.id.clone(),
            name: self.name.clone(),
            role: self.role,
            created_at: self.created_at,
            revoked_at: self.revoked_at,
            approval_key: self.approval_key.clone(),
        }
    }

    fn if_active(self) -> Option<Self> {
        // A key whose approval key was damaged by hand must not pass as one that needs no signature.
        let readable = self.approval_key.as_deref().is_none_or(|text| read_approval_key(text).is_some());
        (self.revoked_at.is_none() && readable).then_some(self)
    }

    fn principal(self) -> Principal {
        let approval_key = self.approval_key.as_deref().and_then(read_approval_key);
        Principal { key_id: self.id, name: self.name, role: self.role, approval_key }
    }
}

fn check_name(name: &str) -> Result<(), Error> {
    let usable = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '@' | ' ');
    let fits = (1..=64).contains(&name.chars().count()) && name.chars().all(usable) && name.trim() == name;
    if fits && !RESERVED.contains(&name) {
        return Ok(());
    }
    Err(Error::NameUnusable { name: name.to_owned() })
}

fn read_approval_key(text: &str) -> Option<[u8; 32]> {
    let bytes: [u8; 32] = BASE64.decode(text.trim()).ok()?.try_into().ok()?;
    ed25519_dalek::VerifyingKey::from_bytes(&bytes).ok().map(|_| bytes)
}

fn read_key(path: &Path) -> Result<(Stamp, KeyFile), Error> {
    let unreadable = |source| Error::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    let stamp = stamp(&file.metadata().map_err(unreadable)?);
    let mut text = String::new();
    file.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(unreadable)?;
    let key = toml::from_str(&text)
        .map_err(|source| Error::Parse { path: path.to_owned(), source: Box::new(source) })?;
    Ok((stamp, key))
}

fn stamp(metadata: &fs::Metadata) -> Stamp {
    (metadata.ino(), metadata.mtime(), metadata.mtime_nsec(), metadata.len())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let well_formed = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !well_formed {
        return None;
    }
    let mut bytes = [0_u8; 32];
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const NOW: Timestamp = Timestamp(1_790_000_000_000);

    fn ring() -> (tempfile::TempDir, KeyRing) {
        let folder = tempfile::tempdir().unwrap();
        let ring = KeyRing::open(folder.path()).unwrap();
        (folder, ring)
    }

    #[test]
    fn a_key_opens_and_a_changed_digit_does_not() {
        let (_folder, ring) = ring();
        let (key, text) = ring.create("house", Role::OrderSystem, None, NOW).unwrap();

        let principal = ring.check(&text).unwrap();
        let mut wrong = text.clone();
        let last = if wrong.pop() == Some('0') { '1' } else { '0' };
        wrong.push(last);

        assert_eq!((principal.key_id, principal.name.as_str()), (key.id, "house"));
        assert_eq!(ring.check(&wrong), None);
        for garbage in ["", "spk_", "spk__", "spk_../../etc/passwd_00", &text[..text.len() - 1]] {
            assert_eq!(ring.check(garbage), None, "{garbage}");
        }
    }

    #[test]
    fn another_process_revokes_and_creates_at_once() {
        let (folder, ring) = ring();
        let other = KeyRing::open(folder.path()).unwrap();
        let (key, text) = ring.create("board", Role::Display, None, NOW).unwrap();
        assert!(ring.check(&text).is_some());

        other.revoke("board", NOW).unwrap();
        assert_eq!(ring.check(&text), None);
        assert!(!ring.is_active(&key.id));

        let (_, text) = other.create("board", Role::Display, None, NOW).unwrap();
        assert!(ring.check(&text).is_some());
        assert_eq!(ring.list().unwrap().len(), 2);
    }

    #[test]
    fn no_file_holds_the_secret_and_only_the_owner_reads_it() {
        let (folder, ring) = ring();
        let (key, text) = ring.create("house", Role::Admin, None, NOW).unwrap();
        let path = folder.path().join("keys").join(format!("{}.toml", key.id));

        let stored = fs::read_to_string(&path).unwrap();

        assert!(!stored.contains(text.rsplit('_').next().unwrap()), "{stored}");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_name_is_active_once() {
        let (_folder, ring) = ring();
        ring.create("house", Role::OrderSystem, None, NOW).unwrap();

        assert!(matches!(ring.create("house", Role::Admin, None, NOW), Err(Error::NameTaken { .. })));
        for name in ["", "sprue", "a\nb", " a", "../a/"] {
            assert!(
                matches!(ring.create(name, Role::Admin, None, NOW), Err(Error::NameUnusable { .. })),
                "{name}"
            );
        }
        assert!(matches!(ring.create("b", Role::Admin, Some("abc"), NOW), Err(Error::ApprovalKey)));
        assert!(matches!(ring.revoke("nobody", NOW), Err(Error::Unknown { .. })));
    }

    #[test]
    fn a_webhook_secret_is_read_back_as_its_bytes() {
        let (_folder, ring) = ring();
        let id = WebhookId::next(&mut IdSource::seeded(1), NOW);
        assert_eq!(ring.webhook_secret(&id).unwrap(), None);

        let text = ring.create_webhook_secret(&id).unwrap();

        let bytes = ring.webhook_secret(&id).unwrap().unwrap();
        assert_eq!(text, format!("whsec_{}", BASE64.encode(bytes)));
    }
}
