-- Organizations, access, agents, context graphs, services, version sets and the audit log.
--
-- Rules for every table: keys begin with the organization; `seq` orders an organization's rows for paging; times are
-- milliseconds since the epoch; documents are JSON as text; rows are never deleted.

CREATE TABLE organization (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    name TEXT COLLATE "C" NOT NULL,
    is_operator BOOLEAN NOT NULL,
    is_deleted BOOLEAN NOT NULL,
    is_in_maintenance BOOLEAN NOT NULL,
    default_user_preferences TEXT COLLATE "C" NOT NULL,
    change_number BIGINT NOT NULL CHECK (change_number >= 0),
    changed_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
-- Only one organization is the operator's.
CREATE UNIQUE INDEX organization_operator ON organization (is_operator) WHERE is_operator;

-- What concerns the whole installation: a name and its value.
CREATE TABLE server_setting (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    value TEXT COLLATE "C" NOT NULL
);

-- A default role stores no grants: they are code. A role that was replaced keeps its row and says since when.
CREATE TABLE role (
    organization_id TEXT COLLATE "C" NOT NULL REFERENCES organization (id),
    id TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C" NOT NULL,
    frontend_view TEXT COLLATE "C" NOT NULL CHECK (frontend_view IN ('client', 'admin')),
    grants TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, seq)
);
CREATE UNIQUE INDEX role_name ON role (organization_id, name) WHERE expires_at IS NULL;

CREATE TABLE app_user (
    organization_id TEXT COLLATE "C" NOT NULL REFERENCES organization (id),
    id TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    role_id TEXT COLLATE "C" NOT NULL,
    first_name TEXT COLLATE "C" NOT NULL,
    last_name TEXT COLLATE "C" NOT NULL,
    email TEXT COLLATE "C" NOT NULL,
    preferences TEXT COLLATE "C" NOT NULL,
    nonsensitive_variables TEXT COLLATE "C" NOT NULL,
    sensitive_variable_names TEXT COLLATE "C" NOT NULL,
    sealed_sensitive_variables TEXT COLLATE "C",
    additional_context TEXT COLLATE "C" NOT NULL,
    is_deleted BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, seq),
    FOREIGN KEY (organization_id, role_id) REFERENCES role (organization_id, id)
);
CREATE UNIQUE INDEX app_user_email ON app_user (organization_id, lower(email)) WHERE NOT is_deleted;
CREATE INDEX app_user_by_role ON app_user (organization_id, role_id);

CREATE TABLE api_key (
    organization_id TEXT COLLATE "C" NOT NULL REFERENCES organization (id),
    id TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    object_id TEXT COLLATE "C" NOT NULL,
    secret_hash TEXT COLLATE "C" NOT NULL,
    role_id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C",
    is_agent BOOLEAN NOT NULL,
    creator_org_id TEXT COLLATE "C" NOT NULL,
    creator_user_id TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, seq),
    FOREIGN KEY (organization_id, role_id) REFERENCES role (organization_id, id)
);

CREATE TABLE temporary_grant (
    organization_id TEXT COLLATE "C" NOT NULL REFERENCES organization (id),
    id TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    permission_name TEXT COLLATE "C" NOT NULL,
    grant_document TEXT COLLATE "C" NOT NULL,
    tags TEXT COLLATE "C" NOT NULL,
    justification TEXT COLLATE "C" NOT NULL,
    creator_org_id TEXT COLLATE "C" NOT NULL,
    creator_user_id TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, seq),
    FOREIGN KEY (organization_id, user_id) REFERENCES app_user (organization_id, id)
);
CREATE INDEX temporary_grant_by_user ON temporary_grant (organization_id, user_id, expires_at);

-- The private key is sealed under the master key, which is kept outside the store.
CREATE TABLE signing_key (
    organization_id TEXT COLLATE "C" NOT NULL REFERENCES organization (id),
    id TEXT COLLATE "C" NOT NULL,
    public_key TEXT COLLATE "C" NOT NULL,
    sealed_private_key TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (organization_id, id)
);

CREATE TABLE agent (
    organization_id TEXT COLLATE "C" NOT NULL REFERENCES organization (id),
    id TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    is_deprecated BOOLEAN NOT NULL,
    latest_version BIGINT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, seq),
    UNIQUE (organization_id, name)
);

