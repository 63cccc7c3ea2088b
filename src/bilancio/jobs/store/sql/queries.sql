-- Every statement of the store, by name, in the SQL that SQLite and PostgreSQL have in common;
-- postgres/overrides.sql has what is not. Times are parameters, so that tests can set them.

-- name: insert_job
INSERT INTO jobs (
    job_id, created_at, status, description, notes, tags, words, sweep_type, config, config_hash,
    varied, engine, out_dir, request_key, total_runs, work, executor, owner, notify, n_events)
VALUES (
    :job_id, :now, 'pending', :description, :notes, :tags, :words, :sweep_type, :config,
    :config_hash, :varied, :engine, :out_dir, :request_key, :total_runs, :work, :executor, :owner,
    :notify, 0)
    ON CONFLICT DO NOTHING
RETURNING *;

-- name: job
SELECT * FROM jobs WHERE job_id = :job_id;

-- name: pulse
-- What of a job changes with everything that is told of its progress.
SELECT status, fence, worker_host, lease_expires_at, completed_runs, failed_runs, n_events
  FROM jobs
 WHERE job_id = :job_id;

-- name: job_by_request
SELECT * FROM jobs WHERE request_key = :request_key;

-- name: job_ids
SELECT job_id FROM jobs ORDER BY created_at DESC;

-- name: unknown
SELECT value AS name FROM json_each(:names) WHERE value NOT IN (SELECT job_id FROM jobs);

-- name: meets_criteria
-- Not a statement: the condition of those that name it in braces. The one long parameter, word or
-- quoted tag spares most rows the tables that JSON is read as.
(:status IS NULL OR status = :status)
   AND (:sweep_type IS NULL OR sweep_type = :sweep_type)
   AND created_at >= coalesce(:since, '')
   AND (:until IS NULL OR created_at < :until)
   AND (:min_runs IS NULL
        OR CASE WHEN status = 'completed' AND manual = 0 OR completed_runs > total_runs
                THEN completed_runs ELSE total_runs END >= :min_runs)
   AND (:parameter IS NULL
        OR (instr(varied, :parameter) > 0
            AND NOT EXISTS (SELECT 1 FROM json_each(:varied) WHERE instr(varied, value) = 0)))
   AND (:word IS NULL
        OR (instr(words, :word) > 0
            AND NOT EXISTS (SELECT 1 FROM json_each(:words) WHERE instr(words, value) = 0)))
   AND (:tag IS NULL
        OR (instr(tags, :quoted_tag) > 0
            AND EXISTS (SELECT 1
                          FROM json_each(CASE WHEN json_valid(tags) THEN tags ELSE '[]' END)
                         WHERE value = :tag)))
   AND (:login IS NULL
        OR owner = :owner
        OR (substr(owner, 1, length(:login)) = :login
            AND instr(substr(owner, length(:login) + 1), '@') = 0))
   AND (:among IS NULL OR job_id IN (SELECT value FROM json_each(:among)))
   AND (:apart_from IS NULL OR job_id NOT IN (SELECT value FROM json_each(:apart_from)))

-- name: jobs
SELECT *
  FROM jobs
 WHERE job_id IN (
       SELECT job_id
         FROM jobs
        WHERE {meets_criteria}
        ORDER BY created_at DESC, job_id
        LIMIT :limit OFFSET :offset)
 ORDER BY created_at DESC, job_id;

-- name: count_jobs
SELECT count(*) AS total
  FROM jobs
 WHERE {meets_criteria};

-- name: holders
-- Of running jobs that a worker carries out, or should.
SELECT job_id, worker_id, fence, lease_expires_at, worker_pid, worker_host
  FROM jobs
 WHERE status = 'running' AND manual = 0;

-- name: sweep_types
SELECT DISTINCT sweep_type FROM jobs;

-- name: varied
SELECT DISTINCT varied FROM jobs;

-- name: edit
UPDATE jobs
   SET description = :description, notes = :notes, tags = :tags, words = :words
 WHERE job_id = :job_id;

-- name: append_event
-- Numbered by the job's own counter, so that the order of events is the order of commits.
INSERT INTO events (job_id, seq, event_type, timestamp, details)
SELECT job_id, n_events + 1, :event_type, :now, :details FROM jobs WHERE job_id = :job_id;

