-- Up to this amount a merchant's purchase may be approved while no link to its bank is up; null: never.
ALTER TABLE merchants ADD COLUMN stand_in_floor_minor bigint CHECK (stand_in_floor_minor >= 0);
