-- What servers need to keep in memory what organizations are like.

-- The last change that touched who may do what: rights that were read at or after it are those of now.
ALTER TABLE organization ADD COLUMN access_change_number BIGINT NOT NULL DEFAULT 0;

-- What has changed since a change.
CREATE INDEX audit_event_by_change ON audit_event (organization_id, change_number, sequence);

-- Every server is told of a change as soon as it is committed, whichever server made it.
CREATE FUNCTION forge_announce_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('forge_change', TG_TABLE_SCHEMA || ' ' || NEW.id || ' ' || NEW.change_number);
    RETURN NULL;
END
$$;
CREATE TRIGGER organization_announce_change AFTER UPDATE OF change_number ON organization
FOR EACH ROW EXECUTE FUNCTION forge_announce_change();

-- The same for what concerns the whole installation.
CREATE FUNCTION forge_announce_setting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('forge_setting', TG_TABLE_SCHEMA);
    RETURN NULL;
END
$$;
CREATE TRIGGER server_setting_announce AFTER INSERT OR UPDATE ON server_setting
FOR EACH ROW EXECUTE FUNCTION forge_announce_setting();
