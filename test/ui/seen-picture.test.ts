import { expect, test } from "bun:test";
import { PictureLog, type PictureNews } from "../../lib/api/picture-log.ts";
import type { Picture } from "../../lib/api/picture-models.ts";
import { SeenPicture } from "../../lib/ui/page/seen-picture.ts";
import { loneWorld } from "../sim/world.ts";
import { link, some } from "./some-picture.ts";

const seen = (log: PictureLog, page: SeenPicture, picture: Picture): Picture =>
  page.take(JSON.parse(log.news(picture, page.version)) as PictureNews);

const plain = some({ peers: ["alpha", "beta"] });
const later: readonly Picture[] = [
  plain,
  some({ peers: ["alpha", "beta", "gamma"], containers: [{ peer: "gamma", name: "web" }] }),
  { ...plain, links: [link("7a:alpha", "7a:beta", { roundTripMs: 0.7, reason: "asked for" })] },
  { ...plain, links: [], ring: { range: "10.32.0.0/12", addresses: 9, active: 1, parts: [] } },
  plain,
];

test("a page has the router's picture whenever it has asked, whoever asks between", () => {
  const log = new PictureLog(loneWorld().world);
  const [often, seldom] = [new SeenPicture(), new SeenPicture()];
  for (const [at, picture] of later.entries()) {
    expect(seen(log, often, picture)).toEqual(picture);
    if (at % 2 === 0) expect(seen(log, seldom, picture)).toEqual(picture);
  }
});

test("a page keeps what has not changed, and has what another router shows", () => {
  const page = new SeenPicture();
  const log = new PictureLog(loneWorld(1).world);
  const first = seen(log, page, later[1]!);
  expect(seen(log, page, structuredClone(later[1]!))).toBe(first);
  const next = seen(log, page, { ...later[1]!, version: "3.0.1" });
  expect(next).not.toBe(first);
  expect(next.links[0]).toBe(first.links[0]!);
  expect(seen(new PictureLog(loneWorld(2).world), page, plain)).toEqual(plain);
});
