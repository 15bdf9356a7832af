import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Container, type Host, Lab } from "./lab.ts";
import { eventually, must } from "./shell.ts";
import { reachesTcp, WebServer } from "./traffic.ts";

/**
 *   neighbour ── eth0 ──[ router ]── docker0 ── boxed       port 9999 is anybody's
 *                            └────── weave ──── attached
 */
describe("the ports of a router", () => {
  const stack = new AsyncDisposableStack();
  let host: Host;
  let neighbour: Container;
  let boxed: Container;
  let attached: Container;
  let exposed: string;

  beforeAll(async () => {
    const lab = stack.use(await Lab.onSwitch("gp", 2));
    host = lab.hosts[0]!;
    const inHost = (...words: string[]) => must(["ip", "-n", host.namespace, ...words]);
    neighbour = new Container(lab.hosts[1]!.namespace);
    boxed = await host.container("boxed");
    attached = await host.container("attached");
    await inHost("link", "add", "docker0", "type", "bridge");
    await inHost("addr", "add", "172.17.0.1/16", "dev", "docker0");
    const peer = ["peer", "name", "eth0", "netns", boxed.namespace];
    await inHost("link", "add", "veth1", "master", "docker0", "type", "veth", ...peer);
    for (const device of ["veth1", "docker0"]) await inHost("link", "set", device, "up");
    await must(["ip", "-n", boxed.namespace, "addr", "add", "172.17.0.2/16", "dev", "eth0"]);
    await must(["ip", "-n", boxed.namespace, "link", "set", "eth0", "up"]);
    await host.launch(["--ipalloc-init", `seed=${host.peerName}`, "--dns-listen-address", ":53"]);
    await host.mustWeave(["attach", attached.reference]);
    exposed = await host.mustWeave(["expose"]);
    stack.use(await WebServer.start(new Container(host.namespace), 9999, "anybody's"));
  });

  afterAll(() => stack.disposeAsync());

  test("of the mesh are open to other hosts, and closed to containers", async () => {
    expect(await reachesTcp(neighbour, host.ip, 6783)).toBe(true);
    for (const [container, address] of [
      [boxed, "172.17.0.1"],
      [attached, exposed],
    ] as const) {
      expect(await reachesTcp(container, address, 9999)).toBe(true);
      expect(await reachesTcp(container, address, 6783)).toBe(false);
    }
  });

  test("of the mesh are closed to containers by IPv6 as well", async () => {
    const inside = new Container(host.namespace);
    for (const [end, device, address] of [
      [inside, "weave", "fd32::9/64"],
      [attached, "ethwe", "fd32::1/64"],
    ] as const) {
      await must(end.command(["ip", "addr", "add", address, "dev", device, "nodad"]));
    }
    expect(await reachesTcp(inside, "fd32::9", 6783)).toBe(true);
    expect(await reachesTcp(attached, "fd32::9", 6783)).toBe(false);
  });

  test("of the control API are closed to neighbours, also where the kernel routes to loopback", async () => {
    const routeLocalnet = ["sysctl", "-q", "-w", "net.ipv4.conf.eth0.route_localnet=1"];
    for (const end of [new Container(host.namespace), neighbour]) {
      await must(end.command(routeLocalnet));
    }
    await must(neighbour.command(["ip", "addr", "flush", "dev", "lo"]));
    await must(neighbour.command(["ip", "route", "add", "127.0.0.1/32", "via", host.ip]));
    expect(await reachesTcp(neighbour, "127.0.0.1", 9999)).toBe(true);
    for (const port of [6784, 6782]) {
      expect(await reachesTcp(neighbour, "127.0.0.1", port)).toBe(false);
      expect(await reachesTcp(new Container(host.namespace), "127.0.0.1", port)).toBe(true);
    }
  });

  test("are closed again within seconds when somebody deletes the rules", async () => {
    const nft = (...words: string[]) => host.exec(["nft", ...words]);
    const rules = async () => {
      const tables = ["ip", "ip6"].map((family) => nft("list", "table", family, "weave"));
      return (await Promise.all(tables)).map(({ stdout }) => stdout).join("");
    };
    const before = await rules();
    for (const deed of [
      ["delete", "table", "ip", "weave"],
      ["flush", "chain", "ip", "weave", "input"],
      ["flush", "chain", "ip6", "weave", "input"],
      ["flush", "ruleset"],
    ]) {
      expect((await nft(...deed)).code).toBe(0);
      await eventually("the rules", rules, (text) => text === before, 20_000);
    }
  });
});
