import { expect, test } from "bun:test";
import { Lab } from "../hosts/lab.ts";
import { eventually } from "../hosts/shell.ts";
import { referenceBinary } from "./reference-router.ts";
import { ask, complaints, disposeAll, fullMesh, type Router, routerOn, told } from "./routers.ts";

const reclaim = ["--reclaim-after", "24h"];

async function members(router: Router): Promise<number> {
  const report = JSON.parse(await router.host.mustWeave(["report"]));
  return report.IPAM.Reclaim.Members.length;
}

if (referenceBinary === undefined) {
  test("reclaim beside an original needs a router of the original", () => {
    console.log("no router to run beside: set WEAVE_REFERENCE_ROUTER=/path/to/weaver");
  });
} else {
  test("a council of ours ends when an original comes to stay, which gets addresses and no harm", async () => {
    await using lab = await Lab.onSwitch("xc", 4);
    const ours = lab.hosts.slice(0, 3).map((host) => routerOn(host, "ours"));
    const original = routerOn(lab.hosts[3]!, "original");
    const all = [...ours, original];
    try {
      const peers = lab.hosts.map(({ ip }) => ip);
      for (const router of ours) await router.start({ flags: reclaim, peers });
      await fullMesh(ours);
      await told(ours[0]!, "POST", "/ip/first");
      for (const router of ours) {
        await eventually(
          "a council of three",
          () => members(router),
          (size) => size === 3,
          30_000,
        );
      }

      await original.start({ peers: peers.slice(0, 3) });
      await fullMesh(all, 30_000);
      // While there is a council, its members give ranges to each other only.
      expect((await ask(original, "POST", "/ip/early")).ok).toBe(false);
      for (const router of ours) {
        await eventually(
          "no council",
          () => members(router),
          (size) => size === 0,
          120_000,
        );
      }
      await eventually(
        "an address for the original",
        async () => (await ask(original, "POST", "/ip/late")).text,
        (text) => /^10\./.test(text),
        30_000,
      );
      await fullMesh(all);
      expect(await complaints(original)).toEqual([]);
      for (const router of ours) {
        expect(await router.host.mustWeave(["status"])).not.toMatch(/Conflict|Suspended/);
      }
    } finally {
      await disposeAll(all);
    }
  }, 300_000);
}
