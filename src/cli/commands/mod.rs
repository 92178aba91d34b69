//! One file a verb, or a family of verbs that share their shape.

pub mod again;
pub mod apply;
pub mod boot;
pub mod completions;
pub mod config;
pub mod convert;
pub mod daemon;
pub mod demo;
pub mod detached;
pub mod doctor;
pub mod ending;
pub mod events;
pub mod export;
pub mod flush;
pub mod grep;
pub mod listing;
pub mod logs;
pub mod merged;
pub mod naming;
pub mod procs;
pub mod run;
pub mod screen;
mod service_file;
pub mod services;
pub mod talking;
pub mod tees;
pub mod waiting;
