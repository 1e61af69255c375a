//! What a thread and a process have used, as the system counts it.

use std::time::Duration;

use anyhow::{Context, Result};
use rustix::time::{ClockId, clock_gettime};

/// Where Linux says what is resident. `smaps_rollup` says it to the page, but takes as much CPU time as many frames do.
const STATUS: &str = "/proc/self/status";
/// Where Linux is told to forget the peak of what was resident (proc(5): write 5).
const CLEAR_REFS: &str = "/proc/self/clear_refs";

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
    status("VmRSS")
}

/// The most bytes of memory that this process took since it began, or since the peak was [forgotten](forget_peak).
pub(crate) fn peak_resident_bytes() -> Result<u64> {
    status("VmHWM")
}

/// Begins to look for the peak anew.
pub(crate) fn forget_peak() -> Result<()> {
    std::fs::write(CLEAR_REFS, "5").with_context(|| format!("cannot write {CLEAR_REFS}; it takes Linux"))
}

fn status(field: &str) -> Result<u64> {
    let status = std::fs::read_to_string(STATUS).with_context(|| format!("cannot read {STATUS}; it takes Linux"))?;
    parse(&status, field).with_context(|| format!("{STATUS} says nothing of {field}"))
}

fn parse(status: &str, field: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rss_is_read_in_bytes() {
        let status = "VmHWM:\t    1800 kB\nVmRSS:\t    1740 kB\nRssAnon:\t     124 kB\n";
        assert_eq!((parse(status, "VmRSS"), parse(status, "VmHWM")), (Some(1740 * 1024), Some(1800 * 1024)));
        assert_eq!(parse("RssAnon:\t     124 kB\n", "VmRSS"), None);
    }

    #[test]
    fn memory_and_work_show() {
        let before = (resident_bytes().unwrap(), thread_cpu(), process_cpu());
        let memory = std::hint::black_box(vec![1_u8; 64 << 20]);
        assert!(resident_bytes().unwrap() >= before.0 + (32 << 20));
        assert!(thread_cpu() > before.1 && process_cpu() > before.2);
        drop(memory);
        assert!(peak_resident_bytes().unwrap() >= before.0 + (32 << 20), "a peak outlasts what made it");
        forget_peak().unwrap();
        assert!(peak_resident_bytes().unwrap() < before.0 + (32 << 20));
    }
}
