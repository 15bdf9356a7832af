import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eventually } from "../hosts/shell.ts";
import { CniLab, rootArchivePath } from "./cni-lab.ts";
import type { EngineHost } from "./engine-host.ts";

/** containerd on one of a lab's hosts, and its client, which calls the plugins as kubelets have it. */
class Containerd {
  readonly host: EngineHost;

  constructor(host: EngineHost) {
    this.host = host;
  }

  /** Starts it, and unpacks what containers see as their root. */
  async start(): Promise<void> {
    const { host } = this;
    await host.mustExec(["sh", "-ec", serve, host.folder, rootArchivePath(host)]);
    await eventually(
      `containerd of host ${host.number}`,
      () => host.exec(this.#ctr(["version"])),
      ({ code }) => code === 0,
    );
  }

  #ctr(args: readonly string[]): string[] {
    return ["timeout", "-k", "1", "60", "ctr", "-a", `${this.host.folder}/c.sock`, ...args];
  }

  run(name: string, command: readonly string[]) {
    const root = ["--rootfs", `${this.host.folder}/rootfs`];
    const cgroup = ["--cgroup", `${this.host.cgroup}/${name}`];
    return this.host.exec(
      this.#ctr(["run", "--rm", "--cni", ...cgroup, ...root, name, ...command]),
    );
  }

  kill(name: string) {
    return this.host.exec(this.#ctr(["task", "kill", "-s", "KILL", name]));
  }
}

const serve = `
mkdir "$0/rootfs"
tar -C "$0/rootfs" -xf "$1"
cat >"$0/c.toml" <<END
version = 2
root = "$0/c-root"
state = "$0/c-state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "$0/c.sock"
END
setsid containerd -c "$0/c.toml" >"$0/c.log" 2>&1 </dev/null &
`;

describe("containers of containerd on two hosts", () => {
  let lab: CniLab;
  let one: Containerd;
  let two: Containerd;

  beforeAll(async () => {
    lab = await CniLab.start("ectr", 2);
    [one, two] = lab.hosts.map((host) => new Containerd(host)) as [Containerd, Containerd];
    await Promise.all([one.start(), two.start()]);
  });
  afterAll(() => lab?.[Symbol.asyncDispose]());

  const addressOf = async (name: string): Promise<string> => {
    const { stdout } = await one.host.weave(["ps", `default-${name}`]);
    return / (\d+\.\d+\.\d+\.\d+)\//.exec(stdout)?.[1] ?? "";
  };

  test("reach each other by the network that setup-cni has installed, and give their addresses back", async () => {
    const page = "cd /tmp && echo served >index.html && exec /bin/httpd -f -p 80";
    const server = one.run("web", ["/bin/sh", "-c", page]);
    const address = await eventually(
      "the server's address",
      () => addressOf("web"),
      (found) => found !== "",
    );
    const asks = ["/bin/sh", "-c", `/bin/ip -4 route; /bin/wget -qO- http://${address}/`];
    const { stdout } = await eventually(
      "the page from the other host",
      () => two.run("client", asks),
      ({ stdout: said }) => said.includes("served"),
    );
    expect(stdout).toContain("default via");
    await one.kill("web");
    await server;
    expect(await addressOf("web")).toBe("");
    for (const { host } of [one, two]) {
      const { stdout: held } = await host.weave(["report", "-f", "{{json .IPAM}}"]);
      expect(held).not.toContain("default-");
      expect((await host.weave(["logs"])).stdout).not.toMatch(/WARN|ERRO/);
    }
  });
});
