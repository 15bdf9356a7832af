import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Lab } from "../hosts/lab.ts";
import { eventually } from "../hosts/shell.ts";
import { referenceBinary } from "./reference-router.ts";
import {
  complaints,
  disposeAll,
  established,
  establishedLinks,
  fullMesh,
  type Router,
  routerOn,
  told,
} from "./routers.ts";

/** How often each kind is killed. */
const kills = 20;

const orders = [
  { how: "ours first", order: [2, 0, 1] },
  { how: "ours in the middle", order: [0, 2, 1] },
  { how: "ours last", order: [0, 1, 2] },
  { how: "all at once", order: undefined },
  { how: "all at once, ports given", order: undefined, port: ":6783" },
];

/** Every other host is a peer. */
function peersOf(router: Router, lab: Lab, port = ""): string[] {
  return lab.hosts.filter((host) => host !== router.host).map(({ ip }) => ip + port);
}

/** The links of each, without what changes while they stand. */
async function linksOf(routers: readonly Router[]): Promise<string[][]> {
  const lines = await Promise.all(routers.map(establishedLinks));
  return lines.map((links) => links.map((line) => line.slice(0, 24)).sort());
}

async function linksIn5s(routers: readonly Router[]): Promise<string[][]> {
  expect((await routers[0]!.host.exec(["sleep", "5"])).stdout).toBe("");
  await fullMesh(routers);
  return linksOf(routers);
}

/** Version of a peer's own record: it grows over its lives. */
async function versionOf(router: Router, at: Router): Promise<number> {
  const report = JSON.parse(
    (await at.host.exec(["curl", "-gsSf", "-H", "Accept: application/json", reportUrl])).stdout,
  ) as { Router: { Peers: { Name: string; Version: number }[] } };
  return report.Router.Peers.find(({ Name }) => Name === router.host.peerName)?.Version ?? -1;
}

const reportUrl = "http://127.0.0.1:6784/report";

if (referenceBinary === undefined) {
  test("three mixed peers need a router of the original", () => {
    console.log("no router to run beside: set WEAVE_REFERENCE_ROUTER=/path/to/weaver");
  });
} else {
  describe("two originals and one of ours, each told of the others", () => {
    for (const { how, order, port } of orders) {
      test(`started ${how}: one link per pair`, async () => {
        await using lab = await Lab.onSwitch("xh", 3);
        const kinds = ["original", "original", "ours"] as const;
        const routers = lab.hosts.map((host, index) => routerOn(host, kinds[index]!));
        try {
          const start = (router: Router) => router.start({ peers: peersOf(router, lab, port) });
          if (order === undefined) await Promise.all(routers.map(start));
          else for (const index of order) await start(routers[index]!);
          await fullMesh(routers);
          const before = await linksOf(routers);
          const after = await linksIn5s(routers);
          // An original told of a port dials also a peer that has come in meanwhile, again and again,
          // and of the two links one goes: between two originals as with one of ours.
          if (port === undefined) expect(after).toEqual(before);
        } finally {
          await disposeAll(routers);
        }
      });
    }
  });

  describe(`a peer that is killed ${kills} times`, () => {
    let lab: Lab;
    let routers: Router[] = [];

    beforeAll(async () => {
      lab = await Lab.onSwitch("xk", 3);
      const kinds = ["original", "original", "ours"] as const;
      routers = lab.hosts.map((host, index) => routerOn(host, kinds[index]!));
      for (const router of routers) await router.start({ peers: peersOf(router, lab) });
      await fullMesh(routers);
    });

    afterAll(() => disposeAll([...routers, lab]));

    for (const victim of [1, 2]) {
      test(`${victim === 2 ? "ours" : "an original"} is a full member again each time`, async () => {
        const router = routers[victim]!;
        const others = routers.filter((other) => other !== router);
        for (let round = 0; round < kills; round++) {
          await router.stop("SIGKILL");
          await router.start({ peers: peersOf(router, lab) });
          await fullMesh([router, ...others]);
          // All speak of this life and not of the former one.
          await eventually(
            "one version of its record everywhere",
            async () => {
              const said = await Promise.all(routers.map((at) => versionOf(router, at)));
              return new Set(said).size === 1 && said[0]! > 0;
            },
            (agreed) => agreed,
          );
        }
        for (const at of routers)
          expect(await told(at, "GET", "/status/peers")).toContain(router.host.peerName);
      }, 200_000);
    }

    test("costs nobody else a link, and no original complains of ours", async () => {
      await established(routers[0]!, 2);
      const told = await complaints(routers[0]!);
      expect(
        told.filter((line) => !/connection (shutting down|refused|reset)|EOF/.test(line)),
      ).toEqual([]);
    });
  });
}
