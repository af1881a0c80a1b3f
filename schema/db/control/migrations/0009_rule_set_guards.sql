-- A version says the same for good; what it is used for changes.
CREATE TRIGGER rule_sets_guard BEFORE UPDATE ON rule_sets WHEN new.rules <> old.rules OR new.version <> old.version
BEGIN
  SELECT raise(abort, 'the rules of a version never change');
END;
--> statement-breakpoint
CREATE TRIGGER rule_sets_topology AFTER UPDATE OF state ON rule_sets WHEN (new.state = 'active') <> (old.state = 'active')
BEGIN
  INSERT INTO outbox (kind, vin, lane, created_at)
    VALUES ('topology', '', 'single', cast(unixepoch('subsec') * 1000 AS integer));
END;
