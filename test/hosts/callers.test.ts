import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { NetworkNamespace, namedNamespaceFolder } from "../../lib/host/netns.ts";
import { deliver } from "../host/laboratory.ts";
import { type Container, type Host, Lab } from "./lab.ts";
import { must } from "./shell.ts";

/**
 * Somebody beyond the overlay calls a container through the host that it is on:
 *
 *   caller 192.168.77.2 ── 192.168.77.1 [ host ] weave, exposed ── container
 */
describe("a container that is called from outside", () => {
  let lab: Lab;
  let host: Host;
  let caller: Host;
  let container: Container;

  beforeAll(async () => {
    lab = await Lab.onSwitch("kic", 2);
    [host, caller] = lab.hosts as [Host, Host];
    await host.exec(["sysctl", "-qw", "net.ipv4.ip_forward=1"]);
    await must(["ip", "-n", caller.namespace, "route", "add", "10.32.0.0/12", "via", host.ip]);
    container = await host.container("c");
  });
  afterAll(() => lab?.[Symbol.asyncDispose]());

  /** Launches a router, and gives the addresses of its host and of the container. */
  const launch = async (...flags: string[]): Promise<{ exposed: string; attached: string }> => {
    await host.launch(flags);
    const exposed = await host.mustWeave(["expose"]);
    const attached = await host.mustWeave(["attach", container.reference]);
    await must(["ip", "-n", container.namespace, "route", "replace", "default", "via", exposed]);
    return { exposed, attached };
  };

  const callerSeen = async (address: string): Promise<string | undefined> => {
    const [from, to] = [caller, container].map(
      ({ namespace }) => new NetworkNamespace(`${namedNamespaceFolder}/${namespace}`),
    ) as [NetworkNamespace, NetworkNamespace];
    try {
      return deliver(from, to, address);
    } finally {
      from.close();
      to.close();
    }
  };

  test("sees the host, and with --no-masq-local the caller", async () => {
    const { exposed, attached } = await launch();
    expect(await callerSeen(attached)).toBe(exposed);
    await host.mustWeave(["stop"]);
    await launch("--no-masq-local");
    expect(await callerSeen(attached)).toBe(caller.ip);
    const { stdout } = await host.exec(["curl", "-s", "http://127.0.0.1:6784/ipinfo/tracker"]);
    expect(stdout).toBe("no-masq-local\n");
  });

  test("sees it from the first range on, also where an original router has left its rules", async () => {
    await host.mustWeave(["reset"]);
    const left = [
      "ip link add weave type bridge && ip link set weave up && ip addr add 10.32.0.1/12 dev weave",
      "iptables -t nat -N WEAVE && iptables -t nat -A POSTROUTING -j WEAVE",
      "iptables -t nat -A WEAVE -d 10.32.0.0/12 ! -s 10.32.0.0/12 -j MASQUERADE",
    ];
    expect((await host.exec(["sh", "-ec", left.join("\n")])).code).toBe(0);
    await host.launch(["--no-masq-local"]);
    const attached = await host.mustWeave(["attach", container.reference]);
    const gateway = ["via", "10.32.0.1"];
    await must(["ip", "-n", container.namespace, "route", "replace", "default", ...gateway]);
    expect(await callerSeen(attached)).toBe(caller.ip);
    expect((await host.exec(["iptables", "-t", "nat", "-S"])).stdout).not.toMatch(/ WEAVE( |$)/m);
  });
});
