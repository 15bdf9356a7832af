import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { documentedSteps } from "../hosts/documented-steps.ts";
import { weaveCommand } from "../hosts/lab.ts";
import { eventually, type Outcome, run } from "../hosts/shell.ts";
import type { EngineHost } from "./engine-host.ts";
import { EngineLab } from "./engine-lab.ts";

/** A cluster of two hosts whose engines are of different releases. */
let lab: EngineLab;
let one: EngineHost;
let two: EngineHost;

const range = ["--ipalloc-range", "10.32.0.0/12", "--ipalloc-default-subnet", "10.32.0.0/16"];

beforeAll(async () => {
  lab = await EngineLab.start("plug", { engine: ["28", "20.10"] });
  [one, two] = lab.hosts as [EngineHost, EngineHost];
  await launch();
});
afterAll(() => lab?.[Symbol.asyncDispose]());

async function launch(): Promise<void> {
  await one.launch(range);
  await two.launch([...range, one.ip]);
}

/** A container that stays, with weaveDNS; gives its id. */
async function start(host: EngineHost, name: string, ...words: readonly string[]) {
  const dns = (await host.mustWeave(["dns-args"])).split(" ");
  const run = [
    "run",
    "--detach",
    "--name",
    name,
    "--stop-timeout=1",
    "--cap-add=NET_ADMIN",
    ...dns,
    ...words,
  ];
  return host.mustDocker([...run, "bb", "sleep", "10000"]);
}

const remove = (host: EngineHost, ...names: readonly string[]) =>
  host.mustDocker(["rm", "--force", ...names]);

async function addressOf(host: EngineHost, name: string, device = "ethwe0"): Promise<string> {
  const text = await host.mustDocker(["exec", name, "ip", "-4", "addr", "show", device]);
  return /inet ([\d.]+)\//.exec(text)?.[1] ?? "";
}

/** A reader takes longer to go to the other host than a name. */
async function isNamed(name: string): Promise<void> {
  for (const host of lab.hosts) {
    await eventually(
      `the name ${name} at host ${host.number}`,
      () => host.mustWeave(["status", "dns"]),
      (text) => text.split("\n").some((line) => line.startsWith(`${name} `)),
    );
  }
}

const isReached = async (host: EngineHost, name: string, target: string): Promise<boolean> =>
  (await host.docker(["exec", name, "ping", "-c", "1", "-W", "1", target])).code === 0;

/** Names, and where others are, take a moment. */
const reaches = (host: EngineHost, name: string, target: string) =>
  eventually(
    `a ping from ${name} to ${target}`,
    () => isReached(host, name, target),
    (reached) => reached,
  );

/** What a reader types, where `docker` and `weave` are those of the host. */
function typed(host: EngineHost, script: string): Promise<Outcome> {
  const words = (command: readonly string[]) => command.map((word) => `'${word}'`).join(" ");
  const programs = [
    ["docker", host.command(host.dockerCommand([]))],
    ["weave", host.command(weaveCommand())],
  ] as const;
  const functions = programs.map(([name, command]) => `${name}() { ${words(command)} "$@"; }`);
  const env = { ...host.env, DOCKER_HOST: "" };
  return run(["sh", "-c", `${functions.join("\n")}\n${script}`], { env });
}

const network = (host: EngineHost, name: string, subnet: string, ...words: readonly string[]) => {
  const driver = ["--driver", "weavemesh", "--ipam-driver", "weavemesh", "--subnet", subnet];
  return host.mustDocker(["network", "create", ...driver, ...words, name]);
};

describe("Docker's network weave", () => {
  test("is there after a launch, in the cluster's default subnet", async () => {
    for (const host of lab.hosts) {
      const format = "{{.Driver}} {{(index .IPAM.Config 0).Subnet}} {{.Options}}";
      expect(await host.mustDocker(["network", "inspect", "--format", format, "weave"])).toBe(
        "weavemesh 10.32.0.0/16 map[works.weave.multicast:true]",
      );
      expect(await host.mustWeave(["status"])).toContain("Service: plugin (legacy)");
    }
  });

  test("joins containers of two hosts, who find each other by name", async () => {
    const id = await start(one, "a1", "--net=weave");
    await start(two, "a2", "--net=weave", "--hostname=other.weave.local", "--network-alias=db");
    for (const name of ["a2", "other.weave.local", "db"]) await reaches(one, "a1", name);
    await reaches(two, "a2", "a1");
    expect(await one.mustWeave(["ps", "a1"])).toContain(await addressOf(one, "a1"));
    expect(await one.mustWeave(["ps"])).toContain(id.slice(0, 12));
    await remove(two, "a2");
    await eventually(
      "the end of the names of a2",
      () => one.mustWeave(["status", "dns"]),
      (text) => !text.includes("db") && text.includes("a1"),
    );
  });

  test("has multicast routed to it, whatever other containers are told", async () => {
    const routes = await one.mustDocker(["exec", "a1", "ip", "route"]);
    expect(routes).toContain("224.0.0.0/4 dev ethwe0");
  });

  test("keeps addresses and names of its containers when routers are killed", async () => {
    const before = await addressOf(one, "a1");
    for (const host of lab.hosts) await host.killRouter();
    await launch();
    expect(await addressOf(one, "a1")).toBe(before);
    await start(one, "a3", "--net=weave");
    await start(two, "a4", "--net=weave");
    expect(await addressOf(one, "a3")).not.toBe(before);
    for (const name of ["a1", "a3"]) await reaches(two, "a4", name);
    await remove(one, "a3");
    await remove(two, "a4");
  });
});

