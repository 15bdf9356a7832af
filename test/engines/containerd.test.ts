import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync } from "node:fs";
import { Lab } from "../hosts/lab.ts";
import { eventually } from "../hosts/shell.ts";
import { EngineHost } from "./engine-host.ts";
import { rootArchive } from "./images.ts";

/** Where this machine's packages have the plugin for ports of the host. */
const portmap = "/usr/lib/cni/portmap";

/** containerd on one of a lab's hosts, and its client, which calls the plugins as kubelets have it. */
class Containerd {
  readonly host: EngineHost;

  constructor(host: EngineHost) {
    this.host = host;
  }

  /** Network, plugins, router and containerd; `archive` is what containers see as their root. */
  async start(archive: string, peers: readonly string[]): Promise<void> {
    const { host } = this;
    const { folder } = host;
    copyFileSync(archive, host.outside(`${folder}/root.tar`));
    await host.mustExec(["sh", "-ec", prepare, folder]);
    await host.launch(peers);
    await host.mustWeave(["setup-cni"]);
    // A machine without the reference plugins still shows ours.
    const list = "/etc/cni/net.d/10-weave.conflist";
    const said = await host.mustExec(["sh", "-ec", withoutMissing, list, portmap]);
    if (said !== "") console.log(said);
    await host.mustExec(["sh", "-ec", serve, folder]);
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

const prepare = `
mkdir -p /etc/cni/net.d /opt/cni/bin "$0/rootfs"
mount -t tmpfs tmpfs /etc/cni/net.d
mount -t tmpfs tmpfs /opt/cni/bin
tar -C "$0/rootfs" -xf "$0/root.tar"
`;

const withoutMissing = `
if [ -x "$1" ]; then cp "$1" /opt/cni/bin; exit; fi
echo "$1 is not installed: the network is shown without it"
tr -d '\\n' <"$0" | sed 's/, *{[^{]*"portmap".*$/]}/' >"$0.tmp"
mv "$0.tmp" "$0"
`;

const serve = `
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
  let lab: Lab;
  let one: Containerd;
  let two: Containerd;

  beforeAll(async () => {
    lab = await Lab.onSwitch("ectr", 2);
    const archive = await rootArchive(lab.folder);
    [one, two] = (await Promise.all(
      lab.hosts.map(async ({ number, namespace, ip }) => {
        const place = { number, namespace, ip, folder: `${lab.folder}/host${number}` };
        const parts = { ...place, engine: "20.10", root: undefined, engineArguments: [] } as const;
        return new Containerd(await EngineHost.boot(parts));
      }),
    )) as [Containerd, Containerd];
    await one.start(archive, []);
    await two.start(archive, [one.host.ip]);
  });

  afterAll(async () => {
    await Promise.all([one, two].map((each) => each?.host.end()));
    await lab?.[Symbol.asyncDispose]();
  });

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
