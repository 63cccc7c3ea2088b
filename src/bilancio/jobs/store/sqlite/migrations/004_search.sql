-- Jobs are found by their words and the parameters that they vary, and their words can be edited.

-- Names between spaces; of jobs that are there already, what their configuration says.
ALTER TABLE jobs ADD COLUMN varied TEXT NOT NULL DEFAULT '';

UPDATE jobs
   SET varied = coalesce(
       (SELECT ' ' || group_concat(name, ' ') || ' '
          FROM (SELECT 'kappa' AS name WHERE json_array_length(config, '$.kappas') > 1
                UNION
                SELECT 'concentration' WHERE json_array_length(config, '$.concentrations') > 1
                UNION
                SELECT 'mu' WHERE json_array_length(config, '$.mus') > 1
                UNION
                SELECT 'monotonicity' WHERE json_array_length(config, '$.monotonicities') > 1
                UNION
                SELECT 'outside_mid_ratio'
                 WHERE json_array_length(config, '$.outside_mid_ratios') > 1
                UNION
                SELECT 'seed'
                 WHERE json_array_length(config, '$.seeds') > 1
                    OR json_extract(config, '$.n_replicates') > 1
                UNION
                SELECT substr(key, 1, length(key) - 6)
                  FROM json_each(config)
                 WHERE key LIKE '%\_range' ESCAPE '\' AND type = 'array'
                UNION
                SELECT key
                  FROM json_each(config, '$.vary')
                 WHERE key IS NOT NULL AND (type = 'text' OR json_array_length(value) > 1)
                UNION
                SELECT inner.key
                  FROM json_each(config, '$.points') AS points, json_each(points.value) AS inner
                 WHERE points.type = 'object'
                 GROUP BY inner.key
                HAVING count(DISTINCT inner.value) > 1)),
       '')
 WHERE json_valid(config);

-- Name, description, notes and tags a line each, without regard to case.
ALTER TABLE jobs ADD COLUMN words TEXT NOT NULL DEFAULT '';

UPDATE jobs
   SET words = folded(CAST(
       job_id || char(10) || description || char(10) || notes || char(10) || coalesce(
           (SELECT group_concat(value, char(10))
              FROM json_each(CASE WHEN json_valid(tags) THEN tags ELSE '[]' END)), '')
       AS BLOB));

-- All that a list is chosen by: the rows of jobs are long.
CREATE INDEX jobs_by_facts ON jobs (
    created_at DESC, job_id, status, sweep_type, manual, total_runs, completed_runs, varied, tags,
    words);

-- A check cannot be altered, so the table is made anew, with all events, damaged ones too: the
-- checks judge what is written from now on.
PRAGMA ignore_check_constraints = ON;

CREATE TABLE events_004 (
    job_id     TEXT    NOT NULL REFERENCES jobs (job_id) ON DELETE CASCADE,
    seq        INTEGER NOT NULL,
    event_type TEXT    NOT NULL
               CHECK (event_type IN ('created', 'started', 'progress', 'completed', 'failed',
                                     'cancelled', 'resumed', 'extended', 'recovered', 'notified',
                                     'edited')),
    timestamp  TEXT    NOT NULL,
    details    TEXT    NOT NULL CHECK (json_type(details) = 'object'),
    PRIMARY KEY (job_id, seq)
) STRICT, WITHOUT ROWID;

INSERT INTO events_004 SELECT job_id, seq, event_type, timestamp, details FROM events;

DROP TABLE events;

ALTER TABLE events_004 RENAME TO events;

CREATE TRIGGER events_are_counted AFTER INSERT ON events
BEGIN
    UPDATE jobs SET n_events = NEW.seq WHERE job_id = NEW.job_id;
END;

PRAGMA ignore_check_constraints = OFF;
