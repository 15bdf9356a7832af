import { describe, expect, test } from "bun:test";
import type { Hono } from "hono";
import * as v from "valibot";
import { controlApp } from "../../lib/api/app.ts";
import { makePicture } from "../../lib/api/make-picture.ts";
import { labelCharsMax, labelsMax, pictureContainers } from "../../lib/api/picture-containers.ts";
import { type Picture, pictureModel } from "../../lib/api/picture-models.ts";
import { formatPeerName } from "../../lib/base/peer-name.ts";
import { SimCluster } from "../sim/cluster.ts";
import { Alone, ask, isAnswered, TestRouter } from "./test-router.ts";

describe("GET /picture", () => {
  test("is of the documented shape, for a host alone", async () => {
    const { status, body } = await new Alone().ask("GET", "/picture");
    expect(status).toBe(200);
    const picture = v.parse(v.strictObject(pictureModel.entries), JSON.parse(body));
    expect(picture.peers).toEqual([
      { name: picture.self, nickname: "host1", reached: true, told: null },
    ]);
    expect(picture.links).toEqual([]);
  });

  test("has peers, one link for each pair, names and owners of the whole cluster", async () => {
    const cluster = new SimCluster(3);
    const targets = [[], ["10.0.0.1"], ["10.0.0.1", "10.0.0.2"]];
    const peers = targets.map((each, index) => cluster.start(index + 1, each));
    cluster.run(30_000);
    peers[1]!.plane.names!.add("db.weave.local", "ab".repeat(32), {
      family: 4,
      value: 0x0a20_0505,
    });
    cluster.run(30_000);
    const report = await new TestRouter(peers[0]!).report();
    const here = [
      { ref: "weave:expose", ident: "weave:expose", mac: "", cidrs: ["10.32.0.1/12"] },
      { ref: "netns:blue", ident: "netns:blue", mac: "", cidrs: ["10.32.0.2/12"] },
    ];
    const { self, links, containers, peers: shown } = makePicture(report, here, [], []);
    expect(shown.map(({ reached }) => reached)).toEqual([true, true, true]);
    expect(links).toHaveLength(3);
    const ofOthers = links.filter(({ from, to }) => from !== self && to !== self);
    expect(ofOthers).toEqual([expect.not.objectContaining({ own: expect.anything() })]);
    expect(ofOthers[0]!.ends).toEqual({});
    for (const link of links) {
      expect(link.established).toBe(true);
      expect(link.from < link.to).toBe(true);
      if (link.from === self || link.to === self) {
        expect(link.own).toMatchObject({ state: "established" });
      }
    }
    expect(containers).toEqual([
      {
        ...{ id: "netns:blue", peer: self, name: "blue", namespace: "", names: [] },
        ...{ addresses: ["10.32.0.2/12"], labels: {} },
      },
      {
        ...{ id: "ab".repeat(32), peer: shown[1]!.name, name: "db" },
        ...{ names: ["db.weave.local."], addresses: ["10.32.5.5"] },
        ...{ namespace: "", labels: {} },
      },
    ]);
  });

  test("has containers of all hosts, with their labels, soon after somebody asked", async () => {
    const cluster = new SimCluster(3);
    const targets = [[], ["10.0.0.1"], ["10.0.0.1", "10.0.0.2"]];
    const routers = targets.map((each, index) => new TestRouter(cluster.start(index + 1, each)));
    const [one, , three] = routers;
    const id = "cd".repeat(32);
    three!.attached.set(id, ["10.32.0.9/12"]);
    three!.policyService.pods.learn({ ident: id, name: "web", labels: { app: "web" } }, 1);
    cluster.run(30_000);
    const shown = async () => makePicture(await one!.report(), [], one!.policy.containers(), []);
    expect(one!.peer.plane.policies!.records()).toEqual([]);
    expect((await shown()).containers).toEqual([]);
    cluster.run(1_000);
    expect((await shown()).containers).toEqual([
      {
        ...{ id, peer: formatPeerName(three!.peer.name), name: "web", namespace: "default" },
        ...{ names: [], addresses: ["10.32.0.9"], labels: { app: "web" } },
      },
    ]);
    three!.attached.delete(id);
    three!.policyService.hostChanged();
    cluster.run(1_000);
    expect((await shown()).containers).toEqual([]);
  });
});

