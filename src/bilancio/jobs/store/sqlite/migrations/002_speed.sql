-- What a job's worker measured, for estimates of later jobs: the median seconds that one core took
-- per unit of cost, over batches computed warm, and the seconds from the event that announced the
-- start to the first batch.

ALTER TABLE jobs ADD COLUMN speed REAL;
ALTER TABLE jobs ADD COLUMN startup_s REAL;
