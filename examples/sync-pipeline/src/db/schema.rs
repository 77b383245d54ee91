//! The tables, as one step for each version of the database.
//!
//! Times are RFC 3339, UTC, made by SQLite's own clock.

/// The newest version: the number of steps.
pub(super) const VERSION: i64 = 2;

/// What makes each version out of the one before.
pub(super) const STEPS: [&str; VERSION as usize] = [FIRST, SECOND];

const FIRST: &str = "
CREATE TABLE IF NOT EXISTS collections (
    name TEXT PRIMARY KEY, model TEXT NOT NULL, dimensions INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS documents (
    id TEXT PRIMARY KEY, collection TEXT NOT NULL, repo TEXT, path TEXT NOT NULL,
    content_hash TEXT NOT NULL, bytes INTEGER NOT NULL, indexed_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS chunks (
    document TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    collection TEXT NOT NULL, first_line INTEGER NOT NULL, last_line INTEGER NOT NULL,
    text TEXT NOT NULL, words TEXT NOT NULL, vector BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS chunks_of_document ON chunks (document);
CREATE INDEX IF NOT EXISTS chunks_of_collection ON chunks (collection);
CREATE TABLE IF NOT EXISTS sync_runs (
    run_id TEXT PRIMARY KEY, started_at TEXT NOT NULL, completed_at TEXT,
    input_source TEXT NOT NULL, collection TEXT NOT NULL, dry_run INTEGER NOT NULL,
    status TEXT NOT NULL, total_lines INTEGER NOT NULL DEFAULT 0,
    success_count INTEGER NOT NULL DEFAULT 0, skipped_count INTEGER NOT NULL DEFAULT 0,
    error_count INTEGER NOT NULL DEFAULT 0, changeset_info TEXT
);
CREATE TABLE IF NOT EXISTS completed_lines (
    run_id TEXT NOT NULL, line_number INTEGER NOT NULL, file_path TEXT, operation TEXT NOT NULL,
    repository TEXT, outcome TEXT NOT NULL, completed_at TEXT NOT NULL,
    processing_time_ms INTEGER NOT NULL, PRIMARY KEY (run_id, line_number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS failed_lines (
    run_id TEXT NOT NULL, line_number INTEGER NOT NULL, file_path TEXT, operation TEXT NOT NULL,
    repository TEXT, error_message TEXT NOT NULL, payload BLOB NOT NULL,
    retry_count INTEGER NOT NULL, last_attempt TEXT NOT NULL, PRIMARY KEY (run_id, line_number)
);
CREATE TABLE IF NOT EXISTS error_events (
    id INTEGER PRIMARY KEY, stored_at TEXT NOT NULL, run_id TEXT NOT NULL,
    line_number INTEGER NOT NULL, operation TEXT NOT NULL, file_path TEXT,
    category TEXT NOT NULL, severity TEXT NOT NULL, message TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS error_counts (
    category TEXT NOT NULL, severity TEXT NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (category, severity)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS breaker_states (
    run_id TEXT NOT NULL, service TEXT NOT NULL, state TEXT NOT NULL, failures INTEGER NOT NULL,
    stored_at TEXT NOT NULL, PRIMARY KEY (run_id, service)
) WITHOUT ROWID;
";

/// Resuming a run and trying failed lines again.
const SECOND: &str = "
ALTER TABLE sync_runs ADD COLUMN target TEXT NOT NULL DEFAULT 'sqlite';
ALTER TABLE sync_runs ADD COLUMN fingerprint TEXT NOT NULL DEFAULT '';
ALTER TABLE completed_lines ADD COLUMN line_hash BLOB NOT NULL DEFAULT x'';
ALTER TABLE failed_lines ADD COLUMN line_hash BLOB NOT NULL DEFAULT x'';
ALTER TABLE failed_lines ADD COLUMN category TEXT NOT NULL DEFAULT 'unknown';
ALTER TABLE failed_lines ADD COLUMN severity TEXT NOT NULL DEFAULT 'medium';
ALTER TABLE failed_lines ADD COLUMN waits_for TEXT;
CREATE INDEX failed_lines_of_file ON failed_lines (file_path);
";
