//! Files for people and for the web: complete, or not there.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use super::ServiceError;

/// Makes `folder` with its parents.
pub fn make_folder(folder: &Path) -> Result<(), ServiceError> {
    fs::create_dir_all(folder).map_err(|source| at(folder, source))
}

/// As [`make_folder`], for its owner's eyes only.
pub fn make_private_folder(folder: &Path) -> Result<(), ServiceError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|source| at(folder, source))
}

/// Writes `bytes` under another name, syncs, and renames to `path`: a reader or a full disk never sees half a file.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), ServiceError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(name);
    let written = (|| -> io::Result<()> {
        let mut file = File::create(&part)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&part, path)
    })();
    written.map_err(|source| {
        // Best effort: what cannot be removed is named .part and hurts nobody.
        let _ = fs::remove_file(&part);
        at(path, source)
    })
}

/// `source` with the file it is about.
pub fn at(path: &Path, source: io::Error) -> ServiceError {
    ServiceError::Io { path: path.display().to_string(), source }
}
