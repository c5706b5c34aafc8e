-- The API key that an actor had signed in with, who had made it, and, as a list in JSON, who else could have. Of what was there
-- before, nobody knows.
ALTER TABLE audit_event ADD COLUMN actor_key_id TEXT COLLATE "C";
ALTER TABLE audit_event ADD COLUMN actor_key_org_id TEXT COLLATE "C";
ALTER TABLE audit_event ADD COLUMN actor_key_user_id TEXT COLLATE "C";
ALTER TABLE audit_event ADD COLUMN actor_key_behind TEXT COLLATE "C";
ALTER TABLE version_set_revision ADD COLUMN actor_key_id TEXT COLLATE "C";
ALTER TABLE version_set_revision ADD COLUMN actor_key_org_id TEXT COLLATE "C";
ALTER TABLE version_set_revision ADD COLUMN actor_key_user_id TEXT COLLATE "C";
ALTER TABLE version_set_revision ADD COLUMN actor_key_behind TEXT COLLATE "C";

-- Who else could have made a key in the name of its creator: whoever could be behind the session in which it was made.
ALTER TABLE api_key ADD COLUMN behind TEXT COLLATE "C" NOT NULL DEFAULT '[]';
