//! Ten thousand annotated functions of one service.

include!(concat!(env!("OUT_DIR"), "/functions.rs"));
