import { describe, expect, test } from "bun:test";
import { groupingsOf, groupsOf } from "../../lib/ui/page/grouping.ts";
import { listNames } from "../../lib/ui/page/names.ts";
import { answered, endsOf, litBy, questionsAbout } from "../../lib/ui/page/question.ts";
import {
  healthOf,
  placeOf,
  search,
  type Thing,
  thingsOf,
  titleOf,
} from "../../lib/ui/page/things.ts";
import { end, link, some } from "./some-picture.ts";

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
    ["plain", link("a", "b")],
    ["good", { ...link("a", "b"), ends: { to: end() } }],
    ["slow", { ...link("a", "b"), ends: { from: end(), to: end({ overlay: "sleeve" }) } }],
    ["good", link("a", "b", { overlay: "fastdp" })],
    ["slow", link("a", "b", { overlay: "sleeve" })],
    ["broken", link("a", "b", { state: "pending" })],
    ["broken", { ...link("a", "b"), established: false }],
    ["broken", { ...link("a", "b"), oneSided: true }],
    ["good", { ...link("a", "b", {}), oneSided: true }],
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

  test("are labels, and those that lack one; which there are depends on who is there", () => {
    const labelled = some({
      peers: ["alpha", "beta"],
      containers: [
        { peer: "alpha", name: "a", labels: { app: "web", "io.team": "x" }, namespace: "shop" },
        { peer: "beta", name: "b", labels: { app: "web" } },
        { peer: "beta", name: "c", labels: { app: "db" } },
        { peer: "beta", name: "d" },
      ],
    });
    expect(groupingsOf(picture, "host")).toEqual(["host", "subnet", "name"]);
    expect(groupingsOf(labelled, "label gone")).toEqual([
      ...(["host", "subnet", "name", "namespace"] as const),
      ...(["label app", "label io.team", "label gone"] as const),
    ]);
    const told = (by: Parameters<typeof groupsOf>[1]) =>
      groupsOf(labelled, by).map(({ title, members }) => [title, members.length]);
    expect(told("label app")).toEqual([
      ["db", 1],
      ["web", 2],
      ["without app", 1],
    ]);
    expect(told("namespace")).toEqual([
      ["not known", 3],
      ["shop", 1],
    ]);
  });
});

describe("names in DNS", () => {
  const named = some({
    ...{ peers: ["alpha"] },
    containers: [
      {
        ...{ peer: "alpha", name: "web", addresses: ["10.32.0.1/12"] },
        names: ["web.weave.local.", "a.weave.local."],
      },
    ],
    names: [{ name: "gw.weave.local.", address: "192.0.2.1", peer: "7a:alpha" }],
  });

  test("are listed in their order, of containers and of all else", () => {
    expect(
      listNames(named, "").map(({ name, addresses, host }) => [name, addresses, host]),
    ).toEqual([
      ["a.weave.local", ["10.32.0.1"], "alpha"],
      ["gw.weave.local", ["192.0.2.1"], "alpha"],
      ["web.weave.local", ["10.32.0.1"], "alpha"],
    ]);
    expect(listNames(named, "GW 192")).toHaveLength(1);
    expect(listNames(named, "nobody")).toEqual([]);
  });

  test("of what is no container are found, and have an address to ask about", () => {
    const { found } = search(thingsOf(named), named, "gw");
    expect(found.map((thing) => [titleOf(thing, named), placeOf(thing)])).toEqual([
      ["gw.weave.local", "192.0.2.1"],
    ]);
  });
});

describe("a question about two things", () => {
  const [alpha, , web, other] = [...things.values()] as [Thing, Thing, Thing, Thing];
  const link = [...things.values()].find(({ kind }) => kind === "link")!;

  test("is asked of what has a place, and of policies where that is an address", () => {
    expect([alpha, web, link].map(questionsAbout)).toEqual([["why"], ["why", "policy"], []]);
  });

  test("waits for another end that it may be about", () => {
    const asked = { kind: "policy", from: web.key } as const;
    expect(answered(asked, web)).toEqual(asked);
    expect(answered(asked, alpha)).toEqual(asked);
    expect(answered(asked, other)).toEqual({ ...asked, to: other.key });
    expect(answered(undefined, web)).toBeUndefined();
    expect([...litBy({ ...asked, to: other.key }, things)]).toEqual([
      ...[web.key, other.key, "peer 7a:alpha", "peer 7a:beta", link.key],
    ]);
    expect(endsOf(asked, things, picture)).toBeUndefined();
    expect(endsOf({ ...asked, to: other.key }, things, picture)).toEqual([
      { place: "10.32.0.1", title: "web-1" },
      { place: "10.32.4.2", title: "web-2" },
    ]);
  });
});
