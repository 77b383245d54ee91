//! The compiler, asked about a piece of code that uses the crate.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use serde_json::Value;

/// What the compiler says of a library that knows our crate as `krate`. `name` is the library's.
pub(crate) fn diagnostics(krate: &str, name: &str, text: &str) -> Vec<Value> {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rustc");
    std::fs::create_dir_all(&directory).unwrap();
    let source = directory.join(format!("{name}.rs"));
    std::fs::write(&source, text).unwrap();
    let dependencies = std::env::current_exe()
        .unwrap()
        .parent()
        .unwrap()
        .to_owned();
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .args([
            "--edition=2024",
            "--crate-type=lib",
            "--emit=metadata",
            "--error-format=json",
        ])
        .arg("--extern")
        .arg(format!("{krate}={}", newest(&dependencies).display()))
        .arg("-L")
        .arg(&dependencies)
        .arg("--out-dir")
        .arg(&directory)
        .arg(&source)
        .output()
        .unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    errors
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

/// The library that this test was built with is the one built last.
fn newest(dependencies: &Path) -> PathBuf {
    let library = |path: &PathBuf| {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        name.starts_with("libresilience-") && path.extension().is_some_and(|end| end == "rlib")
    };
    let built = |path: &PathBuf| {
        path.metadata()
            .and_then(|data| data.modified())
            .unwrap_or(SystemTime::UNIX_EPOCH)
    };
    let files = std::fs::read_dir(dependencies).unwrap();
    let paths = files.map(|file| file.unwrap().path()).filter(library);
    paths
        .max_by_key(built)
        .expect("the library has been built for this test")
}
