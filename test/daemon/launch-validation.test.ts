import { describe, expect, test } from "bun:test";
import { WeaveError } from "../../lib/base/errors.ts";
import { parseDurationMs } from "../../lib/daemon/duration.ts";
import { decodeLaunchOptions, type LaunchOptions } from "../../lib/daemon/launch-options.ts";
import { launchOptions } from "../../lib/daemon/launch-validation.ts";

function ask(flags: Record<string, string | boolean> = {}, peers: string[] = []): LaunchOptions {
  return launchOptions(
    {
      peers,
      enabled: (flag) => flags[flag] === true,
      text: (flag) => {
        const value = flags[flag];
        return value === undefined ? undefined : String(value);
      },
    },
    { hostname: "host1" },
  );
}

function refusal(flags: Record<string, string | boolean>, peers: string[] = []): string {
  try {
    ask(flags, peers);
  } catch (error) {
    expect(error).toBeInstanceOf(WeaveError);
    return error instanceof WeaveError ? error.message : "";
  }
  throw new Error("was accepted");
}

describe("launch without options", () => {
  test("has the defaults of the original", () => {
    expect(ask()).toEqual({
      peers: [],
      resume: false,
      host: "",
      port: 6783,
      minProtocolVersion: 1,
      name: undefined,
      nickname: "host1",
      password: undefined,
      trustedSubnets: [],
      discovery: true,
      connectionLimit: 200,
      extensions: true,
      ipalloc: {
        range: "10.32.0.0/12",
        rangeGiven: false,
        defaultSubnet: "10.32.0.0/12",
        init: "",
        reuse: "lowest-first",
        reclaimAfterMs: 336 * 3_600_000,
      },
      importDatabase: undefined,
      dns: {
        domain: "weave.local.",
        listenAddress: undefined,
        ttlSeconds: 1,
        fallbackTimeoutMs: 5000,
        resolvConf: "/etc/resolv.conf",
      },
      mtu: 0,
      fastdp: true,
      bridgedFastdp: true,
      weaveBridge: "weave",
      dockerBridge: "docker0",
      datapath: "datapath",
      masqueradeLocal: true,
      captureBufferMegabytes: 8,
      httpAddress: "127.0.0.1:6784",
      statusAddress: "127.0.0.1:6782",
      metricsAddress: "",
      plugin: {
        asked: false,
        socket: "/run/docker/plugins/weave.sock",
        meshSocket: "/run/docker/plugins/weavemesh.sock",
        managed: false,
        multicast: false,
      },
      dockerApi: "unix:///var/run/docker.sock",
      engineContainers: { getDefaultAddress: true, rewriteHosts: true, multicastRoute: true },
      proxy: {
        listen: [],
        dns: true,
        hostname: { fromLabel: "", match: "(.*)", replacement: "$1" },
        rewriteInspect: false,
        tls: undefined,
      },
      policy: { mode: "auto", multicast: "allow", filter: "auto", standing: "keep" },
      logLevel: "info",
      packetDebug: false,
      restart: true,
    });
  });

  test("reaches the router's process unchanged", () => {
    const options = ask({ password: "wfvAwt7sj", name: "::1" }, ["10.0.0.1", "host2:7000"]);
    const arrived = decodeLaunchOptions(JSON.stringify(options));
    expect(arrived).toEqual(options);
    expect(arrived.name).toBe("00:00:00:00:00:01");
  });
});

describe("launch takes for policies", () => {
  test("when they are enforced, by what, and what becomes of groups and of what stands", () => {
    const flags = {
      ...{ policy: "on", "policy-filter": "iptables" },
      ...{ "policy-multicast": "egress", "policy-standing": "cut" },
    };
    expect(ask(flags).policy).toEqual({
      ...{ mode: "on", filter: "iptables", multicast: "egress", standing: "cut" },
    });
  });

  test("no other words", () => {
    for (const flag of ["policy", "policy-filter", "policy-multicast", "policy-standing"]) {
      expect(refusal({ [flag]: "maybe" })).toBe(`invalid value "maybe" for flag --${flag}`);
    }
  });
});

