import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chooseEngine, engineVariables } from "../../lib/docker/engine-choice.ts";

const home = mkdtempSync(join(tmpdir(), "weave-home-"));
const config = join(home, ".docker");
/** Under the SHA-256 of its name, as Docker's client has it. */
const key = new Bun.CryptoHasher("sha256").update("lab").digest("hex");

function write(path: string, text: string): void {
  mkdirSync(join(config, path, ".."), { recursive: true });
  writeFileSync(join(config, path), text);
}

beforeAll(() => {
  const meta = { Name: "lab", Endpoints: { docker: { Host: "tcp://lab:2376" } } };
  write(`contexts/meta/${key}/meta.json`, JSON.stringify(meta));
  write(`contexts/tls/${key}/docker/ca.pem`, "");
  write("cert.pem", "");
  write("key.pem", "");
});
afterAll(() => rmSync(home, { recursive: true }));

const here = "unix:///var/run/docker.sock";
const ofLab = {
  endpoint: "tcp://lab:2376",
  access: { tls: { caFile: join(config, `contexts/tls/${key}/docker/ca.pem`), verify: true } },
};

describe("the engine that is meant", () => {
  const choose = (given: string | undefined, environment: Record<string, string> = {}) =>
    chooseEngine(given, { HOME: home, ...environment });

  test("is the one that is named, or this host's, or none", () => {
    expect(choose(undefined)).toEqual({ endpoint: here, access: {} });
    expect(choose("tcp://h:2375", { DOCKER_CONTEXT: "lab" }).endpoint).toBe("tcp://h:2375");
    expect(choose("").endpoint).toBe("");
  });

  test("is that of the context, which brings its certificates", () => {
    expect(choose(undefined, { DOCKER_CONTEXT: "lab" })).toEqual(ofLab);
    expect(choose(undefined, { DOCKER_CONTEXT: "default" }).endpoint).toBe(here);
    write("config.json", '{"currentContext":"lab"}');
    expect(choose(undefined)).toEqual(ofLab);
    write("config.json", "no json");
    expect(choose(undefined).endpoint).toBe(here);
    expect(() => choose(undefined, { DOCKER_CONTEXT: "gone" })).toThrow('no Docker context "gone"');
  });

  test("is spoken to by TLS where DOCKER_TLS_VERIFY says so, with the files that are there", () => {
    const files = { certFile: join(config, "cert.pem"), keyFile: join(config, "key.pem") };
    expect(choose("tcp://h", { DOCKER_TLS_VERIFY: "1" }).access.tls).toEqual({
      ...{ ...files, verify: true },
    });
    expect(choose("tcp://h", { DOCKER_TLS: "1" }).access.tls).toEqual({ ...files, verify: false });
    expect(
      choose("tcp://h", { DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: "/nowhere" }).access.tls,
    ).toEqual({ verify: true });
  });

  test("is spoken to in the version of DOCKER_API_VERSION", () => {
    expect(choose(undefined, { DOCKER_API_VERSION: "1.30" }).access.apiVersion).toBe("1.30");
    expect(() => choose(undefined, { DOCKER_API_VERSION: "new" })).toThrow("no version");
  });

  test("is never our own proxy, of which 'weave env' has told the client", () => {
    const proxy = "unix:///var/run/weave/weave.sock";
    for (const [place, run] of [
      [proxy, ""],
      ["/run/weave/weave.sock", ""],
      ["unix:///srv/w/weave.sock", "/srv/w"],
    ] as const) {
      expect(choose(place, { WEAVE_RUN_DIR: run }).endpoint).toBe(here);
    }
    expect(choose("unix:///srv/w/weave.sock").endpoint).toBe("unix:///srv/w/weave.sock");
    expect(choose(proxy, { ORIG_DOCKER_HOST: "tcp://h:2375" }).endpoint).toBe("tcp://h:2375");
  });
});

describe("a process with another environment", () => {
  /** As a service has it: of all variables only those that are handed on. */
  const elsewhere = (given: string | undefined, environment: Record<string, string>) =>
    chooseEngine(given, engineVariables({ HOME: home, ...environment }));

  test("finds the same engine by the variables that it is handed", () => {
    for (const environment of [
      {},
      { DOCKER_CONTEXT: "lab" },
      { DOCKER_CONFIG: config, DOCKER_API_VERSION: "1.41" },
      { DOCKER_TLS: "1" },
      { DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: config },
    ]) {
      expect(elsewhere(undefined, environment)).toEqual(
        chooseEngine(undefined, { HOME: home, ...environment }),
      );
    }
    const behind = { ORIG_DOCKER_HOST: "tcp://h:2375" };
    expect(elsewhere("unix:///var/run/weave/weave.sock", behind).endpoint).toBe("tcp://h:2375");
  });

  test("is handed nothing that says nothing, files by their whole path, and nothing else", () => {
    expect(engineVariables({ HOME: "/nowhere", DOCKER_TLS: "", WEAVE_PASSWORD: "x" })).toEqual({});
    expect(engineVariables({ DOCKER_CERT_PATH: "keys" })).toEqual({
      DOCKER_CERT_PATH: join(process.cwd(), "keys"),
    });
  });
});
