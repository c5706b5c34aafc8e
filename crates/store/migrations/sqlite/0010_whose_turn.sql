-- Of each run that has not ended: how many of its conversations are held, and which is the first that nobody holds.
CREATE INDEX unit_test_run_of_run ON unit_test_run (organization_id, run_id, state, number, leased_until)
    WHERE state IN ('waiting', 'running');
