//! One binary for all integration tests, so that linking is paid once.

mod api_commands;
mod check;
mod config;
mod config_any_text;
mod config_mistakes;
mod api_events;
mod differential;
mod functional_runner;
mod scenario_files;
mod wire;
mod capture;
mod conformance;
mod decoding;
mod rib;
mod rib_model;
mod rib_reference;
mod session;
mod session_bytes;
mod session_fsm;
mod session_pair;
mod session_peer;
mod session_timers;
mod bird;
mod reactor;
mod reactor_defects;
mod reactor_play;
mod reactor_kernel;
mod faults;
mod paths;

mod suite;
mod compare;
mod review;
mod report;
