import { expect, test } from "bun:test";
import { noEvents } from "../../lib/base/network-event.ts";
import { silentLog } from "../../lib/base/world.ts";
import { AddressBook } from "../../lib/daemon/address-book.ts";
import { Containers } from "../../lib/daemon/containers.ts";
import type { EngineLookup } from "../../lib/host/container.ts";

function containers(engine: EngineLookup | undefined, log = silentLog): Containers {
  const book = new AddressBook(undefined, undefined);
  return new Containers({
    bridgeName: "weave",
    book,
    names: undefined,
    admission: { admit: async () => ({ made() {}, undo() {} }) },
    attachments: { attached() {}, detached() {}, wasDetached: () => false },
    engine,
    ofRuntimes: () => undefined,
    log,
    changed() {},
    emit: noEvents,
  });
}

const engine: EngineLookup = async (reference) =>
  reference === "unknown"
    ? undefined
    : { id: reference, pid: reference === "stopped" ? 0 : 7, hostname: "h", domainname: "" };

test("a container runs when its namespace, its process or its engine says so", async () => {
  const asked = containers(engine);
  expect(await asked.isAlive("running")).toBe(true);
  expect(await asked.isAlive("stopped")).toBe(false);
  expect(await asked.isAlive("unknown")).toBe(false);
  expect(await asked.isAlive(`pid:${process.pid}`)).toBe(true);
  expect(await asked.isAlive("pid:4194305")).toBe(false);
  expect(await asked.isAlive("netns:no-such-namespace")).toBe(false);
  expect(await asked.isAlive("netns:/no/such/namespace")).toBe(false);
});

test("a container nobody can tell about is taken to run, and the doubt is logged", async () => {
  expect(await containers(undefined).isAlive("whoever")).toBe(true);
  const lines: string[] = [];
  const log = { ...silentLog, warn: (line: string) => void lines.push(line) };
  const silent: EngineLookup = () => Promise.reject(new Error("no engine answers"));
  expect(await containers(silent, log).isAlive("whoever")).toBe(true);
  expect(lines).toEqual(["cannot tell whether container whoever runs: no engine answers"]);
});
