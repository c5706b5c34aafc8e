-- Holds, yanked versions, and answers that are given again.

-- The hold that a rollback left on a set: all of them, or none.
ALTER TABLE version_set ADD COLUMN hold_reason TEXT;
ALTER TABLE version_set ADD COLUMN hold_since INTEGER;
ALTER TABLE version_set ADD COLUMN hold_org_id TEXT;
ALTER TABLE version_set ADD COLUMN hold_user_id TEXT;

-- A version itself never changes; whether it is yanked stands beside it. A yank that was taken back keeps its row.
CREATE TABLE agent_version_yank (
    organization_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    is_yanked INTEGER NOT NULL CHECK (is_yanked IN (0, 1)),
    reason TEXT NOT NULL,
    actor_org_id TEXT NOT NULL,
    actor_user_id TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (organization_id, agent_id, version),
    FOREIGN KEY (organization_id, agent_id, version) REFERENCES agent_version (organization_id, agent_id, version)
) STRICT;

CREATE TABLE context_graph_version_yank (
    organization_id TEXT NOT NULL,
    context_graph_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    is_yanked INTEGER NOT NULL CHECK (is_yanked IN (0, 1)),
    reason TEXT NOT NULL,
    actor_org_id TEXT NOT NULL,
    actor_user_id TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (organization_id, context_graph_id, version),
    FOREIGN KEY (organization_id, context_graph_id, version)
        REFERENCES context_graph_version (organization_id, context_graph_id, version)
) STRICT;

-- What a call with an idempotency key was answered first. Rows are removed when they are no longer needed.
CREATE TABLE idempotency_key (
    organization_id TEXT NOT NULL REFERENCES organization (id),
    user_org_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    path TEXT NOT NULL,
    key TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    answer TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (organization_id, user_org_id, user_id, path, key)
) STRICT;
CREATE INDEX idempotency_key_by_age ON idempotency_key (organization_id, created_at);

-- Which sets pin a version, and which pinned it.
CREATE INDEX version_set_by_agent ON version_set (organization_id, agent_id, agent_version);
CREATE INDEX version_set_by_context_graph ON version_set (organization_id, context_graph_id, context_graph_version);

-- The last change at a moment.
CREATE INDEX audit_event_by_time ON audit_event (organization_id, created_at, sequence);
