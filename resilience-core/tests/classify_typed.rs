//! Real errors, made by doing it, and their way through `anyhow`, `Box<dyn Error>` and chains.

#![forbid(unsafe_code)]

use std::error::Error;
use std::fmt;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use resilience_core::{
    Category, Classification, Classify, Effect, Fault, Retry, Severity, classify, register_classify,
};

type BoxError = Box<dyn Error + Send + Sync>;

/// Classifies the error as it is, boxed, shared, inside `io::Error` and under anyhow's context,
/// and checks that all say the same.
fn through_all<E: Error + Classify + Send + Sync + 'static>(
    make: impl Fn() -> E,
) -> Classification {
    let plain = make().classify();
    assert_eq!(classify::error(&make()), plain);
    let boxed: BoxError = Box::new(make());
    assert_eq!(classify::error(boxed.as_ref()), plain);
    let shared: Arc<dyn Error + Send + Sync> = Arc::new(make());
    assert_eq!(classify::error(&shared), plain);
    assert_eq!(classify::error(&io::Error::other(make())), plain);
    assert_eq!(
        classify::error(&io::Error::other(io::Error::other(shared))),
        plain
    );
    let context = Err::<(), _>(make())
        .context("while syncing record 5")
        .context("sync failed");
    let context = context.expect_err("it was an error");
    assert_eq!(classify::error(context.as_ref()), plain);
    assert_eq!(classify::error(&io::Error::other(context)), plain);
    plain
}

fn closed_port() -> io::Error {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    TcpStream::connect(address).expect_err("nothing listens there")
}

#[test]
fn a_closed_port_is_network_without_effect() {
    let found = through_all(closed_port);
    assert_eq!(found.category(), Category::NETWORK);
    assert_eq!((found.retry(), found.effect()), (Retry::Yes, Effect::None));
    assert_eq!(found.fault(), Fault::Remote);
}

#[test]
fn a_server_that_closes_early_is_network() {
    let found = through_all(|| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let mut stream =
            TcpStream::connect(listener.local_addr().expect("an address")).expect("open");
        let (mut server, _) = listener.accept().expect("it connected");
        server.write_all(b"HTT").expect("three bytes");
        drop(server);
        stream
            .read_exact(&mut [0; 64])
            .expect_err("only three bytes come")
    });
    assert_eq!(
        (found.category(), found.retry()),
        (Category::NETWORK, Retry::Yes)
    );
    assert_eq!(found.effect(), Effect::Possible);
}

#[test]
fn a_name_that_does_not_resolve_is_network_without_effect() {
    let found = through_all(|| {
        "no-such-host.invalid:80"
            .to_socket_addrs()
            .expect_err(".invalid never resolves (RFC 6761)")
    });
    assert_eq!(found.category(), Category::NETWORK, "{found:?}");
    assert_eq!((found.retry(), found.effect()), (Retry::Yes, Effect::None));
}

#[test]
fn an_address_in_use_is_final() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let found = through_all(|| TcpListener::bind(address).expect_err("it is taken"));
    assert_eq!(
        (found.category(), found.retry()),
        (Category::NETWORK, Retry::No)
    );
}

#[test]
fn a_missing_file_is_the_callers_and_final() {
    let found = through_all(|| fs::read("/no/such/file").expect_err("it is missing"));
    assert_eq!(found.category(), Category::FILESYSTEM);
    assert_eq!((found.retry(), found.fault()), (Retry::No, Fault::Caller));
    assert_eq!(found.severity(1), Severity::Low);
}

#[cfg(unix)]
#[test]
fn a_refused_permission_is_the_callers_and_final() {
    use std::os::unix::fs::PermissionsExt;

    let file = std::env::temp_dir().join(format!("resilience-closed-{}", std::process::id()));
    fs::write(&file, b"x").expect("a file");
    let mode = |mode| fs::set_permissions(&file, fs::Permissions::from_mode(mode));
    mode(0o600).expect("its own file");
    // To run what may not be run is refused to everybody, to read a closed file not to root.
    let run = || {
        std::process::Command::new(&file)
            .spawn()
            .expect_err("it may not be run")
    };
    assert_eq!(run().kind(), io::ErrorKind::PermissionDenied);
    let refused = through_all(run);
    mode(0o000).expect("its own file");
    let read = fs::read(&file).err();
    fs::remove_file(&file).expect("its own file");
    for found in [Some(refused), read.map(|error| error.classify())]
        .into_iter()
        .flatten()
    {
        assert_eq!(found.category(), Category::FILESYSTEM);
        assert_eq!((found.retry(), found.fault()), (Retry::No, Fault::Caller));
    }
}

