import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { CniError, cniCode, RouterAway } from "../../lib/cni/cni-error.ts";
import { cniVersions } from "../../lib/cni/cni-version.ts";
import type { PluginName } from "../../lib/cni/plugin-name.ts";
import { runPlugin } from "../../lib/cni/run-plugin.ts";
import { FakeCall } from "./fake-router.ts";

async function called(
  command: string,
  config: unknown,
  { plugin = "weave-net" as PluginName, call = new FakeCall(), environment = {} } = {},
) {
  const outcome = await runPlugin(plugin, call.surroundings(command, config, environment));
  return { ...outcome, call, asked: call.router.asked };
}

const target = { container: "abcdef123456", namespace: "/run/netns/c1", interface: "eth0" };

describe("ADD", () => {
  test("asks the router for all that the network says", async () => {
    const ipam = { subnet: "10.32.4.0/24", gateway: "10.32.4.1", routes: [{ dst: "10.0.0.0/8" }] };
    const { asked, exitCode } = await called("ADD", {
      ...{ cniVersion: "1.0.0", name: "n", type: "weave-net", bridge: "weave", mtu: 1300 },
      ...{ hairpinMode: false, ipam: { type: "weave-ipam", ...ipam }, unknown: { to: "us" } },
    });
    expect(asked).toEqual([
      ["add", { ...target, network: "n", bridge: "weave", mtu: 1300, hairpin: false, ...ipam }],
    ]);
    expect(exitCode).toBe(0);
  });

  test("leaves to the router what the network says nothing of, and takes null for nothing", async () => {
    const nothing = {
      ipam: null,
      mtu: 0,
      dns: null,
      prevResult: null,
      bridge: "",
      isGateway: false,
    };
    for (const config of [{ name: "n" }, { name: "n", ...nothing }]) {
      const { asked } = await called("ADD", config);
      expect(asked).toEqual([["add", { ...target, network: "n", hairpin: true }]]);
    }
  });

  test("tells no routes from none asked for", async () => {
    const { asked } = await called("ADD", { ipam: { routes: [] } });
    expect(asked).toEqual([["add", { ...target, network: "", hairpin: true, routes: [] }]]);
  });

  test("answers in the version of the network", async () => {
    const results = await Promise.all(
      cniVersions.map(async (cniVersion) => {
        const dns = { nameservers: ["10.32.0.1"] };
        return (await called("ADD", { cniVersion, dns })).output;
      }),
    );
    const routes = [{ dst: "0.0.0.0/0", gw: "10.32.0.1" }];
    const dns = { nameservers: ["10.32.0.1"] };
    const paired = (cniVersion: string) => ({
      ...{ cniVersion, ip4: { ip: "10.32.0.2/12", gateway: "10.32.0.1", routes }, dns },
    });
    const listed = (cniVersion: string, family: object, size: object) => ({
      cniVersion,
      interfaces: [
        { name: "weave", mac: "8a:3e:3e:3e:3e:01" },
        { name: "vethweplabcdef1", mac: "8a:3e:3e:3e:3e:02", ...size },
        { name: "eth0", mac: "8a:3e:3e:3e:3e:03", sandbox: "/run/netns/c1", ...size },
      ],
      ips: [{ ...family, address: "10.32.0.2/12", gateway: "10.32.0.1", interface: 2 }],
      ...{ routes, dns },
    });
    const family = { version: "4" };
    expect(results).toEqual([
      ...["0.1.0", "0.2.0"].map(paired),
      ...["0.3.0", "0.3.1", "0.4.0"].map((version) => listed(version, family, {})),
      listed("1.0.0", {}, {}),
      listed("1.1.0", {}, { mtu: 1376 }),
    ]);
  });

  test("fails with the code that says what the runtime may do", async () => {
    const cases: [unknown, number][] = [
      ["", 6],
      ["[", 6],
      [[], 7],
      [{ ipam: "here" }, 7],
      [{ mtu: 70_000 }, 7],
      [{ ipam: { type: "none-of-that-name" } }, 7],
      [{ ipam: { type: "../weave-ipam-of-others" } }, 7],
      [{ cniVersion: "2.0.0" }, 1],
      [{ cniVersion: "constructor" }, 1],
      [{ isGateway: true }, 2],
      [{ ipMasq: true }, 2],
    ];
    for (const [config, code] of cases) {
      const { output, exitCode, asked } = await called("ADD", config);
      expect({ config, output }).toMatchObject({ output: { code, msg: expect.any(String) } });
      expect([exitCode, asked]).toEqual([1, []]);
    }
  });

  test("refuses an environment that is none of the specification", async () => {
    const cases: Record<string, string>[] = [
      { CNI_COMMAND: "" },
      { CNI_COMMAND: "toString" },
      { CNI_CONTAINERID: "" },
      { CNI_CONTAINERID: "../x" },
      { CNI_CONTAINERID: "weave:expose" },
      { CNI_IFNAME: "" },
      { CNI_IFNAME: ".." },
      { CNI_IFNAME: "sixteen-letters." },
      { CNI_NETNS: "" },
      { CNI_NETNS: "c1" },
    ];
    for (const environment of cases) {
      const { output, asked } = await called("ADD", {}, { environment });
      expect({ environment, output }).toMatchObject({ output: { code: 4 } });
      expect(asked).toEqual([]);
    }
  });

  test("hands on what the router refuses, with what to do", async () => {
    const call = new FakeCall();
    call.router.failure = new RouterAway("weave is not running", "start it with 'weave launch'");
    const { output } = await called("ADD", { cniVersion: "0.4.0" }, { call });
    expect(output).toEqual({
      cniVersion: "0.4.0",
      code: 11,
      msg: "weave is not running",
      details: "start it with 'weave launch'",
    });
  });
});

