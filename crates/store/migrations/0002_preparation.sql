-- When a patient was prepared for an appointment, and who wants no calls from this line.
ALTER TABLE appointment ADD COLUMN prepared INTEGER;
ALTER TABLE patient ADD COLUMN no_calls INTEGER;
