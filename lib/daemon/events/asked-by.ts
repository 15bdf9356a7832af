import { AsyncLocalStorage } from "node:async_hooks";
import { callerHeader, parseCaller } from "../../api/caller-header.ts";
import type { Caller } from "../../base/network-event.ts";

const current = new AsyncLocalStorage<Caller>();

/** Does something for somebody: what it tells of, also later, is told with who asked. */
export function askedBy<T>(caller: Caller, action: () => T): T {
  return current.run(caller, action);
}

/** Does something that nobody here asked for, whatever it was that began it. */
export function askedByNobody<T>(action: () => T): T {
  return current.exit(action);
}

/** For whom this is done; `undefined` for what nobody asked for. */
export function currentCaller(): Caller | undefined {
  return current.getStore();
}

/** Who sends a request. What is said over TCP may be said by anybody, so it is not believed. */
export function callerOf(headers: Headers, transport: "unix" | "tcp"): Caller {
  if (transport === "tcp") return { kind: "tcp" };
  return parseCaller(headers.get(callerHeader) ?? "") ?? { kind: "api" };
}
