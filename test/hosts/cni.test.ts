import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Container, type Host, Lab } from "./lab.ts";
import { eventually, must } from "./shell.ts";

/** A runtime of containers as `cnitool` is one: it calls the plugins as the specification says. */
class Runtime {
  readonly host: Host;
  readonly root: string;
  readonly plugins: string;

  constructor(host: Host) {
    this.host = host;
    this.root = join(host.lab.folder, `root${host.number}`);
    this.plugins = join(this.root, "opt/cni/bin");
  }

  get networkPath(): string {
    return join(this.root, "etc/cni/net.d/10-weave.conflist");
  }

  /** `weave setup-cni` for a host whose root is a folder of the test. */
  async setUp(): Promise<void> {
    mkdirSync(join(this.root, "etc/cni/net.d"), { recursive: true });
    await this.host.mustWeave(["setup-cni"], { env: { HOST_ROOT: this.root } });
  }

  /** One plugin, one command. */
  call(command: string, pod: Pod, config: object, plugin = "weave-net") {
    const { id, namespace } = pod;
    return this.host.exec([join(this.plugins, plugin)], {
      stdin: JSON.stringify(config),
      env: {
        ...this.host.env,
        CNI_COMMAND: command,
        CNI_CONTAINERID: id,
        CNI_NETNS: namespace === "" ? "" : `/run/netns/${namespace}`,
        CNI_IFNAME: "eth0",
        CNI_ARGS: "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web",
        CNI_PATH: `${this.plugins}:/usr/lib/cni:/opt/cni/bin`,
      },
    });
  }

  async must(command: string, pod: Pod, config: object, plugin?: string) {
    const { code, stdout, stderr } = await this.call(command, pod, config, plugin);
    if (code !== 0) throw new Error(`${command}: exit ${code}\n${stdout}${stderr}`);
    return stdout === "" ? undefined : JSON.parse(stdout);
  }

  /** What `GET /ip/<id>` tells. */
  async held(pod: Pod): Promise<string> {
    const socket = join(this.host.env.WEAVE_RUN_DIR!, "control.sock");
    return (await fetch(`http://localhost/ip/${pod.id}`, { unix: socket })).text();
  }
}

interface Pod {
  readonly id: string;
  readonly namespace: string;
}

const weave = { cniVersion: "1.0.0", name: "weave", type: "weave-net" };

