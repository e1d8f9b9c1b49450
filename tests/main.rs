//! One binary for all integration tests, so that linking is paid once.

mod functional_runner;
mod scenario_files;
mod capture;
mod conformance;
