import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eventually, type Outcome } from "../hosts/shell.ts";
import { CniLab, rootArchivePath } from "./cni-lab.ts";
import type { EngineHost } from "./engine-host.ts";

/** As docs/cni.md has it; and limits that are not raised, which takes a right that not all machines give. */
const config = `
[containers]
default_ulimits = ["nofile=1024:4096", "nproc=4096:4096"]
log_driver = "k8s-file"
[network]
network_backend = "cni"
default_network = "weave"
`;

const hostPort = 8080;

/** podman on one of a lab's hosts. */
class Podman {
  readonly host: EngineHost;

  constructor(host: EngineHost) {
    this.host = host;
  }

  /** Gives it its configuration, and an image. */
  async start(): Promise<void> {
    const { host } = this;
    await host.mustExec(["sh", "-c", 'cat >"$0"', this.#config], { stdin: config });
    await this.must(["import", rootArchivePath(host), "bb"]);
  }

  get #config(): string {
    return `${this.host.folder}/containers.conf`;
  }

  exec(args: readonly string[]): Promise<Outcome> {
    const { folder } = this.host;
    const places = ["root", "runroot", "tmpdir"].map(
      (each) => `--${each}=${folder}/podman-${each}`,
    );
    // Another runtime refuses machines that have control groups of both versions.
    const own = ["--runtime=/usr/sbin/runc", "--cgroup-manager=cgroupfs", "--events-backend=file"];
    const command = ["timeout", "-k", "1", "40", "podman", ...own, ...places, ...args];
    return this.host.exec(command, { env: { CONTAINERS_CONF: this.#config }, waitMs: 45_000 });
  }

  /** Gives what it printed, without the line end. @throws Error when it fails */
  async must(args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.exec(args);
    if (code === 0) return stdout.trimEnd();
    throw new Error(`podman ${args.join(" ")}: exit ${code}\n${stdout}${stderr}`);
  }

  /** Runs a container until it is removed; gives its id. */
  run(name: string, words: readonly string[], command: readonly string[]): Promise<string> {
    const own = ["--detach", "--stop-timeout=1", "--name", name];
    const group = `--cgroup-parent=${this.host.cgroup}`;
    return this.must(["run", ...own, group, ...words, "bb", ...command]);
  }

  /** The address that it knows of a container. */
  addressOf(name: string): Promise<string> {
    const address = "{{.NetworkSettings.Networks.weave.IPAddress}}";
    return this.must(["inspect", name, "--format", address]);
  }
}

describe("containers of podman on two hosts", () => {
  let lab: CniLab;
  let one: Podman;
  let two: Podman;
  let web: string;
  let address: string;

  beforeAll(async () => {
    lab = await CniLab.start("epod", 2);
    [one, two] = lab.hosts.map((host) => new Podman(host)) as [Podman, Podman];
    await Promise.all([one.start(), two.start()]);
    const page = "cd /tmp && echo served >index.html && exec httpd -f -p 80";
    const published = ["--network", "weave", "--publish", `${hostPort}:80`];
    web = await one.run("web", published, ["sh", "-c", page]);
    address = await one.addressOf("web");
    await two.run("client", [], ["sleep", "1000"]);
  });
  afterAll(() => lab?.[Symbol.asyncDispose]());

  const inClient = (...command: string[]) => two.exec(["exec", "client", ...command]);

  const held = async (): Promise<string> => (await one.host.weave(["ps", web])).stdout.trim();

  test("have addresses of the allocator, a default route, and a way to each other", async () => {
    expect(await held()).toEndWith(` ${address}/12`);
    expect(await two.addressOf("client")).not.toBe(address);
    const bridge = /inet ([\d.]+)\//.exec(
      await two.host.mustExec(["ip", "-4", "addr", "show", "weave"]),
    );
    expect((await inClient("ip", "route")).stdout).toContain(`default via ${bridge?.[1]} dev eth0`);
    await eventually(
      "a ping from the other host",
      () => inClient("ping", "-c", "1", "-W", "1", address),
      ({ code }) => code === 0,
    );
    expect((await inClient("wget", "-qO-", `http://${address}/`)).stdout).toBe("served\n");
  });

  test("are served at ports of their host, on it and from the other", async () => {
    for (const [host, target] of [
      [two.host, one.host.ip],
      [one.host, "127.0.0.1"],
    ] as const) {
      const asks = ["timeout", "5", "busybox", "wget", "-qO-", `http://${target}:${hostPort}/`];
      expect((await host.exec(asks)).stdout).toBe("served\n");
    }
  });

  test("are on a network that podman lists and reads", async () => {
    expect(await one.must(["network", "ls", "--format", "{{.Name}} {{.Driver}}"])).toContain(
      "weave weave-net",
    );
    const [network] = JSON.parse(await one.must(["network", "inspect", "weave"]));
    expect(network).toMatchObject({ name: "weave", driver: "weave-net" });
  });

  test("have one address after a restart, and none when they are removed", async () => {
    await one.must(["restart", "--time=0", "web"]);
    address = await one.addressOf("web");
    expect(await held()).toEndWith(` ${address}/12`);
    await eventually(
      "the page after the restart",
      () => inClient("timeout", "2", "wget", "-qO-", `http://${address}/`),
      ({ stdout }) => stdout === "served\n",
    );
    await one.must(["rm", "--force", "--time=0", "web"]);
    await two.must(["rm", "--force", "--time=0", "client"]);
    expect(await held()).toBe("");
    for (const { host } of [one, two]) {
      // What is left is the address of the bridge.
      expect(await host.mustWeave(["report", "-f", "{{.IPAM.ActiveIPs}}"])).toBe("1");
      expect((await host.weave(["logs"])).stdout).not.toMatch(/WARN|ERRO/);
    }
  });
});
