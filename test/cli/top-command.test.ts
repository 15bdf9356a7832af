import { describe, expect, test } from "bun:test";
import type { Key } from "../../lib/cli/terminal/keys.ts";
import type { OpenScreen } from "../../lib/cli/terminal/screen.ts";
import { notRunning, weave } from "./command-line.ts";
import { fullMesh } from "./some-network.ts";
import { someRouter } from "./some-router.ts";

const answer = someRouter(() => fullMesh(3));
const environment = { LANG: "C.UTF-8", COLUMNS: "90" };

/** A screen at which somebody presses a key after each frame. */
function screenWith(...keys: Key[]): { openScreen: OpenScreen; seen: string[] } {
  const seen: string[] = [];
  const openScreen: OpenScreen = (user) => ({
    size: { columns: 80, rows: 24 },
    show(lines) {
      seen.push(lines.join("\n"));
      const key = keys.shift();
      if (key !== undefined) user.pressed(key);
    },
    suspend: () => seen.push("suspended"),
    [Symbol.dispose]: () => seen.push("given back"),
  });
  return { openScreen, seen };
}

const press = (character: string): Key => ({ name: "character", character });

describe("weave top", () => {
  test("shows frames until somebody has seen enough, and gives the screen back", async () => {
    const { openScreen, seen } = screenWith(press("?"), { name: "redraw" }, press("?"), press("q"));
    const { code, stdout } = await weave(["top"], { answer, environment, openScreen });
    expect(code).toBe(0);
    expect(stdout).toBe("");
    expect(seen[0]).toContain("LINKS 2");
    expect(seen[1]).toContain("sort by the next column");
    expect(seen.at(-1)).toBe("given back");
    expect(seen.join("")).not.toContain("\u001b");
  });

  test("stops and goes on when it is asked to", async () => {
    const { openScreen, seen } = screenWith({ name: "suspend" }, press("q"));
    const interrupted = new AbortController();
    const done = weave(["top"], {
      ...{ answer, environment, interrupts: interrupted.signal },
      openScreen: (user) => {
        const screen = openScreen(user);
        return { ...screen, size: screen.size, suspend: () => interrupted.abort() };
      },
    });
    expect((await done).code).toBe(0);
    expect(seen.at(-1)).toBe("given back");
  });

  test("gives the screen back before it says what has gone wrong", async () => {
    const { openScreen, seen } = screenWith();
    let asked = 0;
    const { code, stderr } = await weave(["top", "--interval", "100ms"], {
      ...{ environment, openScreen },
      answer(request) {
        if (request.path[0] === "picture" && ++asked > 1) throw new Error("of ours");
        return answer(request);
      },
    });
    expect(code).toBe(1);
    expect(stderr).toBe("unexpected failure: of ours\n");
    expect(seen.at(-1)).toBe("given back");
  });

  test("colours what it shows where colours are", async () => {
    const { openScreen, seen } = screenWith(press("q"));
    await weave(["top"], { answer, environment, openScreen, isColoured: true });
    expect(seen[0]).toContain("\u001b[32mestablished");
  });

  test("without a screen, or asked to, prints what there is once", async () => {
    for (const stage of [{}, { openScreen: screenWith().openScreen }]) {
      const words = ["top", ...("openScreen" in stage ? ["--once"] : [])];
      const { code, stdout } = await weave(words, { ...stage, answer, environment });
      expect(code).toBe(0);
      for (const part of ["host2", "host3", "link to host3 lost", "1 warning", "3 peers"]) {
        expect(stdout).toContain(part);
      }
    }
  });

  test("takes two readings where something counts, and has rates", async () => {
    let carried = 0;
    const counting = someRouter(() => {
      carried += 1_000_000;
      return { hosts: ["a", "b"], links: [{ ends: [1, 2], overlay: "sleeve", carried }] };
    });
    const words = ["top", "--once", "--interval", "100ms"];
    const { stdout } = await weave(words, { answer: counting, environment });
    expect(stdout).toMatch(/b +established +sleeve .* MB\/s/);
  });

  test("has nothing to show without a router, and takes no interval beyond reason", async () => {
    expect((await weave(["top"], { answer: notRunning })).code).toBe(7);
    const { code, stderr } = await weave(["top", "--interval", "1ms"], { answer });
    expect(code).toBe(1);
    expect(stderr).toContain("write a duration from 100ms to 1h");
  });
});

describe("weave map", () => {
  test("draws as wide and in the characters that there are", async () => {
    const drawn = async (words: string[], more = {}): Promise<string> =>
      (await weave(["map", ...words], { answer, environment: { ...environment, ...more } })).stdout;
    expect(await drawn([])).toContain("● host1  this host ─┬");
    expect(await drawn(["--ascii"])).toMatch(/^[\n -~]*$/);
    expect(await drawn([], { LC_ALL: "C" })).toMatch(/^[\n -~]*$/);
    expect(await drawn([], { COLUMNS: "45" })).toContain("1 ● host1");
    expect(await drawn(["--dot"])).toStartWith("graph weave {");
  });

  test("has a JSON form", async () => {
    const { stdout } = await weave(["map", "--json"], { answer });
    const map = JSON.parse(stdout) as { hosts: object[]; links: object[] };
    expect(map.hosts).toHaveLength(3);
    expect(map.hosts[0]).toMatchObject({ nickname: "host1", self: true, reached: true, island: 0 });
    expect(map.links[0]).toMatchObject({ state: "established", overlay: "fastdp", mtu: 1376 });
  });

  test("is one form at a time", async () => {
    const { code, stderr } = await weave(["map", "--json", "--dot"], { answer });
    expect(code).toBe(1);
    expect(stderr).toContain("choose one");
  });
});

describe("weave status --watch", () => {
  test("prints again what has changed, also of documents, until it is interrupted", async () => {
    const bodies = ["one\n", "one\n", "two\n"];
    const end = new AbortController();
    const { code, stdout } = await weave(["status", "targets", "-w", "--interval", "100ms"], {
      interrupts: end.signal,
      answer() {
        if (bodies.length === 1) end.abort();
        return bodies.shift()!;
      },
    });
    expect(code).toBe(0);
    expect(stdout.replaceAll(/[\d-]{10} [\d:]{8}Z/g, "T")).toBe("T   one\nT - one\nT + two\n");
  });

  test("of documents prints one for each change, and round trips are none", async () => {
    const end = new AbortController();
    let [roundTripMs, hosts] = [1, 2];
    const looking = someRouter(() => {
      roundTripMs++;
      if (roundTripMs > 4) hosts = 3;
      if (roundTripMs > 5) end.abort();
      const { links, ...rest } = fullMesh(hosts);
      return { ...rest, links: links.map((link) => ({ ...link, roundTripMs })) };
    });
    const words = ["status", "connections", "--json", "--watch", "--interval", "100ms"];
    const { stdout } = await weave(words, { answer: looking, interrupts: end.signal });
    const documents = stdout.trim().split("\n");
    expect(documents).toHaveLength(2);
    expect(JSON.parse(documents[1]!).connections).toHaveLength(2);
  });

  test("says once that the router is away, and when it is back", async () => {
    const end = new AbortController();
    let asked = 0;
    const { stdout } = await weave(["status", "--watch", "--interval", "100ms"], {
      interrupts: end.signal,
      answer() {
        asked++;
        if (asked === 5) end.abort();
        return asked === 2 || asked === 3 ? notRunning() : "page\n";
      },
    });
    expect(stdout.replaceAll(/[\d-]{10} [\d:]{8}Z/g, "T")).toBe(
      "T   page\nT ! weave is not running\nT ! the router answers again\n",
    );
  });
});
