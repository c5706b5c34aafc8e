-- Simulations: unit tests, sets of them, and their runs.

-- A name has no longest length, but what an index holds has: so names are told apart by their hashes.
--
-- `live_is_deleted` and `live_is_active` hold constants while the test lives and are null once it is deleted: through
-- them the database itself keeps the set that a live test names from being deleted, and its service from being
-- deactivated.
CREATE UNIQUE INDEX version_set_is_deleted ON version_set (organization_id, service_id, name, is_deleted);
CREATE UNIQUE INDEX service_is_active ON service (organization_id, id, is_active);

CREATE TABLE unit_test (
    organization_id TEXT COLLATE "C" NOT NULL REFERENCES organization (id),
    id TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    name_hash TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C" NOT NULL,
    service_id TEXT COLLATE "C" NOT NULL,
    version_set_name TEXT COLLATE "C" NOT NULL,
    persona_id TEXT COLLATE "C" NOT NULL,
    scenario_id TEXT COLLATE "C" NOT NULL,
    max_interactions BIGINT NOT NULL CHECK (max_interactions BETWEEN 1 AND 100),
    run_count BIGINT NOT NULL CHECK (run_count >= 1),
    success_criterions TEXT COLLATE "C" NOT NULL,
    tags TEXT COLLATE "C" NOT NULL,
    is_deleted BOOLEAN NOT NULL,
    live_is_deleted BOOLEAN CHECK (live_is_deleted = FALSE),
    live_is_active BOOLEAN CHECK (live_is_active = TRUE),
    creator_org_id TEXT COLLATE "C" NOT NULL,
    creator_user_id TEXT COLLATE "C" NOT NULL,
    updated_by_org_id TEXT COLLATE "C" NOT NULL,
    updated_by_user_id TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, seq),
    FOREIGN KEY (organization_id, service_id, version_set_name)
        REFERENCES version_set (organization_id, service_id, name),
    FOREIGN KEY (organization_id, service_id, version_set_name, live_is_deleted)
        REFERENCES version_set (organization_id, service_id, name, is_deleted),
    FOREIGN KEY (organization_id, service_id, live_is_active) REFERENCES service (organization_id, id, is_active),
    CHECK ((live_is_deleted IS NULL) = is_deleted),
    CHECK ((live_is_active IS NULL) = is_deleted)
);
CREATE UNIQUE INDEX unit_test_name ON unit_test (organization_id, name_hash) WHERE NOT is_deleted;
CREATE INDEX unit_test_by_version_set ON unit_test (organization_id, service_id, version_set_name);

CREATE TABLE unit_test_set (
    organization_id TEXT COLLATE "C" NOT NULL REFERENCES organization (id),
    id TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    name_hash TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C",
    unit_test_runs TEXT COLLATE "C" NOT NULL,
    tags TEXT COLLATE "C" NOT NULL,
    is_deleted BOOLEAN NOT NULL,
    creator_org_id TEXT COLLATE "C" NOT NULL,
    creator_user_id TEXT COLLATE "C" NOT NULL,
    updated_by_org_id TEXT COLLATE "C" NOT NULL,
    updated_by_user_id TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, seq)
);
CREATE UNIQUE INDEX unit_test_set_name ON unit_test_set (organization_id, name_hash) WHERE NOT is_deleted;

-- How many runs an organization has created. Runs are no configuration, so they do not take its change number; this row
-- orders their creation instead.
CREATE TABLE unit_test_set_run_count (
    organization_id TEXT COLLATE "C" NOT NULL REFERENCES organization (id),
    runs BIGINT NOT NULL CHECK (runs >= 1),
    PRIMARY KEY (organization_id)
);

-- `specs` has everything that the run depends on, as it was when the run was created.
CREATE TABLE unit_test_set_run (
    organization_id TEXT COLLATE "C" NOT NULL REFERENCES organization (id),
    id TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    unit_test_set_id TEXT COLLATE "C" NOT NULL,
    unit_test_set_name TEXT COLLATE "C" NOT NULL,
    specs TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL CHECK (status IN ('running', 'completed', 'cancelled')),
    failed_metrics BOOLEAN NOT NULL,
    errored BOOLEAN NOT NULL,
    creator_org_id TEXT COLLATE "C" NOT NULL,
    creator_user_id TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    finished_at BIGINT,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, seq),
    FOREIGN KEY (organization_id, unit_test_set_id) REFERENCES unit_test_set (organization_id, id),
    CHECK ((finished_at IS NULL) = (status = 'running'))
);
-- A user has one unfinished run of a set.
CREATE UNIQUE INDEX unit_test_set_run_unfinished
    ON unit_test_set_run (organization_id, creator_org_id, creator_user_id, unit_test_set_id)
    WHERE status = 'running';
CREATE INDEX unit_test_set_run_by_set ON unit_test_set_run (organization_id, unit_test_set_id, seq);

-- One conversation of a run. Whoever holds it says so until `leased_until`; if they are gone by then, others begin it
-- anew.
CREATE TABLE unit_test_run (
    organization_id TEXT COLLATE "C" NOT NULL,
    run_id TEXT COLLATE "C" NOT NULL,
    number BIGINT NOT NULL CHECK (number >= 0),
    spec BIGINT NOT NULL CHECK (spec >= 0),
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('waiting', 'running', 'judged', 'errored', 'cancelled')),
    attempts BIGINT NOT NULL CHECK (attempts >= 0),
    lease TEXT COLLATE "C",
    leased_until BIGINT NOT NULL,
    conversation_id TEXT COLLATE "C",
    error TEXT COLLATE "C",
    verdicts TEXT COLLATE "C" NOT NULL,
    interactions BIGINT NOT NULL,
    started_at BIGINT,
    finished_at BIGINT,
    PRIMARY KEY (organization_id, run_id, number),
    FOREIGN KEY (organization_id, run_id) REFERENCES unit_test_set_run (organization_id, id),
    CHECK ((finished_at IS NULL) = (state IN ('waiting', 'running'))),
    CHECK ((lease IS NULL) = (state <> 'running')),
    CHECK ((error IS NULL) = (state <> 'errored'))
);
-- What there is to do, for whichever organization.
CREATE INDEX unit_test_run_to_do ON unit_test_run (leased_until) WHERE state IN ('waiting', 'running');
