//! Patients, orders, slots and appointments: the department's schedule and its rules.
