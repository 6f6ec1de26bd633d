-- What the portal's list of events is read by: the newest seen first, all or of
-- one kind.
CREATE INDEX event_by_time ON event (last_us, id);
CREATE INDEX event_by_kind ON event (kind, last_us, id);