-- Each version but the first refers to the one before it, so that numbers have no gaps.
CREATE TABLE agent_version (
    organization_id TEXT COLLATE "C" NOT NULL,
    agent_id TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1),
    previous_version BIGINT CHECK ((version = 1 AND previous_version IS NULL) OR previous_version = version - 1),
    document TEXT COLLATE "C" NOT NULL,
    change_number BIGINT NOT NULL,
    creator_org_id TEXT COLLATE "C" NOT NULL,
    creator_user_id TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (organization_id, agent_id, version),
    FOREIGN KEY (organization_id, agent_id) REFERENCES agent (organization_id, id),
    FOREIGN KEY (organization_id, agent_id, previous_version)
        REFERENCES agent_version (organization_id, agent_id, version),
    CHECK (version = 1 OR previous_version IS NOT NULL)
);

CREATE TABLE context_graph (
    organization_id TEXT COLLATE "C" NOT NULL REFERENCES organization (id),
    id TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    is_deprecated BOOLEAN NOT NULL,
    latest_version BIGINT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, seq),
    UNIQUE (organization_id, name)
);

CREATE TABLE context_graph_version (
    organization_id TEXT COLLATE "C" NOT NULL,
    context_graph_id TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1),
    previous_version BIGINT CHECK ((version = 1 AND previous_version IS NULL) OR previous_version = version - 1),
    document TEXT COLLATE "C" NOT NULL,
    change_number BIGINT NOT NULL,
    creator_org_id TEXT COLLATE "C" NOT NULL,
    creator_user_id TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (organization_id, context_graph_id, version),
    FOREIGN KEY (organization_id, context_graph_id) REFERENCES context_graph (organization_id, id),
    FOREIGN KEY (organization_id, context_graph_id, previous_version)
        REFERENCES context_graph_version (organization_id, context_graph_id, version),
    CHECK (version = 1 OR previous_version IS NOT NULL)
);

-- `edge_set` and `release_set` hold constants: through them the database itself demands both sets of every service.
-- A name has no longest length, but what an index holds has: so names are told apart by their hashes.
CREATE TABLE service (
    organization_id TEXT COLLATE "C" NOT NULL REFERENCES organization (id),
    id TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    name_hash TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C" NOT NULL,
    is_active BOOLEAN NOT NULL,
    agent_id TEXT COLLATE "C" NOT NULL,
    context_graph_id TEXT COLLATE "C" NOT NULL,
    tags TEXT COLLATE "C" NOT NULL,
    keyterms TEXT COLLATE "C" NOT NULL,
    creator_org_id TEXT COLLATE "C" NOT NULL,
    creator_user_id TEXT COLLATE "C" NOT NULL,
    updated_by_org_id TEXT COLLATE "C" NOT NULL,
    updated_by_user_id TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    edge_set TEXT COLLATE "C" NOT NULL DEFAULT 'edge' CHECK (edge_set = 'edge'),
    release_set TEXT COLLATE "C" NOT NULL DEFAULT 'release' CHECK (release_set = 'release'),
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, seq),
    UNIQUE (organization_id, id, agent_id),
    UNIQUE (organization_id, id, context_graph_id),
    FOREIGN KEY (organization_id, agent_id) REFERENCES agent (organization_id, id),
    FOREIGN KEY (organization_id, context_graph_id) REFERENCES context_graph (organization_id, id)
);
CREATE UNIQUE INDEX service_active_name ON service (organization_id, name_hash) WHERE is_active;
CREATE INDEX service_by_agent ON service (organization_id, agent_id);
CREATE INDEX service_by_context_graph ON service (organization_id, context_graph_id);

