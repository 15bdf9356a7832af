import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { eventually } from "../hosts/shell.ts";
import { proxyOf } from "./docker-shell.ts";
import type { EngineHost } from "./engine-host.ts";
import { EngineLab } from "./engine-lab.ts";
import { addressesHeld } from "./waiting-container.ts";

/** Compose on the first of two hosts; who calls its services is on the second. */
let lab: EngineLab;
let one: EngineHost;
let two: EngineHost;
const range = ["--ipalloc-range", "10.32.0.0/16", "--ipalloc-default-subnet", "10.32.0.0/17"];

beforeAll(async () => {
  lab = await EngineLab.start("dcmp", { engine: "20.10", hosts: 2 });
  [one, two] = lab.hosts as [EngineHost, EngineHost];
  await one.launch([...range, "--hostname-from-label", "com.docker.compose.service"]);
  await two.launch([...range, one.ip]);
  await one.mustWeave(["prime"]);
});
afterAll(() => lab?.[Symbol.asyncDispose]());

const page = "cd /tmp && echo served by $$(hostname) >index.html && exec httpd -f -p 80";
const web = { image: "bb", command: ["sh", "-c", page], stop_grace_period: "1s" };

/** Runs Compose on what is, as YAML goes, a file of it. */
class Project {
  readonly #name: string;
  readonly #env: Readonly<Record<string, string>>;

  constructor(name: string, content: object, env: Readonly<Record<string, string>> = {}) {
    this.#name = name;
    this.#env = env;
    writeFileSync(one.outside(this.#file), JSON.stringify({ version: "2.4", ...content }));
  }

  async compose(...words: string[]): Promise<string> {
    const command = ["docker-compose", "-p", this.#name, "-f", this.#file, ...words];
    return one.mustExec(["timeout", "-k", "1", "40", ...command], { env: this.#env });
  }

  get #file(): string {
    return `${one.folder}/${this.#name}.yaml`;
  }
}

/** What a container on the other host gets of a server, as soon as it gets anything. */
async function served(words: readonly string[], server: string, env = {}): Promise<string> {
  const ask = ["run", "--rm", ...words, "bb", "wget", "-q", "-O", "-", `http://${server}/`];
  const { stdout } = await eventually(
    `a page of ${server}`,
    () => two.docker(ask, { env }),
    ({ code }) => code === 0,
  );
  return stdout.trim();
}

describe("a file for Compose", () => {
  test("makes services through the proxy that other hosts find, and leaves no address behind", async () => {
    const before = await addressesHeld(one);
    const bridged = { ...web, network_mode: "bridge" };
    const content = { services: { web: bridged, db: bridged } };
    const project = new Project("proxied", content, { DOCKER_HOST: proxyOf(one) });
    const env = { DOCKER_HOST: proxyOf(two) };
    await project.compose("up", "-d");
    expect(await served([], "web", env)).toBe("served by web");
    await project.compose("restart", "-t", "1", "web");
    expect(await served([], "web", env)).toBe("served by web");
    expect(await served([], "db", env)).toBe("served by db");
    await project.compose("down");
    await eventually(
      "all addresses are free",
      () => addressesHeld(one),
      (held) => held === before,
    );
  });

  test("puts services on a network of ours, where those of other hosts find them by name", async () => {
    const driver = ["--driver", "weavemesh", "--ipam-driver", "weavemesh"];
    const create = ["network", "create", ...driver, "--subnet", "10.32.200.0/24", "shop"];
    await Promise.all(lab.hosts.map((host) => host.mustDocker(create)));
    const dns = (await two.mustWeave(["dns-args"])).split(" ");
    const project = new Project("networked", {
      services: { shopfront: { ...web, networks: ["shop"], container_name: "shopfront" } },
      networks: { shop: { external: true } },
    });
    await project.compose("up", "-d");
    expect(await served(["--net=shop", ...dns], "shopfront")).toStartWith("served by");
    await project.compose("down");
    await one.mustDocker(["network", "rm", "shop"]);
  });
});
