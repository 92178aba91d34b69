//! One file a verb, or a family of verbs that share their shape.

pub mod config;
pub mod daemon;
pub mod doctor;
pub mod ending;
pub mod listing;
pub mod logs;
pub mod run;
pub mod talking;
