-- Organizations, access, agents, context graphs, services, version sets and the audit log.
--
-- Rules for every table: keys begin with the organization; `seq` orders an organization's rows for paging; times are
-- milliseconds since the epoch; documents are JSON as text; rows are never deleted.

CREATE TABLE organization (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    name TEXT NOT NULL,
    is_operator INTEGER NOT NULL CHECK (is_operator IN (0, 1)),
    is_deleted INTEGER NOT NULL CHECK (is_deleted IN (0, 1)),
    is_in_maintenance INTEGER NOT NULL CHECK (is_in_maintenance IN (0, 1)),
    default_user_preferences TEXT NOT NULL,
    change_number INTEGER NOT NULL CHECK (change_number >= 0),
    changed_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
-- Only one organization is the operator's.
CREATE UNIQUE INDEX organization_operator ON organization (is_operator) WHERE is_operator = 1;

-- What concerns the whole installation: a name and its value.
CREATE TABLE server_setting (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

-- A default role stores no grants: they are code. A role that was replaced keeps its row and says since when.
CREATE TABLE role (
    organization_id TEXT NOT NULL REFERENCES organization (id),
    id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    frontend_view TEXT NOT NULL CHECK (frontend_view IN ('client', 'admin')),
    grants TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, seq)
) STRICT;
CREATE UNIQUE INDEX role_name ON role (organization_id, name) WHERE expires_at IS NULL;

CREATE TABLE app_user (
    organization_id TEXT NOT NULL REFERENCES organization (id),
    id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    role_id TEXT NOT NULL,
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    email TEXT NOT NULL,
    preferences TEXT NOT NULL,
    nonsensitive_variables TEXT NOT NULL,
    sensitive_variable_names TEXT NOT NULL,
    sealed_sensitive_variables TEXT,
    additional_context TEXT NOT NULL,
    is_deleted INTEGER NOT NULL CHECK (is_deleted IN (0, 1)),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, seq),
    FOREIGN KEY (organization_id, role_id) REFERENCES role (organization_id, id)
) STRICT;
CREATE UNIQUE INDEX app_user_email ON app_user (organization_id, lower(email)) WHERE is_deleted = 0;
CREATE INDEX app_user_by_role ON app_user (organization_id, role_id);

CREATE TABLE api_key (
    organization_id TEXT NOT NULL REFERENCES organization (id),
    id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    object_id TEXT NOT NULL,
    secret_hash TEXT NOT NULL,
    role_id TEXT NOT NULL,
    name TEXT,
    is_agent INTEGER NOT NULL CHECK (is_agent IN (0, 1)),
    creator_org_id TEXT NOT NULL,
    creator_user_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    revoked_at INTEGER,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, seq),
    FOREIGN KEY (organization_id, role_id) REFERENCES role (organization_id, id)
) STRICT;

CREATE TABLE temporary_grant (
    organization_id TEXT NOT NULL REFERENCES organization (id),
    id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    user_id TEXT NOT NULL,
    permission_name TEXT NOT NULL,
    grant_document TEXT NOT NULL,
    tags TEXT NOT NULL,
    justification TEXT NOT NULL,
    creator_org_id TEXT NOT NULL,
    creator_user_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, seq),
    FOREIGN KEY (organization_id, user_id) REFERENCES app_user (organization_id, id)
) STRICT;
CREATE INDEX temporary_grant_by_user ON temporary_grant (organization_id, user_id, expires_at);

-- The private key is sealed under the master key, which is kept outside the store.
CREATE TABLE signing_key (
    organization_id TEXT NOT NULL REFERENCES organization (id),
    id TEXT NOT NULL,
    public_key TEXT NOT NULL,
    sealed_private_key TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (organization_id, id)
) STRICT;

CREATE TABLE agent (
    organization_id TEXT NOT NULL REFERENCES organization (id),
    id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    name TEXT NOT NULL,
    is_deprecated INTEGER NOT NULL CHECK (is_deprecated IN (0, 1)),
    latest_version INTEGER,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, seq),
    UNIQUE (organization_id, name),
    FOREIGN KEY (organization_id, id, latest_version) REFERENCES agent_version (organization_id, agent_id, version)
        DEFERRABLE INITIALLY DEFERRED
) STRICT;

-- Each version but the first refers to the one before it, so that numbers have no gaps.
CREATE TABLE agent_version (
    organization_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    previous_version INTEGER CHECK ((version = 1 AND previous_version IS NULL) OR previous_version = version - 1),
    document TEXT NOT NULL,
    change_number INTEGER NOT NULL,
    creator_org_id TEXT NOT NULL,
    creator_user_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (organization_id, agent_id, version),
    FOREIGN KEY (organization_id, agent_id) REFERENCES agent (organization_id, id),
    FOREIGN KEY (organization_id, agent_id, previous_version)
        REFERENCES agent_version (organization_id, agent_id, version),
    CHECK (version = 1 OR previous_version IS NOT NULL)
) STRICT;

