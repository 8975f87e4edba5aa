//! `sprue verify`: a piece passport, checked offline.

use std::path::PathBuf;

use anyhow::Context;

use super::{Failure, print_json, say};
use crate::services::passport;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The passport, as `GET /api/v1/pieces/{id}/passport` gave it.
    file: PathBuf,
    /// The workshop's public key, base64, as you got it from the workshop; without it any key may have signed.
    #[arg(long)]
    key: Option<String>,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let text = std::fs::read_to_string(&arguments.file)
        .with_context(|| format!("can't read {}", arguments.file.display()))?;
    let verified = passport::verify(&text, arguments.key.as_deref())
        .map_err(|finding| Failure::Refused(vec![finding]))?;
    if arguments.json {
        print_json(&verified)?;
    }
    say(&format!("{}: unchanged since {} signed it", verified.piece, verified.workshop));
    if !verified.key_is_known {
        say(&format!(
            "signed with key {}; compare it with the one that the workshop gave you (--key)",
            verified.key
        ));
    }
    for missing in &verified.missing {
        say(&format!("the record lacks {missing}"));
    }
    Ok(())
}
