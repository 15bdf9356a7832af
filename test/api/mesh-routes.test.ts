import { describe, expect, test } from "bun:test";
import { controlApp } from "../../lib/api/app.ts";
import { WeaveError } from "../../lib/base/errors.ts";
import { formatPeerName } from "../../lib/base/peer-name.ts";
import { SimCluster } from "../sim/cluster.ts";
import { simName } from "../sim/mesh-peer.ts";
import { Alone, ask, TestRouter } from "./test-router.ts";

function targets({ router }: Alone): string[] {
  return router.peer.plane.mesh.targets;
}

describe("connect and forget", () => {
  test("add and remove targets, in form and query", async () => {
    const alone = new Alone();
    const connected = await alone.ask("POST", "/connect?peer=10.0.0.3", {
      form: "peer=10.0.0.2&peer=host7:1234",
    });
    expect(connected).toMatchObject({ status: 200, body: "", type: null });
    expect(targets(alone)).toEqual(["10.0.0.2", "host7:1234", "10.0.0.3"]);
    expect((await alone.ask("GET", "/status/targets")).body).toBe(
      "10.0.0.2\nhost7:1234\n10.0.0.3\n",
    );
    const forgotten = await alone.ask("POST", "/forget", { form: "peer=10.0.0.2&peer=unknown" });
    expect(forgotten).toMatchObject({ status: 200, body: "" });
    expect(targets(alone)).toEqual(["host7:1234", "10.0.0.3"]);
  });

  test("apply the peers that can be read, and name each that cannot", async () => {
    const alone = new Alone();
    const answer = await alone.ask("POST", "/connect", {
      form: "peer=%3A80&peer=10.0.0.2&peer=a%20b",
    });
    expect(answer.status).toBe(400);
    expect(answer.body.trimEnd().split("\n")).toEqual([
      expect.stringContaining('":80", should be host[:port]'),
      expect.stringContaining('"a b", should be host[:port]'),
    ]);
    expect(targets(alone)).toEqual(["10.0.0.2"]);
    const headers = { Accept: "application/json" };
    const coded = await alone.ask("POST", "/connect", { form: "peer=%3A80", headers });
    expect(coded).toMatchObject({ status: 400, type: "application/json" });
    expect(JSON.parse(coded.body)).toMatchObject({ code: "PEER_ADDRESS" });
  });

  test("replace all targets, with none if none is given", async () => {
    const alone = new Alone({}, ["10.0.0.2", "10.0.0.3"]);
    await alone.ask("POST", "/connect", { form: "replace=1&peer=10.0.0.4" });
    expect(targets(alone)).toHaveLength(3);
    await alone.ask("POST", "/connect", { form: "replace=true&peer=10.0.0.5" });
    expect(targets(alone)).toEqual(["10.0.0.5"]);
    await alone.ask("POST", "/connect?replace=true");
    expect(targets(alone)).toEqual([]);
  });

  test("are remembered over a restart", async () => {
    const { cluster, ...alone } = new Alone();
    await ask(alone.app, "POST", "/connect", { form: "peer=10.0.0.2&peer=10.0.0.3" });
    await ask(alone.app, "POST", "/forget", { form: "peer=10.0.0.2" });
    cluster.stop(1);
    expect(cluster.start(1, []).plane.mesh.targets).toEqual(["10.0.0.3"]);
  });
});

describe("a successor", () => {
  test("is asked for, and told by its process id; without one the reason is", async () => {
    const alone = new Alone();
    const answer = await alone.ask("POST", "/successor");
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toEqual({ pid: 4711 });
    alone.router.successor = () => Promise.reject(new WeaveError("SUCCESSOR_DIED", "it has died"));
    const refused = await alone.ask("POST", "/successor");
    expect(refused.status).toBe(500);
    expect(refused.body).toContain("it has died");
  });
});

describe("expose", () => {
  test("puts an address on the bridge, as often as is asked", async () => {
    const alone = new Alone();
    for (const [parameters, masquerade] of [
      ["", true],
      ["?skipNAT=t", false],
      ["?skipNAT=0", true],
    ] as const) {
      const answer = await alone.ask("POST", `/expose/10.2.7.7/24${parameters}`);
      expect(answer).toMatchObject({ status: 204, body: "" });
      expect([...alone.router.containers.exposed]).toEqual([["10.2.7.7/24", { masquerade }]]);
    }
  });

  const refused = {
    "/expose/10.2.7.7/33": [400, "unable to parse ip addr: invalid CIDR address: 10.2.7.7/33"],
    "/expose/10.2.7/24": [400, "unable to parse ip addr: invalid CIDR address: 10.2.7/24"],
    "/expose/10.2.7.7/24?skipNAT=maybe": [
      400,
      'unable to parse skipNAT option: "maybe" is no boolean',
    ],
  } as const;
  for (const [path, [status, sentence]] of Object.entries(refused)) {
    test(`of ${path} is refused, and nothing changes`, async () => {
      const alone = new Alone();
      expect(await alone.ask("POST", path)).toMatchObject({ status, body: `${sentence}\n` });
      expect(alone.router.containers.exposed.size).toBe(0);
    });
  }

  test("without a bridge is our fault, and the answer names it", async () => {
    const alone = new Alone();
    alone.router.containers.isBridgeMissing = true;
    const answer = await alone.ask("POST", "/expose/10.2.7.7/24");
    expect(answer.status).toBe(500);
    expect(answer.body).toMatch(/^unable to expose: .*bridge "weave" not present/);
  });
});

