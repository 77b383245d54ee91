//! Reload on SIGHUP. One test: it sends the signal to its own process.
#![cfg(all(feature = "watch", unix))]

use std::process::Command;
use std::time::{Duration, Instant};

use resilience::{Runtime, Settings};

fn hang_up() {
    let id = std::process::id().to_string();
    let sent = Command::new("kill").args(["-HUP", &id]).status().unwrap();
    assert!(sent.success());
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(2), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_hangup_reloads_again_and_again_and_survives_a_broken_file() {
    let file = std::env::temp_dir().join(format!("resilience-hangup-{}.toml", std::process::id()));
    let write = |text: &str| std::fs::write(&file, text).unwrap();
    write("[telemetry]\nerror_history_limit = 1\n");
    let loader = Settings::loader().file(&file);
    let loader = loader.variables::<String, String>([]);
    let runtime = Runtime::builder().settings(loader.load().unwrap()).build();
    let limit = || runtime.inspect().telemetry[0].value.clone();
    // Outside of any tokio runtime.
    runtime.reload_on_hangup().unwrap();

    for value in ["2", "3"] {
        write(&format!("[telemetry]\nerror_history_limit = {value}\n"));
        std::thread::sleep(Duration::from_millis(20));
        assert_ne!(limit(), value, "nobody asked");
        hang_up();
        until(value, || limit() == value);
    }
    write("[telemetry]\nerror_history_limit = -1\n");
    hang_up();
    until("a problem", || !runtime.inspect().problems.is_empty());
    assert_eq!(limit(), "3");
    write("[telemetry]\nerror_history_limit = 4\n");
    hang_up();
    until("4", || limit() == "4");
    assert!(runtime.inspect().problems.is_empty());
    std::fs::remove_file(&file).unwrap();
}