#[test]
fn invalid_utf8_is_encoding_by_type_and_by_message() {
    let not_utf8 = || String::from_utf8(vec![b'a', 0xff]).expect_err("0xff is not UTF-8");
    let found = through_all(not_utf8);
    assert_eq!(
        (found.category(), found.retry()),
        (Category::ENCODING, Retry::No)
    );

    let found =
        through_all(|| io::read_to_string(&[b'a', 0xff][..]).expect_err("0xff is not UTF-8"));
    assert_eq!(found.category(), Category::ENCODING);
}

#[tokio::test(start_paused = true)]
async fn a_timed_out_call_is_timeout() {
    let never = || tokio::time::timeout(Duration::from_secs(5), std::future::pending::<()>());
    let error = never().await.expect_err("it never ends");
    assert_eq!(error.classify().category(), Category::TIMEOUT);
    let error = anyhow::Error::from(error).context("embedding");
    let found = classify::error(error.as_ref());
    assert_eq!(
        (found.category(), found.retry()),
        (Category::TIMEOUT, Retry::Yes)
    );
}

#[tokio::test]
async fn a_cancelled_task_is_cancelled_and_a_panicked_one_a_mistake() {
    let task = tokio::spawn(std::future::pending::<()>());
    task.abort();
    let error = task.await.expect_err("it was aborted");
    assert_eq!(error.classify().category(), Category::CANCELLED);
    // As hyper wraps it when a name lookup is aborted.
    let wrapped = io::Error::new(io::ErrorKind::Interrupted, error);
    assert_eq!(classify::error(&wrapped).category(), Category::CANCELLED);

    let task = tokio::spawn(async { panic!("connection refused") });
    let error = task.await.expect_err("it panicked");
    assert_eq!(
        (error.classify().category(), error.classify().retry()),
        (Category::UNKNOWN, Retry::No)
    );
}

/// An error of a user, with a text that says nothing.
#[derive(Debug, thiserror::Error)]
enum IndexError {
    #[error("gurgle")]
    Busy(Duration),
    #[error("burble")]
    Lost(#[source] io::Error),
}

impl Classify for IndexError {
    fn classify(&self) -> Classification {
        match self {
            Self::Busy(after) => Classification::new(Category::RATE_LIMIT).with_retry_after(*after),
            Self::Lost(_) => Classification::unknown(),
        }
    }

    fn user_message(&self) -> Option<String> {
        match self {
            Self::Busy(_) => Some("The index is busy.".to_owned()),
            Self::Lost(_) => None,
        }
    }
}

register_classify!(IndexError, Nonsense);

/// A second type, to register two at once.
#[derive(Debug, thiserror::Error)]
#[error("timed out")]
struct Nonsense;

impl Classify for Nonsense {
    fn classify(&self) -> Classification {
        Classification::new(Category::CONFLICT)
    }
}

#[test]
fn a_registered_type_is_found_wherever_it_is() {
    let found = through_all(|| IndexError::Busy(Duration::from_secs(7)));
    assert_eq!(found.category(), Category::RATE_LIMIT);
    assert_eq!(found.retry_after(), Some(Duration::from_secs(7)));
    // The type decides, not the text.
    assert_eq!(through_all(|| Nonsense).category(), Category::CONFLICT);
}

#[test]
fn a_registered_type_that_cannot_tell_leaves_it_to_its_sources() {
    let error = IndexError::Lost(closed_port());
    assert_eq!(classify::error(&error).category(), Category::NETWORK);
}

#[test]
fn the_users_text_is_the_types_own_or_the_categorys() {
    let busy = anyhow::Error::from(IndexError::Busy(Duration::ZERO)).context("step 3");
    assert_eq!(classify::user_message(busy.as_ref()), "The index is busy.");
    let lost = IndexError::Lost(closed_port());
    assert_eq!(
        classify::user_message(&lost),
        "The connection to another system failed."
    );
    let text: BoxError = "429 insufficient_quota sk-secret".into();
    assert_eq!(
        classify::user_message(text.as_ref()),
        "A usage limit has been reached."
    );
}

/// An error without a known type that borrows, so it cannot be downcast.
#[derive(Debug)]
struct Borrowing<'a>(&'a str, Option<io::Error>);

impl fmt::Display for Borrowing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Borrowing<'_> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_ref().map(|source| source as _)
    }
}

