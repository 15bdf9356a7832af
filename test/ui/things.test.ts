import { describe, expect, test } from "bun:test";
import { groupsOf } from "../../lib/ui/page/grouping.ts";
import { healthOf, placeOf, search, thingsOf, titleOf } from "../../lib/ui/page/things.ts";
import { link, some } from "./some-picture.ts";

const picture = some({
  peers: ["alpha", "beta"],
  containers: [
    { peer: "alpha", name: "web-1", addresses: ["10.32.0.1/12"], names: ["web-1.weave.local."] },
    { peer: "beta", name: "web-2", addresses: ["10.32.4.2"], names: ["web-2.weave.local."] },
    { peer: "beta", name: "db", addresses: [], names: [] },
  ],
});
const things = thingsOf(picture);

describe("searching", () => {
  const titles = (query: string): string[] =>
    search(things, picture, query).found.map((thing) => titleOf(thing, picture));

  test("finds names, addresses and ids, with all words, in any case", () => {
    expect(titles("WEB")).toEqual(["web-1", "web-2"]);
    expect(titles("10.32.4")).toEqual(["web-2"]);
    expect(titles("weave.local 32.0")).toEqual(["web-1"]);
    expect(titles("alpha")).toEqual(["alpha"]);
    expect(titles("nobody")).toEqual([]);
  });

  test("puts first what begins so, and hosts before containers", () => {
    const named = some({
      peers: ["web"],
      containers: [
        { peer: "web", name: "my-web", addresses: [], names: [] },
        { peer: "web", name: "webber", addresses: [], names: [] },
      ],
    });
    const { found } = search(thingsOf(named), named, "web");
    expect(found.map((thing) => titleOf(thing, named))).toEqual(["web", "webber", "my-web"]);
  });

  test("is bounded, and says how many there are", () => {
    const containers = Array.from({ length: 5000 }, (_, index) => ({
      ...{ peer: "alpha", name: `c${index}`, addresses: [], names: [] },
    }));
    const many = some({ peers: ["alpha"], containers });
    const { found, count } = search(thingsOf(many), many, "c");
    expect([found.length, count]).toEqual([100, 5000]);
  });
});

describe("a place", () => {
  test("is what the router's commands take", () => {
    const places = [...things.values()].map(placeOf);
    expect(places).toEqual(["7a:alpha", "7a:beta", "10.32.0.1", "10.32.4.2", undefined]);
  });
});

describe("health", () => {
  test.each([
    ["good", link("a", "b")],
    ["good", link("a", "b", { overlay: "fastdp" })],
    ["slow", link("a", "b", { overlay: "sleeve" })],
    ["broken", link("a", "b", { state: "pending" })],
    ["broken", { ...link("a", "b"), established: false }],
  ] as const)("is %s", (health, each) => {
    expect(healthOf(each)).toBe(health);
  });
});

describe("groups", () => {
  test("are hosts, with those that have nothing", () => {
    const groups = groupsOf(some({ ...{ peers: ["alpha", "beta", "gamma"] } }), "host");
    expect(groups.map(({ title, isSelf }) => [title, isSelf])).toEqual([
      ["alpha", true],
      ["beta", false],
      ["gamma", false],
    ]);
    const [alpha, beta] = groupsOf(picture, "host");
    expect(alpha!.members).toHaveLength(1);
    expect(beta!.members).toHaveLength(2);
  });

  test("are networks of 256 addresses", () => {
    const titles = groupsOf(picture, "subnet").map(({ title }) => title);
    expect(titles).toEqual(["10.32.0.0/24", "10.32.4.0/24", "without address"]);
  });

  test("are names without the number at their end", () => {
    const counts = groupsOf(picture, "name").map(({ title, members }) => [title, members.length]);
    expect(counts).toEqual([
      ["db", 1],
      ["web", 2],
    ]);
  });
});
