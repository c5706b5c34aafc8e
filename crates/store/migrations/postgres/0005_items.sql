-- Dynamic behavior sets, metrics, personas and scenarios: items of one shape, told apart by their kind.

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
