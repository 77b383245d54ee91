//! A folder of its own for every test, and the program in it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::ops::Range;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};

use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A folder of its own, with the program's database in it.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path().join(name), content).expect("written");
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sync-pipeline"));
        let ours = ["SYNC_PIPELINE_", "WCD_", "WEAVIATE_", "OTEL_", "AXIOM_"];
        for (name, _) in std::env::vars() {
            if ours.iter().any(|prefix| name.starts_with(prefix)) {
                command.env_remove(name);
            }
        }
        command.args(args).current_dir(self.path());
        command
    }

    pub(crate) fn run(&self, args: &[&str], input: impl AsRef<[u8]>) -> Ran {
        run(self.command(args), input.as_ref())
    }

    /// The program with `--json`, and what it prints: an object a line.
    pub(crate) fn json(&self, args: &[&str]) -> Vec<Value> {
        let ran = run(self.command(&[args, &["--json"]].concat()), b"");
        assert_eq!(ran.err, "", "{ran:#?}");
        let parse = |line: &str| serde_json::from_str(line).expect("JSON");
        ran.out.lines().map(parse).collect()
    }

    /// The program's database.
    pub(crate) fn database(&self) -> Connection {
        Connection::open(self.path().join(".sync-pipeline/sync.db")).expect("a database")
    }

    pub(crate) fn sync(&self, input: impl AsRef<[u8]>) -> Ran {
        self.run(&["sync", "--stdin"], input)
    }
}

/// What the program said and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// The one line of the output that begins so.
    pub(crate) fn line(&self, start: &str) -> &str {
        let mut lines = self.out.lines().filter(|line| line.starts_with(start));
        let line = lines
            .next()
            .unwrap_or_else(|| panic!("no line {start:?} in {self:#?}"));
        assert_eq!(lines.next(), None, "two lines {start:?}");
        line
    }

    pub(crate) fn says(&self, text: &str) -> bool {
        self.out.contains(text)
    }
}

pub(crate) fn run(command: Command, input: &[u8]) -> Ran {
    let mut child = start(command);
    // A program that ends before it has read its input is no failure of the test.
    let _ = child.stdin.take().expect("piped").write_all(input);
    end(child)
}

/// Starts the program, to be fed and watched.
pub(crate) fn start(mut command: Command) -> Child {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.spawn().expect("started")
}

/// Waits for the end of a program.
pub(crate) fn end(child: Child) -> Ran {
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().expect("ended");
    Ran {
        status: status.code(),
        out: String::from_utf8(stdout).expect("text"),
        err: String::from_utf8(stderr).expect("text"),
    }
}

/// The program at work: fed and listened to.
pub(crate) struct Working {
    pub(crate) child: Child,
    input: ChildStdin,
    lines: BufReader<ChildStdout>,
    out: String,
}

impl Working {
    pub(crate) fn start(command: Command) -> Self {
        let mut child = start(command);
        let input = child.stdin.take().expect("piped");
        let lines = BufReader::new(child.stdout.take().expect("piped"));
        Self {
            child,
            input,
            lines,
            out: String::new(),
        }
    }

    pub(crate) fn feed(&mut self, input: impl AsRef<[u8]>) {
        self.input.write_all(input.as_ref()).expect("taken");
        self.input.flush().expect("taken");
    }

    /// Reads on until it has said this so many times. What it says of a record is stored.
    pub(crate) fn hear(&mut self, text: &str, times: usize) {
        let mut heard = 0;
        while heard < times {
            let mut line = String::new();
            let read = self.lines.read_line(&mut line).expect("text");
            assert!(read > 0, "it ended without {text:?}: {}", self.out);
            heard += usize::from(line.contains(text));
            self.out += &line;
        }
    }

    /// Ends its input and waits for its end.
    pub(crate) fn end(mut self) -> Ran {
        drop(self.input);
        self.lines.read_to_string(&mut self.out).expect("text");
        let ran = end(self.child);
        Ran {
            out: self.out,
            ..ran
        }
    }
}

/// A port at which nobody listens.
pub(crate) fn dead_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// So many records with their content in them: `doc-0000.txt` and on.
pub(crate) fn records(numbers: Range<usize>) -> String {
    numbers.fold(String::new(), |mut lines, n| {
        let record = json!({"path": path(n), "content": format!("The text of document {n}.")});
        lines.push_str(&record.to_string());
        lines.push('\n');
        lines
    })
}

pub(crate) fn path(n: usize) -> String {
    format!("doc-{n:04}.txt")
}
