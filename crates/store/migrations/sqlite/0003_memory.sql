-- What servers need to keep in memory what organizations are like.

-- The last change that touched who may do what: rights that were read at or after it are those of now.
ALTER TABLE organization ADD COLUMN access_change_number INTEGER NOT NULL DEFAULT 0;

-- What has changed since a change.
CREATE INDEX audit_event_by_change ON audit_event (organization_id, change_number, sequence);
