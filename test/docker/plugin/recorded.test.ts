import { describe, expect, test } from "bun:test";
import { errorCode } from "../../../lib/base/errors.ts";
import v20 from "../../vectors/docker/plugin-20.10.json" with { type: "json" };
import v28 from "../../vectors/docker/plugin-28.json" with { type: "json" };
import swarm from "../../vectors/docker/plugin-swarm-28.json" with { type: "json" };
import { ask, FakeDocker } from "./fake-docker.ts";

interface Recorded {
  readonly method: string;
  readonly request: object;
}

const recordings: ReadonlyArray<readonly [string, readonly Recorded[]]> = [
  ["20.10", v20],
  ["28", v28],
  ["28 with a swarm", swarm],
];

const asksForIpv6 = (request: object): boolean => "V6" in request && request.V6 === true;

describe("what a real engine asked", () => {
  for (const [engine, requests] of recordings) {
    test(`of release ${engine} is answered, and nothing is left when it has ended`, async () => {
      const docker = new FakeDocker();
      const methods = docker.restart();
      for (const { method, request } of requests) {
        const answer = ask(methods, method, request);
        if (!asksForIpv6(request)) await answer;
        else expect(errorCode(await answer.catch((error) => error))).toBe("PLUGIN_IPV6");
      }
      expect([...docker.ports.keys()]).toEqual([]);
      expect(docker.networks.endpoints()).toEqual([]);
    });

    test(`of release ${engine} is answered by a router that is started anew every time`, async () => {
      const docker = new FakeDocker();
      for (const { method, request } of requests) {
        if (!asksForIpv6(request)) await ask(docker.restart(), method, request);
      }
      expect(docker.networks.endpoints()).toEqual([]);
    });
  }
});
