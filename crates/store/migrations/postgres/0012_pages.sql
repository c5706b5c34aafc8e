-- Most orders and filters of lists have an index, so that any page costs as much as the first. Of a text that may be
-- longer than what an index holds, the beginning is indexed; the rest of the order is told by the rows.
CREATE INDEX service_by_name ON service (organization_id, substr(name, 1, 200));
CREATE INDEX service_by_activity ON service (organization_id, (CASE WHEN is_active THEN 1 ELSE 0 END), seq);
CREATE INDEX service_by_inactivity ON service (organization_id, (CASE WHEN is_active THEN 1 ELSE 0 END) DESC, seq);
CREATE INDEX app_user_by_first_name ON app_user (organization_id, substr(first_name, 1, 200));
CREATE INDEX app_user_by_last_name ON app_user (organization_id, substr(last_name, 1, 200));
CREATE INDEX app_user_by_email ON app_user (organization_id, substr(email, 1, 200));
CREATE INDEX conversation_by_creation ON conversation (organization_id, created_at, seq);
CREATE INDEX conversation_by_end ON conversation (organization_id, (CASE WHEN finished_at IS NULL THEN 0 ELSE 1 END), seq);
CREATE INDEX versioned_item_by_update ON versioned_item (organization_id, kind, updated_at, seq);
CREATE INDEX versioned_item_by_activity
    ON versioned_item (organization_id, kind, (CASE WHEN is_active THEN 1 ELSE 0 END), seq);
CREATE INDEX versioned_item_by_deletion
    ON versioned_item (organization_id, kind, (CASE WHEN is_deleted THEN 1 ELSE 0 END), seq);
CREATE INDEX behavior_invocation_by_time ON behavior_invocation (organization_id, item_id, invoked_at, seq);
CREATE INDEX metric_result_by_creation ON metric_result (organization_id, created_at, seq);
CREATE INDEX metric_result_by_source ON metric_result (organization_id, source_type, seq);
CREATE INDEX temporary_grant_by_holder ON temporary_grant (organization_id, user_id, seq);
CREATE INDEX temporary_grant_by_end ON temporary_grant (organization_id, (COALESCE(ended_at, expires_at)), seq);
CREATE INDEX temporary_grant_by_permission ON temporary_grant (organization_id, permission_name, seq);
CREATE INDEX unit_test_set_run_by_creation ON unit_test_set_run (organization_id, created_at, seq);
