//! What a process takes, as the kernel tells it.

use std::time::{Duration, Instant};

/// The memory in use, in MiB.
pub fn resident(pid: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("a running program");
    let line = text.lines().find(|l| l.starts_with("VmRSS")).unwrap_or_default().to_owned();
    line.split_whitespace().nth(1).and_then(|n| n.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1024.0
}

pub fn threads(pid: u32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count)
}

/// Threads and memory (MiB) when no thread has come or gone for a second, and nothing was read from the disk: a store is
/// examined for some time after a start.
pub fn at_rest(pid: u32) -> (usize, f64) {
    let state = || {
        let io = std::fs::read_to_string(format!("/proc/{pid}/io")).unwrap_or_default();
        let read = io.lines().find(|line| line.starts_with("rchar")).unwrap_or_default().to_owned();
        (threads(pid), read)
    };
    let (mut last, mut since) = (state(), Instant::now());
    while since.elapsed() < Duration::from_secs(1) {
        std::thread::sleep(Duration::from_millis(50));
        let now = state();
        if now != last {
            (last, since) = (now, Instant::now());
        }
    }
    (last.0, resident(pid))
}
