CREATE TABLE `grant_changes` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`cell` text NOT NULL,
	`vin` text NOT NULL,
	`vin_key` text NOT NULL,
	`subject` text NOT NULL,
	`role` text
);
--> statement-breakpoint
CREATE INDEX `grant_changes_by_cell` ON `grant_changes` (`cell`,`seq`);--> statement-breakpoint
CREATE INDEX `grant_changes_by_vin` ON `grant_changes` (`vin`);--> statement-breakpoint
CREATE TABLE `grants` (
	`vin` text NOT NULL,
	`subject` text NOT NULL,
	`role` text NOT NULL,
	`updated_at` integer NOT NULL,
	`revoked_at` integer,
	PRIMARY KEY(`vin`, `subject`)
);
--> statement-breakpoint
CREATE INDEX `grants_revoked` ON `grants` (`revoked_at`);--> statement-breakpoint
CREATE TABLE `tombstones` (
	`vin_key` text PRIMARY KEY NOT NULL,
	`epoch` integer NOT NULL,
	`erased_at` integer NOT NULL
);
--> statement-breakpoint
ALTER TABLE `vehicles` ADD `is_pinned` integer DEFAULT false NOT NULL;--> statement-breakpoint
CREATE INDEX `cell_changes_erased` ON `cell_changes` (`seq`) WHERE "cell_changes"."owner" is null;