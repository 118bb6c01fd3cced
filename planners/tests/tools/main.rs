//! The tool planner on real tools.

mod data;
mod lists;
mod retrieval;
mod turns;
mod whole;
