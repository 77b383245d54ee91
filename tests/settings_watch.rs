//! A settings file that is replaced, in every way there is, while calls run.
#![cfg(all(feature = "watch", unix))]

mod support;

use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use resilience::{Error, Event, Listener, Reload, Runtime, Settings, Watch, resilient};
use support::Directory;

#[resilient(operation = "tuned", service = "tuned")]
async fn tuned(x: u64) -> Result<u64, Error> {
    Ok(x)
}

fn text(retries: u32) -> String {
    format!("[services.tuned]\nretries = {retries}\n")
}

/// A runtime whose file is watched, with calls in it that must not fail.
struct Watched {
    runtime: Runtime,
    watch: Option<Watch>,
    rejected: Rejected,
    calls: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
    traffic: Option<JoinHandle<()>>,
}

#[derive(Clone, Debug, Default)]
struct Rejected(Arc<AtomicU64>);

impl Listener for Rejected {
    fn on_event(&self, event: &Event<'_>) {
        if let Event::SettingsReloaded {
            result: Reload::Rejected,
            ..
        } = event
        {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Watched {
    fn new(file: &Path) -> Self {
        let mut watched = Self::unwatched(file);
        watched.watch = Some(watched.runtime.watch());
        watched
    }

    fn unwatched(file: &Path) -> Self {
        let loader = Settings::loader().file(file);
        let loader = loader.variables::<String, String>([]);
        let rejected = Rejected::default();
        let runtime = Runtime::builder()
            .listener(rejected.clone())
            .settings(loader.load().unwrap())
            .build();
        let calls = Arc::new(AtomicU64::new(0));
        let over = Arc::new(AtomicBool::new(false));
        let traffic = traffic(runtime.clone(), Arc::clone(&calls), Arc::clone(&over));
        Self {
            runtime,
            watch: None,
            rejected,
            calls,
            over,
            traffic: Some(std::thread::spawn(traffic)),
        }
    }

    fn retries(&self) -> String {
        let mut sites = self.runtime.inspect().sites.into_iter();
        let site = sites.find(|site| site.operation == "tuned").unwrap();
        let mut settings = site.settings.into_iter();
        let retries = settings.find(|setting| setting.key == "retries");
        retries.unwrap().value
    }

    fn rejected(&self) -> u64 {
        self.rejected.0.load(Ordering::Relaxed)
    }

    /// New settings hold, with calls all the while.
    fn sees(&self, how: &str, retries: u32) {
        let retries = retries.to_string();
        self.within_two_seconds(how, || self.retries() == retries);
    }

    /// What is in the file is not taken, and said once; what held before holds.
    fn refuses(&self, why: &str, rejected: u64) {
        let before = self.retries();
        self.within_two_seconds(why, || {
            let problems = self.runtime.inspect().problems;
            let text = problems.first().map(ToString::to_string);
            text.is_some_and(|text| text.contains(why))
        });
        assert_eq!(self.rejected(), rejected, "{why}");
        assert_eq!(self.retries(), before, "{why}");
    }

    fn within_two_seconds(&self, what: &str, holds: impl Fn() -> bool) {
        let (start, calls) = (Instant::now(), self.calls());
        while !holds() || self.calls() == calls {
            assert!(start.elapsed() < Duration::from_secs(2), "{what}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }
}

/// Calls until it is over, none of which may fail.
fn traffic(runtime: Runtime, calls: Arc<AtomicU64>, over: Arc<AtomicBool>) -> impl FnOnce() {
    move || {
        let mut tokio = tokio::runtime::Builder::new_current_thread();
        let tokio = tokio.enable_time().build().unwrap();
        tokio.block_on(async {
            while !over.load(Ordering::Relaxed) {
                let x = calls.fetch_add(1, Ordering::Relaxed);
                assert_eq!(runtime.scope(tuned(x)).await.unwrap(), x);
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        let traffic = self.traffic.take().unwrap().join();
        if !std::thread::panicking() {
            traffic.unwrap();
        }
    }
}

#[test]
fn every_way_to_replace_a_file_is_seen() {
    let directory = Directory::new("watched");
    let file = directory.file("app.toml");
    std::fs::write(&file, text(1)).unwrap();
    let watched = Watched::new(&file);
    for round in [10, 20] {
        std::fs::write(&file, text(round)).unwrap();
        watched.sees("in place", round);

        let other = directory.file("app.toml.new");
        std::fs::write(&other, text(round + 1)).unwrap();
        std::fs::rename(&other, &file).unwrap();
        watched.sees("renamed over", round + 1);

        // As vim does it: the old one becomes the backup.
        let backup = directory.file("app.toml~");
        std::fs::rename(&file, &backup).unwrap();
        std::fs::write(&file, text(round + 2)).unwrap();
        std::fs::remove_file(&backup).unwrap();
        watched.sees("moved away", round + 2);

        // Half-way, each for longer than a writer needs.
        let told = watched.rejected();
        std::fs::write(&file, "").unwrap();
        watched.refuses("is empty", told + 1);
        std::fs::write(&file, &text(round + 3)[..20]).unwrap();
        watched.refuses("app.toml:2:", told + 2);
        std::fs::write(&file, text(round + 3)).unwrap();
        watched.sees("after all", round + 3);
        assert!(watched.runtime.inspect().problems.is_empty());
    }
}

#[test]
fn a_symlink_swapped_as_kubernetes_does_it_is_seen() {
    let directory = Directory::new("kubernetes");
    let publish = |version: &str, retries: u32| {
        let versioned = directory.file(version);
        std::fs::create_dir_all(&versioned).unwrap();
        std::fs::write(versioned.join("app.toml"), text(retries)).unwrap();
        symlink(version, directory.file("..data_tmp")).unwrap();
        std::fs::rename(directory.file("..data_tmp"), directory.file("..data")).unwrap();
    };
    publish("..2026_11_22_05_00_01.1", 1);
    let file = directory.file("app.toml");
    symlink("..data/app.toml", &file).unwrap();
    let watched = Watched::new(&file);
    let mut old = "..2026_11_22_05_00_01.1";
    for (new, retries) in [
        ("..2026_11_22_05_10_02.2", 2),
        ("..2026_11_22_05_20_03.3", 3),
        ("..2026_11_22_05_30_04.4", 4),
    ] {
        publish(new, retries);
        std::fs::remove_dir_all(directory.file(old)).unwrap();
        watched.sees(new, retries);
        old = new;
    }
    assert_eq!(watched.rejected(), 0);
}

#[test]
fn a_symlink_on_the_way_to_the_file_is_seen() {
    let directory = Directory::new("releases");
    let releases = directory.file("releases");
    let publish = |release: &str, retries: u32| {
        std::fs::create_dir_all(releases.join(release)).unwrap();
        std::fs::write(releases.join(release).join("app.toml"), text(retries)).unwrap();
        let new = directory.file("new");
        symlink(Path::new("releases").join(release), &new).unwrap();
        std::fs::rename(&new, directory.file("current")).unwrap();
    };
    publish("1", 1);
    // A link to a link, in another directory.
    let etc = Directory::new("etc");
    symlink(directory.file("current"), etc.file("app")).unwrap();
    symlink("app/app.toml", etc.file("app.toml")).unwrap();
    let watched = Watched::new(&etc.file("app.toml"));
    for release in [2, 3] {
        publish(&release.to_string(), release);
        watched.sees("another release", release);
        // In place, in the directory that is the right one now.
        let file = releases.join(release.to_string()).join("app.toml");
        std::fs::write(file, text(release + 10)).unwrap();
        watched.sees("in place", release + 10);
    }
}

#[test]
fn a_change_is_seen_in_a_directory_that_is_never_quiet() {
    let directory = Directory::new("busy");
    let (file, log) = (directory.file("app.toml"), directory.file("app.log"));
    std::fs::write(&file, text(1)).unwrap();
    let watched = Watched::new(&file);
    let over = Arc::clone(&watched.over);
    let noise = std::thread::spawn(move || {
        while !over.load(Ordering::Relaxed) {
            std::fs::write(&log, "one more line\n").unwrap();
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    for retries in [2, 3] {
        std::fs::write(&file, text(retries)).unwrap();
        watched.sees("in place", retries);
    }
    drop(watched);
    noise.join().unwrap();
}

#[test]
fn what_changed_before_the_watch_is_seen_and_after_it_nothing() {
    let directory = Directory::new("before");
    let file = directory.file("app.toml");
    std::fs::write(&file, text(1)).unwrap();
    let mut watched = Watched::unwatched(&file);
    std::fs::write(&file, text(2)).unwrap();
    watched.watch = Some(watched.runtime.watch());
    watched.sees("before", 2);
    watched.watch = None;
    std::fs::write(&file, text(3)).unwrap();
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(watched.retries(), "2");
}

#[tokio::test]
async fn settings_that_are_watched_are_applied() {
    let directory = Directory::new("applied");
    let file = directory.file("app.toml");
    std::fs::write(&file, text(1)).unwrap();
    let loader = Settings::loader().file(&file);
    let settings = loader.variables::<String, String>([]).load().unwrap();
    let mut watched = Watched::unwatched(&file);
    watched.runtime.apply(&Settings::default());
    assert_ne!(watched.retries(), "1");
    let runtime = watched.runtime.clone();
    watched.watch = Some(runtime.scope(async { settings.watch() }).await);
    assert_eq!(watched.retries(), "1");
    std::fs::write(&file, text(2)).unwrap();
    watched.sees("after it", 2);
}

#[test]
fn a_file_that_is_empty_from_the_beginning_is_no_problem() {
    let directory = Directory::new("empty");
    let file = directory.file("app.toml");
    std::fs::write(&file, "").unwrap();
    let watched = Watched::new(&file);
    std::fs::write(directory.file("other"), "").unwrap();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(watched.rejected(), 0);
    std::fs::write(&file, text(2)).unwrap();
    watched.sees("written", 2);
}
