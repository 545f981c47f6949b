//! Tests of the store. Each runs on both databases: [`both`] makes two tests of one.

mod events;
mod harness;
mod samples;

mod accounts;
mod archive;
mod chain;
mod delegation;
mod group;
mod jobs;
mod opening;
mod policies;
mod registry;
mod schema;
mod status;

pub(crate) use harness::{World, both};
