-- Simulations: unit tests, sets of them, and their runs.

-- A name has no longest length, but what an index holds has: so names are told apart by their hashes.
--
-- `live_is_deleted` and `live_is_active` hold constants while the test lives and are null once it is deleted: through
-- them the database itself keeps the set that a live test names from being deleted, and its service from being
-- deactivated.
CREATE UNIQUE INDEX version_set_is_deleted ON version_set (organization_id, service_id, name, is_deleted);
CREATE UNIQUE INDEX service_is_active ON service (organization_id, id, is_active);

CREATE TABLE unit_test (
    organization_id TEXT NOT NULL REFERENCES organization (id),
    id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    name TEXT NOT NULL,
    name_hash TEXT NOT NULL,
    description TEXT NOT NULL,
    service_id TEXT NOT NULL,
    version_set_name TEXT NOT NULL,
    persona_id TEXT NOT NULL,
    scenario_id TEXT NOT NULL,
    max_interactions INTEGER NOT NULL CHECK (max_interactions BETWEEN 1 AND 100),
    run_count INTEGER NOT NULL CHECK (run_count >= 1),
    success_criterions TEXT NOT NULL,
    tags TEXT NOT NULL,
    is_deleted INTEGER NOT NULL CHECK (is_deleted IN (0, 1)),
    live_is_deleted INTEGER CHECK (live_is_deleted = 0),
    live_is_active INTEGER CHECK (live_is_active = 1),
    creator_org_id TEXT NOT NULL,
    creator_user_id TEXT NOT NULL,
    updated_by_org_id TEXT NOT NULL,
    updated_by_user_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, seq),
    FOREIGN KEY (organization_id, service_id, version_set_name)
        REFERENCES version_set (organization_id, service_id, name),
    FOREIGN KEY (organization_id, service_id, version_set_name, live_is_deleted)
        REFERENCES version_set (organization_id, service_id, name, is_deleted),
    FOREIGN KEY (organization_id, service_id, live_is_active) REFERENCES service (organization_id, id, is_active),
    CHECK ((live_is_deleted IS NULL) = (is_deleted = 1)),
    CHECK ((live_is_active IS NULL) = (is_deleted = 1))
) STRICT;
CREATE UNIQUE INDEX unit_test_name ON unit_test (organization_id, name_hash) WHERE is_deleted = 0;
CREATE INDEX unit_test_by_version_set ON unit_test (organization_id, service_id, version_set_name);

CREATE TABLE unit_test_set (
    organization_id TEXT NOT NULL REFERENCES organization (id),
    id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    name TEXT NOT NULL,
    name_hash TEXT NOT NULL,
    description TEXT,
    unit_test_runs TEXT NOT NULL,
    tags TEXT NOT NULL,
    is_deleted INTEGER NOT NULL CHECK (is_deleted IN (0, 1)),
    creator_org_id TEXT NOT NULL,
    creator_user_id TEXT NOT NULL,
    updated_by_org_id TEXT NOT NULL,
    updated_by_user_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, seq)
) STRICT;
CREATE UNIQUE INDEX unit_test_set_name ON unit_test_set (organization_id, name_hash) WHERE is_deleted = 0;

-- How many runs an organization has created. Runs are no configuration, so they do not take its change number; this row
-- orders their creation instead.
CREATE TABLE unit_test_set_run_count (
    organization_id TEXT NOT NULL REFERENCES organization (id),
    runs INTEGER NOT NULL CHECK (runs >= 1),
    PRIMARY KEY (organization_id)
) STRICT;

-- `specs` has everything that the run depends on, as it was when the run was created.
CREATE TABLE unit_test_set_run (
    organization_id TEXT NOT NULL REFERENCES organization (id),
    id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    unit_test_set_id TEXT NOT NULL,
    unit_test_set_name TEXT NOT NULL,
    specs TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('running', 'completed', 'cancelled')),
    failed_metrics INTEGER NOT NULL CHECK (failed_metrics IN (0, 1)),
    errored INTEGER NOT NULL CHECK (errored IN (0, 1)),
    creator_org_id TEXT NOT NULL,
    creator_user_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    finished_at INTEGER,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, seq),
    FOREIGN KEY (organization_id, unit_test_set_id) REFERENCES unit_test_set (organization_id, id),
    CHECK ((finished_at IS NULL) = (status = 'running'))
) STRICT;
-- A user has one unfinished run of a set.
CREATE UNIQUE INDEX unit_test_set_run_unfinished
    ON unit_test_set_run (organization_id, creator_org_id, creator_user_id, unit_test_set_id)
    WHERE status = 'running';
CREATE INDEX unit_test_set_run_by_set ON unit_test_set_run (organization_id, unit_test_set_id, seq);

-- One conversation of a run. Whoever holds it says so until `leased_until`; if they are gone by then, others begin it
-- anew.
CREATE TABLE unit_test_run (
    organization_id TEXT NOT NULL,
    run_id TEXT NOT NULL,
    number INTEGER NOT NULL CHECK (number >= 0),
    spec INTEGER NOT NULL CHECK (spec >= 0),
    state TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'judged', 'errored', 'cancelled')),
    attempts INTEGER NOT NULL CHECK (attempts >= 0),
    lease TEXT,
    leased_until INTEGER NOT NULL,
    conversation_id TEXT,
    error TEXT,
    verdicts TEXT NOT NULL,
    interactions INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    PRIMARY KEY (organization_id, run_id, number),
    FOREIGN KEY (organization_id, run_id) REFERENCES unit_test_set_run (organization_id, id),
    CHECK ((finished_at IS NULL) = (state IN ('waiting', 'running'))),
    CHECK ((lease IS NULL) = (state <> 'running')),
    CHECK ((error IS NULL) = (state <> 'errored'))
) STRICT;
-- What there is to do, for whichever organization.
CREATE INDEX unit_test_run_to_do ON unit_test_run (leased_until) WHERE state IN ('waiting', 'running');