-- name: events
SELECT * FROM events WHERE job_id = :job_id AND seq > :after ORDER BY seq LIMIT :limit;

-- name: last_events
SELECT * FROM (
    SELECT * FROM events WHERE job_id = :job_id ORDER BY seq DESC LIMIT :limit) AS latest
 ORDER BY seq;

-- name: count_events
SELECT n_events AS total FROM jobs WHERE job_id = :job_id;

-- name: last_start
SELECT *
  FROM events
 WHERE job_id = :job_id AND event_type IN ('started', 'resumed', 'extended', 'recovered')
 ORDER BY seq DESC
 LIMIT 1;

-- name: forget_results
-- Of a completed job, so that it is computed again by this engine.
UPDATE jobs
   SET status = 'pending', started_at = NULL, completed_at = NULL, summary = NULL, engine = :engine,
       completed_runs = 0, failed_runs = 0
 WHERE job_id = :job_id AND status = 'completed' AND manual = 0;

-- name: delete_chunks
DELETE FROM chunks WHERE job_id = :job_id;

-- name: grow
-- Only in the state that the caller has seen: a start meanwhile counts as an attempt.
UPDATE jobs
   SET status = 'pending', completed_at = NULL, error = NULL, summary = NULL,
       config = :config, config_hash = :config_hash, varied = :varied,
       total_runs = :total_runs, work = :work
 WHERE job_id = :job_id AND status <> 'running' AND manual = 0 AND attempts = :attempts;

-- name: claim
-- Lease the job to a worker, unless a live one holds it. The holder before is fenced off.
UPDATE jobs
   SET status = 'running', manual = 0, fence = fence + 1,
       worker_id = :worker_id, lease_expires_at = :expires, worker_pid = :pid, worker_host = NULL,
       out_dir = coalesce(:out_dir, out_dir), attempts = attempts + 1,
       executor = :executor, started_at = coalesce(started_at, :now),
       completed_at = NULL, error = NULL, summary = NULL
 WHERE job_id = :job_id
   AND (status = 'pending' OR (status IN ('failed', 'cancelled') AND manual = 0)
        OR (status = 'running' AND manual = 0
            AND (worker_id IS NULL OR lease_expires_at < :now OR fence = :dead_fence)))
RETURNING *;

-- name: confirm
UPDATE jobs
   SET worker_pid = :pid, worker_host = :host, lease_expires_at = :expires,
       provenance = :provenance
 WHERE job_id = :job_id AND status = 'running' AND worker_id = :worker_id AND fence = :fence;

-- name: note_engine
-- Which version computes, as long as no run is recorded.
UPDATE jobs
   SET engine = :engine
 WHERE job_id = :job_id AND status = 'running' AND worker_id = :worker_id AND fence = :fence
   AND completed_runs = 0;

-- name: note_process
-- Until a worker confirms its lease, only its process id is known.
UPDATE jobs
   SET worker_pid = :pid
 WHERE job_id = :job_id AND worker_id = :worker_id AND fence = :fence AND worker_host IS NULL;

-- name: holds
SELECT 1
  FROM jobs
 WHERE job_id = :job_id AND status = 'running' AND worker_id = :worker_id AND fence = :fence;

-- name: renew
UPDATE jobs
   SET lease_expires_at = :expires
 WHERE job_id = :job_id AND status = 'running' AND worker_id = :worker_id AND fence = :fence;

-- name: note_in_flight
UPDATE jobs
   SET in_flight = :in_flight
 WHERE job_id = :job_id AND status = 'running' AND worker_id = :worker_id AND fence = :fence;

-- name: count_recorded
UPDATE jobs
   SET in_flight = :in_flight, completed_runs = completed_runs + :completed,
       failed_runs = failed_runs + :failed,
       compute_s = compute_s + :compute_s, lease_expires_at = :expires
 WHERE job_id = :job_id AND status = 'running' AND worker_id = :worker_id AND fence = :fence;

-- name: insert_chunk
INSERT INTO chunks (
    job_id, first_index, last_index, metrics, crc32, compute_s, fence, recorded_at, run_id)
VALUES (
    :job_id, :first_index, :last_index, :metrics, :crc32, :compute_s, :fence, :now, :run_id);

