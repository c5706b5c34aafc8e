-- Dynamic behavior sets, metrics, personas and scenarios: items of one shape, told apart by their kind. And what comes
-- of behavior sets and metrics while services run.

CREATE TABLE versioned_item (
    organization_id TEXT NOT NULL REFERENCES organization (id),
    id TEXT NOT NULL,
    kind TEXT NOT NULL
        CHECK (kind IN ('dynamic_behavior_set', 'metric', 'simulation_persona', 'simulation_scenario')),
    seq INTEGER NOT NULL,
    name TEXT NOT NULL,
    name_hash TEXT NOT NULL,
    is_active INTEGER NOT NULL CHECK (is_active IN (0, 1)),
    is_deleted INTEGER NOT NULL CHECK (is_deleted IN (0, 1)),
    tags TEXT NOT NULL,
    details TEXT NOT NULL,
    latest_version INTEGER NOT NULL,
    -- In lower case, for searching: the name, and what the latest version is found by.
    search_name TEXT NOT NULL,
    search_text TEXT NOT NULL,
    creator_org_id TEXT NOT NULL,
    creator_user_id TEXT NOT NULL,
    updated_by_org_id TEXT NOT NULL,
    updated_by_user_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, kind, seq),
    -- What refers to an item can say by constraint of which kind it is.
    UNIQUE (organization_id, kind, id),
    CHECK (is_active OR kind = 'dynamic_behavior_set'),
    FOREIGN KEY (organization_id, id, latest_version)
        REFERENCES versioned_item_version (organization_id, item_id, version) DEFERRABLE INITIALLY DEFERRED
) STRICT;
-- A name has no longest length, but what an index holds has: so names are told apart by their hashes.
CREATE UNIQUE INDEX versioned_item_name ON versioned_item (organization_id, kind, name_hash)
    WHERE is_active AND NOT is_deleted;

-- Each version but the first refers to the one before it, so that numbers have no gaps.
CREATE TABLE versioned_item_version (
    organization_id TEXT NOT NULL,
    item_id TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    previous_version INTEGER CHECK ((version = 1 AND previous_version IS NULL) OR previous_version = version - 1),
    id TEXT NOT NULL,
    document TEXT NOT NULL,
    -- What of the content is secret, under the master key; the document does not have it.
    sealed TEXT,
    change_number INTEGER NOT NULL,
    creator_org_id TEXT NOT NULL,
    creator_user_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (organization_id, item_id, version),
    UNIQUE (organization_id, id),
    FOREIGN KEY (organization_id, item_id) REFERENCES versioned_item (organization_id, id),
    FOREIGN KEY (organization_id, item_id, previous_version)
        REFERENCES versioned_item_version (organization_id, item_id, version),
    CHECK (version = 1 OR previous_version IS NOT NULL)
) STRICT;

-- Versions are only ever added.
CREATE TRIGGER versioned_item_version_no_update BEFORE UPDATE ON versioned_item_version
BEGIN SELECT RAISE(ABORT, 'versioned_item_version rows never change'); END;
CREATE TRIGGER versioned_item_version_no_delete BEFORE DELETE ON versioned_item_version
BEGIN SELECT RAISE(ABORT, 'versioned_item_version rows never change'); END;

-- The places of an organization's latest rows of each kind that is written while services run, without a change number.
CREATE TABLE run_counter (
    organization_id TEXT NOT NULL REFERENCES organization (id),
    kind TEXT NOT NULL CHECK (kind IN ('behavior_invocation', 'metric_result')),
    last_seq INTEGER NOT NULL CHECK (last_seq >= 1),
    PRIMARY KEY (organization_id, kind)
) STRICT;

-- That a behavior set applied in an interaction; the messages are those of the interaction.
CREATE TABLE behavior_invocation (
    organization_id TEXT NOT NULL,
    id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    item_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    conversation_id TEXT NOT NULL,
    initial_message_id TEXT NOT NULL,
    agent_message_id TEXT NOT NULL,
    inner_thought_ids TEXT NOT NULL,
    external_event_ids TEXT NOT NULL,
    invoked_at INTEGER NOT NULL,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, seq),
    FOREIGN KEY (organization_id, item_id, version)
        REFERENCES versioned_item_version (organization_id, item_id, version),
    FOREIGN KEY (organization_id, conversation_id) REFERENCES conversation (organization_id, id)
) STRICT;
CREATE INDEX behavior_invocation_by_set ON behavior_invocation (organization_id, item_id, seq);

-- What a metric found a conversation to be like.
CREATE TABLE metric_result (
    organization_id TEXT NOT NULL,
    id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    metric_id TEXT NOT NULL,
    metric_version INTEGER NOT NULL,
    conversation_id TEXT NOT NULL,
    source_type TEXT NOT NULL CHECK (source_type IN ('post-session', 'manual', 'simulation')),
    simulation_run_id TEXT,
    source TEXT NOT NULL,
    result TEXT NOT NULL,
    justification TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, seq),
    FOREIGN KEY (organization_id, metric_id, metric_version)
        REFERENCES versioned_item_version (organization_id, item_id, version),
    FOREIGN KEY (organization_id, conversation_id) REFERENCES conversation (organization_id, id),
    CHECK ((simulation_run_id IS NOT NULL) = (source_type = 'simulation'))
) STRICT;
-- Whoever evaluates a conversation by hand once more replaces the result.
CREATE UNIQUE INDEX metric_result_manual ON metric_result (organization_id, metric_id, conversation_id)
    WHERE source_type = 'manual';
CREATE INDEX metric_result_by_conversation ON metric_result (organization_id, conversation_id);
CREATE INDEX metric_result_by_metric ON metric_result (organization_id, metric_id, seq);
CREATE INDEX metric_result_by_run ON metric_result (organization_id, simulation_run_id)
    WHERE simulation_run_id IS NOT NULL;
