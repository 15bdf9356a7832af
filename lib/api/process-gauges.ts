import { readdirSync, readFileSync } from "node:fs";
import type { Gauge } from "./router-control.ts";

/**
 * The families about a process that every Prometheus client has and dashboards of the original use.
 * Those about the Go runtime have nothing here to measure.
 */
export function processGauges(): Gauge[] {
  const { user, system } = process.cpuUsage();
  const gauge = (name: string, help: string, value: number): Gauge => ({
    name: `process_${name}`,
    help,
    type: "gauge",
    value,
  });
  return [
    {
      ...gauge("cpu_seconds_total", "Total user and system CPU time spent in seconds.", 0),
      type: "counter",
      value: (user + system) / 1e6,
    },
    gauge("open_fds", "Number of open file descriptors.", openDescriptors()),
    gauge("max_fds", "Maximum number of open file descriptors.", maxDescriptors()),
    gauge("resident_memory_bytes", "Resident memory size in bytes.", process.memoryUsage.rss()),
    gauge("virtual_memory_bytes", "Virtual memory size in bytes.", virtualBytes()),
    gauge(
      "start_time_seconds",
      "Start time of the process since unix epoch in seconds.",
      performance.timeOrigin / 1000,
    ),
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
