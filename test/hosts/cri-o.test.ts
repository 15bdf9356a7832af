import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Host, Lab } from "./lab.ts";
import { LibcniRuntime, type NetworkList, type Sandbox } from "./libcni.ts";
import { must } from "./shell.ts";

describe("CRI-O, whose calls libcni makes", () => {
  let lab: Lab;
  let host: Host;
  let runtime: LibcniRuntime;
  let folders: { networks: string; ours: string; distribution: string };
  let list: NetworkList;
  let made = 0;

  beforeAll(async () => {
    lab = await Lab.onSwitch("crio", 1);
    host = lab.hosts[0]!;
    await host.launch();
    const root = join(lab.folder, "root");
    folders = {
      networks: join(root, "etc/cni/net.d"),
      ours: join(root, "opt/cni/bin"),
      distribution: join(root, "usr/lib/cni"),
    };
    for (const each of [folders.networks, folders.distribution]) {
      mkdirSync(each, { recursive: true });
    }
    await host.mustWeave(["setup-cni"], { env: { HOST_ROOT: root } });
    runtime = runtimeOf(folders.ours, folders.distribution);
    writePortmap();
    list = (await runtime.defaultNetwork())!;
  });
  afterAll(() => lab?.[Symbol.asyncDispose]());

  const runtimeOf = (...plugins: string[]) =>
    new LibcniRuntime({ host, networks: folders.networks, plugins });

  /** In the place of the reference plugin, one that remembers what it is asked. */
  function writePortmap(): void {
    const script = `#!${process.execPath}
const { CNI_COMMAND: command } = process.env;
const config = await Bun.stdin.json();
if (command === "VERSION") console.log('{"cniVersion":"1.0.0","supportedVersions":["1.0.0"]}');
else require("node:fs").appendFileSync("${calls()}", JSON.stringify({ command, config }) + "\\n");
if (command === "ADD") console.log(JSON.stringify(config.prevResult));
`;
    writeFileSync(join(folders.distribution, "portmap"), script, { mode: 0o755 });
  }
  const calls = () => join(folders.distribution, "calls");

  /** What portmap was asked since the last time. */
  function asked(): { command: string; config: { prevResult?: object; runtimeConfig?: object } }[] {
    if (!existsSync(calls())) return [];
    const lines = readFileSync(calls(), "utf8").trim().split("\n");
    rmSync(calls());
    return lines.map((line) => JSON.parse(line));
  }

  async function sandbox(): Promise<Sandbox> {
    const number = ++made;
    const pod = { namespace: "shop", name: `web-${number}`, uid: `uid-${number}` };
    const id = `${number}`.padStart(7, "c").padEnd(64, "0");
    return { id, netns: await lab.namespace(`p${number}`), pod };
  }

  /** What the router holds for a sandbox. */
  async function held({ id }: Sandbox): Promise<string> {
    const unix = join(host.env.WEAVE_RUN_DIR!, "control.sock");
    return (await fetch(`http://localhost/ip/${id}`, { unix })).text();
  }

  /** Of ours alone, in a version that has all commands, and with CHECK. */
  const latest: NetworkList = {
    ...{ cniVersion: "1.1.0", name: "latest" },
    plugins: [{ type: "weave-net" }],
  };

  test("takes the installed network without being told its name, and by its name", async () => {
    const other = { cniVersion: "1.0.0", name: "other", plugins: [{ type: "portmap" }] };
    const lacking = { ...other, name: "lacking", plugins: [{ type: "nobody-has-it" }] };
    writeFileSync(join(folders.networks, "87-other.conflist"), JSON.stringify(other));
    writeFileSync(join(folders.networks, "05-lacking.conflist"), JSON.stringify(lacking));
    expect((await runtime.defaultNetwork())?.name).toBe("weave");
    expect((await runtime.defaultNetwork("weave"))?.plugins).toEqual(list.plugins);
    expect((await runtime.defaultNetwork("other"))?.name).toBe("other");
  });

  test("finds plugins in any of its folders, and no network where portmap is in none", async () => {
    expect((await runtimeOf(folders.distribution, folders.ours).defaultNetwork())?.name).toBe(
      "weave",
    );
    expect(await runtimeOf(folders.ours).defaultNetwork("weave")).toBeUndefined();
  });

  test("gives a pod an address under its name, and frees it by what it remembers", async () => {
    const of = await sandbox();
    const ports = [{ hostPort: 8080, containerPort: 80, protocol: "tcp" }];
    const result = await runtime.add(list, of, ports);
    expect(await held(of)).toBe(result.ips[0]!.address);
    expect(await host.mustWeave(["policy", "get", "pods"])).toMatch(/^shop +web-\d+ /m);
    // The installed list forbids CHECK, which that release of portmap fails.
    expect(await runtime.check(of)).toEqual(result);
    await runtime.del(of);
    expect(await held(of)).toBe("");
    expect(asked().map(({ command }) => command)).toEqual(["ADD", "DEL"]);
  });

  test("has the plugin for ports told of the address, at the end as well", async () => {
    const of = await sandbox();
    const ports = [{ hostPort: 8081, containerPort: 80, protocol: "tcp" }];
    const { ips } = await runtime.add(list, of, ports);
    await runtime.del(of);
    for (const { config } of asked()) {
      expect(config).toMatchObject({ prevResult: { ips }, runtimeConfig: { portMappings: ports } });
    }
  });

  test("removes pods whose namespace is gone, and those that it has forgotten", async () => {
    const [gone, forgotten] = [await sandbox(), await sandbox()];
    for (const each of [gone, forgotten]) await runtime.add(list, each);
    await must(["ip", "netns", "del", gone.netns]);
    await runtime.del(gone);
    runtime.forget(forgotten);
    await runtime.del(forgotten, list);
    expect([await held(gone), await held(forgotten)]).toEqual(["", ""]);
  });

  test("is told by CHECK whether a pod is as it was made", async () => {
    const of = await sandbox();
    const result = await runtime.add(latest, of);
    expect(await runtime.check(of)).toEqual(result);
    await must(["ip", "-n", of.netns, "addr", "flush", "dev", "eth0"]);
    await expect(runtime.check(of)).rejects.toThrow("has no address");
    await runtime.del(of);
  });

  test("collects pods that it remembers, and those that only the router does", async () => {
    const [kept, stale, forgotten] = [await sandbox(), await sandbox(), await sandbox()];
    for (const each of [kept, stale, forgotten]) await runtime.add(latest, each);
    runtime.forget(forgotten);
    await runtime.collect(latest, [kept]);
    expect([await held(stale), await held(forgotten)]).toEqual(["", ""]);
    expect(await held(kept)).not.toBe("");
    // Before version 1.1.0 there is no GC: what is remembered goes, and nothing else.
    const installed = await sandbox();
    await runtime.add(list, installed);
    await runtime.collect(list, [kept]);
    expect(await held(installed)).toBe("");
    await runtime.del(kept);
  });

  test("is ready while the router runs", async () => {
    expect(await runtime.status(latest)).toBe(0);
    await host.mustWeave(["stop"]);
    expect(await runtime.status(latest)).toBe(50);
    // It cannot ask in version 1.0.0: ADD says it, with a code for "later".
    expect(await runtime.status(list)).toBe(0);
    await expect(runtime.add(list, await sandbox())).rejects.toThrow('"code":11');
  });
});