describe("launch takes for the proxy", () => {
  const askProxy = (flags: Record<string, string | true>, listen: string[] = []) =>
    launchOptions(
      {
        peers: [],
        enabled: (flag) => flags[flag] === true,
        text: (flag) => (flags[flag] === true ? "true" : flags[flag]),
        list: (flag) => (flag === "proxy-listen" ? listen : []),
      },
      { hostname: "host1", certificates: "/root/.docker" },
    ).proxy;

  test.each([
    [":12375", "tcp://0.0.0.0:12375"],
    ["tcp://127.0.0.1:1", "tcp://127.0.0.1:1"],
    ["[::1]:12375", "tcp://[::1]:12375"],
    ["/run/x.sock", "unix:///run/x.sock"],
    ["unix:///run/x.sock", "unix:///run/x.sock"],
  ])("%p as address, and knows it as %p", (given, known) => {
    expect(askProxy({}, [given])?.listen).toEqual([known]);
  });

  test.each(["x.sock", "unix://x", "http://1.2.3.4:5", "tcp://", "/run/", ":0x1", "tcp://h:99999"])(
    "no %p as address",
    (given) => {
      expect(() => askProxy({}, [given])).toThrow(`"${given}" for flag --proxy-listen`);
    },
  );

  test("certificates from Docker's folder, unless they are named", () => {
    expect(askProxy({ tlsverify: true, tlscert: "/etc/c.pem" })?.tls).toEqual({
      ...{ enabled: true, verify: true, ca: "/root/.docker/ca.pem" },
      ...{ cert: "/etc/c.pem", key: "/root/.docker/key.pem" },
    });
    expect(askProxy({ "no-detect-tls": true })?.tls?.enabled).toBe(false);
  });

  test("=false for none", () => {
    expect(askProxy({ proxy: "false" })).toBeUndefined();
  });

  test("no names that weaveDNS would not be asked for", () => {
    expect(askProxy({ "without-dns": true })?.dns).toBe(false);
    expect(askProxy({ "no-dns": true })?.dns).toBe(false);
  });

  test("a pattern of RE2 and no other", () => {
    expect(() => askProxy({ "hostname-match": "(?=x)" })).toThrow("no regular expression of RE2");
  });
});

