CREATE TABLE `rule_sets` (
	`version` integer PRIMARY KEY NOT NULL,
	`state` text NOT NULL,
	`comment` text NOT NULL,
	`rules` text NOT NULL,
	`canary_percent` real,
	`activation` integer,
	`created_by` text NOT NULL,
	`created_at` integer NOT NULL,
	`activated_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `rule_sets_in_use` ON `rule_sets` (`state`) WHERE "rule_sets"."state" in ('active', 'canary');