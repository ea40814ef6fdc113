//! The `radline` program: configuration, wiring, call driver, model workers.

pub mod app;
pub mod call_driver;
pub mod chart;
pub mod cli;
pub mod clinic_seed;
pub mod clock;
pub mod commands;
pub mod config;
pub mod console;
pub mod evaluate;
pub mod event_log;
pub mod handover;
pub mod http;
pub mod language;
pub mod metrics;
pub mod missed_call;
pub mod models;
pub mod outreach;
pub mod phone;
pub mod site;
pub mod talk;
pub mod terminal;
pub mod text_call;
pub mod wire_meter;
pub mod workers;