describe("launch takes", () => {
  test("the Docker plugin as asked for, as managed, with one socket, or not at all", () => {
    expect(ask({ plugin: true }).plugin?.asked).toBe(true);
    expect(ask({ plugin: false }).plugin).toBeUndefined();
    expect(ask({ "plugin-mesh-socket": "" }).plugin?.meshSocket).toBe("");
    expect(ask({ "plugin-socket": "", "plugin-mesh-socket": "" }).plugin).toBeUndefined();
    const managed = ask({ "plugin-v2": true, plugin: false, "plugin-v2-multicast": true }).plugin;
    expect(managed).toMatchObject({ asked: true, managed: true, multicast: true });
    expect(refusal({ plugin: true, "plugin-v2": true })).toContain("not both");
    expect(refusal({ "plugin-socket": "weave.sock" })).toContain("--plugin-socket");
    expect(refusal({ "plugin-socket": "/a.sock", "plugin-mesh-socket": "/a.sock" })).toContain(
      "are the same",
    );
  });

  test("a domain with or without final dot", () => {
    expect(ask({ "dns-domain": "foo.bar" }).dns?.domain).toBe("foo.bar.");
    expect(ask({ "dns-domain": "foo.bar." }).dns?.domain).toBe("foo.bar.");
  });

  test("trusted subnets as a list, host bits cleared", () => {
    expect(ask({ "trusted-subnets": "10.0.0.7/8, 1.2.3.4/30" }).trustedSubnets).toEqual([
      "10.0.0.0/8",
      "1.2.3.4/30",
    ]);
  });

  test("an empty range as allocation off, and --no-dns as DNS off", () => {
    expect(ask({ "ipalloc-range": "" }).ipalloc).toBeUndefined();
    expect(ask({ "no-dns": true }).dns).toBeUndefined();
  });

  test("give freed addresses out at once, or after a rest", () => {
    expect(ask({ "ipalloc-reuse": "rested" }).ipalloc?.reuse).toBe("rested");
    expect(ask({ "ipalloc-reuse": "lowest-first" }).ipalloc?.reuse).toBe("lowest-first");
    expect(refusal({ "ipalloc-reuse": "never" })).toBe(
      'invalid value "never" for flag --ipalloc-reuse',
    );
  });

  test("reclaim after a while, after another one, or never", () => {
    expect(ask({ "reclaim-after": "36h" }).ipalloc?.reclaimAfterMs).toBe(36 * 3_600_000);
    expect(ask({ "reclaim-after": "never" }).ipalloc?.reclaimAfterMs).toBe(0);
    expect(refusal({ "reclaim-after": "9m" })).toBe('invalid value "9m" for flag --reclaim-after');
  });

  test("listen addresses with and without host, and paths", () => {
    expect(ask({ "http-addr": ":6784" }).httpAddress).toBe("0.0.0.0:6784");
    expect(ask({ "http-addr": "/run/x.sock" }).httpAddress).toBe("/run/x.sock");
    expect(ask({ "status-addr": "" }).statusAddress).toBe("");
    expect(ask({ "metrics-addr": "[::]:9000" }).metricsAddress).toBe("[::]:9000");
  });

  test("where else events go", () => {
    expect(ask().events).toBeUndefined();
    expect(ask({ "events-file": "/var/log/weave.jsonl" }).events).toEqual({
      file: "/var/log/weave.jsonl",
    });
    expect(ask({ "events-syslog": "local" }).events).toEqual({
      syslog: { to: "unix:///dev/log", facility: "daemon" },
    });
    const words = { "events-syslog": "udp://10.0.0.1", "events-syslog-facility": "authpriv" };
    expect(ask(words).events).toEqual({
      syslog: { to: "udp://10.0.0.1:514", facility: "authpriv" },
    });
  });

  test("and passes that on to its process, and that to the next one", () => {
    const options = ask({ "events-file": "/a", "events-syslog": "local", otlp: true });
    expect(decodeLaunchOptions(JSON.stringify(options))).toEqual(
      JSON.parse(JSON.stringify(options)),
    );
    expect(options.tracing?.endpoint).toBe("http://localhost:4318/v1/traces");
  });

  test.each([
    [{ "events-file": "audit.jsonl" }, 'invalid value "audit.jsonl" for flag --events-file'],
    [{ "events-syslog": "tcp://host" }, 'invalid value "tcp://host" for flag --events-syslog'],
    [{ "events-syslog-facility": "auth" }, "specified without --events-syslog"],
    [{ "events-syslog": "local", "events-syslog-facility": "kern" }, 'invalid value "kern"'],
  ])("no place for events that is none: %j", (words, message) => {
    expect(() => ask(words)).toThrow(message);
  });

  test("--no-extensions as speaking like the original", () => {
    expect(ask({ "no-extensions": true }).extensions).toBe(false);
  });

  test("an empty password as none", () => {
    expect(ask({ password: "" }).password).toBeUndefined();
  });
});

