import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Container, Lab } from "./lab.ts";
import { eventually, must } from "./shell.ts";
import { pingDuring } from "./traffic.ts";

/** What Docker does to a host: forwarding is refused, and for bridged frames as well. */
describe("a host whose FORWARD chain drops", () => {
  let lab: Lab;
  let a: Container;
  let ip: string;

  beforeAll(async () => {
    lab = await Lab.onSwitch("wff", 1);
    const host = lab.hosts[0]!;
    await must([
      "nsenter",
      `--net=/run/netns/${host.namespace}`,
      "iptables",
      "-P",
      "FORWARD",
      "DROP",
    ]);
    await must([
      ...["nsenter", `--net=/run/netns/${host.namespace}`],
      ...["sysctl", "-q", "net.bridge.bridge-nf-call-iptables=1"],
    ]);
    await host.launch();
    a = await host.container("a");
    const b = await host.container("b");
    await host.mustWeave(["attach", a.reference]);
    ip = await host.mustWeave(["attach", b.reference]);
  });

  afterAll(() => lab?.[Symbol.asyncDispose]());

  test("lets containers of the overlay reach each other", async () => {
    await a.pings(ip);
  });

  test("loses nothing while its rules go in front of others again", async () => {
    const host = lab.hosts[0]!;
    const { sent, received } = await pingDuring(a, ip, async () => {
      await host.exec(["iptables", "-I", "FORWARD", "1", "-s", "203.0.113.1", "-j", "REJECT"]);
      await eventually(
        "the jump to ours as the first rule",
        () => host.exec(["iptables", "-S", "FORWARD", "1"]),
        ({ stdout }) => stdout.includes("-j WEAVE-FORWARD"),
      );
    });
    expect(received).toBe(sent);
  });

  test("gets its rules back in front of others, and keeps none after a reset", async () => {
    const host = lab.hosts[0]!;
    await host.exec(["iptables", "-F", "FORWARD"]);
    await host.exec(["iptables", "-A", "FORWARD", "-j", "REJECT"]);
    await a.pings(ip, 15_000);
    await host.mustWeave(["reset"]);
    const rules = await eventually(
      "the host's own rules alone",
      async () => (await host.exec(["iptables", "-S"])).stdout,
      (text) => !text.includes("WEAVE"),
    );
    expect(rules).toBe(
      "-P INPUT ACCEPT\n-P FORWARD DROP\n-P OUTPUT ACCEPT\n" +
        "-A FORWARD -j REJECT --reject-with icmp-port-unreachable\n",
    );
  });
});