CREATE TABLE context_graph (
    organization_id TEXT NOT NULL REFERENCES organization (id),
    id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    name TEXT NOT NULL,
    is_deprecated INTEGER NOT NULL CHECK (is_deprecated IN (0, 1)),
    latest_version INTEGER,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, seq),
    UNIQUE (organization_id, name),
    FOREIGN KEY (organization_id, id, latest_version)
        REFERENCES context_graph_version (organization_id, context_graph_id, version)
        DEFERRABLE INITIALLY DEFERRED
) STRICT;

CREATE TABLE context_graph_version (
    organization_id TEXT NOT NULL,
    context_graph_id TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    previous_version INTEGER CHECK ((version = 1 AND previous_version IS NULL) OR previous_version = version - 1),
    document TEXT NOT NULL,
    change_number INTEGER NOT NULL,
    creator_org_id TEXT NOT NULL,
    creator_user_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (organization_id, context_graph_id, version),
    FOREIGN KEY (organization_id, context_graph_id) REFERENCES context_graph (organization_id, id),
    FOREIGN KEY (organization_id, context_graph_id, previous_version)
        REFERENCES context_graph_version (organization_id, context_graph_id, version),
    CHECK (version = 1 OR previous_version IS NOT NULL)
) STRICT;

-- `edge_set` and `release_set` hold constants: through them the database itself demands both sets of every service.
-- A name has no longest length, but what an index holds has: so names are told apart by their hashes.
CREATE TABLE service (
    organization_id TEXT NOT NULL REFERENCES organization (id),
    id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    name TEXT NOT NULL,
    name_hash TEXT NOT NULL,
    description TEXT NOT NULL,
    is_active INTEGER NOT NULL CHECK (is_active IN (0, 1)),
    agent_id TEXT NOT NULL,
    context_graph_id TEXT NOT NULL,
    tags TEXT NOT NULL,
    keyterms TEXT NOT NULL,
    creator_org_id TEXT NOT NULL,
    creator_user_id TEXT NOT NULL,
    updated_by_org_id TEXT NOT NULL,
    updated_by_user_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    edge_set TEXT NOT NULL DEFAULT 'edge' CHECK (edge_set = 'edge'),
    release_set TEXT NOT NULL DEFAULT 'release' CHECK (release_set = 'release'),
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, seq),
    UNIQUE (organization_id, id, agent_id),
    UNIQUE (organization_id, id, context_graph_id),
    FOREIGN KEY (organization_id, agent_id) REFERENCES agent (organization_id, id),
    FOREIGN KEY (organization_id, context_graph_id) REFERENCES context_graph (organization_id, id),
    FOREIGN KEY (organization_id, id, edge_set) REFERENCES version_set (organization_id, service_id, name)
        DEFERRABLE INITIALLY DEFERRED,
    FOREIGN KEY (organization_id, id, release_set) REFERENCES version_set (organization_id, service_id, name)
        DEFERRABLE INITIALLY DEFERRED
) STRICT;
CREATE UNIQUE INDEX service_active_name ON service (organization_id, name_hash) WHERE is_active = 1;
CREATE INDEX service_by_agent ON service (organization_id, agent_id);
CREATE INDEX service_by_context_graph ON service (organization_id, context_graph_id);

-- What a set pins now. The agent and the graph are the service's own; the versions are theirs.
CREATE TABLE version_set (
    organization_id TEXT NOT NULL,
    service_id TEXT NOT NULL,
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 40),
    revision INTEGER NOT NULL,
    is_deleted INTEGER NOT NULL CHECK (is_deleted IN (0, 1)),
    agent_id TEXT NOT NULL,
    agent_version INTEGER,
    context_graph_id TEXT NOT NULL,
    context_graph_version INTEGER,
    model_preferences TEXT NOT NULL,
    PRIMARY KEY (organization_id, service_id, name),
    FOREIGN KEY (organization_id, service_id, agent_id) REFERENCES service (organization_id, id, agent_id)
        DEFERRABLE INITIALLY DEFERRED,
    FOREIGN KEY (organization_id, service_id, context_graph_id)
        REFERENCES service (organization_id, id, context_graph_id) DEFERRABLE INITIALLY DEFERRED,
    FOREIGN KEY (organization_id, agent_id, agent_version)
        REFERENCES agent_version (organization_id, agent_id, version),
    FOREIGN KEY (organization_id, context_graph_id, context_graph_version)
        REFERENCES context_graph_version (organization_id, context_graph_id, version),
    FOREIGN KEY (organization_id, service_id, name, revision)
        REFERENCES version_set_revision (organization_id, service_id, name, revision)
        DEFERRABLE INITIALLY DEFERRED,
    CHECK (name <> 'edge' OR (agent_version IS NULL AND context_graph_version IS NULL AND model_preferences = '{}')),
    CHECK (is_deleted = 0 OR name NOT IN ('edge', 'release'))
) STRICT;

