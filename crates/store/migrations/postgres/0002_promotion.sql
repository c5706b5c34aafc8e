-- Holds, yanked versions, and answers that are given again.

-- The hold that a rollback left on a set: all of them, or none.
ALTER TABLE version_set ADD COLUMN hold_reason TEXT COLLATE "C";
ALTER TABLE version_set ADD COLUMN hold_since BIGINT;
ALTER TABLE version_set ADD COLUMN hold_org_id TEXT COLLATE "C";
ALTER TABLE version_set ADD COLUMN hold_user_id TEXT COLLATE "C";

-- A version itself never changes; whether it is yanked stands beside it. A yank that was taken back keeps its row.
CREATE TABLE agent_version_yank (
    organization_id TEXT COLLATE "C" NOT NULL,
    agent_id TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    is_yanked BOOLEAN NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    actor_org_id TEXT COLLATE "C" NOT NULL,
    actor_user_id TEXT COLLATE "C" NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (organization_id, agent_id, version),
    FOREIGN KEY (organization_id, agent_id, version) REFERENCES agent_version (organization_id, agent_id, version)
);

CREATE TABLE context_graph_version_yank (
    organization_id TEXT COLLATE "C" NOT NULL,
    context_graph_id TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    is_yanked BOOLEAN NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    actor_org_id TEXT COLLATE "C" NOT NULL,
    actor_user_id TEXT COLLATE "C" NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (organization_id, context_graph_id, version),
    FOREIGN KEY (organization_id, context_graph_id, version)
        REFERENCES context_graph_version (organization_id, context_graph_id, version)
);

-- What a call with an idempotency key was answered first. Rows are removed when they are no longer needed.
CREATE TABLE idempotency_key (
    organization_id TEXT COLLATE "C" NOT NULL REFERENCES organization (id),
    user_org_id TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    path TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    request_hash TEXT COLLATE "C" NOT NULL,
    answer TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (organization_id, user_org_id, user_id, path, key)
);
CREATE INDEX idempotency_key_by_age ON idempotency_key (organization_id, created_at);

-- Which sets pin a version, and which pinned it.
CREATE INDEX version_set_by_agent ON version_set (organization_id, agent_id, agent_version);
CREATE INDEX version_set_by_context_graph ON version_set (organization_id, context_graph_id, context_graph_version);

-- The last change at a moment.
CREATE INDEX audit_event_by_time ON audit_event (organization_id, created_at, sequence);
