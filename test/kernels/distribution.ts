import { describe, expect, test } from "bun:test";
import { debian12 } from "./emulated.ts";
import {
  espModules,
  iptablesModules,
  openvswitchModules,
  policyModules,
  runInGuest,
} from "./guest.ts";
import { passesOn } from "./passes.ts";

/**
 * Tests on the kernel of a distribution, which is older than what the machine and user-mode Linux
 * have: its verifier of programs knows less, and it has clsact alone. Run by
 * `bun run test:kernels:qemu`, apart from the others, because they need qemu and its time.
 */
const passesInGuest = passesOn(debian12);

describe("a guest with the kernel of a distribution", () => {
  test("is one, and writes nothing to the machine", async () => {
    const path = `${import.meta.dir}/written`;
    const command = ["sh", "-c", 'uname -r; touch "$0"; exit 3', path];
    const { code, output } = await runInGuest(debian12, command);
    expect(output).toMatch(/\b6\.1\.\S+-amd64$/m);
    expect(output).toContain("Read-only file system");
    expect(code).toBe(3);
  });
});

describe("the kernel of a distribution", () => {
  test("takes programs and rules, and lets frames of neighbours come by lanes", () =>
    passesInGuest(
      [
        ...["./test/host/datapath/ebpf/ebpf-datapath.test.ts"],
        ...["./test/host/firewall/firewall.test.ts"],
        ...["-t", "come by its lane|find the gate|are in force by"],
      ],
      { modules: iptablesModules },
    ));

  test("enforces policies for SCTP, by either packet filter", () =>
    passesInGuest(["./test/kernels/inside/policies.ts"], { modules: policyModules }));

  test("puts one policy in the place of another with nothing let through in between", () =>
    passesInGuest(["./test/kernels/inside/policy-behaviour.ts", "-t", "no moment"], {
      modules: policyModules,
    }));

  const modules = [...openvswitchModules, ...espModules];
  for (const how of ["in clear", "encrypted"]) {
    test(`lets routers with different datapaths be one network, ${how}`, () =>
      passesInGuest(
        ["./test/kernels/inside/datapaths-in-line.ts", "-t", `ebpf – ovs – ebpf, ${how}`],
        { modules },
      ));
  }
});
