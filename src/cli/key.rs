//! `sprue key`: API keys; shown once, stored hashed.

use super::data_dir::DataDir;
use super::{Failure, print, print_json, say};
use crate::clock::Clock;
use crate::store::keys::{KeyRing, Role};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    data: DataDir,
    /// Print one JSON document.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Make a key. It is shown now and never again.
    Create {
        /// order-system, technician, manager, admin or display.
        #[arg(long, value_parser = role)]
        role: Role,
        /// Whose it is; stands in the record as who did things.
        #[arg(long)]
        name: String,
        /// Ed25519 public key, base64: then every approval that comes with this key must be signed.
        #[arg(long)]
        approval_key: Option<String>,
    },
    /// List keys, revoked ones included.
    List,
    /// Revoke a key, by its id or name; takes effect at once.
    Revoke {
        /// Id or name.
        key: String,
    },
}

fn role(word: &str) -> Result<Role, String> {
    let known: Vec<&str> = Role::ALL.into_iter().map(Role::word).collect();
    Role::parse(word).ok_or_else(|| format!("write one of {}", known.join(", ")))
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let ring = KeyRing::open(&arguments.data.find()?)?;
    match &arguments.action {
        Action::Create { role, name, approval_key } => {
            let (_, text) = ring.create(name, *role, approval_key.as_deref(), Clock::system_time())?;
            if arguments.json {
                return print_json(&serde_json::json!({ "name": name, "role": role.word(), "key": text }));
            }
            say("keep this key; it is not shown again:");
            print(&text);
        }
        Action::List => list(&ring, arguments.json)?,
        Action::Revoke { key } => {
            let revoked = ring.revoke(key, Clock::system_time())?;
            say(&format!("revoked {} ({})", revoked.name, revoked.id));
        }
    }
    Ok(())
}

fn list(ring: &KeyRing, json: bool) -> Result<(), Failure> {
    let keys = ring.list()?;
    let state = |revoked: bool| if revoked { "revoked" } else { "active" };
    if json {
        let rows: Vec<_> = keys
            .iter()
            .map(|key| {
                serde_json::json!({
                    "id": key.id, "name": key.name, "role": key.role.word(), "created_at": key.created_at,
                    "state": state(key.revoked_at.is_some()),
                })
            })
            .collect();
        return print_json(&rows);
    }
    for key in &keys {
        let (role, state) = (key.role.word(), state(key.revoked_at.is_some()));
        print(&format!("{}  {role:<13} {state:<8} {}", key.id, key.name));
    }
    Ok(())
}
