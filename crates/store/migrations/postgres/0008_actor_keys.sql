-- The API key that an actor had signed in with, and who had made it. Of what was there before, nobody knows.
ALTER TABLE audit_event ADD COLUMN actor_key_id TEXT COLLATE "C";
ALTER TABLE audit_event ADD COLUMN actor_key_org_id TEXT COLLATE "C";
ALTER TABLE audit_event ADD COLUMN actor_key_user_id TEXT COLLATE "C";
ALTER TABLE version_set_revision ADD COLUMN actor_key_id TEXT COLLATE "C";
ALTER TABLE version_set_revision ADD COLUMN actor_key_org_id TEXT COLLATE "C";
ALTER TABLE version_set_revision ADD COLUMN actor_key_user_id TEXT COLLATE "C";
