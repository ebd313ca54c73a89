//! What a process used, as the system counts it.

use super::Failure;

/// Clock ticks a second in `/proc`: fixed by Linux for all programs.
const TICKS: f64 = 100.0;

/// User and system time of a process, in seconds.
pub fn cpu_seconds(process: u32) -> Result<f64, Failure> {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name in parentheses may hold spaces; what counts stands behind it.
    let (_, rest) = text.rsplit_once(')').ok_or("no process statistics")?;
    let fields: Vec<f64> = rest.split_whitespace().skip(11).take(2).flat_map(str::parse).collect();
    Ok(fields.iter().sum::<f64>() / TICKS)
}

/// Memory now, in MiB.
pub fn memory(process: u32) -> Result<f64, Failure> {
    status(process, "VmRSS:")
}

/// The most memory there ever was, in MiB.
pub fn peak_memory(process: u32) -> Result<f64, Failure> {
    status(process, "VmHWM:")
}

fn status(process: u32, name: &str) -> Result<f64, Failure> {
    let text = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|line| line.split_whitespace().next()).ok_or("no memory status")?;
    Ok(kib.parse::<f64>()? / 1_024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_something() {
        let own = std::process::id();
        assert!(cpu_seconds(own).unwrap() >= 0.0);
        assert!(peak_memory(own).unwrap() >= memory(own).unwrap() * 0.5);
    }
}
