-- Dynamic behavior sets, metrics, personas and scenarios: items of one shape, told apart by their kind. And what comes
-- of behavior sets and metrics while services run.

CREATE TABLE versioned_item (
    organization_id TEXT COLLATE "C" NOT NULL REFERENCES organization (id),
    id TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL
        CHECK (kind IN ('dynamic_behavior_set', 'metric', 'simulation_persona', 'simulation_scenario')),
    seq BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    name_hash TEXT COLLATE "C" NOT NULL,
    is_active BOOLEAN NOT NULL,
    is_deleted BOOLEAN NOT NULL,
    tags TEXT COLLATE "C" NOT NULL,
    details TEXT COLLATE "C" NOT NULL,
    latest_version BIGINT NOT NULL,
    -- In lower case, for searching: the name, and what the latest version is found by.
    search_name TEXT COLLATE "C" NOT NULL,
    search_text TEXT COLLATE "C" NOT NULL,
    creator_org_id TEXT COLLATE "C" NOT NULL,
    creator_user_id TEXT COLLATE "C" NOT NULL,
    updated_by_org_id TEXT COLLATE "C" NOT NULL,
    updated_by_user_id TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, kind, seq),
    -- What refers to an item can say by constraint of which kind it is.
    UNIQUE (organization_id, kind, id),
    CHECK (is_active OR kind = 'dynamic_behavior_set')
);
-- A name has no longest length, but what an index holds has: so names are told apart by their hashes.
CREATE UNIQUE INDEX versioned_item_name ON versioned_item (organization_id, kind, name_hash)
    WHERE is_active AND NOT is_deleted;

-- Each version but the first refers to the one before it, so that numbers have no gaps.
CREATE TABLE versioned_item_version (
    organization_id TEXT COLLATE "C" NOT NULL,
    item_id TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1),
    previous_version BIGINT CHECK ((version = 1 AND previous_version IS NULL) OR previous_version = version - 1),
    id TEXT COLLATE "C" NOT NULL,
    document TEXT COLLATE "C" NOT NULL,
    -- What of the content is secret, under the master key; the document does not have it.
    sealed TEXT COLLATE "C",
    change_number BIGINT NOT NULL,
    creator_org_id TEXT COLLATE "C" NOT NULL,
    creator_user_id TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (organization_id, item_id, version),
    UNIQUE (organization_id, id),
    FOREIGN KEY (organization_id, item_id) REFERENCES versioned_item (organization_id, id),
    FOREIGN KEY (organization_id, item_id, previous_version)
        REFERENCES versioned_item_version (organization_id, item_id, version),
    CHECK (version = 1 OR previous_version IS NOT NULL)
);

-- This refers to a table that is created after its own.
ALTER TABLE versioned_item ADD FOREIGN KEY (organization_id, id, latest_version) REFERENCES versioned_item_version (organization_id, item_id, version) DEFERRABLE INITIALLY DEFERRED;

-- Versions are only ever added.
CREATE TRIGGER versioned_item_version_never_changes BEFORE UPDATE OR DELETE ON versioned_item_version
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- The places of an organization's latest rows of each kind that is written while services run, without a change number.
CREATE TABLE run_counter (
    organization_id TEXT COLLATE "C" NOT NULL REFERENCES organization (id),
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('behavior_invocation', 'metric_result')),
    last_seq BIGINT NOT NULL CHECK (last_seq >= 1),
    PRIMARY KEY (organization_id, kind)
);

-- That a behavior set applied in an interaction; the messages are those of the interaction.
CREATE TABLE behavior_invocation (
    organization_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    item_id TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    conversation_id TEXT COLLATE "C" NOT NULL,
    initial_message_id TEXT COLLATE "C" NOT NULL,
    agent_message_id TEXT COLLATE "C" NOT NULL,
    inner_thought_ids TEXT COLLATE "C" NOT NULL,
    external_event_ids TEXT COLLATE "C" NOT NULL,
    invoked_at BIGINT NOT NULL,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, seq),
    FOREIGN KEY (organization_id, item_id, version)
        REFERENCES versioned_item_version (organization_id, item_id, version),
    FOREIGN KEY (organization_id, conversation_id) REFERENCES conversation (organization_id, id)
);
CREATE INDEX behavior_invocation_by_set ON behavior_invocation (organization_id, item_id, seq);

-- What a metric found a conversation to be like.
CREATE TABLE metric_result (
    organization_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    metric_id TEXT COLLATE "C" NOT NULL,
    metric_version BIGINT NOT NULL,
    conversation_id TEXT COLLATE "C" NOT NULL,
    source_type TEXT COLLATE "C" NOT NULL CHECK (source_type IN ('post-session', 'manual', 'simulation')),
    simulation_run_id TEXT COLLATE "C",
    source TEXT COLLATE "C" NOT NULL,
    result TEXT COLLATE "C" NOT NULL,
    justification TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, seq),
    FOREIGN KEY (organization_id, metric_id, metric_version)
        REFERENCES versioned_item_version (organization_id, item_id, version),
    FOREIGN KEY (organization_id, conversation_id) REFERENCES conversation (organization_id, id),
    CHECK ((simulation_run_id IS NOT NULL) = (source_type = 'simulation'))
);
-- Whoever evaluates a conversation by hand once more replaces the result.
CREATE UNIQUE INDEX metric_result_manual ON metric_result (organization_id, metric_id, conversation_id)
    WHERE source_type = 'manual';
CREATE INDEX metric_result_by_conversation ON metric_result (organization_id, conversation_id);
CREATE INDEX metric_result_by_metric ON metric_result (organization_id, metric_id, seq);
CREATE INDEX metric_result_by_run ON metric_result (organization_id, simulation_run_id)
    WHERE simulation_run_id IS NOT NULL;