-- name: holds_chunk
-- Whether this worker has recorded these runs.
SELECT 1
  FROM chunks
 WHERE job_id = :job_id AND first_index = :first_index AND last_index = :last_index
   AND fence = :fence;

-- name: insert_failed_run
INSERT INTO failed_runs (job_id, run_index, error, failed_at)
VALUES (:job_id, :run_index, :error, :now)
    ON CONFLICT (job_id, run_index) DO UPDATE SET error = excluded.error,
                                                  failed_at = excluded.failed_at;

-- name: failed_between
SELECT run_index
  FROM failed_runs
 WHERE job_id = :job_id AND run_index BETWEEN :first_index AND :last_index
 ORDER BY run_index;

-- name: delete_failed_runs
DELETE FROM failed_runs WHERE job_id = :job_id AND run_index BETWEEN :first_index AND :last_index;

-- name: recorded
SELECT first_index, last_index FROM chunks WHERE job_id = :job_id ORDER BY first_index;

-- name: chunks
SELECT first_index, last_index, metrics, crc32, run_id
  FROM chunks
 WHERE job_id = :job_id AND last_index >= :first AND first_index <= :last
 ORDER BY first_index;

-- name: failed_runs
SELECT run_index, error
  FROM failed_runs
 WHERE job_id = :job_id
 ORDER BY run_index
 LIMIT :limit;

-- name: end_by_worker
UPDATE jobs
   SET status = :status, completed_at = :now, error = :error, summary = :summary,
       worker_id = NULL, lease_expires_at = NULL, in_flight = '[]'
 WHERE job_id = :job_id AND status = 'running' AND worker_id = :worker_id AND fence = :fence;

-- name: start_manually
UPDATE jobs
   SET status = 'running', manual = 1, fence = fence + 1, attempts = attempts + 1,
       started_at = coalesce(started_at, :now), completed_at = NULL, error = NULL
 WHERE job_id = :job_id
   AND (status = 'pending' OR (manual = 1 AND status IN ('failed', 'cancelled')));

-- name: count_manual_run
UPDATE jobs
   SET completed_runs = completed_runs + 1
 WHERE job_id = :job_id AND status = 'running' AND manual = 1;

-- name: run_by_id
SELECT first_index, metrics, crc32 FROM chunks WHERE job_id = :job_id AND run_id = :run_id;

-- name: manual_run_ids
SELECT run_id FROM chunks WHERE job_id = :job_id AND run_id IS NOT NULL ORDER BY first_index;

-- name: next_index
SELECT coalesce(max(last_index) + 1, 0) AS next FROM chunks WHERE job_id = :job_id;

-- name: end_manually
UPDATE jobs
   SET status = :status, completed_at = :now, error = :error, summary = :summary
 WHERE job_id = :job_id AND status = 'running' AND manual = 1;

-- name: cancel
-- The fence moves on, so that what a worker still computes is refused when it records it.
UPDATE jobs
   SET status = 'cancelled', completed_at = :now, error = NULL, fence = fence + 1,
       worker_id = NULL, lease_expires_at = NULL, in_flight = '[]'
 WHERE job_id = :job_id AND status IN ('pending', 'running', 'failed');

-- name: post_notices
-- About the event that was appended last, to each target of its job.
INSERT INTO outbox (
    job_id, seq, target, total_runs, completed_runs, failed_runs, posted_at, due_at)
SELECT job_id, n_events, asked.value, total_runs, completed_runs, failed_runs, :now, :now
  FROM jobs, json_each(CASE WHEN json_valid(notify) THEN notify ELSE '[]' END) AS asked
 WHERE job_id = :job_id;

-- name: next_notice
-- When the next notice to one of these targets is to be tried; NULL where none waits.
SELECT min(due_at) AS due_at
  FROM outbox
 WHERE given_up_at IS NULL AND target IN (SELECT value FROM json_each(:targets));

-- name: claim_notices
-- Take those that are due; another may try a notice again from :until.
UPDATE outbox
   SET courier = :courier, attempts = attempts + 1, due_at = :until
 WHERE (job_id, seq, target) IN (
       SELECT job_id, seq, target
         FROM outbox
        WHERE given_up_at IS NULL AND due_at <= :now
          AND target IN (SELECT value FROM json_each(:targets))
        ORDER BY due_at
        LIMIT :limit)
