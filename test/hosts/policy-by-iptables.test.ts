import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Container, type Host, Lab } from "./lab.ts";
import { eventually } from "./shell.ts";

const denyAll = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny-all, namespace: default}
spec: {podSelector: {}, policyTypes: [Ingress]}
`;

/** Table mangle has a chain of others, which is nobody's business. */
describe("a router that enforces policies by iptables", () => {
  let lab: Lab;
  let host: Host;
  let a: Container;
  let address: string;

  const inHost = async (script: string): Promise<string> =>
    (await host.exec(["sh", "-c", script])).stdout;
  const state = () => inHost("iptables -t mangle -S; ipset list -n");
  const isReached = async (): Promise<boolean> =>
    (await a.exec(["ping", "-c", "1", "-W", "1", address])).code === 0;

  beforeAll(async () => {
    lab = await Lab.onSwitch("kir", 1);
    host = lab.hosts[0]!;
    await inHost("iptables -t mangle -N OTHERS; ipset create weave-others hash:ip");
  });
  afterAll(() => lab?.[Symbol.asyncDispose]());

  test("does so from the first policy on, while it is stopped, and until it is reset", async () => {
    const before = await state();
    await host.launch(["--policy-filter", "iptables"]);
    a = await host.container("a");
    const b = await host.container("b");
    await host.mustWeave(["attach", a.reference]);
    address = await host.mustWeave(["attach", b.reference]);
    await a.pings(address);
    expect(await state()).toBe(before);

    await host.mustWeave(["policy", "apply", "-f", "-"], { stdin: denyAll });
    expect(await isReached()).toBe(false);
    const inForce = await state();
    expect(inForce).toContain("-A FORWARD -j WEAVE-NPC");
    await host.mustWeave(["stop"]);
    expect(await state()).toBe(inForce);
    expect(await isReached()).toBe(false);

    await host.launch(["--policy-filter", "iptables"]);
    await inHost("iptables -t mangle -F; ipset flush");
    await eventually("the rules again", isReached, (isOpen) => !isOpen);
    expect(await inHost("iptables -t mangle -S FORWARD")).toContain("-j WEAVE-NPC");
    await host.mustWeave(["reset"]);
    expect(await state()).toBe(before);
  });
});
