//! What panics say, and where they were raised: a part of a run that panics becomes a line of the report.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

/// The latest panic of any thread.
static LATEST: Mutex<Option<String>> = Mutex::new(None);

thread_local! {
    /// The latest panic of this thread.
    static OWN: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// From here on panics are remembered and not printed.
pub fn remember() {
    std::panic::set_hook(Box::new(|info| {
        let text = text(info.payload());
        let told = match info.location() {
            Some(at) => format!("{text} (at {}:{})", at.file(), at.line()),
            None => text.to_string(),
        };
        OWN.with(|own| own.replace(Some(told.clone())));
        if let Ok(mut latest) = LATEST.lock() {
            *latest = Some(told);
        }
    }));
}

/// Takes what the latest panic of any thread said.
pub fn latest() -> String {
    let latest = LATEST.lock().ok().and_then(|mut latest| latest.take());
    latest.unwrap_or_else(|| "no reason given".into())
}

/// Does some work, which takes nothing else with it when it panics.
///
/// # Errors
/// What the panic said, and where, if panics are remembered.
pub fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    OWN.with(|own| own.take());
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let text = text(panic.as_ref());
        // A panic that came over from another thread was remembered there.
        let here = OWN.with(|own| own.take()).filter(|told| told.starts_with(text));
        here.unwrap_or_else(|| text.to_string())
    })
}

fn text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason given")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_with_its_place() {
        let hook = std::panic::take_hook();
        remember();
        let told = guarded(|| panic!("{} is out of bounds", 3));
        std::panic::set_hook(hook);
        let told: Result<(), String> = told;
        assert!(told.is_err_and(|told| told.starts_with("3 is out of bounds (at src/panics.rs:")));
        assert_eq!(guarded(|| 1), Ok(1));
    }
}
