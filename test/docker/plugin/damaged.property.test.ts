import { expect, test } from "bun:test";
import fc from "fast-check";
import v28 from "../../vectors/docker/plugin-28.json" with { type: "json" };
import swarm from "../../vectors/docker/plugin-swarm-28.json" with { type: "json" };
import { ask, FakeDocker } from "./fake-docker.ts";

const recorded: ReadonlyArray<{ readonly method: string; readonly request: object }> = [
  ...v28,
  ...swarm,
];

/** A request in which some fields have any value, or none. */
const damaged = fc
  .tuple(
    fc.constantFrom(...recorded),
    fc.dictionary(
      fc.constantFrom(
        ...["NetworkID", "EndpointID", "Interface", "Options", "IPv4Data", "IPv6Data"],
        ...["PoolID", "Pool", "SubPool", "Address", "V6"],
      ),
      fc.oneof(fc.jsonValue(), fc.constantFrom("", "../x", "10.32.0.1", "a".repeat(200), -1)),
      { maxKeys: 3 },
    ),
  )
  .map(([{ method, request }, fields]) => ({ method, request: { ...request, ...fields } }));

test("whatever is asked is answered or refused with a reason, and no name gets out of hand", async () => {
  const docker = new FakeDocker();
  const methods = docker.restart();
  await fc.assert(
    fc.asyncProperty(damaged, async ({ method, request }) => {
      const answer = await ask(methods, method, request).catch((error) => error);
      if (answer instanceof Error) expect(answer.message).not.toBe("");
      else expect(typeof JSON.stringify(answer)).toBe("string");
      for (const id of docker.ports.keys()) expect(id).toMatch(/^[0-9A-Za-z]{1,128}$/);
    }),
    { seed: 1, numRuns: 2000 },
  );
});
