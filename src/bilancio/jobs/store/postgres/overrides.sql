-- The statements of the store that PostgreSQL needs in other words, and those that only it needs.

-- name: unknown
SELECT value AS name
  FROM json_array_elements_text(CAST(:names AS JSON)) AS asked (value)
 WHERE value NOT IN (SELECT job_id FROM jobs);

-- name: meets_criteria
-- A parameter that may be NULL says its type where nothing else does.
(CAST(:status AS TEXT) IS NULL OR status = :status)
   AND (CAST(:sweep_type AS TEXT) IS NULL OR sweep_type = :sweep_type)
   AND created_at >= coalesce(:since, '')
   AND (CAST(:until AS TEXT) IS NULL OR created_at < :until)
   AND (CAST(:min_runs AS BIGINT) IS NULL
        OR CASE WHEN status = 'completed' AND manual = 0 OR completed_runs > total_runs
                THEN completed_runs ELSE total_runs END >= :min_runs)
   AND (CAST(:parameter AS TEXT) IS NULL
        OR (strpos(varied, :parameter) > 0
            AND NOT EXISTS (SELECT 1
                              FROM json_array_elements_text(CAST(:varied AS JSON)) AS asked (value)
                             WHERE strpos(varied, value) = 0)))
   AND (CAST(:word AS TEXT) IS NULL
        OR (strpos(words, :word) > 0
            AND NOT EXISTS (SELECT 1
                              FROM json_array_elements_text(CAST(:words AS JSON)) AS asked (value)
                             WHERE strpos(words, value) = 0)))
   AND (CAST(:tag AS TEXT) IS NULL
        OR (strpos(tags, :quoted_tag) > 0
            AND EXISTS (SELECT 1
                          FROM json_array_elements_text(CAST(tags AS JSON)) AS stored (value)
                         WHERE value = :tag)))
   AND (CAST(:login AS TEXT) IS NULL
        OR owner = CAST(:owner AS TEXT)
        OR (starts_with(owner, CAST(:login AS TEXT))
            AND strpos(substr(owner, length(CAST(:login AS TEXT)) + 1), '@') = 0))
   AND (CAST(:among AS TEXT) IS NULL
        OR job_id IN (SELECT json_array_elements_text(CAST(:among AS JSON))))
   AND (CAST(:apart_from AS TEXT) IS NULL
        OR job_id NOT IN (SELECT json_array_elements_text(CAST(:apart_from AS JSON))))

-- name: speeds
-- The name of this machine comes before what tells its starts and users apart.
SELECT speed, startup_s
  FROM jobs
 WHERE sweep_type = :sweep_type AND engine = :engine
   AND split_part(worker_host, '/', 1) = split_part(:host, '/', 1)
   AND executor <> 'modal'
   AND (speed > 0 AND speed < 1e300 OR speed IS NULL AND startup_s IS NOT NULL)
 ORDER BY speed IS NULL, created_at DESC
 LIMIT :limit;