describe("launch refuses, in the original's words,", () => {
  const cases: Array<[Record<string, string | boolean>, string]> = [
    [{ "min-protocol-version": "3" }, "--min-protocol-version must be in range [1,2]"],
    [
      { "ipalloc-range": "", "ipalloc-init": "observer" },
      "--ipalloc-init specified without --ipalloc-range.",
    ],
    [
      { "ipalloc-range": "", "ipalloc-default-subnet": "10.2.0.0/16" },
      "--ipalloc-default-subnet specified without --ipalloc-range.",
    ],
    [
      { "ipalloc-range": "", "no-masq-local": true },
      "--no-masq-local specified without --ipalloc-range.",
    ],
    [
      { "ipalloc-range": "10.2.0.0/16", "ipalloc-default-subnet": "10.3.0.0/24" },
      "IP address allocation default subnet 10.3.0.0/24 does not overlap with allocation range 10.2.0.0/16",
    ],
    [
      { "ipalloc-range": "10.2.0.1/16" },
      'invalid value "10.2.0.1/16" for flag --ipalloc-range: invalid subnet - bits after network prefix are not all zero: 10.2.0.1/16',
    ],
    [
      { "ipalloc-range": "10.2.0.0/31" },
      'invalid value "10.2.0.0/31" for flag --ipalloc-range: invalid subnet - smaller than minimum size 4: 10.2.0.0/31',
    ],
    [
      { "ipalloc-range": "10.2.0.0/40" },
      'invalid value "10.2.0.0/40" for flag --ipalloc-range: invalid CIDR address: 10.2.0.0/40',
    ],
    [
      { "ipalloc-init": "consensus=x" },
      'Unable to parse --ipalloc-init: bad consensus parameter: strconv.Atoi: parsing "x": invalid syntax',
    ],
    [{ "ipalloc-init": "chaos" }, "Unable to parse --ipalloc-init: unknown mode: chaos"],
    [{ name: "nick" }, 'invalid value "nick" for flag --name: invalid peer name format: "nick"'],
  ];
  for (const [flags, message] of cases) {
    test(message, () => expect(refusal(flags)).toBe(message));
  }

  test("peers together with --resume", () => {
    expect(refusal({ resume: true }, ["10.0.0.1"])).toBe(
      "You must not specify an initial peer list in conjunction with --resume",
    );
  });

  test("a peer that is none", () => {
    expect(refusal({}, [":80"])).toContain('":80", should be host[:port]');
    expect(refusal({}, ["host:99999"])).toContain('"host:99999", should be host[:port]');
    expect(refusal({}, ["10.2.0.0/16"])).toBe('"10.2.0.0/16" is a subnet, not a peer');
  });

  test("ports, sizes, devices and addresses that cannot be", () => {
    for (const [flag, value] of [
      ["port", "0"],
      ["port", "65535"],
      ["mtu", "70000"],
      ["mtu", "67"],
      ["mtu", "automatic"],
      ["conn-limit", "-1"],
      ["weave-bridge", "a name with blanks"],
      ["http-addr", "127.0.0.1"],
      ["host", "host1"],
      ["dns-domain", "a..b"],
      ["dns-fallback-timeout", "5"],
      ["log-level", "chatty"],
    ] as const) {
      expect(refusal({ [flag]: value })).toContain(`for flag --${flag}`);
    }
  });
});

describe("a router started by hand", () => {
  test("refuses options that are none, and says how to start it", () => {
    for (const text of ["", "null", "{", '{"peers":1}']) {
      expect(() => decodeLaunchOptions(text)).toThrow(
        "the router was started without proper options",
      );
    }
  });
});

describe("a duration", () => {
  test("is read as Go reads it", () => {
    expect(parseDurationMs("5s")).toBe(5000);
    expect(parseDurationMs("1m30s")).toBe(90_000);
    expect(parseDurationMs("1.5h")).toBe(5_400_000);
    expect(parseDurationMs("250ms")).toBe(250);
    expect(parseDurationMs("0")).toBe(0);
  });

  test("needs a unit", () => {
    for (const text of ["", "5", "s", "5 s", "5x", "1s2"]) {
      expect(() => parseDurationMs(text)).toThrow(`invalid duration "${text}"`);
    }
  });
});
