-- Conversations: what they run on, what is said in them, and what the agent did.

-- The place of an organization's latest conversation. Conversations do not take change numbers: they change nothing of
-- the configuration, and must not wait for those who do.
CREATE TABLE conversation_counter (
    organization_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES organization (id),
    last_seq BIGINT NOT NULL CHECK (last_seq >= 1)
);

-- A conversation keeps what it started with to its end, whatever becomes of the set. One that was deleted keeps its row,
-- without anything that was said, because results of evaluations refer to it.
CREATE TABLE conversation (
    organization_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    service_id TEXT COLLATE "C" NOT NULL,
    version_set_name TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL,
    agent_id TEXT COLLATE "C" NOT NULL,
    agent_version BIGINT NOT NULL,
    context_graph_id TEXT COLLATE "C" NOT NULL,
    context_graph_version BIGINT NOT NULL,
    model_preferences TEXT COLLATE "C" NOT NULL,
    tags TEXT COLLATE "C" NOT NULL,
    -- The run of a simulation that it is part of.
    simulation_run_id TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    finished_at BIGINT,
    deleted_at BIGINT,
    position TEXT COLLATE "C" NOT NULL,
    -- Messages of all kinds, and those that are not the agent's thoughts.
    message_total BIGINT NOT NULL CHECK (message_total >= message_count),
    message_count BIGINT NOT NULL CHECK (message_count >= 0),
    interaction_count BIGINT NOT NULL CHECK (interaction_count >= 0),
    last_interaction_id TEXT COLLATE "C",
    last_message TEXT COLLATE "C" NOT NULL,
    last_message_at BIGINT,
    -- The interaction that runs now, and until when it is believed to be alive.
    busy_interaction_id TEXT COLLATE "C",
    busy_until BIGINT,
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
);
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
    organization_id TEXT COLLATE "C" NOT NULL,
    conversation_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    number BIGINT NOT NULL CHECK (number >= 1),
    insights TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (organization_id, conversation_id, id),
    UNIQUE (organization_id, conversation_id, number),
    FOREIGN KEY (organization_id, conversation_id) REFERENCES conversation (organization_id, id)
);

CREATE TABLE conversation_message (
    organization_id TEXT COLLATE "C" NOT NULL,
    conversation_id TEXT COLLATE "C" NOT NULL,
    number BIGINT NOT NULL CHECK (number >= 1),
    id TEXT COLLATE "C" NOT NULL,
    interaction_id TEXT COLLATE "C" NOT NULL,
    message_type TEXT COLLATE "C" NOT NULL
        CHECK (message_type IN ('user-message', 'agent-message', 'agent-inner-thought', 'external-event')),
    sender TEXT COLLATE "C" NOT NULL,
    message TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (organization_id, conversation_id, number),
    UNIQUE (organization_id, conversation_id, id),
    FOREIGN KEY (organization_id, conversation_id, interaction_id)
        REFERENCES conversation_interaction (organization_id, conversation_id, id)
);

-- What a conversation started with never changes.
CREATE FUNCTION refuse_other_pins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a conversation keeps what it started with';
END
$$;
CREATE TRIGGER conversation_keeps_its_pins BEFORE UPDATE OF user_id, service_id, version_set_name, revision, agent_id, agent_version, context_graph_id,
    context_graph_version, model_preferences, simulation_run_id, created_at ON conversation
    FOR EACH ROW EXECUTE FUNCTION refuse_other_pins();
