import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { FakeEngine } from "../docker/fake-engine.ts";
import { type Container, type Host, Lab } from "./lab.ts";

/** In the cluster's domain, and no name: it has a label without characters. */
const badName = "a..weave.local";

/** Commands in namespaces, as an engine tells of containers. */
class ToldContainers implements AsyncDisposable {
  readonly engine = new FakeEngine(({ path }) => this.#describe(path));
  readonly #processes = new Map<string, Bun.Subprocess>();
  readonly #hostnames = new Map<string, string>();

  run(name: string, hostname: string, container: Container): void {
    this.#processes.set(name, Bun.spawn(container.command(["sleep", "600"])));
    this.#hostnames.set(name, hostname);
  }

  #describe(path: string): Response | undefined {
    const name = /^\/containers\/(\w+)\/json$/.exec(path)?.[1] ?? "";
    const pid = this.#processes.get(name)?.pid;
    if (pid === undefined) return undefined;
    return Response.json({
      Id: Buffer.from(name).toString("hex").padEnd(64, "0"),
      Name: `/${name}`,
      State: { Pid: pid, Running: true },
      Config: { Hostname: this.#hostnames.get(name) },
      HostConfig: { NetworkMode: "bridge" },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const process of this.#processes.values()) process.kill("SIGKILL");
    await this.engine[Symbol.asyncDispose]();
  }
}

describe("a name that nobody could look up", () => {
  let lab: Lab;
  let host: Host;
  let told: ToldContainers;

  beforeAll(async () => {
    lab = await Lab.onSwitch("wbn", 1);
    told = new ToldContainers();
    host = lab.hosts[0]!;
    const off = ["--proxy=false", "--plugin=false"];
    await host.launch(["--docker-api", told.engine.endpoint, ...off]);
  });

  afterAll(async () => {
    await told?.[Symbol.asyncDispose]();
    await lab?.[Symbol.asyncDispose]();
  });

  test("costs its container the name alone: it keeps its address, and nobody else gets that", async () => {
    const [bad, good] = [await host.container("bad"), await host.container("good")];
    told.run("bad", badName, bad);
    told.run("good", "good.weave.local", good);
    const attached = await host.weave(["attach", "bad"]);
    expect(attached).toMatchObject({ code: 0 });
    expect(attached.stderr).toBe(`${badName} was left alone: invalid name "${badName}"\n`);
    const ip = await host.mustWeave(["attach", "good"]);
    expect(ip).not.toBe(attached.stdout.trim());
    expect(await host.mustWeave(["dns-lookup", "good"])).toBe(ip);
    await bad.pings(ip);
  });

  test("is refused for the host, which is not exposed then", async () => {
    const before = await host.mustWeave(["ps", "weave:expose"]);
    for (const words of [[], ["10.2.9.1/24"]]) {
      const { code, stdout, stderr } = await host.weave(["expose", ...words, "-h", badName]);
      expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
      expect(stderr).toContain(`invalid name "${badName}"`);
      expect(await host.mustWeave(["ps", "weave:expose"])).toBe(before);
    }
  });
});
