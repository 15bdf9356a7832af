import { configureSync, getLogger, type LogLevel, type LogRecord } from "@logtape/logtape";
import type { Log } from "../base/world.ts";
import { RotatingFile } from "./rotating-file.ts";

/** A log file is renamed to `.1` when it reaches this size: two files bound what a host spends. */
const logBytesMax = 16 << 20;

export const logLevels = ["debug", "info", "warning", "error"] as const;
export type WeaveLogLevel = (typeof logLevels)[number];

const labels: Record<LogLevel, string> = {
  trace: "DEBU",
  debug: "DEBU",
  info: "INFO",
  warning: "WARN",
  error: "ERRO",
  fatal: "FATA",
};

/**
 * `INFO: 2006/01/02 15:04:05.000000 text`, the form that log collectors parse (cli §5.2). Further lines
 * of a text, as of a stack, are indented: names of peers are in it, and none may look like a record.
 */
export function formatLine(level: LogLevel, timestampMs: number, text: string): string {
  const stamp = new Date(timestampMs).toISOString();
  const day = stamp.slice(0, 10).replaceAll("-", "/");
  const shown = text.replaceAll(/[^\P{Cc}\t\n]/gu, "\ufffd").replaceAll("\n", "\n    ");
  return `${labels[level]}: ${day} ${stamp.slice(11, 23)}000 ${shown}\n`;
}

/**
 * The router's log: to `path`, or to standard error when none is given (in the foreground, where a
 * service manager collects it).
 */
export function openLog(level: WeaveLogLevel, path: string | undefined): Log {
  const file = path === undefined ? undefined : new RotatingFile(path, logBytesMax);
  const write = (line: string): void => {
    if (file === undefined) process.stderr.write(line);
    else file.write(line);
  };
  configureSync({
    reset: true,
    sinks: {
      out: (record: LogRecord) =>
        write(formatLine(record.level, record.timestamp, record.message.join(""))),
    },
    loggers: [
      { category: "weave", lowestLevel: level, sinks: ["out"] },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["out"] },
    ],
  });
  const logger = getLogger("weave");
  // Passed as a value, not as a template: lines hold braces of peers' own making.
  return {
    debug: (line) => logger.debug`${line}`,
    info: (line) => logger.info`${line}`,
    warn: (line) => logger.warn`${line}`,
    error: (line) => logger.error`${line}`,
  };
}
