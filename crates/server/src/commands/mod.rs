//! One file per command of the command line.

pub mod calls;
pub mod check;
pub mod clinic;
pub mod models;
pub mod outreach;
pub mod providers;
pub mod schedule;
pub mod train;
pub mod train_classifier;
pub mod train_corpus;
pub mod train_export;
pub mod train_run;
pub mod train_walks;
pub mod train_wording;
