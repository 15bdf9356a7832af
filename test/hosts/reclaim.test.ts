import { expect, test } from "bun:test";
import { type Host, Lab } from "./lab.ts";
import { eventually } from "./shell.ts";

const timeoutMs = 120_000;
const day = ["--reclaim-after", "24h"];

interface Reclaim {
  AfterSeconds: number;
  Members: string[];
  MayAllocate: boolean;
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

test(
  "three hosts form a council, keep it over a restart, and end it when one has it off",
  async () => {
    await using lab = await Lab.onSwitch("recl", 3);
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
