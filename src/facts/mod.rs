//! Tables only: what each release accepts and does. Logic lives in the rules.