-- The history of the sets. A deletion leaves a revision too, and a set that comes back goes on counting.
CREATE TABLE version_set_revision (
    organization_id TEXT NOT NULL,
    service_id TEXT NOT NULL,
    name TEXT NOT NULL,
    revision INTEGER NOT NULL CHECK (revision >= 1),
    previous_revision INTEGER
        CHECK ((revision = 1 AND previous_revision IS NULL) OR previous_revision = revision - 1),
    action TEXT NOT NULL CHECK (action IN ('create', 'update', 'promote', 'rollback', 'delete', 'rebind')),
    agent_id TEXT NOT NULL,
    agent_version INTEGER,
    resolved_agent_version INTEGER,
    context_graph_id TEXT NOT NULL,
    context_graph_version INTEGER,
    resolved_context_graph_version INTEGER,
    model_preferences TEXT NOT NULL,
    source_name TEXT,
    source_revision INTEGER,
    restored_revision INTEGER,
    message TEXT,
    change_number INTEGER NOT NULL,
    actor_org_id TEXT NOT NULL,
    actor_user_id TEXT NOT NULL,
    actor_kind TEXT NOT NULL CHECK (actor_kind IN ('person', 'key', 'agent')),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (organization_id, service_id, name, revision),
    FOREIGN KEY (organization_id, service_id) REFERENCES service (organization_id, id),
    FOREIGN KEY (organization_id, service_id, name) REFERENCES version_set (organization_id, service_id, name)
        DEFERRABLE INITIALLY DEFERRED,
    FOREIGN KEY (organization_id, service_id, name, previous_revision)
        REFERENCES version_set_revision (organization_id, service_id, name, revision),
    FOREIGN KEY (organization_id, agent_id, agent_version)
        REFERENCES agent_version (organization_id, agent_id, version),
    FOREIGN KEY (organization_id, agent_id, resolved_agent_version)
        REFERENCES agent_version (organization_id, agent_id, version),
    FOREIGN KEY (organization_id, context_graph_id, context_graph_version)
        REFERENCES context_graph_version (organization_id, context_graph_id, version),
    FOREIGN KEY (organization_id, context_graph_id, resolved_context_graph_version)
        REFERENCES context_graph_version (organization_id, context_graph_id, version),
    CHECK (revision = 1 OR previous_revision IS NOT NULL)
) STRICT;

CREATE TABLE audit_event (
    organization_id TEXT NOT NULL REFERENCES organization (id),
    sequence INTEGER NOT NULL CHECK (sequence >= 1),
    change_number INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    actor_org_id TEXT NOT NULL,
    actor_user_id TEXT NOT NULL,
    actor_kind TEXT NOT NULL CHECK (actor_kind IN ('person', 'key', 'agent')),
    action TEXT NOT NULL,
    object_kind TEXT NOT NULL,
    object_id TEXT NOT NULL,
    before_document TEXT NOT NULL,
    after_document TEXT NOT NULL,
    previous_hash TEXT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (organization_id, sequence),
    UNIQUE (organization_id, previous_hash)
) STRICT;

-- Versions, history and the audit log are only ever added to.
CREATE TRIGGER agent_version_no_update BEFORE UPDATE ON agent_version
BEGIN SELECT RAISE(ABORT, 'agent_version rows never change'); END;
CREATE TRIGGER agent_version_no_delete BEFORE DELETE ON agent_version
BEGIN SELECT RAISE(ABORT, 'agent_version rows never change'); END;
CREATE TRIGGER context_graph_version_no_update BEFORE UPDATE ON context_graph_version
BEGIN SELECT RAISE(ABORT, 'context_graph_version rows never change'); END;
CREATE TRIGGER context_graph_version_no_delete BEFORE DELETE ON context_graph_version
BEGIN SELECT RAISE(ABORT, 'context_graph_version rows never change'); END;
CREATE TRIGGER version_set_revision_no_update BEFORE UPDATE ON version_set_revision
BEGIN SELECT RAISE(ABORT, 'version_set_revision rows never change'); END;
CREATE TRIGGER version_set_revision_no_delete BEFORE DELETE ON version_set_revision
BEGIN SELECT RAISE(ABORT, 'version_set_revision rows never change'); END;
CREATE TRIGGER audit_event_no_update BEFORE UPDATE ON audit_event
BEGIN SELECT RAISE(ABORT, 'audit_event rows never change'); END;
CREATE TRIGGER audit_event_no_delete BEFORE DELETE ON audit_event
BEGIN SELECT RAISE(ABORT, 'audit_event rows never change'); END;
