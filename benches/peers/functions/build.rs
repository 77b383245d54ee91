//! Writes the annotated functions, and a table of them.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let mut code = String::new();
    for n in 0..FUNCTIONS {
        writeln!(
            code,
            "#[resilience::resilient(service = \"growth\")]\n\
             async fn call_{n}(x: u64) -> Result<u64, resilience::Error> {{\n    \
                 Ok(std::hint::black_box(x) + {n})\n\
             }}"
        )?;
    }
    writeln!(
        code,
        "/// Calls one of them.\npub static CALLS: [fn(u64); {FUNCTIONS}] = ["
    )?;
    for n in 0..FUNCTIONS {
        writeln!(
            code,
            "    |x| {{ std::hint::black_box(guard::finish(call_{n}(x))).map_or_else(drop, drop); }},"
        )?;
    }
    writeln!(code, "];")?;
    fs::write(Path::new(&env::var("OUT_DIR")?).join("functions.rs"), code)?;
    Ok(())
}

const FUNCTIONS: usize = 10_000;
