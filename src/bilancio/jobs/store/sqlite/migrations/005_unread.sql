-- The manifest of a job whose header alone was imported; its runs are read when they are asked for.

ALTER TABLE jobs ADD COLUMN unread TEXT;
