import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, mkdirSync } from "node:fs";
import type { DockerReport } from "../../lib/api/docker-report.ts";
import { certificate } from "../docker/certificates.ts";
import { eventually } from "../hosts/shell.ts";
import type { EngineHost } from "./engine-host.ts";
import { EngineLab } from "./engine-lab.ts";
import { Relay } from "./relay.ts";

async function docker(host: EngineHost): Promise<DockerReport> {
  return JSON.parse(await host.mustWeave(["report", "-f", "{{json .Docker}}"]));
}

/** Waits until the router says that it is connected, or that it is not. */
function connected(host: EngineHost, wanted: boolean): Promise<DockerReport> {
  return eventually(
    `${wanted ? "a" : "no"} connection to the engine of host ${host.number}`,
    () => docker(host),
    ({ Since }) => (Since !== "") === wanted,
    // The longest wait between two attempts, and what an engine takes to start.
    45_000,
  );
}

/** A container that runs and is told to sleep, attached by hand, with its name registered. */
async function attached(host: EngineHost, name: string): Promise<string> {
  const fqdn = `${name}.weave.local`;
  await host.mustDocker(["run", "-d", "--name", name, "-h", fqdn, "bb", "sleep", "600"]);
  const address = await host.mustWeave(["attach", name]);
  expect(await host.mustWeave(["dns-lookup", name])).toBe(address);
  return address;
}

function nameGone(host: EngineHost, name: string): Promise<string> {
  return eventually(
    `the end of the name ${name}`,
    () => host.mustWeave(["dns-lookup", name]),
    (answer) => answer === "",
  );
}

/** How many addresses are in use. */
function addressesInUse(host: EngineHost, wanted: number): Promise<string> {
  return eventually(
    `${wanted} addresses in use`,
    () => host.mustWeave(["report", "-f", "{{.IPAM.ActiveIPs}}"]),
    (count) => count === String(wanted),
  );
}

const engines = ["20.10", "28"] as const;

describe("a router beside Docker", () => {
  let lab: EngineLab;
  beforeAll(async () => {
    lab = await EngineLab.start("deng", { engine: engines });
    for (const host of lab.hosts) await host.launch(["--plugin=false", "--proxy=false"]);
  });
  afterAll(() => lab?.[Symbol.asyncDispose]());

  for (const [at, engine] of engines.entries()) {
    const host = (): EngineHost => lab.hosts[at]!;

    test(`${engine} speaks the newest version that it has`, async () => {
      const newest = await host().mustDocker(["version", "-f", "{{.Server.APIVersion}}"]);
      const { APIVersion, Endpoint, Since } = await connected(host(), true);
      expect({ APIVersion, Endpoint }).toEqual({
        ...{ APIVersion: newest, Endpoint: "unix:///var/run/docker.sock" },
      });
      const status = await host().mustWeave(["status"]);
      expect(status).toContain(`APIVersion: ${newest}\n`);
      expect(status).toContain(`Status: connected since ${Since}`);
    });

    test(`${engine} takes the name of a container that ends, and the address of one that goes`, async () => {
      const address = await attached(host(), "c1");
      await host().mustDocker(["kill", "c1"]);
      await nameGone(host(), "c1");
      expect(await host().mustWeave(["report", "-f", "{{.IPAM.ActiveIPs}}"])).toBe("1");
      await host().mustDocker(["rm", "c1"]);
      await addressesInUse(host(), 0);
      expect(await attached(host(), "c2")).toBe(address);
      await host().mustDocker(["rm", "-f", "c2"]);
      await addressesInUse(host(), 0);
    });

    test(`${engine} keeps the address of a container that is restarted`, async () => {
      const address = await attached(host(), "kept");
      await host().mustDocker(["restart", "-t", "0", "kept"]);
      expect(await host().mustWeave(["attach", "kept"])).toBe(address);
      await host().mustDocker(["rm", "-f", "kept"]);
      await addressesInUse(host(), 0);
    });

    for (const signal of ["TERM", "KILL"] as const) {
      test(`${engine} finds it again after SIG${signal}, and hears of its containers`, async () => {
        await host().stopEngine(signal);
        const { LastError } = await connected(host(), false);
        expect(LastError).not.toBe("");
        await host().startEngine();
        await connected(host(), true);
        await attached(host(), "after");
        await host().mustDocker(["rm", "-f", "after"]);
        await addressesInUse(host(), 0);
      });
    }

    test(`${engine} is told by label, name or id which container is meant`, async () => {
      const run = ["run", "-d", "--label", "tier=front", "--name"];
      const id = await host().mustDocker([...run, "named", "bb", "sleep", "600"]);
      const address = await host().mustWeave(["attach", "label:tier=front"]);
      for (const reference of ["named", id, id.slice(0, 12), "label:tier"]) {
        expect(await host().mustWeave(["attach", reference])).toBe(address);
      }
      await host().mustDocker([...run, "other", "bb", "sleep", "600"]);
      const { code, stderr } = await host().weave(["attach", "label:tier=front"]);
      expect(code).not.toBe(0);
      expect(stderr).toContain("label tier=front is that of 2 containers");
      await host().mustDocker(["rm", "-f", "named", "other"]);
      await addressesInUse(host(), 0);
    });
  }
});

