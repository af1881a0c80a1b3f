CREATE TABLE `replicas` (
	`owner` text NOT NULL,
	`vin` text NOT NULL,
	`vin_key` text NOT NULL,
	`epoch` integer NOT NULL,
	`document` text NOT NULL,
	PRIMARY KEY(`owner`, `vin`)
);