-- What a set pins now. The agent and the graph are the service's own; the versions are theirs.
CREATE TABLE version_set (
    organization_id TEXT COLLATE "C" NOT NULL,
    service_id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL CHECK (length(name) BETWEEN 1 AND 40),
    revision BIGINT NOT NULL,
    is_deleted BOOLEAN NOT NULL,
    agent_id TEXT COLLATE "C" NOT NULL,
    agent_version BIGINT,
    context_graph_id TEXT COLLATE "C" NOT NULL,
    context_graph_version BIGINT,
    model_preferences TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (organization_id, service_id, name),
    FOREIGN KEY (organization_id, service_id, agent_id) REFERENCES service (organization_id, id, agent_id)
        DEFERRABLE INITIALLY DEFERRED,
    FOREIGN KEY (organization_id, service_id, context_graph_id)
        REFERENCES service (organization_id, id, context_graph_id) DEFERRABLE INITIALLY DEFERRED,
    FOREIGN KEY (organization_id, agent_id, agent_version)
        REFERENCES agent_version (organization_id, agent_id, version),
    FOREIGN KEY (organization_id, context_graph_id, context_graph_version)
        REFERENCES context_graph_version (organization_id, context_graph_id, version),
    CHECK (name <> 'edge' OR (agent_version IS NULL AND context_graph_version IS NULL AND model_preferences = '{}')),
    CHECK (NOT is_deleted OR name NOT IN ('edge', 'release'))
);

-- The history of the sets. A deletion leaves a revision too, and a set that comes back goes on counting.
CREATE TABLE version_set_revision (
    organization_id TEXT COLLATE "C" NOT NULL,
    service_id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL CHECK (revision >= 1),
    previous_revision BIGINT
        CHECK ((revision = 1 AND previous_revision IS NULL) OR previous_revision = revision - 1),
    action TEXT COLLATE "C" NOT NULL CHECK (action IN ('create', 'update', 'promote', 'rollback', 'delete', 'rebind')),
    agent_id TEXT COLLATE "C" NOT NULL,
    agent_version BIGINT,
    resolved_agent_version BIGINT,
    context_graph_id TEXT COLLATE "C" NOT NULL,
    context_graph_version BIGINT,
    resolved_context_graph_version BIGINT,
    model_preferences TEXT COLLATE "C" NOT NULL,
    source_name TEXT COLLATE "C",
    source_revision BIGINT,
    restored_revision BIGINT,
    message TEXT COLLATE "C",
    change_number BIGINT NOT NULL,
    actor_org_id TEXT COLLATE "C" NOT NULL,
    actor_user_id TEXT COLLATE "C" NOT NULL,
    actor_kind TEXT COLLATE "C" NOT NULL CHECK (actor_kind IN ('person', 'key', 'agent')),
    created_at BIGINT NOT NULL,
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
);

-- These refer to tables that are created after their own.
ALTER TABLE agent ADD FOREIGN KEY (organization_id, id, latest_version) REFERENCES agent_version (organization_id, agent_id, version) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE context_graph ADD FOREIGN KEY (organization_id, id, latest_version) REFERENCES context_graph_version (organization_id, context_graph_id, version) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE service ADD FOREIGN KEY (organization_id, id, edge_set) REFERENCES version_set (organization_id, service_id, name) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE service ADD FOREIGN KEY (organization_id, id, release_set) REFERENCES version_set (organization_id, service_id, name) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE version_set ADD FOREIGN KEY (organization_id, service_id, name, revision) REFERENCES version_set_revision (organization_id, service_id, name, revision) DEFERRABLE INITIALLY DEFERRED;

CREATE TABLE audit_event (
    organization_id TEXT COLLATE "C" NOT NULL REFERENCES organization (id),
    sequence BIGINT NOT NULL CHECK (sequence >= 1),
    change_number BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    actor_org_id TEXT COLLATE "C" NOT NULL,
    actor_user_id TEXT COLLATE "C" NOT NULL,
    actor_kind TEXT COLLATE "C" NOT NULL CHECK (actor_kind IN ('person', 'key', 'agent')),
    action TEXT COLLATE "C" NOT NULL,
    object_kind TEXT COLLATE "C" NOT NULL,
    object_id TEXT COLLATE "C" NOT NULL,
    before_document TEXT COLLATE "C" NOT NULL,
    after_document TEXT COLLATE "C" NOT NULL,
    previous_hash TEXT COLLATE "C" NOT NULL,
    hash TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (organization_id, sequence),
    UNIQUE (organization_id, previous_hash)
);

-- Versions, history and the audit log are only ever added to.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% rows never change', TG_TABLE_NAME;
END
$$;
CREATE TRIGGER agent_version_never_changes BEFORE UPDATE OR DELETE ON agent_version
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER context_graph_version_never_changes BEFORE UPDATE OR DELETE ON context_graph_version
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER version_set_revision_never_changes BEFORE UPDATE OR DELETE ON version_set_revision
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_event_never_changes BEFORE UPDATE OR DELETE ON audit_event
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
