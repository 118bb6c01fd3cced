//! Folders and files that only their owner reads. Never changes the mode of a folder that was there before: it may be
//! somebody's home.

use std::{
    fs::{DirBuilder, File, OpenOptions, TryLockError},
    path::Path,
};

use super::StoreError;

/// Makes the folder and those above it, or checks that others cannot read it.
///
/// # Errors
/// That it cannot be made, or who may read it.
pub fn private_folder(path: &Path) -> Result<(), StoreError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| StoreError::io(path, "made", &error))?;
    check_closed(path)
}

#[cfg(unix)]
fn check_closed(path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = path.metadata().map_err(|error| StoreError::io(path, "read", &error))?;
    let mode = metadata.permissions().mode() & 0o777;
    match mode & 0o077 {
        0 => Ok(()),
        _ => Err(StoreError::new(path, format!("is open to others (mode {mode:o})"), "run `chmod 700` on it")),
    }
}

/// There are no modes; a folder below the user's own profile is closed to other users.
#[cfg(not(unix))]
fn check_closed(_: &Path) -> Result<(), StoreError> {
    Ok(())
}

/// Opens a file for reading and writing, made with mode 0600 if need be.
///
/// # Errors
/// That it cannot be opened.
pub fn private_file(path: &Path) -> Result<File, StoreError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|error| StoreError::io(path, "opened", &error))
}

/// Takes the lock of a file, for as long as the result lives: the operating system gives it back when a process ends in
/// whatever way. `None` if another has it.
///
/// # Errors
/// That the file cannot be opened or locked.
pub fn lock_file(path: &Path) -> Result<Option<File>, StoreError> {
    let file = private_file(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(StoreError::io(path, "locked", &error)),
    }
}
