import { expect, test } from "bun:test";
import { launchImpatient } from "./impatient.ts";
import { type Host, Lab } from "./lab.ts";
import { eventually, killed, must } from "./shell.ts";

const timeoutMs = 120_000;
const day = ["--reclaim-after", "24h"];

interface Reclaim {
  AfterSeconds: number;
  Members: string[];
  MayAllocate: boolean;
  Taken: { Peer: string }[];
}

async function reclaim(host: Host): Promise<Reclaim> {
  return JSON.parse(await host.mustWeave(["report"])).IPAM.Reclaim;
}

/** Waits until the council of `host` has so many members and it may give out addresses. */
function council(host: Host, size: number): Promise<Reclaim> {
  return eventually(
    `a council of ${size} at ${host.namespace}`,
    () => reclaim(host),
    ({ Members, MayAllocate }) => Members.length === size && MayAllocate,
    60_000,
  );
}

// The one waits beside the other.
test.concurrent(
  "three hosts form a council, keep it over a restart, and end it when one has it off",
  async () => {
    await using lab = await Lab.onSwitch("recc", 3);
    const [first, second, third] = lab.hosts as [Host, Host, Host];
    await first.launch(day);
    await second.launch([...day, first.ip]);
    await third.launch([...day, first.ip, second.ip]);
    await first.mustWeave(["prime"]);
    for (const host of lab.hosts) {
      expect((await council(host, 3)).AfterSeconds).toBe(86_400);
    }
    // What scripts read is as ever.
    expect(await third.mustWeave(["status", "ipam"])).not.toContain("unreachable");
    expect(await third.mustWeave(["status"])).not.toContain("Suspended");

    await third.mustWeave(["stop"]);
    await third.launch([...day, first.ip]);
    expect((await reclaim(third)).MayAllocate).toBe(true);
    await council(third, 3);

    await second.mustWeave(["stop"]);
    await second.launch([first.ip, "--reclaim-after", "never"]);
    for (const host of lab.hosts) await council(host, 0);
  },
  timeoutMs,
);

/** Leases last 10 s, and who is silent for 30 s is gone. */
const afterMs = 30_000;
const consensus = { "ipalloc-init": "consensus=4" };

/** Takes a host's cable out of the switch, or puts it in again. */
async function plug(host: Host, isIn: boolean): Promise<void> {
  const port = ["ip", "-n", `${host.lab.prefix}-sw`, "link", "set", `h${host.number}`];
  await must(isIn ? [...port, "master", "br0"] : [...port, "nomaster"]);
}

async function attached(host: Host, suffix: string): Promise<string> {
  const container = await host.container(suffix);
  return host.mustWeave(["attach", container.reference]);
}

test.concurrent(
  "a host that is gone for good loses its ranges by itself, and yields them when it returns",
  async () => {
    await using lab = await Lab.onSwitch("recl", 4);
    const peers = lab.hosts.map(({ ip }) => ip);
    for (const host of lab.hosts) await launchImpatient(host, afterMs, consensus, peers);
    const before = await Promise.all(lab.hosts.map((host) => attached(host, `c${host.number}`)));
    for (const host of lab.hosts) await council(host, 4);
    const [first, , , last] = lab.hosts as [Host, Host, Host, Host];
    expect(await first.mustWeave(["status", "ipam"])).toContain(last.peerName);

    await killed(await last.routerPid());
    await plug(last, false);
    for (const host of lab.hosts.slice(0, 3)) {
      const { Taken } = await council(host, 3);
      expect(Taken.map(({ Peer }) => Peer)).toEqual([last.peerName]);
      // What scripts read does not know of the peer any more; nobody typed anything.
      expect(await host.mustWeave(["status", "ipam"])).not.toContain(last.peerName);
      expect((await host.exec(["curl", "-s", "127.0.0.1:6782/metrics"])).stdout).toMatch(
        /^weave_ipam_reclaimed_peers 1$/m,
      );
    }

    // It comes back, and hears nobody: its container stays, and no new one gets an address.
    await launchImpatient(last, afterMs, consensus, peers);
    expect((await reclaim(last)).MayAllocate).toBe(false);
    expect(await last.mustWeave(["status"])).toContain("Suspended:");
    const late = await last.container("late");
    expect((await last.weave(["attach", late.reference], { waitMs: 1_500 })).code).not.toBe(0);
    expect(await last.mustWeave(["ps"])).toContain(before[3]!);

    // It hears the others, yields, claims what its container uses, and is a member again.
    await plug(last, true);
    await council(last, 4);
    await eventually(
      "the address of the container that stayed",
      () => last.mustWeave(["ps"]),
      (text) => text.includes(before[3]!),
    );
    expect(await Bun.file(`${last.env.WEAVE_RUN_DIR}/weave.log`).text()).toContain(
      "was gone for too long",
    );
    const after = await Promise.all(lab.hosts.map((host) => attached(host, `d${host.number}`)));
    expect(new Set([...before, ...after]).size).toBe(8);
    expect(await last.mustWeave(["status"])).not.toMatch(/Suspended|Conflict/);
  },
  timeoutMs,
);
