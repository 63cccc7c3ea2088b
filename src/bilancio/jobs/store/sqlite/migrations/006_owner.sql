-- Who created a job: login name and machine. Of jobs that are there already nobody knows.

ALTER TABLE jobs ADD COLUMN owner TEXT;

-- All that a list is chosen by: the rows of jobs are long.
DROP INDEX jobs_by_facts;

CREATE INDEX jobs_by_facts ON jobs (
    created_at DESC, job_id, status, sweep_type, manual, total_runs, completed_runs, varied, tags,
    words, owner);
