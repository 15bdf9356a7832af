import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { NotifySocket } from "../daemon/notify-socket.ts";
import { overFor } from "./fastdp-lab.ts";
import { type Container, type Host, Lab, weaveCommand } from "./lab.ts";
import { eventually, run } from "./shell.ts";
import { pingDuring, transfer } from "./traffic.ts";

const octets = 5_000_000;

const variants = [
  { what: "over sleeve in clear", fastdp: false, password: undefined },
  { what: "over sleeve with a password", fastdp: false, password: "a password for the lab" },
  { what: "over a datapath of the kernel", fastdp: true, password: undefined },
] as const;

for (const { what, fastdp, password } of variants) {
  describe(`a router that another one succeeds, ${what}`, () => {
    const env = password === undefined ? {} : { WEAVE_PASSWORD: password };
    let lab: Lab;
    let one: Host;
    let containers: Container[];
    let ips: string[];

    beforeAll(async () => {
      lab = await Lab.onSwitch("lcx", 3);
      one = lab.hosts[0]!;
      for (const host of lab.hosts) {
        host.fastdp = fastdp;
        host.restarts = true;
        await host.launch(host.number === 1 ? [] : [one.ip], { env });
      }
      for (const host of lab.hosts) await overFor(host, fastdp ? "fastdp" : "sleeve", 2);
      containers = await Promise.all(lab.hosts.map((host) => host.container(`c${host.number}`)));
      ips = [];
      for (const [index, host] of lab.hosts.entries()) {
        ips.push(await host.mustWeave(["attach", containers[index]!.reference]));
      }
      await containers[0]!.pings(ips[1]!);
      await containers[2]!.pings(ips[0]!);
    });
    afterAll(() => lab?.[Symbol.asyncDispose]());

    test("keeps streams whole, its peers, names and addresses, and its keeper", async () => {
      const [mine, theirs] = [containers[0]!, containers[1]!];
      await one.mustWeave(["dns-add", mine.reference, "-h", "mine.weave.local"]);
      const exposed = await one.mustWeave(["expose"]);
      const former = await one.routerPid();
      const id = await one.mustWeave(["report", "-f", "{{.Router.Name}}"]);
      let streams: { sent: string; received: string }[] = [];
      const counts = await pingDuring(containers[2]!, ips[0]!, async () => {
        const succession = Promise.withResolvers<unknown>();
        const whileIt = () => succession.promise;
        const running = Promise.all([
          transfer(mine, theirs, ips[1]!, octets, whileIt),
          transfer(containers[2]!, mine, ips[0]!, octets, whileIt),
        ]);
        succession.resolve(one.mustWeave(["upgrade-self"], { waitMs: 120_000 }));
        streams = await running;
        await one.established(2);
      });
      for (const { sent, received } of streams) expect(received).toBe(sent);
      if (fastdp) expect(counts.received).toBe(counts.sent);
      expect(counts.received).toBeGreaterThan(counts.sent / 2);

      const present = await one.routerPid();
      expect(present).not.toBe(former);
      expect(await one.mustWeave(["report", "-f", "{{.Router.Name}}"])).toBe(id);
      expect(await one.mustWeave(["ps", mine.reference])).toContain(ips[0]!);
      expect(await one.mustWeave(["ps", "weave:expose"])).toContain(exposed);
      expect(await one.mustWeave(["dns-lookup", "mine"])).toBe(ips[0]!);
      for (const host of lab.hosts) await host.reaches(2);
      await mine.pings(ips[2]!);
      // The former router, its successor and nobody else: the former has gone, the keeper has not.
      const processes = await eventually(
        "the end of the former router",
        async () => (await run(["ip", "netns", "pids", one.namespace])).stdout.trim().split("\n"),
        ({ length }) => length === 2,
      );
      expect(processes).toContain(String(present));
    });

    const again = async () => {
      await one.mustWeave(["upgrade-self"], { waitMs: 120_000 });
      process.kill(await one.routerPid(), "SIGKILL");
      await one.established(2);
      await containers[0]!.pings(ips[1]!);
      await one.mustWeave(["stop"]);
      expect((await run(["ip", "netns", "pids", one.namespace])).stdout).toBe("");
    };
    // How frames are sealed is nothing to the keeper.
    if (password === undefined) test("can be succeeded again, killed, and stopped", again);
  });
}

describe("a router in the foreground", () => {
  let lab: Lab;
  let host: Host;

  beforeAll(async () => {
    lab = await Lab.onSwitch("lcf", 1);
    host = lab.hosts[0]!;
  });
  afterAll(() => lab?.[Symbol.asyncDispose]());

  const foreground = (env: Record<string, string>) =>
    Bun.spawn(
      [
        ...["nsenter", `--net=/run/netns/${host.namespace}`, ...weaveCommand()],
        ...["launch", "--foreground", "--no-fastdp", "--name", host.peerName],
      ],
      { env: { ...process.env, ...host.env, ...env }, stderr: "ignore" },
    );

  test("names its successor to the service manager, and goes", async () => {
    const address = join(lab.folder, "notify");
    using socket = new NotifySocket(address);
    const router = foreground({ NOTIFY_SOCKET: address });
    expect(await socket.next()).toStartWith("READY=1\n");
    await host.mustWeave(["upgrade-self"], { waitMs: 120_000 });
    expect(await socket.next()).toStartWith("READY=1\n");
    expect(await socket.next()).toBe(`MAINPID=${await host.routerPid()}`);
    expect(await router.exited).toBe(0);
    process.kill(await host.routerPid(), "SIGTERM");
    expect(await socket.next()).toBe("STOPPING=1");
  });

  test("that nobody manages has no successor, and goes on", async () => {
    const router = foreground({});
    try {
      const { code, stderr } = await eventuallyRefused();
      expect(code).toBe(1);
      expect(stderr).toContain("would not know the one after it");
      expect((await host.weave(["status"])).code).toBe(0);
    } finally {
      router.kill("SIGTERM");
      await router.exited;
    }
  });

  /** The answer of a router, as soon as there is one that answers. */
  async function eventuallyRefused() {
    for (;;) {
      const outcome = await host.weave(["upgrade-self"]);
      if (!/not running|does not answer/.test(outcome.stderr)) return outcome;
    }
  }
});