RETURNING *;

-- name: notice_delivered
DELETE FROM outbox
 WHERE job_id = :job_id AND seq = :seq AND target = :target AND courier = :courier;

-- name: notice_failed
-- It is tried again at :due_at, unless it is given up.
UPDATE outbox
   SET courier = NULL, due_at = :due_at, given_up_at = :given_up_at, error = :error
 WHERE job_id = :job_id AND seq = :seq AND target = :target AND courier = :courier;

-- name: notices
SELECT * FROM outbox ORDER BY posted_at, job_id, target;

-- name: repost
-- What was given up is tried again from the beginning.
UPDATE outbox
   SET given_up_at = NULL, attempts = 0, due_at = :now
 WHERE job_id = :job_id AND given_up_at IS NOT NULL;

-- name: note_speed
-- What is not measured again keeps its value.
UPDATE jobs
   SET speed = coalesce(:speed, speed), startup_s = coalesce(:startup_s, startup_s)
 WHERE job_id = :job_id AND status = 'running' AND worker_id = :worker_id AND fence = :fence;

-- name: speeds
-- What the latest jobs of this kind, computed by this engine on this machine, have measured:
-- first those that computed long enough to tell a speed.
-- Containers of Modal are other machines.
SELECT speed, startup_s
  FROM jobs
 WHERE sweep_type = :sweep_type AND worker_host = :host AND engine = :engine
   AND executor <> 'modal'
   AND (speed > 0 AND speed < 1e300 OR speed IS NULL AND startup_s IS NOT NULL)
 ORDER BY speed IS NULL, created_at DESC
 LIMIT :limit;

-- name: import_job
INSERT INTO jobs (
    job_id, created_at, status, description, notes, tags, words, sweep_type, config, config_hash,
    varied, engine, out_dir, total_runs, completed_runs, failed_runs, work, manual, attempts,
    started_at, completed_at, error, summary, executor, provenance, unread, owner, n_events)
VALUES (
    :job_id, :created_at, :status, :description, :notes, :tags, :words, :sweep_type, :config,
    :config_hash, :varied, :engine, :out_dir, :total_runs, :completed_runs, :failed_runs, :work,
    :manual, :attempts, :started_at, :completed_at, :error, :summary, :executor, :provenance,
    :unread, :owner, 0)
    ON CONFLICT DO NOTHING;

-- name: unread_job
-- Where the header alone of a job is stored: its runs are in its folder still.
SELECT * FROM jobs WHERE job_id = :job_id AND unread IS NOT NULL;

-- name: delete_unread_job
DELETE FROM jobs WHERE job_id = :job_id AND unread = :unread;

-- name: delete_job
-- Only in the state that the caller has seen: a start meanwhile counts as an attempt.
DELETE FROM jobs WHERE job_id = :job_id AND status = :status AND attempts = :attempts;

-- name: copy_job
-- All of a row but its number of events, which these count as they come.
INSERT INTO jobs (
    job_id, created_at, status, description, notes, tags, words, sweep_type, config, config_hash,
    varied, engine, out_dir, request_key, total_runs, completed_runs, failed_runs, work, compute_s,
    manual, attempts, started_at, completed_at, error, summary, executor, provenance, fence,
    worker_id, lease_expires_at, worker_pid, worker_host, in_flight, speed, startup_s, unread,
    owner, notify, n_events)
VALUES (
    :job_id, :created_at, :status, :description, :notes, :tags, :words, :sweep_type, :config,
    :config_hash, :varied, :engine, :out_dir, :request_key, :total_runs, :completed_runs,
    :failed_runs, :work, :compute_s, :manual, :attempts, :started_at, :completed_at, :error,
    :summary, :executor, :provenance, :fence, :worker_id, :lease_expires_at, :worker_pid,
    :worker_host, :in_flight, :speed, :startup_s, :unread, :owner, :notify, 0)
    ON CONFLICT DO NOTHING;

-- name: copied_chunks
SELECT *
  FROM chunks
 WHERE job_id = :job_id AND first_index > :after
 ORDER BY first_index
 LIMIT :limit;

-- name: copied_failures
SELECT *
  FROM failed_runs
 WHERE job_id = :job_id AND run_index > :after
 ORDER BY run_index
 LIMIT :limit;

