//! What a thread and a process have used, as the system counts it.

use std::time::Duration;

use anyhow::{Context, Result};
use rustix::time::{ClockId, clock_gettime};

/// Where Linux says what is resident. `smaps_rollup` says it to the page, but takes as much CPU time as many frames do.
const STATUS: &str = "/proc/self/status";

/// CPU time of this thread so far.
pub(crate) fn thread_cpu() -> Duration {
    read(ClockId::ThreadCPUTime)
}

/// CPU time of this process so far, all threads together.
pub(crate) fn process_cpu() -> Duration {
    read(ClockId::ProcessCPUTime)
}

fn read(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    let (seconds, nanos) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
    Duration::new(seconds.expect("CPU time counts up from zero"), nanos.expect("nanoseconds are below one second"))
}

/// Bytes of memory that this process takes.
pub(crate) fn resident_bytes() -> Result<u64> {
    let status = std::fs::read_to_string(STATUS).with_context(|| format!("cannot read {STATUS}; it takes Linux"))?;
    parse(&status).with_context(|| format!("{STATUS} says nothing of VmRSS"))
}

fn parse(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rss_is_read_in_bytes() {
        assert_eq!(parse("VmHWM:\t    1800 kB\nVmRSS:\t    1740 kB\nRssAnon:\t     124 kB\n"), Some(1740 * 1024));
        assert_eq!(parse("RssAnon:\t     124 kB\n"), None);
    }

    #[test]
    fn memory_and_work_show() {
        let before = (resident_bytes().unwrap(), thread_cpu(), process_cpu());
        let memory = std::hint::black_box(vec![1_u8; 64 << 20]);
        assert!(resident_bytes().unwrap() >= before.0 + (32 << 20));
        assert!(thread_cpu() > before.1 && process_cpu() > before.2);
        drop(memory);
    }
}
