-- What strangers asked for without an account (signing up, a link for who has
-- forgotten), for an hour: a network has some of them, and all together more.
CREATE TABLE account_request (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    network TEXT NOT NULL              -- as login_failure.network
) STRICT;
CREATE INDEX account_request_by_network ON account_request (network, at);
CREATE INDEX account_request_by_time ON account_request (at);
