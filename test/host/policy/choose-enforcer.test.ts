import { describe, expect, test } from "bun:test";
import { errorCode } from "../../../lib/base/errors.ts";
import { chooseEnforcer, type EnforcerChoice } from "../../../lib/host/policy/choose-enforcer.ts";

function chosen(choice: EnforcerChoice, nftables?: string, iptables?: string) {
  return chooseEnforcer(choice, { nftables: () => nftables, iptables: () => iptables });
}

describe("the packet filter that enforces policies", () => {
  test("is nftables where the kernel has it", () => {
    expect(chosen("auto")).toMatchObject({ name: "nftables" });
    expect(chosen("auto", undefined, "no iptables")).toMatchObject({ name: "nftables" });
  });

  test("is iptables where it has not, and says why", () => {
    expect(chosen("auto", "the kernel is old")).toEqual({
      name: "iptables",
      reason: "the kernel is old",
    });
  });

  test("is the one that was asked for", () => {
    expect(chosen("iptables")).toEqual({ name: "iptables", reason: "asked for" });
    expect(chosen("nftables")).toEqual({ name: "nftables", reason: "asked for" });
  });

  test("is not looked for among those that were not asked for", () => {
    const never = (): never => {
      throw new Error("looked at");
    };
    const nothing = () => undefined;
    const { name } = chooseEnforcer("iptables", { nftables: never, iptables: nothing });
    expect(name).toBe("iptables");
    expect(chooseEnforcer("auto", { nftables: nothing, iptables: never }).name).toBe("nftables");
  });

  test("is refused with all reasons when there is none", () => {
    for (const choice of ["auto", "nftables", "iptables"] as const) {
      try {
        chosen(choice, "no tables", "no sets");
        expect.unreachable();
      } catch (error) {
        expect(errorCode(error)).toBe("POLICY_NO_ENFORCER");
        const reasons = {
          auto: "no tables, and no sets",
          nftables: "no tables",
          iptables: "no sets",
        };
        expect(`${error}`).toEndWith(`on this host: ${reasons[choice]}`);
      }
    }
  });
});
