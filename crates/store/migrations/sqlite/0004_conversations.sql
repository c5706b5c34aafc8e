-- Conversations: what they run on, what is said in them, and what the agent did.

-- The place of an organization's latest conversation. Conversations do not take change numbers: they change nothing of
-- the configuration, and must not wait for those who do.
CREATE TABLE conversation_counter (
    organization_id TEXT NOT NULL PRIMARY KEY REFERENCES organization (id),
    last_seq INTEGER NOT NULL CHECK (last_seq >= 1)
) STRICT;

-- A conversation keeps what it started with to its end, whatever becomes of the set. One that was deleted keeps its row,
-- without anything that was said, because results of evaluations refer to it.
CREATE TABLE conversation (
    organization_id TEXT NOT NULL,
    id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    user_id TEXT NOT NULL,
    service_id TEXT NOT NULL,
    version_set_name TEXT NOT NULL,
    revision INTEGER NOT NULL,
    agent_id TEXT NOT NULL,
    agent_version INTEGER NOT NULL,
    context_graph_id TEXT NOT NULL,
    context_graph_version INTEGER NOT NULL,
    model_preferences TEXT NOT NULL,
    tags TEXT NOT NULL,
    -- The run of a simulation that it is part of.
    simulation_run_id TEXT,
    created_at INTEGER NOT NULL,
    finished_at INTEGER,
    deleted_at INTEGER,
    position TEXT NOT NULL,
    -- Messages of all kinds, and those that are not the agent's thoughts.
    message_total INTEGER NOT NULL CHECK (message_total >= message_count),
    message_count INTEGER NOT NULL CHECK (message_count >= 0),
    interaction_count INTEGER NOT NULL CHECK (interaction_count >= 0),
    last_interaction_id TEXT,
    last_message TEXT NOT NULL,
    last_message_at INTEGER,
    -- The interaction that runs now, and until when it is believed to be alive.
    busy_interaction_id TEXT,
    busy_until INTEGER,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, seq),
    FOREIGN KEY (organization_id, user_id) REFERENCES app_user (organization_id, id),
    FOREIGN KEY (organization_id, service_id, version_set_name, revision)
        REFERENCES version_set_revision (organization_id, service_id, name, revision),
    FOREIGN KEY (organization_id, agent_id, agent_version)
        REFERENCES agent_version (organization_id, agent_id, version),
    FOREIGN KEY (organization_id, context_graph_id, context_graph_version)
        REFERENCES context_graph_version (organization_id, context_graph_id, version),
    CHECK ((busy_interaction_id IS NULL) = (busy_until IS NULL)),
    CHECK (finished_at IS NULL OR busy_until IS NULL),
    CHECK (deleted_at IS NULL OR finished_at IS NOT NULL)
) STRICT;
CREATE UNIQUE INDEX conversation_unfinished ON conversation (organization_id, user_id, service_id)
    WHERE finished_at IS NULL AND simulation_run_id IS NULL;
CREATE INDEX conversation_running ON conversation (organization_id, service_id, version_set_name, revision)
    WHERE finished_at IS NULL AND simulation_run_id IS NULL;
CREATE INDEX conversation_running_agent ON conversation (organization_id, agent_id, agent_version)
    WHERE finished_at IS NULL AND simulation_run_id IS NULL;
CREATE INDEX conversation_running_context_graph
    ON conversation (organization_id, context_graph_id, context_graph_version)
    WHERE finished_at IS NULL AND simulation_run_id IS NULL;
CREATE INDEX conversation_by_user ON conversation (organization_id, user_id, seq);
CREATE INDEX conversation_by_service ON conversation (organization_id, service_id, seq);
CREATE INDEX conversation_by_run ON conversation (organization_id, simulation_run_id)
    WHERE simulation_run_id IS NOT NULL;

CREATE TABLE conversation_interaction (
    organization_id TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    id TEXT NOT NULL,
    number INTEGER NOT NULL CHECK (number >= 1),
    insights TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (organization_id, conversation_id, id),
    UNIQUE (organization_id, conversation_id, number),
    FOREIGN KEY (organization_id, conversation_id) REFERENCES conversation (organization_id, id)
) STRICT;

CREATE TABLE conversation_message (
    organization_id TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    number INTEGER NOT NULL CHECK (number >= 1),
    id TEXT NOT NULL,
    interaction_id TEXT NOT NULL,
    message_type TEXT NOT NULL
        CHECK (message_type IN ('user-message', 'agent-message', 'agent-inner-thought', 'external-event')),
    sender TEXT NOT NULL,
    message TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (organization_id, conversation_id, number),
    UNIQUE (organization_id, conversation_id, id),
    FOREIGN KEY (organization_id, conversation_id, interaction_id)
        REFERENCES conversation_interaction (organization_id, conversation_id, id)
) STRICT;

-- What a conversation started with never changes.
CREATE TRIGGER conversation_keeps_its_pins BEFORE UPDATE OF user_id, service_id, version_set_name, revision, agent_id, agent_version, context_graph_id,
    context_graph_version, model_preferences, simulation_run_id, created_at ON conversation
BEGIN SELECT RAISE(ABORT, 'a conversation keeps what it started with'); END;
