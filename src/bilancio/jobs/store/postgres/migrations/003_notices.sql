-- Jobs name who is told of their end, and each notice stays until it is delivered or given up.

ALTER TABLE jobs ADD COLUMN notify TEXT NOT NULL DEFAULT '[]';

-- seq is the event that a notice is about, with the counts of its job at that moment. Whoever
-- tries to deliver it is its courier until due_at, when another may.
CREATE TABLE outbox (
    job_id         TEXT   COLLATE "C" NOT NULL REFERENCES jobs (job_id) ON DELETE CASCADE,
    seq            BIGINT NOT NULL,
    target         TEXT   COLLATE "C" NOT NULL,
    total_runs     BIGINT NOT NULL,
    completed_runs BIGINT NOT NULL,
    failed_runs    BIGINT NOT NULL,
    posted_at      TEXT   COLLATE "C" NOT NULL,
    due_at         TEXT   COLLATE "C" NOT NULL,
    attempts       BIGINT NOT NULL DEFAULT 0,
    courier        TEXT,
    given_up_at    TEXT   COLLATE "C",
    error          TEXT,
    PRIMARY KEY (job_id, seq, target)
);

-- The check judges what is written from now on.
ALTER TABLE events DROP CONSTRAINT events_event_type_check;

ALTER TABLE events ADD CONSTRAINT events_event_type_check
      CHECK (event_type IN ('created', 'started', 'progress', 'completed', 'failed', 'cancelled',
                            'resumed', 'extended', 'recovered', 'notified', 'undelivered',
                            'edited')) NOT VALID;
