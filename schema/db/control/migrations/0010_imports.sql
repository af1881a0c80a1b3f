CREATE TABLE `import_parts` (
	`import_id` text NOT NULL,
	`part` integer NOT NULL,
	`lines` integer NOT NULL,
	`is_done` integer NOT NULL,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`import_id`, `part`)
);
