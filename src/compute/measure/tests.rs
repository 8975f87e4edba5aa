//! Help for the tests of this module.

use std::path::PathBuf;
use std::process::Command;

use crate::mesh::Mesh;
use crate::mesh_files::{Limits, read};

/// A mesh of the folder of shared meshes; nothing if folder or unpacker is missing.
pub(crate) fn load(name: &str) -> Option<Mesh> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let shared = std::env::var_os("SPRUE_SHARED").map_or(beside, PathBuf::from);
    let path = shared.join("meshes").join(name);
    if !path.is_file() {
        println!("skipped {name}: no folder of shared meshes; set SPRUE_SHARED");
        return None;
    }
    let unpacker = match path.extension()?.to_str()? {
        "gz" => "gzip",
        "xz" => "xz",
        _ => return Some(read(&std::fs::read(path).unwrap(), None, &Limits::DESIGN).unwrap().mesh),
    };
    match Command::new(unpacker).arg("-dc").arg(path).output() {
        Ok(output) if output.status.success() => {
            Some(read(&output.stdout, None, &Limits::DESIGN).unwrap().mesh)
        }
        Ok(_) | Err(_) => {
            println!("skipped {name}: {unpacker} does not work here");
            None
        }
    }
}