describe("DEL", () => {
  test("frees what the router has given, and not what another plugin has", async () => {
    expect((await called("DEL", {})).asked).toEqual([["remove", { ...target, frees: true }]]);
    const { asked, output } = await called("DEL", { ipam: { type: "none-of-that-name" } });
    expect(asked).toEqual([["remove", { ...target, frees: false }]]);
    expect(output).toMatchObject({ code: 7 });
  });

  test("needs neither namespace nor a configuration that can be read", async () => {
    for (const config of ["", "{", { cniVersion: 7 }, { isGateway: true }]) {
      const { exitCode, output, asked, call } = await called("DEL", config, {
        environment: { CNI_NETNS: "" },
      });
      expect([exitCode, output]).toEqual([0, undefined]);
      expect(asked).toEqual([
        ["remove", { container: target.container, interface: "eth0", frees: true }],
      ]);
      expect(call.warnings).toHaveLength(1);
    }
  });

  test("is done without a router, and noted for it", async () => {
    for (const [plugin, alone] of [
      ["weave-net", ["eth0", "/run/netns/c1", true]],
      ["weave-ipam", ["eth0", "", true]],
    ] as const) {
      const call = new FakeCall();
      call.router.failure = new RouterAway("weave is not running", "");
      const { exitCode } = await called("DEL", {}, { call, plugin });
      expect(exitCode).toBe(0);
      expect(call.alone).toEqual([alone]);
    }
  });

  test("fails when the router does, so that the runtime comes again", async () => {
    const call = new FakeCall();
    call.router.failure = new CniError(cniCode.failed, "the disk is full");
    const { output } = await called("DEL", {}, { call });
    expect([output, call.alone]).toMatchObject([{ code: 100, msg: "the disk is full" }, []]);
  });
});