/** Three peers that own addresses, with the control APIs of the first and the third. */
async function threePeers() {
  const cluster = new SimCluster(3);
  const first = new TestRouter(cluster.start(1, []));
  cluster.start(2, ["10.0.0.1"]);
  const third = new TestRouter(cluster.start(3, ["10.0.0.1", "10.0.0.2"]));
  await cluster.runUntil("full mesh", () => cluster.isFullMesh(), 60_000);
  const subnet = { address: 0x0a20_0000, prefix: 16 };
  const held = cluster.peers.map((peer) =>
    cluster.allocatorOf(peer).allocate("c1", subnet, { isContainer: false }),
  );
  await cluster.run(60_000);
  await Promise.all(held);
  return { cluster, first: controlApp(first), third: controlApp(third) };
}

/** What the third peer says the peer owns. */
async function share(app: ReturnType<typeof controlApp>, number: number): Promise<number> {
  const { body } = await ask(app, "GET", "/report", { headers: { Accept: "application/json" } });
  const { IPAM } = JSON.parse(body) as { IPAM: { Entries: { Peer: string; Size: number }[] } };
  const own = IPAM.Entries.filter(({ Peer }) => Peer === formatPeerName(simName(number)));
  return own.reduce((sum, { Size }) => sum + Size, 0);
}

describe("removing a peer", () => {
  test("that is dead takes its addresses over, and all peers hear of it", async () => {
    const { cluster, first, third } = await threePeers();
    const owned = await share(third, 2);
    expect(owned).toBeGreaterThan(0);
    cluster.kill(2, { silent: false });
    await cluster.runUntil("peer 2 gone", () => cluster.isFullMesh(), 120_000);
    const answer = await ask(first, "DELETE", "/peer/host2");
    expect(answer.status).toBe(200);
    expect(answer.body).toBe(`${owned} IPs taken over from host2\n`);
    await cluster.run(5_000);
    expect(await share(third, 2)).toBe(0);
    expect(await share(third, 1)).toBeGreaterThanOrEqual(owned);
    expect((await ask(first, "DELETE", "/peer/host2")).body).toBe("0 IPs taken over from host2\n");
  });

  test("that is alive is refused unless forced, by name and by nickname", async () => {
    const { cluster, first, third } = await threePeers();
    const owned = await share(third, 2);
    for (const id of ["host2", formatPeerName(simName(2))]) {
      const answer = await ask(first, "DELETE", `/peer/${id}`);
      expect(answer.status).toBe(409);
      expect(answer.body).toEndWith("is still part of the network\n");
    }
    const headers = { Accept: "application/json" };
    const { body } = await ask(first, "DELETE", "/peer/host2", { headers });
    expect(JSON.parse(body)).toMatchObject({
      code: "IPAM_PEER_ALIVE",
      remedy: expect.stringContaining("--force"),
    });
    expect(await share(third, 2)).toBe(owned);
    const forced = await ask(first, "DELETE", "/peer/host2?force=true");
    expect(forced.body).toBe(`${owned} IPs taken over from host2\n`);
    await cluster.run(60_000);
    // Nobody died of it.
    expect(cluster.peers).toHaveLength(3);
  });

  test("that is unknown or ourselves takes nothing over", async () => {
    const { first } = await threePeers();
    for (const id of ["nobody", "host1", "0a:00:00:00:00:0a"]) {
      expect(await ask(first, "DELETE", `/peer/${encodeURIComponent(id)}`)).toMatchObject({
        status: 200,
        body: `0 IPs taken over from ${id}\n`,
      });
    }
  });
});

describe("leaving", () => {
  test("hands all addresses to an heir, who has them when we are gone", async () => {
    const { cluster, first, third } = await threePeers();
    const all = (await share(third, 1)) + (await share(third, 2)) + (await share(third, 3));
    expect(await ask(first, "DELETE", "/peer")).toMatchObject({ status: 204, body: "" });
    expect((await ask(first, "POST", "/ip/late")).status).toBe(409);
    await cluster.run(1_000);
    cluster.stop(1);
    await cluster.run(5_000);
    expect(await share(third, 1)).toBe(0);
    expect((await share(third, 2)) + (await share(third, 3))).toBe(all);
  });
});