describe("container runtimes that call the plugins of CNI", () => {
  let lab: Lab;
  let one: Runtime;
  let two: Runtime;
  let made = 0;

  beforeAll(async () => {
    lab = await Lab.onSwitch("cn", 2);
    [one, two] = lab.hosts.map((host) => new Runtime(host)) as [Runtime, Runtime];
    // Of several that first allocate at once, more than one could be the first.
    const seed = ["--ipalloc-init", `seed=${lab.hosts[0]!.peerName}`];
    await lab.hosts[0]!.launch(seed);
    await lab.hosts[1]!.launch([...seed, lab.hosts[0]!.ip]);
    await Promise.all([one.setUp(), two.setUp(), ...lab.hosts.map((host) => host.reaches(1))]);
  });

  afterAll(() => lab[Symbol.asyncDispose]());

  async function pod(): Promise<Pod> {
    const number = ++made;
    // As those of containerd, which look like an engine's.
    const id = `${number}`.padStart(7, "a").padEnd(64, "0");
    return { id, namespace: await lab.namespace(`p${number}`) };
  }

  const ip = (result: { ips: { address: string }[] }): string =>
    result.ips[0]!.address.split("/")[0]!;

  async function port(runtime: Runtime, { id }: Pod) {
    const name = `vethwepl${id.slice(0, 7)}`;
    const { stdout } = await runtime.host.exec(["ip", "-j", "-d", "link", "show", name]);
    return stdout === "" ? undefined : JSON.parse(stdout)[0];
  }

  const routes = async ({ namespace }: Pod): Promise<string> =>
    must(["ip", "-n", namespace, "-4", "route"]);

  test("three containers of different networks reach each other across hosts", async () => {
    const pods = await Promise.all([pod(), pod(), pod()]);
    const ipam = { type: "weave-ipam" };
    const plain = await one.must("ADD", pods[0]!, weave);
    const onSubnet = await one.must("ADD", pods[1]!, {
      ...{ ...weave, cniVersion: "0.3.0" },
      ipam: { ...ipam, routes: [{ dst: "10.32.0.0/12" }] },
    });
    const far = await two.must("ADD", pods[2]!, { ...weave, ipam });

    const exposed = (await one.host.mustWeave(["expose"])).split("/")[0]!;
    const addresses = [plain, onSubnet, far].map(ip);
    expect(new Set([exposed, ...addresses]).size).toBe(4);
    for (const { namespace } of pods) {
      for (const address of addresses) await new Container(namespace).pings(address);
    }
    expect(await routes(pods[0]!)).toContain(`default via ${exposed} dev eth0`);
    expect(await routes(pods[1]!)).not.toContain("default");
    expect(await routes(pods[2]!)).toContain("default via");
    const bridge = { name: "weave", mac: expect.any(String) };
    expect(plain).toEqual({
      cniVersion: "1.0.0",
      interfaces: [
        bridge,
        { name: `vethwepl${pods[0]!.id.slice(0, 7)}`, mac: expect.any(String) },
        { name: "eth0", mac: expect.any(String), sandbox: `/run/netns/${pods[0]!.namespace}` },
      ],
      ips: [{ address: `${addresses[0]}/12`, gateway: exposed, interface: 2 }],
      routes: [{ dst: "0.0.0.0/0", gw: exposed }],
      dns: {},
    });
    expect(onSubnet.ips[0].version).toBe("4");
  });

  test("hairpin mode is as the network says, and on where it says nothing", async () => {
    for (const [mode, isOn] of [
      [{ hairpinMode: true }, true],
      [{ hairpinMode: false }, false],
      [{}, true],
    ] as const) {
      const of = await pod();
      await one.must("ADD", of, { ...weave, ...mode });
      const { linkinfo } = await port(one, of);
      expect(linkinfo.info_slave_data.hairpin).toBe(isOn);
    }
  });

  test("an address is another's only after DEL, which may come twice and late", async () => {
    const gone = await pod();
    const first = ip(await one.must("ADD", gone, weave));
    await must(["ip", "netns", "del", gone.namespace]);
    const next = await pod();
    expect(ip(await one.must("ADD", next, weave))).not.toBe(first);
    expect(await one.held(gone)).toBe(`${first}/12`);
    for (const config of [weave, weave, { ...weave, cniVersion: 7 }]) {
      await one.must("DEL", gone, config);
    }
    expect(await one.held(gone)).toBe("");
    await one.must("DEL", { ...next, namespace: "" }, weave);
    expect(await one.held(next)).toBe("");
  });

  test("ADD twice changes nothing, and one that fails leaves nothing", async () => {
    const twice = await pod();
    expect(await one.must("ADD", twice, weave)).toEqual(await one.must("ADD", twice, weave));

    const own = { id: "d".repeat(64), namespace: one.host.namespace };
    const refused = await one.call("ADD", own, weave);
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.stdout)).toMatchObject({ cniVersion: "1.0.0", code: 4 });
    const taken = await pod();
    await must(["ip", "-n", taken.namespace, "link", "add", "eth0", "type", "bridge"]);
    const failed = await one.call("ADD", taken, weave);
    expect(JSON.parse(failed.stdout)).toMatchObject({ code: 100, details: expect.any(String) });
    expect(await one.held(taken)).toBe("");
    const gateway = await one.call("ADD", taken, { ...weave, isGateway: true });
    expect(JSON.parse(gateway.stdout).code).toBe(2);
  });

  test("CHECK tells what has been taken away", async () => {
    const checked = await pod();
    const prevResult = await one.must("ADD", checked, { ...weave, mtu: 1300 });
    const config = { ...weave, mtu: 1300, prevResult };
    await one.must("CHECK", checked, config);
    await must(["ip", "-n", checked.namespace, "route", "del", "default"]);
    const routeGone = await one.call("CHECK", checked, config);
    expect(JSON.parse(routeGone.stdout)).toMatchObject({ code: 101 });
    expect(JSON.parse(routeGone.stdout).msg).toContain("no route to 0.0.0.0/0");
    await must(["ip", "-n", checked.namespace, "addr", "flush", "dev", "eth0"]);
    expect((await one.call("CHECK", checked, config)).stdout).toContain("has no address");
  });

  test("ADD that cannot be remembered leaves neither an interface nor an address", async () => {
    const forgotten = await pod();
    using state = new Database(join(one.host.env.WEAVE_STATE_DIR!, "weave.db"));
    state.run("ALTER TABLE cni_interface RENAME TO elsewhere");
    expect((await one.call("ADD", forgotten, weave)).code).toBe(1);
    expect([await port(one, forgotten), await one.held(forgotten)]).toEqual([undefined, ""]);
    state.run("ALTER TABLE elsewhere RENAME TO cni_interface");
    await one.must("ADD", forgotten, weave);
    expect(await port(one, forgotten)).toBeDefined();
    await one.must("DEL", forgotten, weave);
  });

  test("GC removes what the runtime does not know any more, STATUS says that it goes", async () => {
    const [stale, kept] = await Promise.all([pod(), pod()]);
    const network = { ...weave, cniVersion: "1.1.0", name: "collected" };
    await one.must("ADD", stale, network);
    const address = ip(await one.must("ADD", kept, network));
    await one.must("STATUS", stale, network);
    const valid = [{ containerID: kept.id, ifname: "eth0" }];
    await one.must("GC", stale, { ...network, "cni.dev/valid-attachments": valid });
    expect([await port(one, stale), await one.held(stale)]).toEqual([undefined, ""]);
    expect(await one.held(kept)).toBe(`${address}/12`);
  });

  test("policies are about all addresses of a container, whoever attached it to which", async () => {
    const twice = await pod();
    const address = ip(await one.must("ADD", twice, weave));
    await one.host.mustWeave(["attach", "10.2.1.1/24", twice.id]);
    const { pods } = JSON.parse(await one.host.mustWeave(["policy", "get", "pods", "--json"]));
    const found = pods.find(({ container }: { container: string }) => container === twice.id);
    expect(found.addresses.toSorted()).toEqual(["10.2.1.1", address].toSorted());
    await one.host.mustWeave(["detach", "10.2.1.1/24", twice.id]);
    await one.must("DEL", twice, weave);
  });

  test("the router's own commands know the container by its id, until DEL", async () => {
    const named = await pod();
    const address = ip(await one.must("ADD", named, weave));
    expect(await one.host.mustWeave(["ps", named.id])).toEndWith(` ${address}/12`);
    await one.host.mustWeave(["dns-add", named.id, "-h", "named.weave.local"]);
    expect(await one.host.mustWeave(["dns-lookup", "named"])).toBe(address);
    expect((await one.host.weave(["why", named.id])).stdout).not.toContain("error");
    await one.must("DEL", named, weave);
    expect(await one.host.mustWeave(["dns-lookup", "named"])).toBe("");
  });

  test("another plugin gives the addresses, and gets them back when the router does not", async () => {
    const [given, refused] = await Promise.all([pod(), pod()]);
    writeFileSync(join(one.plugins, "pretended-ipam"), pretendedIpam, { mode: 0o755 });
    const config = { ...weave, ipam: { type: "pretended-ipam" } };
    expect(ip(await one.must("ADD", given, config))).toBe("10.40.0.9");
    expect(await one.held(given)).toBe("");
    await must(["ip", "-n", refused.namespace, "link", "add", "eth0", "type", "bridge"]);
    expect((await one.call("ADD", refused, config)).code).toBe(1);
    await one.must("DEL", given, config);
    const calls = readFileSync(join(one.plugins, "calls"), "utf8").trim().split("\n");
    expect(calls).toEqual([
      `ADD ${given.id}`,
      `ADD ${refused.id}`,
      `DEL ${refused.id}`,
      `DEL ${given.id}`,
    ]);
  });

  test("addresses alone are to be had as well, for interfaces of others", async () => {
    const alone = await pod();
    const config = { ...weave, ipam: { type: "weave-ipam", gateway: "10.32.0.1" } };
    const prevResult = await two.must("ADD", alone, config, "weave-ipam");
    expect(prevResult.interfaces).toBeUndefined();
    expect(await two.held(alone)).toBe(prevResult.ips[0].address);
    await two.must("CHECK", alone, { ...config, prevResult }, "weave-ipam");
    for (const _ of ["once", "twice"]) await two.must("DEL", alone, config, "weave-ipam");
    const { stdout } = await two.call("CHECK", alone, { ...config, prevResult }, "weave-ipam");
    expect(JSON.parse(stdout)).toMatchObject({ code: 101 });
  });

  test("a restart of the router keeps addresses, gives back what was lost, and frees what ended meanwhile", async () => {
    const [stays, loses, ends] = await Promise.all([pod(), pod(), pod()]);
    const address = ip(await two.must("ADD", stays, weave));
    await two.must("ADD", loses, weave);
    await two.must("ADD", ends, weave);
    await two.host.mustWeave(["stop"]);
    const later = await pod();
    const refused = await two.call("ADD", later, weave);
    expect(JSON.parse(refused.stdout)).toMatchObject({ code: 11 });
    expect(await port(two, later)).toBeUndefined();
    const status = await two.call("STATUS", later, { ...weave, cniVersion: "1.1.0" });
    expect(JSON.parse(status.stdout)).toMatchObject({ code: 50 });
    await must(["ip", "-n", loses.namespace, "link", "del", "eth0"]);
    await two.must("DEL", ends, weave);
    expect(await port(two, ends)).toBeUndefined();

    const again = await two.host.weave(["launch", "--name", two.host.peerName, "--no-fastdp"]);
    expect(again.stderr).toBe("");
    expect(await two.held(stays)).toBe(`${address}/12`);
    expect(await two.held(ends)).toBe("");
    expect(await port(two, loses)).toBeDefined();
    await new Container(loses.namespace).pings(address);
    expect(await routes(loses)).toContain("default via");
    await must(["ip", "-n", loses.namespace, "link", "del", "eth0"]);
    await eventually(
      "the interface again",
      () => port(two, loses),
      (link) => link !== undefined,
    );
  });

  test("the network that is installed opens a port of the host by the plugin after ours", async () => {
    const list = JSON.parse(readFileSync(one.networkPath, "utf8"));
    expect(list.plugins.map(({ type }: { type: string }) => type)).toEqual([
      "weave-net",
      "portmap",
    ]);
    const portmap = "/usr/lib/cni/portmap";
    // Beside weave-net there has to be one: the reference plugin, or one that only looks.
    const isReference = existsSync(portmap);
    if (!isReference) console.log(`${portmap} is not installed: what it would get is looked at`);
    writeFileSync(
      join(one.plugins, "portmap"),
      isReference ? `#!/bin/sh\nexec ${portmap}\n` : "#!/bin/sh\ncat\n",
      { mode: 0o755 },
    );
    const published = await pod();
    const { cniVersion, name, plugins } = list;
    const prevResult = await one.must("ADD", published, { ...plugins[0], cniVersion, name });
    const portMappings = [{ hostPort: 8080, containerPort: 80, protocol: "tcp" }];
    const chained = {
      ...plugins[1],
      cniVersion,
      name,
      prevResult,
      runtimeConfig: { portMappings },
    };
    const result = await one.must("ADD", published, chained, "portmap");
    expect(isReference ? result : result.prevResult).toMatchObject({ ips: prevResult.ips });
    if (isReference) {
      const server = Bun.spawn(
        new Container(published.namespace).command([
          ...[process.execPath, "-e"],
          'Bun.serve({ port: 80, hostname: "0.0.0.0", fetch: () => new Response("served") })',
        ]),
      );
      // As on every host whose containers have ports.
      await one.host.exec(["sysctl", "-q", "-w", "net.ipv4.ip_forward=1"]);
      await eventually(
        "the port from the other host",
        () => page(two.host, one.host.ip),
        ({ stdout }) => stdout === "served",
      );
      expect((await page(one.host, "127.0.0.1")).stdout).toBe("served");
      server.kill();
      await server.exited;
      await one.must("DEL", published, chained, "portmap");
    }
    await one.must("DEL", published, { ...plugins[0], cniVersion, name });
  });

  test("reset takes away what nobody has edited", async () => {
    expect(readlinkSync(join(two.plugins, "weave-ipam"))).toStartWith("weave-plugin-");
    expect(
      JSON.parse(
        await one.host.mustWeave(["setup-cni", "--json"], { env: { HOST_ROOT: one.root } }),
      ),
    ).toMatchObject({ schema: "weave/setup-cni/1", networkIs: "written" });
    const edited = `${readFileSync(one.networkPath, "utf8")} `;
    writeFileSync(one.networkPath, edited);
    for (const { host } of [one, two]) await host.mustWeave(["reset"]);
    expect(existsSync(two.networkPath)).toBe(false);
    expect(readFileSync(one.networkPath, "utf8")).toBe(edited);
    for (const { plugins } of [one, two]) {
      for (const name of ["weave-net", "weave-ipam"]) {
        expect(() => readlinkSync(join(plugins, name))).toThrow();
      }
    }
  });
});

/** What a web server at port 8080 of a host serves to another, or to itself. */
function page(from: Host, at: string) {
  const program = `const answer = await fetch("http://${at}:8080/", { signal: AbortSignal.timeout(1000) });
    process.stdout.write(await answer.text());`;
  return from.exec([process.execPath, "-e", program]);
}

/** Gives the same address to everybody, and writes down who called. */
const pretendedIpam = `#!/bin/sh
echo "$CNI_COMMAND $CNI_CONTAINERID" >>"\${0%/*}/calls"
[ "$CNI_COMMAND" = ADD ] || exit 0
echo '{"cniVersion":"1.0.0","ips":[{"address":"10.40.0.9/12","gateway":"10.32.0.1"}]}'
`;
