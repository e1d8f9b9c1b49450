//! Two message streams to the first divergence and a field-level difference.
