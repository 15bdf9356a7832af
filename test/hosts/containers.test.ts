import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { type Host, Lab } from "./lab.ts";
import { eventually, must } from "./shell.ts";

describe("containers of a host", () => {
  let lab: Lab;
  let host: Host;

  beforeAll(async () => {
    lab = await Lab.onSwitch("wn", 1);
    host = lab.hosts[0]!;
    await host.launch();
  });

  afterAll(() => lab?.[Symbol.asyncDispose]());

  test("take all forms of addresses, and give them back one by one", async () => {
    const c = await host.container("forms");
    const attach = ["attach", "10.2.1.1/24", "ip:10.2.2.1/24", "net:10.32.3.0/24", c.reference];
    expect(await host.mustWeave(attach)).toBe("10.2.1.1 10.2.2.1 10.32.3.1");
    const listed = await host.mustWeave(["ps", c.reference]);
    expect(listed).toEndWith(" 10.2.1.1/24 10.2.2.1/24 10.32.3.1/24");
    const some = ["detach", "ip:10.2.2.1/24", "net:10.32.3.0/24", c.reference];
    expect(await host.mustWeave(some)).toBe("10.2.2.1 10.32.3.1");
    expect(await host.mustWeave(["ps", c.reference])).toEndWith(" 10.2.1.1/24");
    await host.mustWeave(["detach", "10.2.1.1/24", c.reference]);
    expect(await host.mustWeave(["ps", c.reference])).toBe("");
  });

  test("that cannot be remembered are not attached, and leave nothing behind", async () => {
    const c = await host.container("forgotten");
    using state = new Database(join(host.env.WEAVE_STATE_DIR!, "weave.db"));
    state.run("ALTER TABLE attached RENAME TO elsewhere");
    expect((await host.weave(["attach", c.reference])).code).not.toBe(0);
    state.run("ALTER TABLE elsewhere RENAME TO attached");
    expect(await must(c.command(["ip", "-o", "link"]))).not.toContain("ethwe");
    expect(await host.mustWeave(["ps", c.reference])).toBe("");
    const ip = await host.mustWeave(["attach", c.reference]);
    expect(await host.mustWeave(["detach", c.reference])).toBe(ip);
  });

  test("and the host lose no address that they do not have, and nothing is told of it", async () => {
    const c = await host.container("lacks");
    const ip = await host.mustWeave(["attach", c.reference]);
    expect(await host.mustWeave(["detach", "10.9.9.9/24", c.reference])).toBe("10.9.9.9");
    expect(await host.mustWeave(["hide", "10.9.9.9/24"])).toBe("10.9.9.9");
    const kinds = ["--kind", "container.detached", "--kind", "bridge.hidden"];
    expect(await host.mustWeave(["events", ...kinds])).not.toContain("10.9.9.9");
    expect(await host.mustWeave(["detach", c.reference])).toBe(ip);
    expect(await host.mustWeave(["events", ...kinds])).toContain(` from ${ip}/`);
  });

  test("are listed by name, whoever came first", async () => {
    const [last, first] = [await host.container("zoo"), await host.container("ape")];
    for (const each of [last, first]) await host.mustWeave(["attach", each.reference]);
    const { containers } = JSON.parse(await host.mustWeave(["ps", "--json"]));
    const listed = containers.map(({ ident }: { ident: string }) => ident);
    expect(listed).toEqual(["weave:expose", first.reference, last.reference]);
    for (const each of [last, first]) await host.mustWeave(["detach", each.reference]);
  });

  test("are on a bridge of a type and an address that scripts ask for", async () => {
    expect(await host.mustWeave(["bridge-type"])).toBe("bridge");
    const ip = await host.mustWeave(["expose", "10.2.9.1/24"]);
    const env = { DOCKER_BRIDGE: "weave" };
    expect(await host.weave(["docker-bridge-ip"], { env })).toMatchObject({ code: 0, stdout: ip });
    await host.mustWeave(["hide", "10.2.9.1/24"]);
    const absent = await host.weave(["docker-bridge-ip"]);
    expect(absent).toMatchObject({ code: 1, stdout: "" });
    expect(absent.stderr).toContain("there is no interface docker0");
  });

  test("are named by path, name or process, and it is the same container", async () => {
    const c = await host.container("names");
    const child = Bun.spawn(c.command(["sleep", "60"]));
    const ip = await host.mustWeave(["attach", `netns:/var/run/netns/${c.namespace}`]);
    expect(await host.mustWeave(["attach", c.reference])).toBe(ip);
    await eventually(
      "the process in its namespace",
      () => host.weave(["attach", `pid:${child.pid}`]),
      ({ stdout }) => stdout.trim() === ip,
    );
    child.kill("SIGKILL");
    await child.exited;
    await host.mustWeave(["detach", c.reference]);
  });

  test("that vanish without a word give their addresses and names back", async () => {
    const c = await host.container("gone");
    const ip = await host.mustWeave(["attach", c.reference]);
    await host.mustWeave(["dns-add", c.reference, "-h", "gone.weave.local"]);
    expect(await host.mustWeave(["dns-lookup", "gone"])).toBe(ip);
    await must(["ip", "netns", "del", c.namespace]);
    await eventually(
      "the name is gone",
      async () => (await host.weave(["dns-lookup", "gone"])).stdout,
      (text) => text === "",
    );
    const next = await host.container("next");
    expect(await host.mustWeave(["attach", next.reference])).toBe(ip);
  });

  test("ask for names at the exposed address, and the password is nowhere to be read", async () => {
    expect(await host.mustWeave(["dns-args"])).toBe("--dns=127.0.0.1 --dns-search=weave.local.");
    const ip = await host.mustWeave(["expose"]);
    expect(await host.mustWeave(["dns-args"])).toBe(`--dns=${ip} --dns-search=weave.local.`);
    await host.mustWeave(["hide"]);
    await host.mustWeave(["stop"]);
    await host.launch([], { env: { WEAVE_PASSWORD: "not-for-everybody" } });
    const pid = await host.routerPid();
    for (const file of ["environ", "cmdline"]) {
      expect(await Bun.file(`/proc/${pid}/${file}`).text()).not.toContain("not-for-everybody");
    }
  });

  test("that cannot be attached say why, and nothing stays allocated", async () => {
    const before = await host.mustWeave(["status", "ipam"]);
    const missing = await host.weave(["attach", "netns:nowhere"]);
    expect(missing.code).toBe(1);
    expect(missing.stderr).toContain("network namespace nowhere does not exist");
    const own = await host.weave(["attach", `pid:${await host.routerPid()}`]);
    expect(own.code).toBe(1);
    expect(own.stderr).toContain("host network namespace");
    const c = await host.container("odd");
    const small = await host.weave(["attach", "net:10.32.3.2/31", c.reference]);
    expect(small.code).toBe(1);
    expect(small.stderr).toContain("smaller than minimum size 4");
    expect(await host.mustWeave(["status", "ipam"])).toBe(before);
  });
});
