import { describe, expect, test } from "bun:test";
import { type AttachDefaults, attachPlan } from "../../lib/docker/attach-plan.ts";
import type { EngineContainer } from "../../lib/docker/engine-models.ts";
import { someContainer } from "./some-container.ts";

const usual: AttachDefaults = {
  byDefault: true,
  multicastRoute: true,
  rewriteHosts: true,
  dns: true,
  noMulticastDir: "/var/lib/weave/w-nomcast",
};

function how(changes: Partial<EngineContainer>, defaults: Partial<AttachDefaults> = {}) {
  const plan = attachPlan(someContainer(changes), { ...usual, ...defaults });
  if (plan.kind !== "attach") throw new Error(`the plan is: ${plan.kind}`);
  return plan.how;
}

describe("a container that runs", () => {
  test("is no concern of ours without the wait helper", () => {
    expect(attachPlan(someContainer({ entrypoint: ["nginx"] }), usual)).toEqual({ kind: "none" });
    expect(attachPlan(someContainer({ entrypoint: [] }), usual)).toEqual({ kind: "none" });
  });

  test("is attached to the default subnet, with a name and a hosts file", () => {
    expect(how({ extraHosts: ["db:10.0.0.7"] })).toEqual({
      addresses: [],
      multicastRoute: true,
      withoutDns: false,
      hosts: { added: ["db:10.0.0.7"], required: false },
    });
  });

  test("gets the addresses that it asks for", () => {
    expect(how({ env: ["WEAVE_CIDR=10.2.1.1/24 net:default"] }).addresses).toEqual([
      "10.2.1.1/24",
      "net:default",
    ]);
  });

  test("is left alone where it says so, though it waits", () => {
    expect(attachPlan(someContainer({ env: ["WEAVE_CIDR=none"] }), usual)).toEqual({
      kind: "left alone",
      reason: "has WEAVE_CIDR=none",
    });
    expect(attachPlan(someContainer(), { ...usual, byDefault: false }).kind).toBe("left alone");
    expect(attachPlan(someContainer({ networkMode: "host" }), usual).kind).toBe("left alone");
  });

  test("keeps its hosts file, and has no name, where the router was told so", () => {
    expect(how({}, { rewriteHosts: false }).hosts).toBeUndefined();
    expect(how({}, { dns: false }).withoutDns).toBe(true);
  });

  test("gets the route that it waits for, whatever the router was told since it was made", () => {
    const defaults = { multicastRoute: false };
    const mountedFrom = (source: string) => ({ mounts: [{ source, target: "/w" }] });
    expect(how(mountedFrom("/var/lib/weave/w-nomcast"), defaults).multicastRoute).toBe(false);
    expect(how(mountedFrom("/var/lib/weave/w"), defaults).multicastRoute).toBe(true);
    expect(how(mountedFrom("/var/lib/weave/w-nomcast")).multicastRoute).toBe(true);
  });
});
