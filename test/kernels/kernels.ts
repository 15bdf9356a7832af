import { describe, expect, test } from "bun:test";
import { referenceBinary } from "../interop/reference-router.ts";
import { espModules, filterModules, openvswitchModules, runInGuest } from "./guest.ts";
import { passesOn } from "./passes.ts";
import { userMode } from "./user-mode.ts";

/**
 * Tests on a kernel that has what the machine's own may lack. Run by `bun run test:kernels`, apart
 * from the others, because they need a kernel that is fetched at the first run.
 */
const passesInGuest = passesOn(userMode);

describe("a guest", () => {
  test("runs a command and tells its output and how it ended", async () => {
    const { code, output } = await runInGuest(userMode, ["sh", "-c", "echo from $WHERE; exit 3"], {
      env: { WHERE: "inside" },
    });
    expect(output).toContain("from inside\n");
    expect(code).toBe(3);
  });

  test("that hangs is cut off", async () => {
    const { code } = await runInGuest(userMode, ["sleep", "1000"], { waitMs: 3000 });
    expect(code).toBeUndefined();
  });

  test("writes nothing to the machine", async () => {
    const path = `${import.meta.dir}/written`;
    const { code, output } = await runInGuest(userMode, ["touch", path]);
    expect(code).not.toBe(0);
    expect(output).toContain("Read-only file system");
  });
});

describe("a kernel without tables of nft for IP", () => {
  test("carries sleeve between two hosts, encrypted", () =>
    passesInGuest(["-t", "two hosts with a password", "./test/hosts/two-hosts.test.ts"]));
});

describe("a kernel with openvswitch", () => {
  const options = { modules: [...openvswitchModules, ...filterModules] };
  test("is a datapath", () => passesInGuest(["./test/kernels/inside/ovs-datapath.ts"], options));

  test("lets routers use fastdp", () =>
    passesInGuest(["./test/kernels/inside/ovs-routers.ts"], options));
});

describe("a kernel with openvswitch, BPF and ESP", () => {
  const modules = [...openvswitchModules, ...espModules, ...filterModules];
  test("lets routers encrypt what they send by fastdp", () =>
    passesInGuest(["./test/kernels/inside/esp-routers.ts"], { modules }));

  test("lets routers with different datapaths be one network", () =>
    passesInGuest(["./test/kernels/inside/datapaths-in-line.ts"], { modules }));

  if (referenceBinary === undefined) {
    test("lets originals with openvswitch be in that network: needs a router of the original", () => {
      console.log("no router to run beside: set WEAVE_REFERENCE_ROUTER=/path/to/weaver");
    });
  } else {
    const options = { modules, env: { WEAVE_REFERENCE_ROUTER: referenceBinary } };
    test("lets originals with openvswitch be in that network", () =>
      passesInGuest(["./test/kernels/inside/datapaths-in-line.ts"], options));

    test("lets originals use fastdp with us", () =>
      passesInGuest(["./test/kernels/inside/beside-original.ts"], options));

    test("lets originals encrypt with us what both send by fastdp", () =>
      passesInGuest(["./test/kernels/inside/esp-beside-original.ts"], options));
  }
});