describe("other commands", () => {
  const later = { cniVersion: "1.1.0", name: "n" };

  test("CHECK compares with the result of any version", async () => {
    const ip4 = { ip: "10.32.0.2/12", routes: [{ dst: "0.0.0.0/0", gw: "10.32.0.1" }] };
    const ips = [{ version: "4", address: "10.32.0.2/12", interface: 2 }];
    for (const prevResult of [
      { cniVersion: "0.2.0", ip4 },
      { cniVersion: "0.4.0", ips, routes: ip4.routes },
    ]) {
      const { asked, exitCode } = await called("CHECK", { cniVersion: "0.4.0", prevResult });
      const wanted = { ...target, cidrs: ["10.32.0.2/12"], routes: ip4.routes };
      expect(asked).toEqual([["check", { ...wanted, hairpin: true, held: true }]]);
      expect(exitCode).toBe(0);
    }
    const call = new FakeCall();
    call.router.wrong = ["eth0 is down", "the MTU is 1500, not 1376"];
    const { output } = await called("CHECK", { ...later, prevResult: { ips } }, { call });
    expect(output).toMatchObject({ code: 101, msg: "eth0 is down; the MTU is 1500, not 1376" });
  });

  test("CHECK needs a result that can be read", async () => {
    for (const [prevResult, code] of [
      [undefined, 7],
      [{ ips: [{ address: "10.32.0.2" }] }, 6],
      [{ ips: "all" }, 6],
    ] as const) {
      const { output } = await called("CHECK", { ...later, prevResult });
      expect(output).toMatchObject({ code });
    }
  });

  test("GC tells the router who stays", async () => {
    const attachments = [{ containerID: "a", ifname: "eth0" }];
    const { asked } = await called("GC", { ...later, "cni.dev/valid-attachments": attachments });
    const valid = [{ container: "a", interface: "eth0" }];
    expect(asked).toEqual([["collect", { network: "n", valid }]]);
    expect((await called("GC", later, { plugin: "weave-ipam" })).asked).toEqual([]);
  });

  test("GC takes the list by its former name, and nobody is removed where there is none", async () => {
    const attachments = [{ containerID: "a", ifname: "eth0" }];
    const former = await called("GC", { ...later, "cni.dev/attachments": attachments });
    const valid = [{ container: "a", interface: "eth0" }];
    expect(former.asked).toEqual([["collect", { network: "n", valid }]]);
    const empty = await called("GC", { ...later, "cni.dev/valid-attachments": null });
    expect(empty.asked).toEqual([["collect", { network: "n", valid: [] }]]);
    const { output, asked } = await called("GC", later);
    expect(output).toMatchObject({ code: 7 });
    expect(asked).toEqual([]);
  });

  test("are refused in versions that do not have them", async () => {
    for (const [command, cniVersion] of [
      ["CHECK", "0.3.1"],
      ["GC", "1.0.0"],
      ["STATUS", "1.0.0"],
    ]) {
      const { output, asked } = await called(command!, { cniVersion });
      expect(output).toMatchObject({ code: 1, cniVersion });
      expect(asked).toEqual([]);
    }
    for (const plugin of ["weave-net", "weave-ipam"] as const) {
      expect((await called("STATUS", later, { plugin })).asked).toEqual([["ready"]]);
    }
  });

  test("VERSION answers in the version of who asks, and whoever asks", async () => {
    const supportedVersions = [...cniVersions];
    for (const [config, cniVersion] of [
      [{ cniVersion: "0.4.0" }, "0.4.0"],
      [{ cniVersion: "9.0.0" }, "1.1.0"],
      ["null", "1.1.0"],
      ["", "1.1.0"],
    ] as const) {
      const { output, exitCode } = await called("VERSION", config);
      expect([output, exitCode]).toEqual([{ cniVersion, supportedVersions }, 0]);
    }
  });
});

test("weave-ipam gives an address of the cluster with what the network says of routes", async () => {
  const plugin = "weave-ipam";
  const ipam = { subnet: "10.32.4.0/24", gateway: "10.32.4.1", routes: [{ dst: "10.0.0.0/8" }] };
  const { output, asked } = await called("ADD", { cniVersion: "1.0.0", ipam }, { plugin });
  expect(asked).toEqual([["allocate", "abcdef123456", "10.32.4.0/24"]]);
  expect(output).toEqual({
    cniVersion: "1.0.0",
    ips: [{ address: "10.32.0.7/12", gateway: "10.32.4.1" }],
    routes: ipam.routes,
    dns: {},
  });
  const lost = { cniVersion: "1.0.0", prevResult: { ips: [{ address: "10.32.0.8/12" }] } };
  expect((await called("CHECK", lost, { plugin })).output).toMatchObject({ code: 101 });
});

/** Parts of configurations, so that what is made of them goes deeper than its first member. */
const member = fc.oneof(
  fc.constantFrom("cniVersion", "ipam", "prevResult", "routes", "ips", "cni.dev/valid-attachments"),
  fc.constantFrom("name", "mtu", "dns", "type", "dst", "address", "gateway", "hairpinMode"),
);
const { value: configuration } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom("1.1.0", "0.2.0", "10.32.0.2/12", "weave-ipam", "", "__proto__"),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(member, tie("value"), { maxKeys: 6 }),
  ),
}));

test("whatever stands on stdin, every command ends with a result or an error of the specification", async () => {
  const stdin = fc.oneof(
    fc.string(),
    configuration.map((value) => JSON.stringify(value)),
  );
  const command = fc.constantFrom("ADD", "DEL", "CHECK", "GC", "STATUS", "VERSION");
  const plugin = fc.constantFrom("weave-net", "weave-ipam");
  await fc.assert(
    fc.asyncProperty(stdin, command, plugin, async (text, word, name) => {
      const { output, exitCode } = await called(word, text, { plugin: name });
      if (exitCode === 1) {
        expect(output).toMatchObject({ cniVersion: expect.any(String), msg: expect.any(String) });
        expect([1, 2, 6, 7, 101]).toContain((output as { code: number }).code);
      } else if (output !== undefined) {
        expect(JSON.parse(JSON.stringify(output)).cniVersion).toBeOneOf([...cniVersions]);
      }
    }),
    { seed: 1, numRuns: 3000 },
  );
});
