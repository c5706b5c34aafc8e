-- Where pages of lists ended whose rows can move: the sort values of then. The numbers are beyond any `seq`, and fit into
-- what JavaScript counts exactly. Rows are forgotten after two days.
CREATE TABLE page_cursor (
    organization_id TEXT NOT NULL REFERENCES organization (id),
    token INTEGER NOT NULL CHECK (token >= 4503599627370496 AND token <= 9007199254740991),
    user_org_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    list TEXT NOT NULL,
    sort TEXT NOT NULL,
    sort_values TEXT NOT NULL,
    seq INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (organization_id, token)
) STRICT;
CREATE INDEX page_cursor_by_age ON page_cursor (organization_id, created_at);
CREATE INDEX page_cursor_by_user ON page_cursor (organization_id, user_org_id, user_id, created_at);
