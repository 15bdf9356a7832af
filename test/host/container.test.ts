import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { WeaveError } from "../../lib/base/errors.ts";
import {
  type EngineLookup,
  isContainerAlive,
  openContainer,
  resolveContainer,
} from "../../lib/host/container.ts";
import type { NetworkNamespace } from "../../lib/host/netns.ts";
import { Laboratory } from "./laboratory.ts";

const engine: EngineLookup = async (reference) => {
  if (reference === "web") return { id: "f".repeat(64), pid: 17, hostname: "web", domainname: "d" };
  if (reference === "dead") return { id: "0".repeat(64), pid: 0, hostname: "", domainname: "" };
  return undefined;
};

async function refusal(reference: string, lookup?: EngineLookup): Promise<WeaveError> {
  return await resolveContainer(reference, lookup).then(
    () => expect.unreachable(),
    (error) => error,
  );
}

describe("a reference to a container", () => {
  const laboratory = new Laboratory("ref");
  let namespace: NetworkNamespace;
  let named: string;
  let inside: Bun.Subprocess;

  beforeAll(() => {
    namespace = laboratory.namespace("c1");
    named = laboratory.name("c1");
    inside = namespace.run(() => Bun.spawn(["sleep", "100"]));
  });
  afterAll(async () => {
    inside.kill();
    await inside.exited;
    laboratory.close();
  });

  test("means the same by name, by any path to it, and by a process in it", async () => {
    const expected = { ident: `netns:${named}`, namespacePath: `/run/netns/${named}` };
    for (const reference of [
      `netns:${named}`,
      `netns:/run/netns/${named}`,
      `netns:/var/run/netns/${named}`,
      `netns:/proc/${inside.pid}/ns/net`,
      `pid:${inside.pid}`,
    ]) {
      expect(await resolveContainer(reference)).toEqual(expected);
    }
  });

  test("to a process outside every named namespace stays a process", async () => {
    const reference = `pid:${process.pid}`;
    expect(await resolveContainer(reference)).toEqual({
      ident: reference,
      namespacePath: `/proc/${process.pid}/ns/net`,
    });
  });

  test("that no prefix claims goes to the container engine", async () => {
    expect(await resolveContainer("web", engine)).toEqual({
      ident: "f".repeat(64),
      namespacePath: "/proc/17/ns/net",
      hostname: "web",
      domain: "d",
    });
    expect(await refusal("dead", engine)).toMatchObject({ code: "CONTAINER_NOT_RUNNING" });
    expect(await refusal("nosuch", engine)).toMatchObject({
      code: "CONTAINER_UNKNOWN",
      message: "unable to inspect container nosuch",
    });
    expect((await refusal("web")).remedy).toContain("no container engine answers");
  });

  test("that leads nowhere says so and what to do", async () => {
    for (const [reference, code] of [
      ["netns:nosuch", "CONTAINER_UNKNOWN"],
      ["netns:/etc/passwd", "CONTAINER_UNKNOWN"],
      ["netns:", "CONTAINER_REFERENCE"],
      ["netns:..", "CONTAINER_REFERENCE"],
      ["netns:a/b", "CONTAINER_REFERENCE"],
      ["pid:0", "CONTAINER_REFERENCE"],
      ["pid:-1", "CONTAINER_REFERENCE"],
      ["pid:1 ", "CONTAINER_REFERENCE"],
      ["pid:4999999", "CONTAINER_NOT_RUNNING"],
    ] as const) {
      const error = await refusal(reference);
      expect(error).toMatchObject({ code });
      expect(error.remedy).toBeString();
    }
  });

  test("to the host's own namespace is refused when it is opened", async () => {
    const self = await resolveContainer(`pid:${process.pid}`);
    expect(() => openContainer(self)).toThrow(
      "Container is running in the host network namespace, and therefore cannot be\n" +
        "connected to weave - perhaps the container was started with --net=host",
    );
    using opened = openContainer(await resolveContainer(`netns:${named}`));
    expect(opened.inode).toBe(namespace.inode);
    expect(() => openContainer({ ident: "x", namespacePath: "/proc/4999999/ns/net" })).toThrow(
      "container x not running",
    );
  });

  test("tells whether the container is still there", () => {
    expect(isContainerAlive(`netns:${named}`)).toBe(true);
    expect(isContainerAlive("netns:nosuch")).toBe(false);
    expect(isContainerAlive("netns:/nosuch")).toBe(false);
    expect(isContainerAlive(`pid:${process.pid}`)).toBe(true);
    expect(isContainerAlive("pid:4999999")).toBe(false);
    expect(isContainerAlive("f".repeat(64))).toBeUndefined();
  });
});
