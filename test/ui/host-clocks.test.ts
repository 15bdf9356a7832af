import { describe, expect, test } from "bun:test";
import type { Picture } from "../../lib/api/picture-models.ts";
import { groupsOf } from "../../lib/ui/page/grouping.ts";
import { hostClocks } from "../../lib/ui/page/host-clocks.ts";
import { link, some } from "./some-picture.ts";

const others = ["beta", "gamma", "delta"];

/** What `alpha` shows when clocks of others are ahead of its own by so many seconds. */
function withClocks(...offsetsS: ReadonlyArray<number | null>): Picture {
  const links = offsetsS.map((each, at) =>
    link("7a:alpha", `7a:${others[at]}`, { clockOffsetMs: each === null ? null : each * 1000 }),
  );
  return { ...some({ peers: ["alpha", ...others] }), links };
}

const stated = (picture: Picture) =>
  [...hostClocks(picture)].map(([name, { state, text }]) => `${name} ${state}: ${text}`);

const healths = (picture: Picture) => groupsOf(picture, "host").map(({ health }) => health);

describe("clocks of hosts", () => {
  test("are those of hosts that this one is linked with, as far as it knows them", () => {
    expect(stated(withClocks(0.012, null))).toEqual([
      "7a:beta right: 12 ms ahead of that of this host",
    ]);
  });

  test("are off from half a minute on, and far off where names are refused soon", () => {
    const picture = withClocks(-29, 0, 45);
    expect(stated(picture).at(-1)).toBe("7a:delta off: 45 s ahead of that of this host");
    expect(healths(picture)).toEqual(["good", "good", "good", "slow"]);
    const far = withClocks(0, 0, -3600);
    expect(stated(far).at(-1)).toBe(
      "7a:delta far: 60 min behind that of this host: names are refused from 15 min on",
    );
    expect(healths(far)).toEqual(["good", "good", "good", "broken"]);
  });

  test("are right where most others say that this host's is wrong", () => {
    const picture = withClocks(-50, -52, 0);
    expect(stated(picture)).toEqual([
      "7a:beta right: 50 s behind that of this host",
      "7a:gamma right: 52 s behind that of this host",
      "7a:delta right: 0 ms ahead of that of this host",
      "7a:alpha off: 50 s ahead of those of 2 of 3 neighbours",
    ]);
    expect(healths(picture)).toEqual(["slow", "good", "good", "good"]);
  });
});
