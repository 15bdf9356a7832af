import { readFileSync } from "node:fs";
import type { Caller } from "../base/network-event.ts";
import type { Environment } from "./parse.ts";

/** Who runs this process: behind sudo, whoever called it. */
export function ownCaller(kind: "cli" | "cni", environment: Environment): Caller {
  const user = environment.SUDO_USER || userName(process.getuid?.()) || environment.USER;
  return { kind, ...(user && { user }), pid: process.pid };
}

/** Of passwd(5); the runtime knows no more than the variable USER, which services do not have. */
function userName(id: number | undefined): string | undefined {
  try {
    const users = readFileSync("/etc/passwd", "utf8").split("\n");
    const fields = users.map((line) => line.split(":"));
    return fields.find(([, , each]) => each === String(id))?.[0];
  } catch {
    return undefined;
  }
}
