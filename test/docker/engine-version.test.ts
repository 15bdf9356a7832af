import { describe, expect, test } from "bun:test";
import { EngineClient } from "../../lib/docker/engine-client.ts";
import {
  apiVersionMax,
  apiVersionWanted,
  chooseApiVersion,
  compareApiVersions,
  readVersions,
} from "../../lib/docker/engine-version.ts";
import { FakeEngine } from "./fake-engine.ts";

/** The versions that engines of a release answer, oldest and newest. */
const releases: readonly [string, string, string, string][] = [
  ["1.12", "1.12", "1.24", "1.24"],
  ["20.10", "1.12", "1.41", "1.41"],
  ["24", "1.12", "1.43", "1.43"],
  ["28.5", "1.24", "1.51", "1.51"],
  ["28.5 told to refuse old ones", "1.44", "1.51", "1.51"],
  ["29", "1.44", "1.52", "1.52"],
  ["to come", "1.44", "1.60", "1.52"],
];

describe("the version of the engine's API", () => {
  for (const [release, oldest, newest, choice] of releases) {
    test(`is ${choice} with Docker ${release}`, () => {
      expect(chooseApiVersion({ oldest, newest }, undefined)).toBe(choice);
    });
  }

  test("is none with an engine that is too old, or too new, and the error says so", () => {
    expect(() => chooseApiVersion({ newest: "1.23" }, undefined)).toThrow("up to 1.23 only");
    expect(() => chooseApiVersion({ newest: "1.70", oldest: "1.60" }, undefined)).toThrow(
      `no API version below 1.60, and weave knows none above ${apiVersionMax}`,
    );
  });

  test("is that of DOCKER_API_VERSION where both have it, and none else", () => {
    const engine = { oldest: "1.24", newest: "1.47" };
    expect(chooseApiVersion(engine, "1.30")).toBe("1.30");
    for (const wanted of ["1.18", "1.48"]) {
      expect(() => chooseApiVersion(engine, wanted)).toThrow(
        `DOCKER_API_VERSION is ${wanted}, and weave and the Docker engine have 1.24 to 1.47`,
      );
    }
    expect(() => chooseApiVersion({ newest: "1.41" }, "1.18")).toThrow("have 1.24 to 1.41");
    expect(apiVersionWanted("")).toBeUndefined();
    expect(apiVersionWanted("1.41")).toBe("1.41");
    expect(() => apiVersionWanted("latest")).toThrow('"latest", which is no version');
  });

  test("compares by number, not by letter", () => {
    expect(compareApiVersions("1.9", "1.24")).toBeLessThan(0);
    expect(compareApiVersions("2.0", "1.52")).toBeGreaterThan(0);
    expect(compareApiVersions("1.41", "1.41")).toBe(0);
  });

  test("is read from what an engine tells, and from nothing else", () => {
    expect(readVersions('{"ApiVersion":"1.41","MinAPIVersion":"1.12"}')).toEqual({
      ...{ newest: "1.41", oldest: "1.12" },
    });
    for (const text of ["{}", "null", "<html>", '{"ApiVersion":7}', '{"ApiVersion":"1.x"}']) {
      expect(() => readVersions(text)).toThrow("no Docker engine");
    }
  });
});

describe("a client of an engine", () => {
  async function listed(fake: FakeEngine, client: EngineClient): Promise<string[]> {
    fake.asked.length = 0;
    await client.request({ path: "/containers/json" });
    return fake.asked;
  }
  const lists = () => Response.json([]);

  test("asks for the version once, and then names it", async () => {
    await using fake = new FakeEngine(lists);
    const client = new EngineClient(fake.endpoint);
    expect(client.apiVersion).toBeUndefined();
    const first = client.request({ path: "/containers/json" });
    await Promise.all([first, client.request({ path: "/containers/json" })]);
    expect(fake.asked.filter((each) => each === "GET /_ping")).toHaveLength(1);
    expect(await listed(fake, client)).toEqual(["GET /v1.41/containers/json"]);
    expect(client.apiVersion).toBe("1.41");
  });

  test("asks a newer engine whether it still answers what weave knows", async () => {
    await using fake = new FakeEngine(lists);
    Object.assign(fake, { newest: "1.60", oldest: "1.44" });
    const client = new EngineClient(fake.endpoint);
    expect(await listed(fake, client)).toEqual([
      ...["GET /_ping", "GET /version", "GET /v1.52/containers/json"],
    ]);
    fake.oldest = "1.55";
    const another = new EngineClient(fake.endpoint);
    await expect(listed(fake, another)).rejects.toHaveProperty("code", "ENGINE_VERSION");
  });

  test("names the version of DOCKER_API_VERSION", async () => {
    await using fake = new FakeEngine(lists);
    const client = new EngineClient(fake.endpoint, { apiVersion: "1.30" });
    expect((await listed(fake, client)).at(-1)).toBe("GET /v1.30/containers/json");
  });

  for (const [kind, newest, oldest] of [
    ["older", "1.30", "1.12"],
    ["newer", "1.60", "1.50"],
  ] as const) {
    test(`goes on with an ${kind} engine in the place of the first, without an error`, async () => {
      await using fake = new FakeEngine(lists);
      const client = new EngineClient(fake.endpoint);
      await listed(fake, client);
      Object.assign(fake, { newest, oldest });
      const asked = await listed(fake, client);
      expect(asked[0]).toBe("GET /v1.41/containers/json");
      expect(asked.at(-1)).toBe(`GET /v${kind === "older" ? "1.30" : "1.52"}/containers/json`);
    });
  }

  test("asks for the version again after an engine has gone", async () => {
    await using fake = new FakeEngine(lists);
    const client = new EngineClient(fake.endpoint);
    await listed(fake, client);
    await fake.stop();
    await expect(listed(fake, client)).rejects.toHaveProperty("code", "ENGINE_UNREACHABLE");
    expect(client.apiVersion).toBeUndefined();
    fake.newest = "1.51";
    fake.start();
    expect((await listed(fake, client)).at(-1)).toBe("GET /v1.51/containers/json");
  });
});
