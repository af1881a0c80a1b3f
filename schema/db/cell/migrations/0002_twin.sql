CREATE TABLE `twin_desired` (
	`sequence` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`vehicle` integer NOT NULL,
	`term` integer NOT NULL,
	`version` integer NOT NULL,
	`document` text NOT NULL,
	`changed_at` integer NOT NULL,
	`changed_by` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `twin_desired_by_version` ON `twin_desired` (`vehicle`,`term`,`version`);--> statement-breakpoint
CREATE TABLE `twins` (
	`vehicle` integer PRIMARY KEY NOT NULL,
	`reported` text NOT NULL,
	`boot` integer NOT NULL,
	`seq` integer NOT NULL,
	`reported_at` integer,
	`activity` text,
	`activity_at` integer,
	`held_term` integer,
	`held_version` integer
);
--> statement-breakpoint
ALTER TABLE `commands` ADD `priority` integer DEFAULT 0 NOT NULL;