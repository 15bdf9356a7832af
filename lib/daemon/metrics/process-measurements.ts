import { readdirSync, readFileSync } from "node:fs";
import { measured, type Sample } from "../../api/metrics/measurement.ts";

/**
 * The families about a process that every Prometheus client has and dashboards of the original use.
 * Those about the Go runtime have nothing here to measure.
 */
export function processMeasurements(): Sample[] {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  return [
    measured("process_cpu_seconds_total", (user + system) / 1e6),
    measured("process_open_fds", openDescriptors()),
    measured("process_max_fds", maxDescriptors()),
    measured("process_resident_memory_bytes", rss),
    measured("process_virtual_memory_bytes", virtualBytes()),
    measured("process_start_time_seconds", performance.timeOrigin / 1000),
    measured("weave_heap_bytes", heapUsed),
  ];
}

/** Without the one that is open to count them. */
function openDescriptors(): number {
  return readdirSync("/proc/self/fd").length - 1;
}

function maxDescriptors(): number {
  const soft = /^Max open files\s+(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
  return soft === "unlimited" ? Number.POSITIVE_INFINITY : Number(soft);
}

function virtualBytes(): number {
  const kibibytes = /^VmSize:\s+(\d+) kB/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  return Number(kibibytes) * 1024;
}
