import { expect, test } from "bun:test";
import type { Picture } from "../../lib/api/picture-models.ts";
import { Lab } from "../hosts/lab.ts";
import { eventually } from "../hosts/shell.ts";
import { referenceBinary } from "./reference-router.ts";
import { ask, complaints, disposeAll, type Router, routerOn } from "./routers.ts";

if (referenceBinary === undefined) {
  test("links across an original need a router of the original", () => {
    console.log("no router to run beside: set WEAVE_REFERENCE_ROUTER=/path/to/weaver");
  });
} else {
  test("links are told across an original, of whose own no more is known than its neighbours tell", async () => {
    const lab = await Lab.inLine("bx", 4);
    const kinds = ["ours", "original", "ours", "ours"] as const;
    const routers = lab.hosts.map((host, at) => routerOn(host, kinds[at]!));
    try {
      const [one, original, three, four] = routers as [Router, Router, Router, Router];
      const flags = ["--no-discovery"];
      await original.start({ flags });
      await one.start({ flags, peers: ["192.168.1.2"] });
      await three.start({ flags, peers: ["192.168.2.1"] });
      await four.start({ flags, peers: ["192.168.3.1"] });
      const [a, b, c, d] = [one, original, three, four].map(({ host }) => host.peerName);
      const shown = await eventually(
        "what all of ours have told of their links",
        async () => JSON.parse((await ask(one, "GET", "/picture")).text) as Picture,
        (picture) =>
          picture.peers.filter(({ told }) => told !== null).length === 2 &&
          tellers(picture, c, d).length === 2,
        30_000,
      );
      expect(tellers(shown, a, b)).toEqual([a!]);
      expect(tellers(shown, b, c)).toEqual([c!]);
      expect(shown.peers.find(({ name }) => name === b)!.told).toBeNull();
      expect(await complaints(original)).toEqual([]);
    } finally {
      await disposeAll([...routers, lab]);
    }
  });
}

/** Who tells of the link between two that frames take sleeve. */
function tellers({ links }: Picture, ...names: (string | undefined)[]): string[] {
  const link = links.find(({ from, to }) => names.includes(from) && names.includes(to));
  return (["from", "to"] as const)
    .filter((end) => link?.ends[end]?.overlay === "sleeve")
    .map((end) => link![end]);
}
