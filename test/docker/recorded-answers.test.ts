import { describe, expect, test } from "bun:test";
import {
  readContainer,
  readContainerList,
  readImage,
  readInfo,
  readNetwork,
} from "../../lib/docker/engine-answers.ts";
import { chooseApiVersion, readVersions } from "../../lib/docker/engine-version.ts";
import { EventLines } from "../../lib/docker/event-lines.ts";
import v24 from "../vectors/docker/answers-1.24.json";
import v41 from "../vectors/docker/answers-1.41.json";
import v44 from "../vectors/docker/answers-1.44.json";
import v51 from "../vectors/docker/answers-1.51.json";

/**
 * What engines of two releases answered in four versions of their API about the same things: `web`
 * runs in a network, `rests` was made and never started.
 */
const recorded = [v24, v41, v44, v51];

for (const answers of recorded) {
  const { Id: id } = answers.container;

  describe(`Docker ${answers.release}, asked in version ${answers.version}`, () => {
    test("tells of a container that runs", () => {
      const web = readContainer(answers.container);
      expect(web).toMatchObject({
        ...{ name: "web", running: true, restarting: false, hostname: "web.weave.local" },
        ...{ domainname: "", labels: { tier: "front" }, networkMode: "front" },
        ...{ entrypoint: ["/bin/sleep"], cmd: ["600"], extraHosts: ["db:10.0.0.1"] },
        ...{ mounts: [{ source: "/tmp", target: "/shared" }], usesHostNetwork: false },
        hostsPath: `/var/lib/docker/containers/${id}/hosts`,
      });
      expect(web.pid).toBeGreaterThan(0);
      expect(web.env).toContain("WEAVE_CIDR=net:default");
      const [network] = web.networks;
      expect(web.networks).toHaveLength(1);
      expect(network).toMatchObject({ name: "front", ip: "10.99.0.2", prefix: 24 });
      expect(network?.networkId).toBe(answers.network.Id);
      expect(network?.mac).toMatch(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/);
      // Its short id is among them in all versions, wherever the engine has put it.
      expect(network?.aliases).toContain("shop");
      expect(network?.aliases).toContain(id.slice(0, 12));
    });

    test("tells of one that was never started", () => {
      expect(readContainer(answers.created)).toMatchObject({
        ...{ name: "rests", pid: 0, running: false, mounts: [], extraHosts: [], labels: {} },
        ...{ entrypoint: ["/bin/echo", "entry"], cmd: ["of", "words"] },
      });
    });

    test("lists both", () => {
      expect(readContainerList(answers.list)).toEqual([
        { id: answers.created.Id, names: ["rests"], running: false, labels: {} },
        { id, names: ["web"], running: true, labels: { tier: "front" } },
      ]);
    });

    test("tells what images start", () => {
      expect(readImage(answers.image)).toMatchObject({
        ...{ entrypoint: ["/bin/echo", "entry"], cmd: ["of", "words"] },
      });
      expect(readImage(answers.bareImage)).toMatchObject({ entrypoint: [], cmd: ["/bin/sh"] });
    });

    test("tells of the network and who is in it", () => {
      expect(readNetwork(answers.network)).toEqual({
        ...{ id: answers.network.Id, name: "front", driver: "bridge", scope: "local" },
        options: { "some.option": "true" },
        subnets: ["10.99.0.0/24"],
        containers: [{ id, name: "web" }],
      });
    });

    test("tells of itself", () => {
      const { name, version, swarm } = readInfo(answers.info);
      expect({ name, swarm }).toEqual({
        name: "host1",
        swarm: { state: "inactive", nodeId: "", nodeAddress: "", managers: [] },
      });
      expect(version).toStartWith(answers.release);
      const versions = readVersions(JSON.stringify(answers.versions));
      expect(chooseApiVersion(versions, answers.version)).toBe(answers.version);
    });

    test("tells of its start, its end and its removal, among other things", () => {
      const stream = new TextEncoder().encode(`${answers.events.join("\n")}\n`);
      expect(new EventLines().push(stream).filter((event) => event.id === id)).toEqual([
        ...[
          { action: "start" as const, id },
          { action: "die" as const, id },
        ],
        { action: "destroy", id },
      ]);
    });
  });
}
