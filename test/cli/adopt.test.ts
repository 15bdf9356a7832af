import { describe, expect, test } from "bun:test";
import { WeaveError } from "../../lib/base/errors.ts";
import { parseIpv4Cidr } from "../../lib/base/ip.ts";
import { parsePeerName } from "../../lib/base/peer-name.ts";
import { translateSettings } from "../../lib/cli/adoption/old-settings.ts";
import type { AdoptionFacts, EngineProgram } from "../../lib/daemon/adoption/facts.ts";
import { invocation } from "../../lib/daemon/adoption/find-old-router.ts";
import type { AdoptionPlan } from "../../lib/daemon/adoption/plan.ts";
import { readOriginalDatabase } from "../../lib/daemon/original-import.ts";
import { weave } from "./command-line.ts";

const sample = new URL("../vectors/ipam/persistence-sample-data.db", import.meta.url).pathname;
const name = "7a:9f:eb:b6:0c:6e";
const secret = "not-to-be-seen";

/** As the script of release 2.8.1 starts it. */
const recorded = [
  ...["/home/weave/weaver", "--port", "6783", "--nickname", "host1", "--host-root=/host"],
  ...["--docker-bridge", "docker0", "--weave-bridge", "weave", "--datapath", "datapath"],
  ...["--ipalloc-range", "10.32.0.0/12", "--dns-listen-address", "172.17.0.1:53"],
  ...["--http-addr", "127.0.0.1:6784", "--status-addr", "127.0.0.1:6782"],
  ...["--resolv-conf", "/var/run/weave/etc/resolv.conf", "--plugin", "--proxy"],
  ...["-H", "unix:///var/run/weave/weave.sock", "--connlimit=50", "--trusted-subnets=10.9.0.0/16"],
  ...["192.168.48.11", "192.168.48.12"],
];

const program: EngineProgram = {
  id: "ab".repeat(32),
  name: "weave",
  pid: 812,
  isRunning: true,
  command: recorded,
  environment: ["PATH=/bin", `WEAVE_PASSWORD=${secret}`],
  restartPolicy: { name: "always", maximumRetryCount: 0 },
  mounts: [],
};

function factsOf(changes: Partial<AdoptionFacts> = {}): AdoptionFacts {
  return {
    router: {
      pid: 812,
      container: program,
      ...invocation(program.command, program.environment),
      isPod: false,
      files: { locate: () => sample, isShared: () => false },
    },
    database: { path: sample, content: readOriginalDatabase(sample) },
    wiring: "bridged_fastdp",
    bridgeName: parsePeerName(name),
    exposed: [parseIpv4Cidr("10.40.0.1/12")],
    containers: [
      {
        port: "vethwepl4711",
        ident: "cd".repeat(32),
        addresses: [parseIpv4Cidr("10.40.0.2/12")],
        isOfProxy: true,
      },
    ],
    names: [{ fqdn: "web.weave.local.", ident: "anybody", address: "10.40.0.2" }],
    companions: [],
    hasOwnState: false,
    ...changes,
  };
}

/** `weave adopt` on such a host; gives what it was about to do as well. */
async function adopt(words: readonly string[], facts = factsOf(), agrees?: boolean) {
  const plans: AdoptionPlan[] = [];
  const outcome = await weave(["adopt", ...words], {
    ...(agrees === undefined ? {} : { confirm: async () => agrees }),
    site: {
      router: facts.router,
      examine: async () => facts,
      async adopt(plan, say) {
        plans.push(plan);
        say("stopping");
        const extent = { addresses: 4, exposed: 1, names: 1, targets: 2 };
        return { id: "00ff", extent, unclaimed: ["10.40.0.2"] };
      },
    },
  });
  return { ...outcome, plans };
}

