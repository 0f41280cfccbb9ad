//! Verdicts with their reasons.
