//! Whether a run is alive.
//!
//! The process that works on a run holds the lock of a file next to the database. The system gives
//! it back however the process ends, so a run without its lock was left behind.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use resilience::{Category, Classification, Classify};

/// The lock of one run, held until it is dropped or the process ends.
#[derive(Debug)]
pub struct RunLock {
    path: PathBuf,
    // Closing the file gives the lock back.
    _file: File,
}

/// Why it cannot be told whether a run is alive.
#[derive(Debug, thiserror::Error)]
#[error("cannot lock `{}`", path.display())]
pub struct LockError {
    /// The file.
    pub path: PathBuf,
    /// What the system says.
    pub source: io::Error,
}

impl RunLock {
    /// Takes the lock of a run, or nothing if another process has it.
    pub fn take(database: &Path, run_id: &str) -> Result<Option<Self>, LockError> {
        let path = path_of(database, run_id);
        let failed = |source| LockError {
            path: path.clone(),
            source,
        };
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(failed)?;
        match fs4::FileExt::try_lock(&file) {
            Ok(()) => Ok(Some(Self { path, _file: file })),
            Err(fs4::TryLockError::WouldBlock) => Ok(None),
            Err(fs4::TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// Ends with its file, which nobody needs for a run that is completed. That of a run to be
    /// resumed stays: two processes that come for it have to meet at the same file.
    pub fn remove(self) {
        // Left behind, an empty file locks nobody out.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Whether a process works on a run. Looks and leaves nothing behind.
pub fn is_held(database: &Path, run_id: &str) -> Result<bool, LockError> {
    let path = path_of(database, run_id);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(source) => return Err(LockError { path, source }),
    };
    match fs4::FileExt::try_lock_shared(&file) {
        // Given back at once, with the file.
        Ok(()) => Ok(false),
        Err(fs4::TryLockError::WouldBlock) => Ok(true),
        Err(fs4::TryLockError::Error(source)) => Err(LockError { path, source }),
    }
}

fn path_of(database: &Path, run_id: &str) -> PathBuf {
    let mut name = OsString::from(database);
    name.push(format!("-{run_id}.lock"));
    name.into()
}

impl Classify for LockError {
    fn classify(&self) -> Classification {
        Classification::new(Category::FILESYSTEM)
    }
}

resilience::register_classify!(LockError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_has_one_owner_at_a_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let database = folder.path().join("sync.db");
        let take = || RunLock::take(&database, "r").expect("a file");
        let held = || is_held(&database, "r").expect("looked at");
        assert!(!held(), "nobody has made its file");
        let first = take().expect("free");
        assert!(take().is_none() && held());
        drop(first);
        assert!(!held());
        take().expect("free again").remove();
        assert_eq!(std::fs::read_dir(folder.path()).expect("listed").count(), 0);
    }
}
