//! Verdicts for a terminal, JSON, JUnit and HTML.
