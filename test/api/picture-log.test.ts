import { describe, expect, test } from "bun:test";
import type { Change } from "../../lib/api/json-change.ts";
import { keyedPicture, plainPicture } from "../../lib/api/keyed-picture.ts";
import {
  changeCharsMax,
  changesMax,
  forgetMs,
  PictureLog,
  type PictureNews,
} from "../../lib/api/picture-log.ts";
import type { Picture } from "../../lib/api/picture-models.ts";
import { loneWorld } from "../sim/world.ts";
import { type ContainerSketch, some } from "../ui/some-picture.ts";

function setUp(seed = 1) {
  const { world, clock } = loneWorld(seed);
  const log = new PictureLog(world);
  const ask = (picture: Picture, since = ""): PictureNews =>
    JSON.parse(log.news(picture, since)) as PictureNews;
  return { ask, clock };
}

const hosts = ["alpha", "beta", "gamma"];
const withContainers = (...containers: ContainerSketch[]) => some({ peers: hosts, containers });
const web = { peer: "beta", name: "web" };
const db = { peer: "gamma", name: "db" };

const changesIn = (news: PictureNews): readonly Change[] | undefined =>
  "changes" in news ? news.changes : undefined;

test("a picture that is taken apart and put together again is the same", () => {
  const names = [{ name: "ext.weave.local.", address: "10.1.1.1", peer: "7a:alpha" }];
  const picture = { ...withContainers(web, db), names };
  expect(plainPicture(keyedPicture(picture))).toEqual(picture);
});

describe("who asks for changes", () => {
  test("is given the whole picture at first, and then what has changed since", () => {
    const { ask } = setUp();
    const first = ask(withContainers(web));
    expect(first).toMatchObject({ picture: { self: "7a:alpha" } });
    const same = ask(withContainers(web), first.version);
    expect(same).toEqual({ version: first.version, changes: [] });
    const labelled = { ...web, labels: { app: "web" } };
    const second = ask(withContainers(labelled), first.version);
    const key = `7a:beta ${"0".repeat(64)}`;
    expect(changesIn(second)).toEqual([{ containers: { [key]: { labels: { app: ["web"] } } } }]);
    expect(second.version).not.toBe(first.version);
    const gone = ask(withContainers(), second.version);
    expect(changesIn(gone)).toEqual([{ containers: { [key]: [] } }]);
  });

  test("is told the changes that others were told before, one after the other", () => {
    const { ask } = setUp();
    const { version } = ask(withContainers());
    const other = ask(withContainers(web), version);
    expect(changesIn(other)).toHaveLength(1);
    const news = ask(withContainers(web, db), version);
    expect(changesIn(news)).toHaveLength(2);
    expect(changesIn(news)![0]).toEqual(changesIn(other)![0]!);
  });

  test("is given all with a version of another router's, or of nobody's", () => {
    const { version } = setUp(2).ask(withContainers());
    const { ask } = setUp();
    ask(withContainers());
    for (const each of [version, "", "x", "99"]) {
      expect(ask(withContainers(web), each)).toHaveProperty("picture");
    }
  });

  test("is given all when too much has changed since", () => {
    const { ask } = setUp();
    const { version } = ask(withContainers());
    const change = (at: number) => ask(withContainers({ ...web, namespace: `n${at}` }), version);
    for (let at = 0; at < changesMax; at++) expect(change(at)).toHaveProperty("changes");
    expect(change(changesMax)).toHaveProperty("picture");
  });

  test("is told the latest change however large it is, and none before that", () => {
    const { ask } = setUp();
    const { version } = ask(withContainers());
    const small = ask(withContainers(web), version);
    const namespace = "n".repeat(changeCharsMax);
    const large = ask(withContainers({ ...web, namespace }), small.version);
    expect(changesIn(large)).toHaveLength(1);
    expect(ask(withContainers({ ...web, namespace }), version)).toHaveProperty("picture");
  });

  test("is given all when nobody has asked for a minute", () => {
    const { ask, clock } = setUp();
    const { version } = ask(withContainers());
    clock.run(forgetMs - 1);
    expect(ask(withContainers(), version)).toHaveProperty("changes");
    clock.run(forgetMs);
    expect(ask(withContainers(), version)).toHaveProperty("picture");
  });
});
