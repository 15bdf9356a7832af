import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { makePicture } from "../../lib/api/make-picture.ts";
import { pictureModel } from "../../lib/api/picture-models.ts";
import { SimCluster } from "../sim/cluster.ts";
import { Alone, TestRouter } from "./test-router.ts";

describe("GET /picture", () => {
  test("is of the documented shape, for a host alone", async () => {
    const { status, body } = await new Alone().ask("GET", "/picture");
    expect(status).toBe(200);
    const picture = v.parse(v.strictObject(pictureModel.entries), JSON.parse(body));
    expect(picture.peers).toEqual([{ name: picture.self, nickname: "host1", reached: true }]);
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
    const { self, links, containers, peers: shown } = makePicture(report, here);
    expect(shown.map(({ reached }) => reached)).toEqual([true, true, true]);
    expect(links).toHaveLength(3);
    const ofOthers = links.filter(({ from, to }) => from !== self && to !== self);
    expect(ofOthers).toEqual([expect.not.objectContaining({ own: expect.anything() })]);
    for (const link of links) {
      expect(link.established).toBe(true);
      expect(link.from < link.to).toBe(true);
      if (link.from === self || link.to === self) {
        expect(link.own).toMatchObject({ state: "established" });
      }
    }
    expect(containers).toEqual([
      {
        ...{ id: "netns:blue", peer: self, name: "blue", names: [] },
        addresses: ["10.32.0.2/12"],
      },
      {
        ...{ id: "ab".repeat(32), peer: shown[1]!.name, name: "db" },
        ...{ names: ["db.weave.local."], addresses: ["10.32.5.5"] },
      },
    ]);
  });
});
