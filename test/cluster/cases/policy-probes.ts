import { eventually } from "../../hosts/shell.ts";
import { tcpCounter } from "../../hosts/tcp-counter.ts";
import type { ClusterMachine } from "../cluster-machine.ts";
import { httpPort, type TestPods } from "../test-pods.ts";

export interface Probe {
  readonly pods: TestPods;
  /** Who tries to connect, again and again. */
  readonly from: string;
  readonly address: string;
  /** Whether it is awaited that attempts succeed, or that they fail. */
  readonly until: boolean;
}

const waitMs = 60_000;

/**
 * Changes something while a pod looks for what comes of it, five times a second or more; gives for how
 * many milliseconds after the API server had taken the change nothing had come of it.
 */
export async function whileApplying(probe: Probe, change: () => Promise<unknown>): Promise<number> {
  const { pods, from, address, until } = probe;
  const word = until ? "until" : "while";
  const attempt = `/agnhost connect --timeout=200ms ${address}:${httpPort} >/dev/null 2>&1`;
  const script = `${word} ${attempt}; do :; done`;
  const seen = pods.exec(from, ["sh", "-c", script], { waitMs });
  await change();
  const changedMs = performance.now();
  const { code, stderr } = await seen;
  if (code !== 0) throw new Error(`nothing came of the change: ${stderr}`);
  return Math.round(performance.now() - changedMs);
}

/** Waits until a machine's connections to all of these are made, or refused. */
export async function hostConnects(
  machine: ClusterMachine,
  addresses: readonly string[],
  does: boolean,
): Promise<void> {
  const asks = (address: string) => [
    "timeout",
    "2",
    "busybox",
    "wget",
    "-qO-",
    `http://${address}/hostname`,
  ];
  await Promise.all(
    addresses.map((address) =>
      eventually(
        `connections from ${machine.ip} to ${address} that are ${does ? "made" : "refused"}`,
        () => machine.exec(asks(address)),
        ({ code }) => (code === 0) === does,
        30_000,
      ),
    ),
  );
}

/** How many TCP connections a pod has accepted. */
export async function connectionsAccepted(pods: TestPods, name: string): Promise<number> {
  return tcpCounter(await pods.mustExec(name, ["cat", "/proc/net/snmp"]), "PassiveOpens");
}
