-- A move goes forward only: its step rises, a closed one stays closed, its parties and the epoch it began at are its own.
CREATE TRIGGER moves_guard_update BEFORE UPDATE ON moves
BEGIN
  SELECT raise(abort, 'the step of a move only rises') WHERE new.step < old.step OR (new.step = old.step AND new.state <> old.state);
  SELECT raise(abort, 'a closed move stays as it is') WHERE old.state IN ('done', 'aborted') AND new.state <> old.state;
  SELECT raise(abort, 'a move keeps its parties') WHERE new.vin <> old.vin OR new.source <> old.source OR new.target <> old.target
    OR new.from_epoch <> old.from_epoch;
END;
--> statement-breakpoint
-- I1, I2: no step says that the vehicle is the target's unless the assignment says so, in the same transaction.
CREATE TRIGGER moves_guard_switch BEFORE UPDATE OF state ON moves WHEN new.state = 'switching'
BEGIN
  SELECT raise(abort, 'a switch without its change of owner') WHERE old.state <> 'copying' OR NOT EXISTS (
    SELECT 1 FROM assignments WHERE vin = new.vin AND cell = new.target AND epoch = new.to_epoch AND epoch > new.from_epoch
  );
END;
--> statement-breakpoint
-- I12: a move stays inside the vehicle's zone from its first row on.
CREATE TRIGGER moves_guard_zone BEFORE INSERT ON moves
BEGIN
  SELECT raise(abort, 'a move leaves the zone') WHERE NOT EXISTS (
    SELECT 1 FROM cells JOIN vehicles ON vehicles.vin = new.vin
    WHERE cells.id = new.target AND (vehicles.zone IS NULL OR vehicles.zone = cells.zone)
  );
END;
--> statement-breakpoint
-- I12: nobody stands in for a cell of another zone.
CREATE TRIGGER cells_guard_standby_insert BEFORE INSERT ON cells WHEN new.standby IS NOT NULL
BEGIN
  SELECT raise(abort, 'a standby lies in the zone of its cell') WHERE NOT EXISTS (SELECT 1 FROM cells WHERE id = new.standby AND zone IS new.zone);
END;
--> statement-breakpoint
CREATE TRIGGER cells_guard_standby_update BEFORE UPDATE OF standby ON cells WHEN new.standby IS NOT NULL AND new.standby IS NOT old.standby
BEGIN
  SELECT raise(abort, 'a standby lies in the zone of its cell')
    WHERE new.standby = new.id OR NOT EXISTS (SELECT 1 FROM cells WHERE id = new.standby AND zone IS new.zone);
END;
--> statement-breakpoint
CREATE TRIGGER failovers_guard_insert BEFORE INSERT ON failovers WHEN new.standby IS NOT NULL
BEGIN
  SELECT raise(abort, 'a standby lies in the zone of its cell') WHERE NOT EXISTS (
    SELECT 1 FROM cells AS owner JOIN cells AS other ON other.id = new.standby
    WHERE owner.id = new.cell AND other.id <> owner.id AND other.zone IS owner.zone
  );
END;
--> statement-breakpoint
CREATE TRIGGER failovers_guard_update BEFORE UPDATE ON failovers
BEGIN
  SELECT raise(abort, 'the term of a failover only rises') WHERE new.term < old.term OR (new.standby IS NOT old.standby AND new.term = old.term);
  SELECT raise(abort, 'a standby lies in the zone of its cell') WHERE new.standby IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM cells AS owner JOIN cells AS other ON other.id = new.standby
    WHERE owner.id = new.cell AND other.id <> owner.id AND other.zone IS owner.zone
  );
END;
--> statement-breakpoint
-- I6: a failover is one event, however many vehicles there are.
CREATE TRIGGER failovers_topology_insert AFTER INSERT ON failovers WHEN new.phase = 'failed_over'
BEGIN
  INSERT INTO outbox (kind, vin, lane, created_at)
    VALUES ('topology', '', 'single', cast(unixepoch('subsec') * 1000 AS integer));
END;
--> statement-breakpoint
CREATE TRIGGER failovers_topology_update AFTER UPDATE OF phase, term, standby ON failovers WHEN new.phase <> old.phase OR new.term <> old.term
BEGIN
  INSERT INTO outbox (kind, vin, lane, created_at)
    VALUES ('topology', '', 'single', cast(unixepoch('subsec') * 1000 AS integer));
END;
--> statement-breakpoint
-- An erased vehicle is not moved any further.
CREATE TRIGGER assignments_close_move AFTER DELETE ON assignments
BEGIN
  UPDATE moves SET state = 'aborted', step = step + 1, seq = (SELECT max(seq) + 1 FROM moves), failure = coalesce(failure, 'operator'),
    updated_at = cast(unixepoch('subsec') * 1000 AS integer)
    WHERE vin = old.vin AND state NOT IN ('done', 'aborted');
END;
