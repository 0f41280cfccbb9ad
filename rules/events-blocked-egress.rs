use crate::k8s::policy::Direction;
use crate::lint::prelude::*;
use crate::lint::report_blocked;

pub fn check(cx: &mut UnitContext<'_>) {
    report_blocked(cx, Direction::Egress);
}
