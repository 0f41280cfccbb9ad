//! Helm charts: templates, what `helm` renders from them, and the way back from a rendered line to the template.

pub mod align;
pub mod lines;
pub mod markers;
pub mod template;
pub mod values;
