import type { Caller } from "../base/network-event.ts";

/**
 * How our own commands and plugins say who runs them:
 *
 *   Weave-Caller: cli; pid=4711; user=alice
 *
 * The user is percent-encoded. It is a statement, not a proof: whoever can write to the unix socket
 * is root here and could do all without a router.
 */
export const callerHeader = "Weave-Caller";

const form = /^(cli|cni)(?:; pid=(\d{1,10}))?(?:; user=([\w.@%+-]{1,192}))?$/;

export function formatCaller({ kind, pid, user }: Caller): string {
  const parts = [
    kind,
    ...(pid === undefined ? [] : [`pid=${pid}`]),
    ...(user === undefined ? [] : [`user=${encodeURIComponent(user).slice(0, 192)}`]),
  ];
  return parts.join("; ");
}

/** `undefined` for what is no such statement. */
export function parseCaller(text: string): Caller | undefined {
  const [, kind, pid, user] = form.exec(text) ?? [];
  if (kind !== "cli" && kind !== "cni") return undefined;
  return {
    kind,
    ...(user !== undefined && { user: decoded(user) }),
    ...(pid !== undefined && { pid: Number(pid) }),
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
