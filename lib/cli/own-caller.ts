import { userInfo } from "node:os";
import type { Caller } from "../base/network-event.ts";
import type { Environment } from "./parse.ts";

/** Who runs this process: behind sudo, whoever called it. */
export function ownCaller(kind: "cli" | "cni", environment: Environment): Caller {
  const user = environment.SUDO_USER || userName();
  return { kind, ...(user !== undefined && { user }), pid: process.pid };
}

/** `undefined` for a user id that nobody has. */
function userName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}