describe("links of other hosts in GET /picture", () => {
  /** The first of three in a row, which has no link with the third. */
  async function endOfLine(): Promise<{ cluster: SimCluster; app: Hono }> {
    const cluster = new SimCluster(3, { discovery: false });
    const targets = [[], ["10.0.0.1"], ["10.0.0.2"]];
    const [one] = targets.map((each, at) => cluster.start(at + 1, each));
    await cluster.run(30_000);
    return { cluster, app: controlApp(new TestRouter(one!)) };
  }

  const picture = async (app: Hono, query = ""): Promise<Picture> => {
    const { status, body } = await ask(app, "GET", `/picture${query}`);
    expect(status).toBe(200);
    return v.parse(v.strictObject(pictureModel.entries), JSON.parse(body));
  };

  const farLink = ({ self, links }: Picture) =>
    links.find(({ from, to }) => from !== self && to !== self)!;

  test("are as both ends say, soon after the first look", async () => {
    const { cluster, app } = await endOfLine();
    const first = await picture(app);
    expect(farLink(first).ends).toEqual({});
    expect(first.peers.map(({ told }) => told)).toEqual([null, null, null]);
    await cluster.run(500);
    const second = await picture(app);
    const end = { established: true, overlay: "sleeve", encrypted: false, mtu: 1438 };
    const { from, to } = farLink(second).ends;
    expect(from).toMatchObject(end);
    expect(to).toMatchObject(end);
    expect(farLink(second)).not.toHaveProperty("own");
    const [self, ...others] = second.peers;
    expect(self!.told).toBeNull();
    for (const { told } of others) expect(told!.countedMs).toBeGreaterThan(0);
    const own = second.links.find(({ from: a, to: b }) => [a, b].includes(second.self))!;
    expect([own.ends.from, own.ends.to]).toEqual([
      expect.objectContaining(end),
      expect.objectContaining(end),
    ]);
  });

  test("are waited for by who looks once, and not asked for by who wants this host's alone", async () => {
    const { cluster, app } = await endOfLine();
    expect(farLink(await picture(app, "?links=own")).ends).toEqual({});
    await cluster.run(2000);
    expect(farLink(await picture(app, "?links=own")).ends).toEqual({});
    const awaited = picture(app, "?links=awaited");
    expect(await isAnswered(awaited)).toBe(false);
    await cluster.run(500);
    expect(Object.keys(farLink(await awaited).ends)).toEqual(["from", "to"]);
  });

  test("are none of any other kind", async () => {
    const { status, body } = await new Alone().ask("GET", "/picture?links=blue");
    expect(status).toBe(400);
    expect(JSON.parse(body)).toMatchObject({ message: 'no links are "blue"' });
  });
});

describe("containers of a picture", () => {
  const report = async () => new Alone().router.report();
  const container = { container: "a", host: "host1", namespace: "shop", name: "web" };

  test("are one where a node's cluster calls them otherwise, and none without addresses", async () => {
    const known = await report();
    const here = [{ ref: "a", ident: "sandbox", mac: "", cidrs: ["10.32.0.2/12"] }];
    const told = [
      { ...container, labels: new Map([["app", "web"]]), addresses: ["10.32.0.2"] },
      { ...container, container: "b", labels: new Map(), addresses: [] },
      { ...container, host: "nobody", labels: new Map(), addresses: ["10.32.0.3"] },
    ];
    expect(pictureContainers(known, here, told)).toMatchObject([
      { id: "sandbox", name: "web", namespace: "shop", labels: { app: "web" } },
    ]);
  });

  test("have labels of bounded number and size", async () => {
    const labels = new Map([
      ...Array.from({ length: 100 }, (_, index) => [`l${index}`, "x"] as const),
      ["a-long-one", "x".repeat(labelCharsMax)],
    ]);
    const told = [{ ...container, labels, addresses: ["10.32.0.2"] }];
    const [shown] = pictureContainers(await report(), [], told);
    expect(Object.keys(shown!.labels)).toHaveLength(labelsMax);
    expect(shown!.labels).not.toHaveProperty("a-long-one");
  });
});
