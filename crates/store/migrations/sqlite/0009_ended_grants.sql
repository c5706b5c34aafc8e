-- When a temporary grant ended before its time, because its holder was given less.
ALTER TABLE temporary_grant ADD COLUMN ended_at INTEGER;
