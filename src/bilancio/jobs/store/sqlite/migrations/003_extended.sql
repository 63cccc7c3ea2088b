-- Jobs can be extended by more seeds. A check cannot be altered, so the table is made anew, with
-- all events, damaged ones too: the checks judge what is written from now on.

PRAGMA ignore_check_constraints = ON;

CREATE TABLE events_003 (
    job_id     TEXT    NOT NULL REFERENCES jobs (job_id) ON DELETE CASCADE,
    seq        INTEGER NOT NULL,
    event_type TEXT    NOT NULL
               CHECK (event_type IN ('created', 'started', 'progress', 'completed', 'failed',
                                     'cancelled', 'resumed', 'extended', 'recovered', 'notified')),
    timestamp  TEXT    NOT NULL,
    details    TEXT    NOT NULL CHECK (json_type(details) = 'object'),
    PRIMARY KEY (job_id, seq)
) STRICT, WITHOUT ROWID;

INSERT INTO events_003 SELECT job_id, seq, event_type, timestamp, details FROM events;

DROP TABLE events;

ALTER TABLE events_003 RENAME TO events;

CREATE TRIGGER events_are_counted AFTER INSERT ON events
BEGIN
    UPDATE jobs SET n_events = NEW.seq WHERE job_id = NEW.job_id;
END;

PRAGMA ignore_check_constraints = OFF;