describe("a router that cannot reach its engine for a while", () => {
  let lab: EngineLab;
  let host: EngineHost;
  let relay: Relay;
  beforeAll(async () => {
    lab = await EngineLab.start("dgap", { engine: "20.10" });
    host = lab.host;
    const way = `${host.folder}/way.sock`;
    relay = new Relay(host.outside(way), host.outside("/run/docker.sock"));
    await host.launch(["--plugin=false", "--proxy=false", "--docker-api", `unix://${way}`]);
  });
  afterAll(async () => {
    await relay?.[Symbol.asyncDispose]();
    await lab?.[Symbol.asyncDispose]();
  });

  test("says so and finds it when it is there", async () => {
    const { LastError } = await connected(host, false);
    expect(LastError).toContain("no Docker engine answers");
    expect(await host.mustWeave(["status"])).toContain("Status: not connected: no Docker engine");
    await relay.join();
    await connected(host, true);
  });

  test("frees what containers had that went meanwhile, and leaves the others theirs", async () => {
    const stays = await attached(host, "stays");
    await attached(host, "goes");
    await attached(host, "ends");
    await relay.cut();
    await connected(host, false);
    expect((await host.weave(["doctor"])).stdout).toContain("ENGINE_UNHEARD");
    await host.mustDocker(["rm", "-f", "goes"]);
    await host.mustDocker(["kill", "ends"]);
    expect(await host.mustWeave(["dns-lookup", "goes"])).not.toBe("");
    await relay.join();
    await connected(host, true);
    await addressesInUse(host, 2);
    for (const name of ["goes", "ends"]) await nameGone(host, name);
    expect(await host.mustWeave(["dns-lookup", "stays"])).toBe(stays);
    expect((await host.weave(["doctor"])).stdout).not.toContain("ENGINE_UNHEARD");
    const metrics = await host.mustExec([
      "busybox",
      "wget",
      "-qO-",
      "http://127.0.0.1:6782/metrics",
    ]);
    expect(metrics).toContain("\nweave_docker_missed_events_total 2\n");
    expect(metrics).toContain("\nweave_docker_connections_total 2\n");
  });
});

describe("a router whose engine speaks TLS", () => {
  test("uses Docker's own variables for it", async () => {
    await using lab = await EngineLab.start("dtls", {
      engine: "20.10",
      engineArguments: [
        ...["-H", "unix:///var/run/docker.sock", "-H", "tcp://127.0.0.1:2376", "--tlsverify"],
        ...["--tlscacert", certificate("authority")],
        ...["--tlscert", certificate("engine"), "--tlskey", certificate("engine-key")],
      ],
    });
    const { host } = lab;
    const folder = `${host.folder}/certificates`;
    mkdirSync(host.outside(folder));
    for (const [name, file] of [
      ["ca", "authority"],
      ["cert", "client"],
      ["key", "client-key"],
    ] as const) {
      copyFileSync(certificate(file), host.outside(`${folder}/${name}.pem`));
    }
    const way = { DOCKER_HOST: "tcp://127.0.0.1:2376", DOCKER_TLS_VERIFY: "1" };
    await host.launch(["--plugin=false", "--proxy=false"], {
      env: { ...way, DOCKER_CERT_PATH: folder },
    });
    expect(await connected(host, true)).toMatchObject({ Endpoint: way.DOCKER_HOST, TLS: true });
    await attached(host, "c1");
    await host.mustDocker(["rm", "-f", "c1"]);
    await addressesInUse(host, 0);
  });
});

describe("a router that is to have no engine", () => {
  test("asks none and says nothing of any, and finds no container by name", async () => {
    await using lab = await EngineLab.start("dnone", { engine: "20.10" });
    const { host } = lab;
    await host.launch(["--docker-api", ""]);
    expect(await host.mustWeave(["status"])).not.toContain("docker");
    await host.mustDocker(["run", "-d", "--name", "c1", "bb", "sleep", "600"]);
    const { code, stderr } = await host.weave(["attach", "c1"]);
    expect(code).not.toBe(0);
    expect(stderr).toContain("unable to inspect container c1");
  });
});
