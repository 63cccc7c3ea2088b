-- Who created a job: login name and machine. Of jobs that are there already nobody knows.

ALTER TABLE jobs ADD COLUMN owner TEXT COLLATE "C";
