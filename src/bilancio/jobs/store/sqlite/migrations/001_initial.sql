-- Times are text, UTC, ISO 8601 with microseconds and Z: they sort as they read.

CREATE TABLE jobs (
    job_id           TEXT    PRIMARY KEY,
    created_at       TEXT    NOT NULL,
    status           TEXT    NOT NULL
                     CHECK (status IN ('pending', 'running', 'completed', 'failed', 'cancelled')),
    description      TEXT    NOT NULL,
    notes            TEXT    NOT NULL,
    tags             TEXT    NOT NULL CHECK (json_type(tags) = 'array'),
    sweep_type       TEXT    NOT NULL,
    config           TEXT    NOT NULL CHECK (json_type(config) = 'object'),
    config_hash      TEXT    NOT NULL,
    engine           TEXT    NOT NULL,
    out_dir          TEXT    NOT NULL,
    request_key      TEXT    UNIQUE,
    total_runs       INTEGER NOT NULL CHECK (total_runs >= 0),
    completed_runs   INTEGER NOT NULL DEFAULT 0 CHECK (completed_runs >= 0),
    failed_runs      INTEGER NOT NULL DEFAULT 0 CHECK (failed_runs >= 0),
    work             REAL    NOT NULL,
    compute_s        REAL    NOT NULL DEFAULT 0,
    manual           INTEGER NOT NULL DEFAULT 0 CHECK (manual IN (0, 1)),
    attempts         INTEGER NOT NULL DEFAULT 0,
    started_at       TEXT,
    completed_at     TEXT,
    error            TEXT,
    summary          TEXT    CHECK (summary IS NULL OR json_type(summary) = 'object'),
    executor         TEXT    NOT NULL DEFAULT 'local',
    provenance       TEXT    NOT NULL DEFAULT '{}' CHECK (json_type(provenance) = 'object'),
    n_events         INTEGER NOT NULL DEFAULT 0,
    fence            INTEGER NOT NULL DEFAULT 0,
    worker_id        TEXT,
    lease_expires_at TEXT,
    worker_pid       INTEGER,
    worker_host      TEXT,
    in_flight        TEXT    NOT NULL DEFAULT '[]' CHECK (json_type(in_flight) = 'array'),

    CONSTRAINT leased_only_while_running
        CHECK ((worker_id IS NULL) = (lease_expires_at IS NULL)
               AND (worker_id IS NULL OR (status = 'running' AND manual = 0))),
    CONSTRAINT ended_iff_terminal
        CHECK ((completed_at IS NOT NULL) = (status IN ('completed', 'failed', 'cancelled'))),
    CONSTRAINT completed_means_all_finished
        CHECK (status <> 'completed' OR manual = 1 OR failed_runs = 0)
) STRICT;

CREATE INDEX jobs_by_age ON jobs (created_at DESC, job_id);
CREATE INDEX jobs_by_status ON jobs (status, created_at DESC);

CREATE TABLE events (
    job_id     TEXT    NOT NULL REFERENCES jobs (job_id) ON DELETE CASCADE,
    seq        INTEGER NOT NULL,
    event_type TEXT    NOT NULL
               CHECK (event_type IN ('created', 'started', 'progress', 'completed', 'failed',
                                     'cancelled', 'resumed', 'recovered', 'notified')),
    timestamp  TEXT    NOT NULL,
    details    TEXT    NOT NULL CHECK (json_type(details) = 'object'),
    PRIMARY KEY (job_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER events_are_counted AFTER INSERT ON events
BEGIN
    UPDATE jobs SET n_events = NEW.seq WHERE job_id = NEW.job_id;
END;

-- Consecutive successful runs, first_index to last_index; ranges never overlap.
-- metrics is a .npy of a structured array with one row a run; run_id is for manual jobs.
CREATE TABLE chunks (
    job_id      TEXT    NOT NULL REFERENCES jobs (job_id) ON DELETE CASCADE,
    first_index INTEGER NOT NULL CHECK (first_index >= 0),
    last_index  INTEGER NOT NULL,
    metrics     BLOB    NOT NULL,
    crc32       INTEGER NOT NULL,
    compute_s   REAL    NOT NULL,
    fence       INTEGER NOT NULL,
    recorded_at TEXT    NOT NULL,
    run_id      TEXT,
    PRIMARY KEY (job_id, first_index),
    CHECK (last_index >= first_index)
) STRICT;

CREATE UNIQUE INDEX chunks_by_run_id ON chunks (job_id, run_id) WHERE run_id IS NOT NULL;

CREATE TRIGGER chunks_never_overlap BEFORE INSERT ON chunks
WHEN EXISTS (
    SELECT 1
      FROM (SELECT last_index
              FROM chunks
             WHERE job_id = NEW.job_id AND first_index <= NEW.last_index
             ORDER BY first_index DESC
             LIMIT 1)
     WHERE last_index >= NEW.first_index)
BEGIN
    SELECT RAISE(ABORT, 'a run of this range is recorded already');
END;

CREATE TABLE failed_runs (
    job_id    TEXT    NOT NULL REFERENCES jobs (job_id) ON DELETE CASCADE,
    run_index INTEGER NOT NULL CHECK (run_index >= 0),
    error     TEXT    NOT NULL,
    failed_at TEXT    NOT NULL,
    PRIMARY KEY (job_id, run_index)
) STRICT, WITHOUT ROWID;
