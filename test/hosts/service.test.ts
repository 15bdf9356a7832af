import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { serviceCapabilities } from "../../lib/daemon/systemd-unit.ts";
import { NotifySocket } from "../daemon/notify-socket.ts";
import { overFor } from "./fastdp-lab.ts";
import { type Host, Lab, weaveCommand } from "./lab.ts";

describe("a router that a service manager starts, with no more powers than the unit leaves it", () => {
  let lab: Lab;
  let one: Host;
  let two: Host;

  beforeAll(async () => {
    lab = await Lab.onSwitch("lcs", 2);
    [one, two] = [lab.hosts[0]!, lab.hosts[1]!];
    for (const host of lab.hosts) host.fastdp = true;
    await two.launch();
  });
  afterAll(() => lab?.[Symbol.asyncDispose]());

  test("says when it is ready and when it stops, and carries, attaches, exposes and names", async () => {
    const address = join(lab.folder, "notify");
    using socket = new NotifySocket(address);
    const powers = serviceCapabilities.map((name) => `+${name.slice("CAP_".length).toLowerCase()}`);
    const bounds = ["-all", ...powers].join(",");
    const router = Bun.spawn(
      [
        ...["nsenter", `--net=/run/netns/${one.namespace}`, "setpriv", "--no-new-privs"],
        ...["--bounding-set", bounds, "--inh-caps=-all", ...weaveCommand()],
        ...["launch", "--foreground", "--name", one.peerName, two.ip],
      ],
      { env: { ...process.env, ...one.env, NOTIFY_SOCKET: address }, stderr: "pipe" },
    );
    const log = new Response(router.stderr).text();
    const said = await Promise.race([socket.next(), log]);
    expect(said).toMatch(/^READY=1\nSTATUS=run [0-9a-f]{64}$/);
    await overFor(one, "fastdp", 1);
    const [mine, theirs] = [await one.container("c1"), await two.container("c2")];
    const ip = await one.mustWeave(["attach", mine.reference]);
    await two.mustWeave(["attach", theirs.reference]);
    await one.mustWeave(["dns-add", mine.reference, "-h", "mine.weave.local"]);
    await one.mustWeave(["expose"]);
    await theirs.pings(ip);
    router.kill("SIGTERM");
    expect(await socket.next()).toBe("STOPPING=1");
    expect(await router.exited).toBe(0);
    expect(await log).not.toMatch(/^(WARN|ERRO)/m);
  });
});
