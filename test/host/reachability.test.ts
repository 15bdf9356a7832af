import { afterAll, describe, expect, test } from "bun:test";
import { parseIpv4 } from "../../lib/base/ip.ts";
import { whyUnreachable } from "../../lib/host/reachability.ts";
import { Laboratory } from "./laboratory.ts";

describe("whether the kernel knows a way", () => {
  const laboratory = new Laboratory("reach");
  const a = laboratory.namespace("a");
  const b = laboratory.namespace("b");
  laboratory.cable(
    { in: a, name: "eth0", address: "192.168.5.1/24" },
    { in: b, name: "eth0", address: "fd05::2/64" },
  );
  afterAll(() => laboratory.close());
  const [near, far] = [parseIpv4("192.168.5.2"), parseIpv4("192.168.6.2")];

  test("is told for either family, whoever is there or not", () => {
    expect(a.run(() => whyUnreachable(near, undefined))).toBeUndefined();
    expect(a.run(() => whyUnreachable(far, undefined))).toBe("ENETUNREACH");
    expect(a.run(() => whyUnreachable("fd05::1", undefined))).toBe("ENETUNREACH");
    expect(b.run(() => whyUnreachable("fd05::1", undefined))).toBeUndefined();
    expect(b.run(() => whyUnreachable(near, undefined))).toBe("ENETUNREACH");
  });

  test("is no from an address of the other family", () => {
    expect(a.run(() => whyUnreachable(near, "fd05::1"))).toBe("EAFNOSUPPORT");
    expect(b.run(() => whyUnreachable("fd05::1", near))).toBe("EAFNOSUPPORT");
    expect(a.run(() => whyUnreachable(near, near))).toBeUndefined();
  });
});
