-- Guards and side effects of every change of owner, in the database itself: no caller can forget them.
INSERT INTO meta (id, epoch_floor, timeline) VALUES (1, 0, lower(hex(randomblob(8))));
--> statement-breakpoint
-- I2: the floor under every new epoch never sinks.
CREATE TRIGGER meta_guard BEFORE UPDATE ON meta WHEN new.epoch_floor < old.epoch_floor
BEGIN
  SELECT raise(abort, 'the epoch floor only rises');
END;
--> statement-breakpoint
CREATE TRIGGER leases_guard BEFORE UPDATE ON leases WHEN new.term < old.term
BEGIN
  SELECT raise(abort, 'the term of a lease only rises');
END;
--> statement-breakpoint
-- I1, I2, I12: a row whose cell is not open to the vehicle is left out; the statement goes on with the next one.
CREATE TRIGGER assignments_guard_insert BEFORE INSERT ON assignments
BEGIN
  SELECT raise(abort, 'the epoch must be above the floor') FROM meta WHERE new.epoch <= epoch_floor;
  SELECT raise(ignore) WHERE NOT EXISTS (
    SELECT 1 FROM cells JOIN vehicles ON vehicles.vin = new.vin
    WHERE cells.id = new.cell AND cells.state = 'active' AND cells.health = 'healthy'
      AND cells.assigned < cells.hard_limit AND (vehicles.zone IS NULL OR vehicles.zone = cells.zone)
  );
END;
--> statement-breakpoint
CREATE TRIGGER assignments_guard_update BEFORE UPDATE ON assignments
BEGIN
  SELECT raise(abort, 'an assignment keeps its VIN') WHERE new.vin <> old.vin;
  SELECT raise(abort, 'the epoch must rise') FROM meta WHERE new.epoch <= max(old.epoch, epoch_floor);
  SELECT raise(ignore) WHERE new.cell <> old.cell AND NOT EXISTS (
    SELECT 1 FROM cells JOIN vehicles ON vehicles.vin = new.vin
    WHERE cells.id = new.cell AND cells.state = 'active' AND cells.health = 'healthy'
      AND cells.assigned < cells.hard_limit AND (vehicles.zone IS NULL OR vehicles.zone = cells.zone)
  );
END;
--> statement-breakpoint
-- I3: assignment, counter, outbox event and feed are one transaction.
CREATE TRIGGER assignments_after_insert AFTER INSERT ON assignments
BEGIN
  UPDATE cells SET assigned = assigned + 1 WHERE id = new.cell;
  INSERT INTO outbox (kind, vin, lane, created_at) VALUES ('route', new.vin, new.lane, new.updated_at);
  INSERT INTO cell_changes (cell, vin, vin_key, epoch, owner) VALUES (new.cell, new.vin, new.vin_key, new.epoch, new.cell);
END;
--> statement-breakpoint
CREATE TRIGGER assignments_after_update AFTER UPDATE ON assignments
BEGIN
  UPDATE cells SET assigned = assigned - 1 WHERE id = old.cell AND old.cell <> new.cell;
  UPDATE cells SET assigned = assigned + 1 WHERE id = new.cell AND old.cell <> new.cell;
  INSERT INTO outbox (kind, vin, lane, created_at) VALUES ('route', new.vin, new.lane, new.updated_at);
  INSERT INTO cell_changes (cell, vin, vin_key, epoch, owner) VALUES (new.cell, new.vin, new.vin_key, new.epoch, new.cell);
  INSERT INTO cell_changes (cell, vin, vin_key, epoch, owner)
    SELECT old.cell, new.vin, new.vin_key, new.epoch, new.cell WHERE old.cell <> new.cell;
END;
--> statement-breakpoint
CREATE TRIGGER assignments_after_delete AFTER DELETE ON assignments
BEGIN
  UPDATE meta SET epoch_floor = max(epoch_floor, old.epoch);
  UPDATE cells SET assigned = assigned - 1 WHERE id = old.cell;
  INSERT INTO outbox (kind, vin, lane, created_at)
    VALUES ('route', old.vin, 'single', cast(unixepoch('subsec') * 1000 AS integer));
  INSERT INTO cell_changes (cell, vin, vin_key, epoch, owner) VALUES (old.cell, old.vin, old.vin_key, old.epoch, NULL);
END;
--> statement-breakpoint
-- I12: a vehicle's zone changes only to one that its cell lies in.
CREATE TRIGGER vehicles_guard_zone BEFORE UPDATE OF zone ON vehicles WHEN new.zone IS NOT NULL
BEGIN
  SELECT raise(ignore) FROM assignments JOIN cells ON cells.id = assignments.cell
    WHERE assignments.vin = new.vin AND cells.zone IS NOT new.zone;
END;
--> statement-breakpoint
CREATE TRIGGER cells_guard_zone BEFORE UPDATE OF zone ON cells WHEN new.zone IS NOT old.zone
BEGIN
  SELECT raise(abort, 'a cell keeps its zone');
END;
--> statement-breakpoint
CREATE TRIGGER cells_after_endpoints AFTER UPDATE OF endpoints ON cells WHEN new.endpoints <> old.endpoints
BEGIN
  UPDATE cells SET endpoints_published_at = NULL WHERE id = new.id;
END;
--> statement-breakpoint
-- I6: whatever the topology says of a cell or POP makes one event, however many vehicles there are.
CREATE TRIGGER cells_topology_insert AFTER INSERT ON cells
BEGIN
  INSERT INTO outbox (kind, vin, lane, created_at)
    VALUES ('topology', '', 'single', cast(unixepoch('subsec') * 1000 AS integer));
END;
--> statement-breakpoint
CREATE TRIGGER cells_topology_update AFTER UPDATE OF state, health, endpoints, standby, public_key, region, is_proven ON cells
BEGIN
  INSERT INTO outbox (kind, vin, lane, created_at)
    VALUES ('topology', '', 'single', cast(unixepoch('subsec') * 1000 AS integer));
END;
--> statement-breakpoint
CREATE TRIGGER pops_topology_insert AFTER INSERT ON pops
BEGIN
  INSERT INTO outbox (kind, vin, lane, created_at)
    VALUES ('topology', '', 'single', cast(unixepoch('subsec') * 1000 AS integer));
END;
--> statement-breakpoint
CREATE TRIGGER pops_topology_delete AFTER DELETE ON pops
BEGIN
  INSERT INTO outbox (kind, vin, lane, created_at)
    VALUES ('topology', '', 'single', cast(unixepoch('subsec') * 1000 AS integer));
END;
