import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Crowd, descriptorsOf, residentMegabytes } from "./crowd.ts";
import { hostState, stateDifference } from "./host-state.ts";
import { type Host, Lab } from "./lab.ts";
import { eventually, must } from "./shell.ts";

const containers = 200;
/** A table of as many as there are costs this much once, and nothing again. */
const growthMaxMegabytes = 60;
const crowdMaxMs = 180_000;

describe("two hundred containers that come and go all at once", () => {
  let lab: Lab;
  let one: Host;
  let crowd: Crowd;
  let pid: number;

  beforeAll(async () => {
    lab = await Lab.onSwitch("wcr", 1);
    [one] = lab.hosts as [Host];
    await one.launch(["--ipalloc-init", `seed=${one.peerName}`]);
    crowd = await Crowd.of(one, containers);
    pid = await one.routerPid();
  }, crowdMaxMs);
  afterAll(() => lab?.[Symbol.asyncDispose](), crowdMaxMs);

  test(
    "are all attached with an address each, and leave links, rules and descriptors as they were",
    async () => {
      await crowd.all("attach");
      await crowd.all("detach");
      const before = await hostState(one);
      const [descriptors, megabytes] = [descriptorsOf(pid), residentMegabytes(pid)];
      await crowd.all("attach");
      const listed = (await one.mustWeave(["ps"])).split("\n");
      const addresses = listed.flatMap((line) => line.match(/[\d.]+\/12/g) ?? []);
      expect(new Set(addresses).size).toBe(containers);
      const first = crowd.namespaces[0]!;
      const last = addresses.at(-1)!.replace(/\/.*/, "");
      await must(["ip", "netns", "exec", first, "ping", "-q", "-c", "1", "-W", "10", last]);
      await crowd.all("detach");
      expect(stateDifference(before, await hostState(one))).toEqual([]);
      await eventually(
        "as many descriptors as before",
        async () => descriptorsOf(pid),
        (count) => count <= descriptors,
      );
      expect(residentMegabytes(pid) - megabytes).toBeLessThan(growthMaxMegabytes);
    },
    crowdMaxMs,
  );
});
