import { describe, expect, test } from "bun:test";
import { LabelRoom } from "../../lib/ui/page/label-room.ts";
import { type Bubble, bubbleRadius, dotPlace, Layout } from "../../lib/ui/page/layout.ts";
import { Scene } from "../../lib/ui/page/scene.ts";
import { containerKey, linkKey, peerKey } from "../../lib/ui/page/things.ts";
import { fitting, toPlane, toScreen, zoomed } from "../../lib/ui/page/view.ts";
import { some } from "./some-picture.ts";

const group = (key: string, members = 0) => ({
  ...{ key, title: key, isHost: true, isSelf: false, health: "good" as const },
  members: Array.from({ length: members }, (_, index) => `${key} ${index}`),
});
const places = (bubbles: readonly Bubble[]) => bubbles.map(({ x, y }) => [x, y]);

describe("a layout", () => {
  test("has groups beside each other, whatever their size", () => {
    const layout = new Layout();
    layout.take([group("a", 40), group("b"), group("c", 5)], [["a", "b"]]);
    layout.settle();
    for (const one of layout.bubbles) {
      for (const other of layout.bubbles) {
        if (one === other) continue;
        const apart = Math.hypot(one.x! - other.x!, one.y! - other.y!);
        expect(apart).toBeGreaterThan(one.radius + other.radius);
      }
    }
  });

  test("is the same for the same network", () => {
    const once = (): Layout => {
      const layout = new Layout();
      layout.take([group("a"), group("b"), group("c")], [["a", "b"]]);
      layout.settle();
      return layout;
    };
    expect(places(once().bubbles)).toEqual(places(once().bubbles));
  });

  test("stays as it is while only names change", () => {
    const layout = new Layout();
    layout.take([group("a"), group("b")], []);
    layout.settle();
    layout.take([{ ...group("a"), title: "new" }, group("b")], []);
    expect(layout.step()).toBe(false);
    expect(layout.bubbles[0]!.group.title).toBe("new");
  });

  test("of 200 hosts in a full mesh with 5000 containers comes to rest", () => {
    const peers = Array.from({ length: 200 }, (_, index) => `h${index}`);
    const containers = Array.from({ length: 5000 }, (_, index) => ({
      ...{ peer: peers[index % 200]!, name: `c${index}`, addresses: [], names: [] },
    }));
    const scene = new Scene();
    scene.take(some({ peers, containers }), "host");
    scene.layout.settle();
    expect([...scene.dots()]).toHaveLength(5000);
    for (const { x, y } of scene.bubbles) expect(Number.isFinite(x! + y!)).toBe(true);
  });
});

describe("a scene", () => {
  const picture = some({
    peers: ["alpha", "beta"],
    containers: [{ peer: "alpha", name: "web", addresses: [], names: [] }],
  });
  const scene = new Scene();
  scene.take(picture, "host");
  scene.layout.settle();
  const keys = [
    peerKey("7a:beta"),
    containerKey(picture.containers[0]!),
    linkKey(picture.links[0]!),
  ];

  test.each(keys)("has %s where it is drawn", (key) => {
    expect(scene.at(scene.placeOf(key)!, 1)).toBe(key);
  });

  test("has nothing elsewhere", () => {
    expect(scene.at({ x: 5000, y: 5000 }, 1)).toBeUndefined();
    expect(scene.placeOf("peer nobody")).toBeUndefined();
  });

  test.each([3, 9, 20, 500])(
    "has each of %i containers beside the others, in its group",
    (count) => {
      const places = Array.from({ length: count }, (_, index) => dotPlace(index, count));
      expect(
        new Set(places.map(({ x, y }) => `${Math.round(x / 5)} ${Math.round(y / 5)}`)).size,
      ).toBe(count);
      for (const { x, y } of places) expect(Math.hypot(x, y)).toBeLessThan(bubbleRadius(count));
    },
  );
});

describe("names of groups", () => {
  test("are not written over each other: who comes first has the place", () => {
    const room = new LabelRoom();
    const box = { y: 0, width: 40, height: 16 };
    expect([0, 39, 40, 81].map((x) => room.take({ ...box, x }))).toEqual([true, false, true, true]);
    expect(room.take({ ...box, x: 10, y: 16 })).toBe(true);
    expect(room.take({ ...box, x: 10, y: 31 })).toBe(false);
  });
});

describe("a view", () => {
  test("shows everything, and keeps what is pointed at when it is zoomed", () => {
    const circles = [
      { x: -900, y: 0, radius: 50 },
      { x: 900, y: 300, radius: 80 },
    ];
    const view = fitting(circles, { width: 800, height: 600 });
    for (const { x, y, radius } of circles) {
      for (const [dx, dy] of [
        [radius, 0],
        [-radius, 0],
        [0, radius],
        [0, -radius],
      ] as const) {
        const at = toScreen(view, { x: x + dx, y: y + dy });
        expect(at.x).toBeWithin(0, 800);
        expect(at.y).toBeWithin(0, 600);
      }
    }
    const before = toPlane(view, { x: 100, y: 50 });
    const after = toPlane(zoomed(view, { x: 100, y: 50 }, 3), { x: 100, y: 50 });
    expect(after.x).toBeCloseTo(before.x);
    expect(after.y).toBeCloseTo(before.y);
  });

  test("of nothing is in the middle", () => {
    expect(fitting([], { width: 100, height: 60 })).toEqual({ scale: 1, x: 50, y: 30 });
  });
});
