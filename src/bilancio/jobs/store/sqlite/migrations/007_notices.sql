-- Jobs name who is told of their end, and each notice stays until it is delivered or given up.

ALTER TABLE jobs ADD COLUMN notify TEXT NOT NULL DEFAULT '[]';

-- seq is the event that a notice is about, with the counts of its job at that moment. Whoever
-- tries to deliver it is its courier until due_at, when another may.
CREATE TABLE outbox (
    job_id         TEXT    NOT NULL REFERENCES jobs (job_id) ON DELETE CASCADE,
    seq            INTEGER NOT NULL,
    target         TEXT    NOT NULL,
    total_runs     INTEGER NOT NULL,
    completed_runs INTEGER NOT NULL,
    failed_runs    INTEGER NOT NULL,
    posted_at      TEXT    NOT NULL,
    due_at         TEXT    NOT NULL,
    attempts       INTEGER NOT NULL DEFAULT 0,
    courier        TEXT,
    given_up_at    TEXT,
    error          TEXT,
    PRIMARY KEY (job_id, seq, target)
) STRICT, WITHOUT ROWID;

-- A check cannot be altered, so the table is made anew, with all events, damaged ones too: the
-- checks judge what is written from now on.
PRAGMA ignore_check_constraints = ON;

CREATE TABLE events_007 (
    job_id     TEXT    NOT NULL REFERENCES jobs (job_id) ON DELETE CASCADE,
    seq        INTEGER NOT NULL,
    event_type TEXT    NOT NULL
               CHECK (event_type IN ('created', 'started', 'progress', 'completed', 'failed',
                                     'cancelled', 'resumed', 'extended', 'recovered', 'notified',
                                     'undelivered', 'edited')),
    timestamp  TEXT    NOT NULL,
    details    TEXT    NOT NULL CHECK (json_type(details) = 'object'),
    PRIMARY KEY (job_id, seq)
) STRICT, WITHOUT ROWID;

INSERT INTO events_007 SELECT job_id, seq, event_type, timestamp, details FROM events;

DROP TABLE events;

ALTER TABLE events_007 RENAME TO events;

CREATE TRIGGER events_are_counted AFTER INSERT ON events
BEGIN
    UPDATE jobs SET n_events = NEW.seq WHERE job_id = NEW.job_id;
END;

PRAGMA ignore_check_constraints = OFF;
