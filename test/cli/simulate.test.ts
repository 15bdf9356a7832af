import { afterEach, describe, expect, mock, test } from "bun:test";
import * as nameMerge from "../../lib/dns/name-merge.ts";
import { weave } from "./command-line.ts";

const path = "../../lib/dns/name-merge.ts";
const real = { ...nameMerge };
const small = ["simulate", "--peers", "6", "--faults", "15"];

afterEach(() => {
  mock.module(path, () => real);
});

/** Deletions that others tell are not believed. */
function plantMistake(): void {
  mock.module(path, () => ({
    ...real,
    mergeEntries: (...[store, incoming, context]: Parameters<typeof real.mergeEntries>) =>
      real.mergeEntries(
        store,
        [...incoming].filter(({ tombstone }) => tombstone === 0),
        context,
      ),
  }));
}

describe("weave simulate", () => {
  test("needs no router, says what it does and that all is well", async () => {
    const { code, stdout, requests } = await weave([...small, "--seed", "3"]);
    expect(stdout).toStartWith("Seed 3: 6 peers, ");
    expect(stdout).toEndWith("Every invariant held.\n");
    expect(code).toBe(0);
    expect(requests).toEqual([]);
  });

  test("tells all that happens with --trace", async () => {
    const { stdout } = await weave([...small, "--trace"]);
    expect(stdout.match(/^ +\d+\.\d{3} {2}\S/gm)?.length).toBeGreaterThan(20);
  });

  test("prints one object with --json", async () => {
    const { stdout } = await weave([...small, "--json", "--minutes", "1"]);
    expect(JSON.parse(stdout)).toMatchObject({
      schema: "weave/simulate/1",
      seed: 1,
      peers: 6,
      faults: 15,
      requests: 15,
      holds: true,
    });
  });

  test("takes ranges of silent peers with --reclaim, within bounds", async () => {
    const { code, stdout } = await weave([...small, "--reclaim", "30s", "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).virtualMs).toBeGreaterThan(300_000);
    for (const odd of ["1s", "25h", "soon"]) {
      expect((await weave([...small, "--reclaim", odd])).code).not.toBe(0);
    }
  });

  test("shows a broken invariant as the shortest history found, drawn, with how to replay it", async () => {
    plantMistake();
    const { code, stdout } = await weave([...small, "--seed", "4"]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^BROKEN after .*: all peers know the registered names and no others$/m);
    expect(stdout).toMatch(/^The shortest history found, of \d steps:$/m);
    expect(stdout).toMatch(/^peer {3}\d │[^\n]*!$/m);
    expect(stdout).toEndWith("Replay: weave simulate --seed 4 --peers 6 --faults 15 --trace\n");
  });

  test("refuses sizes that make no sense", async () => {
    for (const words of [
      ["--peers", "1"],
      ["--faults", "-1"],
      ["--minutes", "0"],
      ["--seed", "x"],
    ]) {
      const { code, stderr, stdout } = await weave(["simulate", ...words]);
      expect([code, stdout]).toEqual([1, ""]);
      expect(stderr).toContain(words[0]!);
    }
  });
});
