//! How often a scan asks whether it should go on.

use std::time::Instant;

use recollect_model::{Call, Result};

/// How many blocks are passed between two looks at the clock for [`Call::INTERRUPT_INTERVAL`]: a few milliseconds.
const BLOCKS_PER_LOOK: u32 = 256;

/// Asks the call for its deadline at every block, and for Ctrl-C as seldom as it wants to be asked.
pub(crate) struct Pace<'call> {
    call: &'call Call,
    blocks: u32,
    asked: Instant,
}

impl<'call> Pace<'call> {
    /// Starts the clock, and asks for the deadline a first time.
    pub(crate) fn begin(call: &'call Call) -> Result<Self> {
        call.check()?;
        Ok(Self { call, blocks: 0, asked: Instant::now() })
    }

    /// To be called before each block.
    pub(crate) fn check(&mut self) -> Result<()> {
        self.blocks += 1;
        if self.blocks >= BLOCKS_PER_LOOK {
            self.blocks = 0;
            if self.asked.elapsed() >= Call::INTERRUPT_INTERVAL {
                self.asked = Instant::now();
                return self.call.check_interrupt();
            }
        }
        self.call.check()
    }
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test fails by panicking")]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use recollect_model::{ErrorCode, Interrupt};

    use super::*;

    /// Says no once and then yes.
    #[derive(Default)]
    struct SecondTime(AtomicU32);

    impl Interrupt for SecondTime {
        fn is_interrupted(&self) -> bool {
            self.0.fetch_add(1, Ordering::Relaxed) > 0
        }
    }

    #[test]
    fn test_a_long_scan_hears_ctrl_c_at_the_interval() {
        let keyboard = Arc::new(SecondTime::default());
        let call = Call::unlimited().with_interrupt(keyboard.clone());
        let begin = Instant::now();
        let mut pace = Pace::begin(&call).expect("no limit was set");
        let refused = loop {
            if let Err(error) = pace.check() {
                break error;
            }
            assert!(begin.elapsed() < Duration::from_secs(20), "the keyboard was never asked");
        };
        assert_eq!(refused.code(), ErrorCode::Cancelled);
        assert_eq!(keyboard.0.load(Ordering::Relaxed), 2);
        assert!(begin.elapsed() >= 2 * Call::INTERRUPT_INTERVAL);
    }
}