describe("weave adopt", () => {
  test("prints what it found and would do, and with --dry-run nothing else", async () => {
    const { code, stdout, plans } = await adopt(["--dry-run"]);
    expect(code).toBe(0);
    expect(plans).toEqual([]);
    expect(stdout).toBe(`Found: a router of Weave Net 2.x, process 812, container weave
  name        ${name}
  nickname    host1
  peers       192.168.48.11
              192.168.48.12:6783
  options     --port=6783 --nickname=host1 --docker-bridge=docker0 --weave-bridge=weave --datapath=datapath --ipalloc-range=10.32.0.0/12 --dns-listen-address=172.17.0.1:53 --http-addr=127.0.0.1:6784 --status-addr=127.0.0.1:6782 --plugin --proxy --proxy-listen=unix:///var/run/weave/weave.sock --conn-limit=50 --trusted-subnets=10.9.0.0/16
  password    as the old router has it
  data        /weavedb/weavedata.db
  addresses   4 in use by its data
  containers  cdcdcdcdcdcd 10.40.0.2/12
  exposed     10.40.0.1/12
  names       web.weave.local. 10.40.0.2

To be done:
  1. stop the container weave, and set its restart policy from always to no
  2. write what it knows as the state of the new router
  3. note at the ports of the bridge which containers they belong to
  4. launch the new router with name, options and password of the old one
Containers keep their interfaces and addresses, and reach each other on this host meanwhile.
To other hosts frames pause until the new router has its links: some seconds.

Not taken over:
  --resolv-conf: names /var/run/weave/etc/resolv.conf, which only the old router's container has; /etc/resolv.conf is read
`);
  });

  test("says which containers will wait where no engine tells of their start", async () => {
    const { router } = factsOf();
    const facts = factsOf({ router: { ...router, words: [...router.words, "--docker-api="] } });
    const { stdout } = await adopt(["--dry-run"], facts);
    expect(stdout).toContain(
      "the start of container cdcdcdcdcdcd, which its proxy has made: started again it waits until 'weave attach' gives it its interface\n",
    );
  });

  test("says what changes for containers whose frames a datapath of the kernel will carry", async () => {
    const { stdout } = await adopt(["--dry-run"], factsOf({ wiring: "bridge" }));
    expect(stdout).toContain("containers then have an MTU of 1376.\n");
  });

  test("takes up name, password, options, peers, addresses and names", async () => {
    const { code, stdout, stderr, plans } = await adopt(["--yes"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const { options, state } = plans[0]!;
    expect(options).toMatchObject({
      ...{ peers: [], resume: true, password: secret, connectionLimit: 50, nickname: "host1" },
      dns: { listenAddress: "172.17.0.1:53", resolvConf: "/etc/resolv.conf" },
      ...{ trustedSubnets: ["10.9.0.0/16"], fastdp: true, httpAddress: "127.0.0.1:6784" },
    });
    expect(state).toMatchObject({
      peerName: parsePeerName(name),
      targets: ["192.168.48.11", "192.168.48.12:6783"],
      exposed: [{ cidr: "10.40.0.1/12", masquerade: true }],
      names: [{ fqdn: "web.weave.local.", ident: "cd".repeat(32), address: "10.40.0.2" }],
    });
    const held = state.allocations!.held.map(({ ident, cidr }) => [cidr.address & 0xff, ident]);
    expect(held).toContainEqual([2, "cd".repeat(32)]);
    expect(held).toContainEqual([1, "weave:expose"]);
    expect(stdout).toContain("stopping\nTaken over by run 00ff: 4 addresses, 1 exposed address");
    expect(stdout).toContain("Not taken over: 10.40.0.2, which its owner has not confirmed.\n");
    expect(stdout).toContain("--password-file=FILE\n");
    expect(stdout).not.toContain(secret);
  });

  test("gives the new router options that the old one has nothing of", async () => {
    const more = ["--events-file", "/var/log/audit.jsonl", "--events-syslog=local", "--otlp"];
    const { plans, stdout } = await adopt(["--yes", ...more, "--policy", "off", "--no-restart"]);
    expect(plans[0]!.options).toMatchObject({
      events: { file: "/var/log/audit.jsonl", syslog: { facility: "daemon" } },
      tracing: { endpoint: "http://localhost:4318/v1/traces" },
      policy: { mode: "off" },
      connectionLimit: 50,
    });
    const again = stdout.match(/^After a reboot: (.*)$/m)![1]!;
    expect(again).toContain("--events-file=/var/log/audit.jsonl --events-syslog=local --otlp");
    const refused = await adopt(["--yes", "--events-syslog", "nowhere"]);
    expect({ ...refused, code: refused.code }).toMatchObject({ code: 1, plans: [] });
    expect(refused.stderr).toContain('"nowhere" for flag --events-syslog');
  });

  test("asks on a terminal, and elsewhere wants --yes", async () => {
    expect((await adopt([], factsOf(), true)).plans).toHaveLength(1);
    for (const agrees of [false, undefined]) {
      const { code, stderr, plans } = await adopt([], factsOf(), agrees);
      expect({ code, plans }).toEqual({ code: 1, plans: [] });
      expect(stderr).toBe("nothing was changed\n'weave adopt --yes' does it\n");
    }
  });

  test("asks the engine that is named, and says so when there is nothing to adopt", async () => {
    const { code, router } = await weave(["adopt", "--docker-api", "tcp://10.0.0.1:2375"]);
    expect(code).toBe(1);
    expect(router).toEqual(["find an old router, asking tcp://10.0.0.1:2375"]);
  });

  test("refuses a host where containers would be cut off, or state lost", async () => {
    const { router } = factsOf();
    const withWord = (word: string) => factsOf({ router: { ...router, words: [word] } });
    const cases: readonly (readonly [AdoptionFacts, string])[] = [
      [factsOf({ hasOwnState: true }), "there is state of a router of this kind already"],
      [factsOf({ router: { ...router, isPod: true } }), "Kubernetes keeps the old router running"],
      [factsOf({ wiring: "fastdp" }), "containers are plugged into the datapath itself"],
      [withWord("--awsvpc"), "frames go by the route tables of AWS"],
      [withWord("--expect-npc"), "packets pass its network policy controller"],
      [withWord("--plugin-v2"), "Docker runs it as a managed plugin"],
    ];
    for (const [facts, reason] of cases) {
      const { code, stderr, plans } = await adopt(["--yes"], facts);
      expect({ code, plans }).toEqual({ code: 1, plans: [] });
      expect(stderr).toContain(reason);
    }
  });

  test("leaves ranges that belong to another name, as the original does", async () => {
    const other = factsOf({ bridgeName: parsePeerName("::1") });
    const { stdout, plans } = await adopt(["--yes"], other);
    expect(plans[0]!.state.allocations).toBeUndefined();
    expect(stdout).toContain(`its ranges: /weavedb/weavedata.db is that of ${name}`);
    const { stdout: bare } = await adopt(["--dry-run"], factsOf({ database: undefined }));
    expect(bare).toContain("its ranges: there is no data file");
  });
});

describe("settings of an old router", () => {
  const translate = (words: readonly string[]) =>
    translateSettings(words, { hostname: "me", isShared: () => true });

  test("without options are those of its program, not those of our launch", () => {
    const { options, database } = translate(["--db-prefix", "data/weave-net"]);
    expect(database).toBe("data/weave-netdata.db");
    expect(options).toMatchObject({ httpAddress: "", statusAddress: "", nickname: "me" });
    expect(options.ipalloc).toBeUndefined();
    expect(options.dns?.listenAddress).toBe("0.0.0.0:53");
  });

  test("end at the first peer, and a switch may be off", () => {
    const { options, leftOut } = translate(["--proxy=false", "--no-dns", "host2", "host3:7000"]);
    expect(leftOut).toEqual([]);
    expect(options).toMatchObject({ peers: ["host2", "host3:7000"], dns: undefined });
  });

  test("of older releases are understood, unknown ones told, and a shared file is read", () => {
    const words = ["-iprange", "10.2.0.0/16", "--initpeercount=3", "--later", "--resolv-conf=/r"];
    const { options, leftOut } = translate(words);
    expect(options.ipalloc).toMatchObject({ range: "10.2.0.0/16", init: "consensus=3" });
    expect(options.dns?.resolvConf).toBe("/r");
    expect(leftOut).toEqual([{ flag: "--later", why: "is not known here" }]);
    expect(() => translate(["--ipalloc-range", "10.2.0.1/16"])).toThrow(WeaveError);
  });

  test("give the password away to nobody", () => {
    const start = (...words: string[]) => invocation(["weaver", ...words], ["WEAVE_PASSWORD=env"]);
    expect(start("--password", "given", "host2")).toMatchObject({
      words: ["host2"],
      password: "given",
    });
    expect(start("-password=given").password).toBe("given");
    expect(start("--password=").password).toBe("env");
    expect(invocation(["weaver"], []).password).toBeUndefined();
  });
});