#[test]
fn an_error_that_borrows_is_classified_by_its_sources_then_its_text() {
    let text = String::from("upstream says: 503 Service Unavailable");
    assert_eq!(
        classify::outer(&Borrowing(&text, None)).category(),
        Category::SERVICE
    );
    let lost = Borrowing(&text, Some(closed_port()));
    assert_eq!(classify::outer(&lost).category(), Category::NETWORK);
    assert_eq!(classify::display(&text).category(), Category::SERVICE);
    assert_eq!(
        classify::display(text.as_str()).category(),
        Category::SERVICE
    );
}

#[test]
fn context_on_top_does_not_hide_the_text_of_the_cause() {
    let cause: BoxError = "Too many requests, retry after 3 s".into();
    let error = anyhow::Error::from_boxed(cause)
        .context("record 17")
        .context("sync");
    let found = classify::error(error.as_ref());
    assert_eq!(found.category(), Category::RATE_LIMIT);
    assert_eq!(found.retry_after(), Some(Duration::from_secs(3)));
}

/// `source()` of this is itself.
#[derive(Debug, thiserror::Error)]
#[error("turtles")]
struct Endless(#[source] Arc<Self>);

#[test]
fn deep_and_nested_chains_end() {
    let mut error = io::Error::from(io::ErrorKind::ConnectionReset);
    for _ in 0..40 {
        error = io::Error::other(error);
    }
    assert_eq!(classify::error(&error).category(), Category::NETWORK);
    let _ = Endless;
}

/// A file system of a few KiB in memory, where this process may mount one.
#[cfg(target_os = "linux")]
struct TinyDisk(std::path::PathBuf);

#[cfg(target_os = "linux")]
impl TinyDisk {
    fn mount() -> Option<Self> {
        let path =
            std::env::temp_dir().join(format!("resilience-tiny-disk-{}", std::process::id()));
        fs::create_dir_all(&path).expect("a directory");
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=8k", "tmpfs"])
            .arg(&path)
            .output()
            .is_ok_and(|output| output.status.success());
        let disk = Self(path);
        mounted.then_some(disk)
    }
}

#[cfg(target_os = "linux")]
impl Drop for TinyDisk {
    fn drop(&mut self) {
        // Not mounted where mounting failed.
        let _ = std::process::Command::new("umount").arg(&self.0).output();
        let _ = fs::remove_dir(&self.0);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_this_machines_and_final() {
    // A device that is always full, and a disk that really is.
    let mut paths = vec![std::path::PathBuf::from("/dev/full")];
    let disk = TinyDisk::mount();
    paths.extend(disk.as_ref().map(|disk| disk.0.join("file")));
    for path in paths {
        let found = through_all(|| fs::write(&path, vec![0; 100_000]).expect_err("it is full"));
        assert_eq!(
            found.category(),
            Category::FILESYSTEM,
            "{path:?}: {found:?}"
        );
        assert_eq!((found.retry(), found.fault()), (Retry::No, Fault::Local));
        assert_eq!(found.reason(), "io: storage full");
    }
}

#[test]
fn a_kind_is_right_whatever_the_message_says() {
    use io::ErrorKind::*;

    for (kind, category, retry) in [
        (ConnectionRefused, Category::NETWORK, Retry::Yes),
        (ConnectionReset, Category::NETWORK, Retry::Yes),
        (BrokenPipe, Category::NETWORK, Retry::Yes),
        (UnexpectedEof, Category::NETWORK, Retry::Yes),
        (AddrInUse, Category::NETWORK, Retry::No),
        (TimedOut, Category::TIMEOUT, Retry::Yes),
        (NotFound, Category::FILESYSTEM, Retry::No),
        (PermissionDenied, Category::FILESYSTEM, Retry::No),
        (StorageFull, Category::FILESYSTEM, Retry::No),
        (ReadOnlyFilesystem, Category::FILESYSTEM, Retry::No),
        (ResourceBusy, Category::FILESYSTEM, Retry::Yes),
        (InvalidInput, Category::VALIDATION, Retry::No),
        (OutOfMemory, Category::MEMORY, Retry::No),
    ] {
        let nonsense = "HTTP 429: invalid UTF-8, quota exceeded, 404 Not Found, try again later";
        let found = through_all(|| io::Error::new(kind, nonsense));
        assert_eq!(
            (found.category(), found.retry()),
            (category, retry),
            "{kind}"
        );
    }
}