describe("a network of one's own", () => {
  test("gives the address that is asked for, then the next, and both find each other", async () => {
    for (const host of lab.hosts) await network(host, "own", "10.33.0.0/16");
    const mac = ["--mac-address", "02:42:0a:21:03:09"];
    await start(one, "b1", "--net=own", "--ip=10.33.3.9", ...mac);
    await start(two, "b2", "--net=own");
    await start(two, "b3", "--net=own");
    expect(await addressOf(one, "b1")).toBe("10.33.3.9");
    const link = await one.mustDocker(["exec", "b1", "ip", "link", "show", "ethwe0"]);
    expect(link).toContain("02:42:0a:21:03:09");
    const [second, third] = [await addressOf(two, "b2"), await addressOf(two, "b3")];
    expect(third).toBe(second.replace(/\d+$/, (last) => `${Number(last) + 1}`));
    await reaches(one, "b1", "b2");
    await reaches(two, "b3", "b1");
    const taken = await two.docker(["run", "--rm", "--net=own", `--ip=${second}`, "bb", "true"]);
    expect(taken.stderr).toContain(`address ${second} is in use by another container`);
  });

  test("names a container that is connected while it runs, until it is disconnected", async () => {
    await start(one, "g1", "--net=weave");
    await one.mustDocker(["network", "connect", "--alias", "late", "own", "g1"]);
    await reaches(two, "b2", "late");
    expect(await one.mustWeave(["ps"])).toMatch(/^([0-9a-f]{12} .*\n?|weave:expose .*\n)+$/);
    await one.mustDocker(["network", "disconnect", "own", "g1"]);
    const names = await one.mustWeave(["status", "dns"]);
    expect(names).toMatch(/^g1 /m);
    expect(names).not.toMatch(/^late /m);
    await one.mustWeave(["attach", "g1"]);
    expect((await one.weave(["doctor"])).stdout).not.toContain("ADDRESS_MISSING");
    await remove(one, "g1");
  });

  test("has multicast routed to it when it is told so, and else not", async () => {
    const cases = { "": "", true: "224.0.0.0/4 dev ethwe0", false: "" };
    let third = 34;
    for (const [value, route] of Object.entries(cases)) {
      const option = value === "" ? [] : ["--opt", `works.weave.multicast=${value}`];
      await network(one, "casts", `10.${third++}.0.0/16`, ...option);
      const routes = await one.mustDocker(["run", "--rm", "--net=casts", "bb", "ip", "route"]);
      if (route === "") expect(routes).not.toContain("224.0.0.0");
      else expect(routes).toContain(route);
      await one.mustDocker(["network", "rm", "casts"]);
    }
    const wrong = ["--driver", "weavemesh", "--opt", "works.weave.multicast=perhaps", "casts"];
    const { stderr } = await one.docker(["network", "create", ...wrong]);
    expect(stderr).toContain('unrecognized value "perhaps"');
  });

  test("is kept from all other networks, on its host and across hosts", async () => {
    for (const host of lab.hosts) await network(host, "apart", "10.36.0.0/16");
    await start(one, "c1", "--net=apart");
    await start(two, "c2", "--net=apart");
    await start(one, "d1", "--net=weave");
    await reaches(one, "c1", await addressOf(two, "c2"));
    const insiders = [
      [one, "c1"],
      [two, "c2"],
    ] as const;
    const outsiders = [
      [one, "b1", "10.33.3.9"],
      [two, "b2", await addressOf(two, "b2")],
      [one, "d1", await addressOf(one, "d1")],
    ] as const;
    for (const [host, name] of [...insiders, ...outsiders]) {
      await host.mustDocker(["exec", name, "ip", "route", "add", "10.0.0.0/8", "dev", "ethwe0"]);
    }
    const tries: Promise<boolean>[] = [];
    for (const [host, name] of insiders) {
      for (const [otherHost, other, address] of outsiders) {
        tries.push(isReached(host, name, address));
        tries.push(isReached(otherHost, other, await addressOf(host, name)));
      }
    }
    expect(await Promise.all(tries)).toEqual(tries.map(() => false));
    await reaches(one, "c1", await addressOf(two, "c2"));
    await remove(one, "c1");
    await remove(two, "c2");
  });
});

