import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eventually } from "../hosts/shell.ts";
import type { EngineHost } from "./engine-host.ts";
import { EngineLab } from "./engine-lab.ts";
import {
  addressesHeld,
  addressesInside,
  behindHelper,
  commandRuns,
  startAttached,
} from "./waiting-container.ts";

const range = ["--ipalloc-range", "10.32.0.0/16", "--proxy=false"];

let lab: EngineLab;
beforeAll(async () => {
  lab = await EngineLab.start("drea", { engine: ["20.10", "28"] });
  await Promise.all(lab.hosts.map((host) => host.launch(range)));
});
afterAll(() => lab?.[Symbol.asyncDispose]());

/** The same with each engine, at the same time. */
function withEach(what: string, action: (host: EngineHost) => Promise<void>): void {
  test(what, async () => {
    await Promise.all(lab.hosts.map(action));
  });
}

const restarted = ["--restart=always", "--domainname", "weave.local"];

/** A container of which the address and the name are remembered, to be found again. */
class Remembered {
  readonly #host: EngineHost;
  readonly name: string;
  #address = "";

  private constructor(host: EngineHost, name: string) {
    this.#host = host;
    this.name = name;
  }

  static async start(host: EngineHost, name: string): Promise<Remembered> {
    const made = new Remembered(host, name);
    await startAttached(host, ["--name", name, "-h", name, ...restarted]);
    await commandRuns(host, name);
    [made.#address = ""] = await addressesInside(host, name);
    expect(made.#address).toMatch(/^10\.32\./);
    return made;
  }

  /** Process id of its first process, as the host has it. */
  async pid(): Promise<number> {
    return Number(await this.#host.mustDocker(["inspect", "-f", "{{.State.Pid}}", this.name]));
  }

  /** Runs, with the address and the name that it had. */
  async isBack(): Promise<void> {
    const { name } = this;
    await commandRuns(this.#host, name, 60_000);
    expect(await addressesInside(this.#host, name)).toEqual([this.#address]);
    expect(await this.#host.mustWeave(["dns-lookup", name])).toBe(this.#address.split("/")[0]!);
    const hosts = await this.#host.mustDocker(["exec", name, "hostname", "-i"]);
    expect(hosts.trim()).toBe(this.#address.split("/")[0]!);
  }

  remove(): Promise<string> {
    return this.#host.mustDocker(["rm", "-f", this.name]);
  }
}

async function ended(host: EngineHost, { name }: Remembered, pid: number): Promise<void> {
  await eventually(
    `another process of ${name}`,
    () => host.docker(["inspect", "-f", "{{.State.Pid}}", name]),
    ({ stdout }) => Number(stdout) !== pid && Number(stdout) !== 0,
  );
}

describe("a container has its address and name again", () => {
  withEach("when it is restarted", async (host) => {
    const web = await Remembered.start(host, "restarted");
    await host.mustDocker(["restart", "-t", "1", web.name]);
    await web.isBack();
    await host.mustDocker(["stop", "-t", "1", web.name]);
    await host.mustDocker(["start", web.name]);
    await web.isBack();
    await web.remove();
  });

  withEach("when its process is killed and its engine starts it again", async (host) => {
    const web = await Remembered.start(host, "killed");
    const pid = await web.pid();
    await host.exec(["kill", "-9", `${pid}`]);
    await ended(host, web, pid);
    await web.isBack();
    await web.remove();
  });

  withEach("when the router is restarted, and when it has crashed", async (host) => {
    const web = await Remembered.start(host, "routed");
    const pid = await web.pid();
    await host.mustWeave(["stop"]);
    await host.launch(["--resume", ...range]);
    await web.isBack();
    await host.mustWeave(["upgrade-self"]);
    await web.isBack();
    await host.killRouter();
    await host.launch(["--resume", ...range]);
    await web.isBack();
    expect(await web.pid()).toBe(pid);
    await web.remove();
  });

  withEach("when it has started again while there was no router", async (host) => {
    const web = await Remembered.start(host, "orphan");
    await host.mustWeave(["stop"]);
    const pid = await web.pid();
    await host.exec(["kill", "-9", `${pid}`]);
    await ended(host, web, pid);
    const waits = await host.mustDocker(["exec", web.name, "readlink", "/proc/1/exe"]);
    expect(waits).toBe("/w/w");
    await host.launch(["--resume", ...range]);
    await web.isBack();
    await web.remove();
  });

  withEach("when it starts again after it was detached, but not before", async (host) => {
    const web = await Remembered.start(host, "detached");
    await host.mustWeave(["detach", web.name]);
    await host.killRouter();
    await host.launch(["--resume", ...range]);
    await eventually(
      "the word that it is left alone",
      () => host.mustWeave(["logs"]),
      (log) =>
        log.includes(`container ${web.name} is left alone: it was detached after it had started`),
    );
    expect(await host.mustWeave(["ps", web.name])).not.toContain("10.32.");
    await host.mustDocker(["restart", "-t", "1", web.name]);
    await commandRuns(host, web.name);
    expect(await addressesInside(host, web.name)).toHaveLength(1);
    await web.remove();
  });

  withEach("when the engine is restarted, and when it has crashed", async (host) => {
    const web = await Remembered.start(host, "engine");
    await host.restartEngine();
    await web.isBack();
    await host.stopEngine("KILL");
    await host.startEngine();
    await web.isBack();
    await web.remove();
  });
});

describe("a container that cannot be attached", () => {
  withEach("is ended, for its engine to try again until it can be", async (host) => {
    const taken = "WEAVE_CIDR=10.40.0.1/24";
    await startAttached(host, ["--name", "first", "-e", taken]);
    await commandRuns(host, "first");
    await startAttached(host, ["--name", "second", "--restart=always", "-e", taken]);
    await eventually(
      "the engine has tried again",
      () => host.docker(["inspect", "-f", "{{.RestartCount}}", "second"]),
      ({ stdout }) => Number(stdout) > 1,
    );
    const status = await host.mustWeave(["status"]);
    expect(status).toMatch(/NotAttached: second, last at .*10\.40\.0\.1/);
    await host.mustDocker(["rm", "-f", "first"]);
    await commandRuns(host, "second", 60_000);
    expect(await addressesInside(host, "second")).toEqual(["10.40.0.1/24"]);
    expect(await host.mustWeave(["status"])).not.toContain("NotAttached");
    await host.mustDocker(["rm", "-f", "second"]);
  });

  withEach("is ended without a restart policy, and said to have been", async (host) => {
    const wrong = ["--name", "wrong", "-e", "WEAVE_CIDR=10.40.0.1"];
    await startAttached(host, wrong);
    const code = await host.mustDocker(["wait", "wrong"]);
    expect(code).toBe("137");
    expect(await host.mustWeave(["status"])).toMatch(/NotAttached: wrong, last at .*10\.40\.0\.1/);
    await host.mustDocker(["rm", "wrong"]);
  });
});

describe("containers that come and go", () => {
  withEach("leave no address behind in a small subnet", async (host) => {
    const before = await addressesHeld(host);
    const small = ["-e", "WEAVE_CIDR=net:10.32.64.0/26"];
    const show = ["bb", "ip", "-4", "-o", "addr", "show", "ethwe"];
    const words = ["run", "--rm", ...behindHelper(host), ...small, ...show];
    for (let round = 0; round < 25; round++) {
      const [one, other] = await Promise.all([host.mustDocker(words), host.mustDocker(words)]);
      expect(one).toContain("inet 10.32.64.");
      expect(other).toContain("inet 10.32.64.");
    }
    await eventually(
      "all addresses are free",
      () => addressesHeld(host),
      (held) => held === before,
    );
  });
});
