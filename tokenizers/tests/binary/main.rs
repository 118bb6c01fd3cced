//! Binary BPE against the trainer and the encoder that others know it by.

mod corpus;
mod encode;
mod files;
mod rendering;
mod training;