-- name: contradictions
-- Each table is read once, not once a job. Of jobs whose runs are unread nothing is compared yet.
SELECT *
  FROM (
    SELECT jobs.job_id, jobs.status, manual, total_runs, completed_runs, failed_runs, n_events,
           coalesce(stored_runs, 0) AS stored_runs,
           coalesce(stored_failures, 0) AS stored_failures,
           coalesce(stored_events, 0) AS stored_events,
           coalesce(last_event, 0) AS last_event,
           coalesce(told_runs, 0) AS told_runs,
           change.event_type AS last_change,
           coalesce(imported, 0) AS imported
      FROM jobs
      LEFT JOIN (SELECT job_id,
                        CAST(sum(last_index - first_index + 1) AS BIGINT) AS stored_runs
                   FROM chunks
                  GROUP BY job_id) AS by_chunks ON by_chunks.job_id = jobs.job_id
      LEFT JOIN (SELECT job_id, count(*) AS stored_failures
                   FROM failed_runs
                  GROUP BY job_id) AS by_failures ON by_failures.job_id = jobs.job_id
      LEFT JOIN (SELECT job_id,
                        count(*) AS stored_events,
                        max(seq) AS last_event,
                        max(CASE WHEN event_type NOT IN ('progress', 'edited',
                                                         'notified', 'undelivered')
                                 THEN seq END) AS changed,
                        CAST(sum(CASE WHEN event_type = 'progress'
                                      THEN coalesce(CAST(CAST(details AS JSON) ->> 'completed'
                                                         AS BIGINT), 1)
                                      ELSE 0 END) AS BIGINT) AS told_runs,
                        max(CASE WHEN seq = 1 AND CAST(details AS JSON) ->> 'imported' = 'true'
                                 THEN 1 ELSE 0 END) AS imported
                   FROM events
                  GROUP BY job_id) AS by_events ON by_events.job_id = jobs.job_id
      LEFT JOIN events AS change ON change.job_id = jobs.job_id AND change.seq = changed
     WHERE unread IS NULL
  ) AS compared
 WHERE (completed_runs <> stored_runs AND NOT (imported = 1 AND stored_runs = 0))
    OR failed_runs <> stored_failures
    OR (told_runs <> stored_runs AND imported = 0)
    OR n_events <> stored_events OR n_events <> last_event
    OR (status = 'completed' AND manual = 0 AND completed_runs <> total_runs)
    OR coalesce(last_change, '') NOT IN (
        CASE status WHEN 'pending' THEN 'created' WHEN 'running' THEN 'started' ELSE status END,
        CASE status WHEN 'running' THEN 'resumed' ELSE status END,
        CASE status WHEN 'running' THEN 'extended' ELSE status END,
        CASE status WHEN 'running' THEN 'recovered' ELSE status END)
 ORDER BY job_id;

-- name: post_notices
INSERT INTO outbox (
    job_id, seq, target, total_runs, completed_runs, failed_runs, posted_at, due_at)
SELECT job_id, n_events, asked.value, total_runs, completed_runs, failed_runs, :now, :now
  FROM jobs, json_array_elements_text(CAST(notify AS JSON)) AS asked (value)
 WHERE job_id = :job_id;

-- name: next_notice
SELECT min(due_at) AS due_at
  FROM outbox
 WHERE given_up_at IS NULL
   AND target IN (SELECT json_array_elements_text(CAST(:targets AS JSON)));

-- name: claim_notices
UPDATE outbox
   SET courier = :courier, attempts = attempts + 1, due_at = :until
 WHERE (job_id, seq, target) IN (
       SELECT job_id, seq, target
         FROM outbox
        WHERE given_up_at IS NULL AND due_at <= :now
          AND target IN (SELECT json_array_elements_text(CAST(:targets AS JSON)))
        ORDER BY due_at
        LIMIT :limit
          FOR UPDATE SKIP LOCKED)
RETURNING *;

-- name: lock_job
SELECT 1 AS locked FROM jobs WHERE job_id = :job_id FOR UPDATE;

-- name: space
SELECT CAST(sum(pg_total_relation_size(CAST(name AS REGCLASS))) AS BIGINT) AS size
  FROM unnest(ARRAY['jobs', 'events', 'chunks', 'failed_runs', 'outbox']) AS one (name);

-- name: server
-- Of the rights that work needs, those that the user lacks: a store that is not there is made.
SELECT current_setting('server_version') AS version,
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections,
       CAST(current_setting('max_connections') AS BIGINT) AS max_connections,
       concat_ws(', ',
           CASE WHEN CAST(current_setting('transaction_read_only') AS BOOLEAN)
                THEN 'leave to write (transactions are read-only, as on a standby)' END,
           CASE WHEN to_regclass('bilancio.migrations') IS NOT NULL THEN NULL
                WHEN to_regnamespace('bilancio') IS NULL
                THEN CASE WHEN NOT has_database_privilege(current_database(), 'CREATE')
                          THEN 'create on the database' END
                WHEN NOT has_schema_privilege('bilancio', 'CREATE')
                THEN 'create on the schema bilancio' END,
           (SELECT string_agg(lower(verb) || ' on ' || name, ', ' ORDER BY name, verb)
              FROM unnest(ARRAY['jobs', 'events', 'chunks', 'failed_runs', 'outbox']) AS one (name),
                   unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS other (verb)
             WHERE NOT has_table_privilege(name, verb))) AS missing_rights;