-- name: copied_events
SELECT * FROM events WHERE job_id = :job_id AND seq > :after ORDER BY seq LIMIT :limit;

-- name: chunk_page
-- Over all jobs, in pages: the whole store does not fit in memory.
SELECT job_id, first_index, last_index, metrics, crc32, run_id
  FROM chunks
 ORDER BY job_id, first_index
 LIMIT :limit OFFSET :offset;

-- name: job_page
-- Pages are counted, not continued after a key: a damaged key cannot be a parameter.
SELECT * FROM jobs ORDER BY job_id LIMIT :limit OFFSET :offset;

-- name: event_page
SELECT * FROM events ORDER BY job_id, seq LIMIT :limit OFFSET :offset;

-- name: contradictions
-- Jobs whose row disagrees with their chunks, failed runs or events. A job that was imported
-- without its runs has counters only, and its events mention no runs; of one whose runs are unread
-- there is nothing yet to compare.
SELECT *
  FROM (
    SELECT job_id, status, manual, total_runs, completed_runs, failed_runs, n_events,
           (SELECT coalesce(sum(last_index - first_index + 1), 0)
              FROM chunks WHERE chunks.job_id = jobs.job_id) AS stored_runs,
           (SELECT count(*)
              FROM failed_runs WHERE failed_runs.job_id = jobs.job_id) AS stored_failures,
           (SELECT count(*) FROM events WHERE events.job_id = jobs.job_id) AS stored_events,
           (SELECT coalesce(max(seq), 0)
              FROM events WHERE events.job_id = jobs.job_id) AS last_event,
           (SELECT coalesce(sum(CASE WHEN json_valid(details)
                                     THEN coalesce(json_extract(details, '$.completed'), 1)
                                     ELSE 0 END), 0)
              FROM events
             WHERE events.job_id = jobs.job_id AND event_type = 'progress') AS told_runs,
           (SELECT event_type
              FROM events
             WHERE events.job_id = jobs.job_id AND event_type NOT IN ('progress', 'edited', 'notified', 'undelivered')
             ORDER BY seq DESC
             LIMIT 1) AS last_change,
           EXISTS (SELECT 1
                     FROM events
                    WHERE events.job_id = jobs.job_id AND seq = 1
                      AND CASE WHEN json_valid(details)
                               THEN json_extract(details, '$.imported') END) AS imported
      FROM jobs
     WHERE unread IS NULL)
 WHERE (completed_runs <> stored_runs AND NOT (imported AND stored_runs = 0))
    OR failed_runs <> stored_failures
    OR (told_runs <> stored_runs AND NOT imported)
    OR n_events <> stored_events OR n_events <> last_event
    OR (status = 'completed' AND NOT manual AND completed_runs <> total_runs)
    OR coalesce(last_change, '') NOT IN (
        CASE status WHEN 'pending' THEN 'created' WHEN 'running' THEN 'started' ELSE status END,
        CASE status WHEN 'running' THEN 'resumed' ELSE status END,
        CASE status WHEN 'running' THEN 'extended' ELSE status END,
        CASE status WHEN 'running' THEN 'recovered' ELSE status END)
 ORDER BY job_id;

-- name: recount
-- Set the counters of a job that is not completed to what its chunks and failed runs say.
UPDATE jobs
   SET completed_runs = (SELECT coalesce(sum(last_index - first_index + 1), 0)
                           FROM chunks WHERE chunks.job_id = jobs.job_id),
       failed_runs = (SELECT count(*) FROM failed_runs WHERE failed_runs.job_id = jobs.job_id)
 WHERE job_id = :job_id AND status <> 'completed';

-- name: ended_since
-- Jobs of this user, :user with an @ behind it, and those of whom that is not known. What follows
-- is a machine, which has no @.
SELECT job_id, status, completed_at
  FROM jobs
 WHERE completed_at > :since
   AND (owner IS NULL
        OR (substr(owner, 1, length(:user)) = :user
            AND replace(substr(owner, length(:user) + 1), '@', '')
                = substr(owner, length(:user) + 1)))
 ORDER BY completed_at, job_id;

-- name: ended_jobs
SELECT job_id, status, out_dir, completed_runs, failed_runs
  FROM jobs
 WHERE status IN ('completed', 'failed', 'cancelled')
 ORDER BY job_id;
