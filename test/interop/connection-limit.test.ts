import { describe, expect, test } from "bun:test";
import { Lab } from "../hosts/lab.ts";
import { eventually } from "../hosts/shell.ts";
import { referenceBinary } from "./reference-router.ts";
import { ask, disposeAll, establishedLinks, fullMesh, type Router, routerOn } from "./routers.ts";

/** Peers that a router knows, itself among them. */
async function known(router: Router): Promise<number> {
  const { text } = await ask(router, "GET", "/status/peers");
  return text.split("\n").filter((line) => /^\S/.test(line)).length;
}

if (referenceBinary === undefined) {
  test("a connection limit beside originals needs a router of the original", () => {
    console.log("no router to run beside: set WEAVE_REFERENCE_ROUTER=/path/to/weaver");
  });
} else {
  describe("one of ours at its connection limit", () => {
    test("takes in an original that knows nobody else, and turns others away without harm", async () => {
      await using lab = await Lab.onSwitch("xj", 4);
      const [ours, ...originals] = lab.hosts.map((host, at) =>
        routerOn(host, at === 0 ? "ours" : "original"),
      ) as [Router, ...Router[]];
      try {
        const peers = [ours.host.ip];
        await ours.start({ flags: ["--conn-limit", "2"] });
        for (const original of originals.slice(0, 2)) await original.start({ peers });
        await fullMesh([ours, ...originals.slice(0, 2)]);
        await originals[2]!.start({ peers });
        for (const router of [ours, ...originals]) {
          await eventually(
            `four peers known to ${router.kind} ${router.host.number}`,
            () => known(router),
            (count) => count === 4,
            20_000,
          );
        }
        // The one that gave way goes on dialling as it was told, and is turned away.
        const turnedAway = (log: string): boolean => log.includes("Connection limit reached (2)");
        await eventually("somebody turned away", () => ours.log(), turnedAway);
        await eventually(
          "two links again",
          () => establishedLinks(ours),
          (links) => links.length === 2,
        );
        for (const original of originals) expect(await original.log()).not.toMatch(/panic|FATA/);
      } finally {
        await disposeAll([ours, ...originals]);
      }
    });
  });
}
