import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Host, Lab } from "./lab.ts";
import { eventually, killed, must, run } from "./shell.ts";

describe("a router that dies", () => {
  let lab: Lab;
  let one: Host;
  let two: Host;

  beforeAll(async () => {
    lab = await Lab.onSwitch("lck", 2);
    [one, two] = [lab.hosts[0]!, lab.hosts[1]!];
    one.restarts = true;
    await two.launch();
  });
  afterEach(() => one.weave(["reset", "--force"]));
  afterAll(() => lab?.[Symbol.asyncDispose]());

  const processes = async (): Promise<string[]> =>
    words((await run(["ip", "netns", "pids", one.namespace])).stdout);

  const targets = async (): Promise<string[]> =>
    words(await one.mustWeave(["status", "targets"])).sort();

  /** Kills the router and waits until another one answers. */
  const killAndWait = async (): Promise<void> => {
    const former = await one.routerPid();
    await killed(former);
    await eventually(
      "a router in place of the one that was killed",
      async () => ({ status: await one.weave(["status"]), pid: await one.routerPid() }),
      ({ status, pid }) => status.code === 0 && pid !== former,
    );
  };

  test("comes back by itself, again and again, as who it was and with the peers it had", async () => {
    await one.launch(["192.168.77.101"]);
    await one.mustWeave(["connect", two.ip]);
    await one.mustWeave(["forget", "192.168.77.101"]);
    for (let death = 0; death < 2; death++) {
      await killAndWait();
      expect(await one.mustWeave(["report", "-f", "{{.Router.Name}}"])).toBe(one.peerName);
      expect(await targets()).toEqual([two.ip]);
      await one.established(1);
    }
    expect(await one.mustWeave(["logs"])).toContain("the router ended; starting it again in 0 s");
    expect((await one.weave(["launch"])).code).toBe(3);

    await one.mustWeave(["stop"]);
    expect(await processes()).toEqual([]);
    await one.launch(["192.168.77.101"]);
    expect(await targets()).toEqual(["192.168.77.101"]);
  });

  test("stays dead with --no-restart", async () => {
    await one.launch(["--no-restart"]);
    await killed(await one.routerPid());
    expect(await processes()).toEqual([]);
    expect((await one.weave(["status"])).code).not.toBe(0);
  });

  test("and cannot start again is tried with pauses, which 'weave stop' ends", async () => {
    await one.launch();
    const pid = await one.routerPid();
    process.kill(pid, "SIGSTOP");
    const database = join(one.env.WEAVE_STATE_DIR!, "weave.db");
    for (const suffix of ["", "-wal", "-shm"]) writeFileSync(database + suffix, "damaged");
    await killed(pid);
    await eventually(
      "a second try after a pause",
      () => one.mustWeave(["logs"]),
      (text) => text.includes("starting it again in 1 s"),
    );
    const again = await one.weave(["launch"]);
    expect(again).toMatchObject({ code: 3 });
    expect(again.stderr).toContain("already running");
    expect((await one.weave(["stop"])).stderr).toBe("");
    expect(await processes()).toEqual([]);
  });

  test("is launched once when several ask at once, and its keeper is the one that is stopped", async () => {
    const launch = () => one.weave(["launch", "--no-fastdp", "--name", one.peerName]);
    const codes = (await Promise.all([launch(), launch(), launch()])).map(({ code }) => code);
    expect(codes.sort()).toEqual([0, 3, 3]);
    const file = await Bun.file(join(one.env.WEAVE_RUN_DIR!, "weave.keeper")).text();
    expect(await processes()).toContain(file.split(" ")[0]!);
    await one.mustWeave(["stop"]);
    expect(await processes()).toEqual([]);
  });

  test("keeps its devices when another one is launched beside it", async () => {
    await one.launch([two.ip]);
    await one.established(1);
    const folders = {
      WEAVE_RUN_DIR: join(lab.folder, "r"),
      WEAVE_STATE_DIR: join(lab.folder, "s"),
    };
    const before = await must(["ip", "-n", one.namespace, "-o", "link"]);
    // Datapath and name would be others.
    const second = await one.weave(["launch", "--name", "::9"], { env: folders });
    expect(second.code).toBe(1);
    expect(second.stderr).toContain("cannot listen on TCP *:6783\nstop what uses the port");
    expect(await must(["ip", "-n", one.namespace, "-o", "link"])).toBe(before);
    expect(await one.mustWeave(["logs"])).not.toContain("somebody had changed");
  });

  test("before it was ever ready is not started again", async () => {
    writeFileSync(join(one.env.WEAVE_STATE_DIR!, "weave.db"), "damaged");
    const { code, stderr } = await one.weave(["launch"]);
    expect(code).toBe(1);
    expect(stderr).toContain("cannot open the router's state");
    expect(await processes()).toEqual([]);
  });

  test("shows its password to nobody who looks at processes or files", async () => {
    const password = "not-to-be-seen-0123456789";
    await one.launch([], { env: { WEAVE_PASSWORD: password } });
    await killAndWait();
    const found = await processes();
    expect(found.length).toBe(2);
    for (const pid of found) {
      for (const file of ["cmdline", "environ"]) {
        expect(readFileSync(`/proc/${pid}/${file}`, "latin1")).not.toContain(password);
      }
    }
    expect((await run(["grep", "-r", password, lab.folder])).code).toBe(1);
  });
});

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}