describe("the steps of docs/docker.md", () => {
  const steps = documentedSteps("docker.md");

  test("join containers of two hosts, and keep two networks apart", async () => {
    const printed: string[] = [];
    for (const host of lab.hosts) await host.mustDocker(["tag", "bb", "busybox"]);
    for (const { hosts, script } of steps) {
      for (const name of hosts) {
        const { code, stdout, stderr } = await typed(lab.hosts[Number(name.slice(4)) - 1]!, script);
        expect(`${code} ${stderr}`).toStartWith("0 ");
        printed.push(stdout);
        const named = /--name (\w+)/.exec(script)?.[1];
        if (named !== undefined) await isNamed(named);
      }
    }
    expect(printed.filter((text) => text.includes("bytes from"))).toHaveLength(2);
    expect(printed.at(-1)).toEndWith("kept apart\n");
    await remove(one, "web", "db");
    for (const host of lab.hosts) await host.mustDocker(["network", "rm", "shop"]);
  }, 60_000);
});

describe("an engine", () => {
  test("that is started anew finds its networks, and starts what is to run", async () => {
    await start(one, "e1", "--net=own", "--restart=always");
    await one.restartEngine();
    await eventually(
      "the container after the engine's restart",
      () => one.docker(["exec", "e1", "ip", "addr", "show", "ethwe0"]),
      ({ code }) => code === 0,
    );
    await reaches(one, "e1", "b2");
    await remove(one, "e1");
  });

  test("that crashes together with the router gives containers the addresses they had", async () => {
    await start(two, "e2", "--net=own", "--ip=10.33.7.7", "--restart=always");
    await two.killRouter();
    await two.stopEngine("KILL");
    await Promise.all([two.startEngine(), two.launch([...range, one.ip])]);
    await eventually(
      "the container after both crashes",
      () => two.docker(["exec", "e2", "ip", "addr", "show", "ethwe0"]),
      ({ stdout }) => stdout.includes(" 10.33.7.7/16 "),
    );
    await remove(two, "e2");
  });

  test("is told by stop who is connected still, and finds no socket afterwards", async () => {
    await start(one, "f1", "--net=weave");
    const { stderr } = await one.weave(["stop"]);
    expect(stderr).toContain('still attached to network "weave":\n');
    expect(stderr).toContain(" f1\n");
    expect((await one.exec(["ls", "/run/docker/plugins"])).stdout).toBe("");
    await one.launch([...range, two.ip]);
    await remove(one, "a1", "b1", "d1", "f1");
    await one.mustDocker(["network", "rm", "own", "apart"]);
    expect((await one.weave(["stop"])).stderr).toBe("");
    expect(await one.mustDocker(["network", "ls", "--format", "{{.Name}}"])).not.toMatch(
      /^weave$/m,
    );
    await one.restartEngine();
  });

  test("that comes after the router gets its network then, and no sockets are there before", async () => {
    await one.stopEngine();
    await one.launch([...range, two.ip]);
    expect((await one.exec(["ls", "/run/docker/plugins"])).stdout).toBe("");
    await one.startEngine();
    await eventually(
      "the network of an engine that came late",
      () => one.docker(["network", "inspect", "weave"]),
      ({ code }) => code === 0,
      30_000,
    );
  });

  test("keeps no socket of a router that was killed, once that is stopped or reset", async () => {
    await one.killRouter();
    expect((await one.exec(["ls", "/run/docker/plugins"])).stdout).toContain("weavemesh.sock");
    await one.weave(["reset", "--force"]);
    expect((await one.exec(["ls", "/run/docker/plugins"])).stdout).toBe("");
  });

  test("hears of nobody where its sockets cannot be made, which costs a launch only if asked", async () => {
    await two.weave(["stop"]);
    const nowhere = "--plugin-socket=/proc/nowhere/weave.sock";
    await two.launch([...range, nowhere]);
    const problem = "Problem: cannot serve Docker at /proc/nowhere/weave.sock";
    expect(await two.mustWeave(["status"])).toContain(problem);
    await two.weave(["stop"]);
    const asked = await two.weave(["launch", ...range, "--no-fastdp", "--plugin", nowhere]);
    expect(asked.code).toBe(1);
    expect(asked.stderr).toContain("--plugin=false goes on without the plugin");
  });
});
