-- Times are text, UTC, ISO 8601 with microseconds and Z; they and names sort by their bytes,
-- whatever the database's language. That columns hold JSON is checked where a statement reads it:
-- a check of a long column would read it again at every change of its row.

CREATE TABLE jobs (
    job_id           TEXT   COLLATE "C" PRIMARY KEY,
    created_at       TEXT   COLLATE "C" NOT NULL,
    status           TEXT   NOT NULL
                     CHECK (status IN ('pending', 'running', 'completed', 'failed', 'cancelled')),
    description      TEXT   NOT NULL,
    notes            TEXT   NOT NULL,
    tags             TEXT   NOT NULL CHECK (json_typeof(CAST(tags AS JSON)) = 'array'),
    words            TEXT   NOT NULL DEFAULT '',
    sweep_type       TEXT   COLLATE "C" NOT NULL,
    config           TEXT   NOT NULL,
    config_hash      TEXT   NOT NULL,
    varied           TEXT   NOT NULL DEFAULT '',
    engine           TEXT   NOT NULL,
    out_dir          TEXT   NOT NULL,
    request_key      TEXT   COLLATE "C" UNIQUE,
    total_runs       BIGINT NOT NULL CHECK (total_runs >= 0),
    completed_runs   BIGINT NOT NULL DEFAULT 0 CHECK (completed_runs >= 0),
    failed_runs      BIGINT NOT NULL DEFAULT 0 CHECK (failed_runs >= 0),
    work             DOUBLE PRECISION NOT NULL,
    compute_s        DOUBLE PRECISION NOT NULL DEFAULT 0,
    manual           BIGINT NOT NULL DEFAULT 0 CHECK (manual IN (0, 1)),
    attempts         BIGINT NOT NULL DEFAULT 0,
    started_at       TEXT   COLLATE "C",
    completed_at     TEXT   COLLATE "C",
    error            TEXT,
    summary          TEXT,
    executor         TEXT   NOT NULL DEFAULT 'local',
    provenance       TEXT   NOT NULL DEFAULT '{}',
    n_events         BIGINT NOT NULL DEFAULT 0,
    fence            BIGINT NOT NULL DEFAULT 0,
    worker_id        TEXT,
    lease_expires_at TEXT   COLLATE "C",
    worker_pid       BIGINT,
    worker_host      TEXT,
    in_flight        TEXT   NOT NULL DEFAULT '[]',
    speed            DOUBLE PRECISION,
    startup_s        DOUBLE PRECISION,
    unread           TEXT,

    CONSTRAINT leased_only_while_running
        CHECK ((worker_id IS NULL) = (lease_expires_at IS NULL)
               AND (worker_id IS NULL OR (status = 'running' AND manual = 0))),
    CONSTRAINT ended_iff_terminal
        CHECK ((completed_at IS NOT NULL) = (status IN ('completed', 'failed', 'cancelled'))),
    CONSTRAINT completed_means_all_finished
        CHECK (status <> 'completed' OR manual = 1 OR failed_runs = 0)
-- Each chunk changes its job's counters: with room on the page and no index on them, in place.
) WITH (fillfactor = 50);

CREATE INDEX jobs_by_age ON jobs (created_at DESC, job_id);

CREATE INDEX jobs_by_status ON jobs (status, created_at DESC);

CREATE TABLE events (
    job_id     TEXT   COLLATE "C" NOT NULL REFERENCES jobs (job_id) ON DELETE CASCADE,
    seq        BIGINT NOT NULL,
    event_type TEXT   NOT NULL
               CHECK (event_type IN ('created', 'started', 'progress', 'completed', 'failed',
                                     'cancelled', 'resumed', 'extended', 'recovered', 'notified',
                                     'edited')),
    timestamp  TEXT   COLLATE "C" NOT NULL,
    details    TEXT   NOT NULL CHECK (json_typeof(CAST(details AS JSON)) = 'object'),
    PRIMARY KEY (job_id, seq)
);

-- Consecutive successful runs, first_index to last_index; ranges never overlap.
-- metrics is a .npy of a structured array with one row a run; run_id is for manual jobs.
CREATE TABLE chunks (
    job_id      TEXT   COLLATE "C" NOT NULL REFERENCES jobs (job_id) ON DELETE CASCADE,
    first_index BIGINT NOT NULL CHECK (first_index >= 0),
    last_index  BIGINT NOT NULL,
    metrics     BYTEA  NOT NULL,
    crc32       BIGINT NOT NULL,
    compute_s   DOUBLE PRECISION NOT NULL,
    fence       BIGINT NOT NULL,
    recorded_at TEXT   COLLATE "C" NOT NULL,
    run_id      TEXT   COLLATE "C",
    PRIMARY KEY (job_id, first_index),
    CHECK (last_index >= first_index)
);

CREATE TABLE failed_runs (
    job_id    TEXT   COLLATE "C" NOT NULL REFERENCES jobs (job_id) ON DELETE CASCADE,
    run_index BIGINT NOT NULL CHECK (run_index >= 0),
    error     TEXT   NOT NULL,
    failed_at TEXT   COLLATE "C" NOT NULL,
    PRIMARY KEY (job_id, run_index)
);

CREATE UNIQUE INDEX chunks_by_run_id ON chunks (job_id, run_id) WHERE run_id IS NOT NULL;

-- Several times as fast as the server's own compression; some servers are built without it.
DO $$
BEGIN
    ALTER TABLE chunks ALTER COLUMN metrics SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
    NULL;
END
$$;

CREATE FUNCTION count_event() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE jobs SET n_events = NEW.seq WHERE job_id = NEW.job_id;
    RETURN NULL;
END
$$;

CREATE TRIGGER events_are_counted AFTER INSERT ON events
FOR EACH ROW EXECUTE FUNCTION count_event();

-- Whoever inserts holds the lock of the job's row: nothing is inserted beside it.
CREATE FUNCTION refuse_overlap() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF (SELECT last_index
          FROM chunks
         WHERE job_id = NEW.job_id AND first_index <= NEW.last_index
         ORDER BY first_index DESC
         LIMIT 1) >= NEW.first_index THEN
        RAISE EXCEPTION 'a run of this range is recorded already'
              USING ERRCODE = 'exclusion_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER chunks_never_overlap BEFORE INSERT ON chunks
FOR EACH ROW EXECUTE FUNCTION refuse_overlap();
