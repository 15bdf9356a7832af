import { expect, test } from "bun:test";
import { closeSync, openSync } from "node:fs";
import { hostname } from "node:os";
import { parsePeerName } from "../../lib/base/peer-name.ts";
import { launchOptions } from "../../lib/daemon/launch-validation.ts";
import { fromPlainJson, toPlainJson } from "../../lib/daemon/plain-json.ts";
import { decodeSummons, inheritedSockets, Successor } from "../../lib/daemon/succession.ts";

const words = { peers: [], enabled: () => false, text: () => undefined };
const options = launchOptions(words, { hostname: hostname() });
const name = parsePeerName("00:00:00:00:00:01");

/** Starts a shell as the successor. */
async function start(script: string, shell = "/bin/sh"): Promise<Successor> {
  const nothing = openSync("/dev/null", "r");
  const sockets = { udpDescriptors: [nothing, nothing], packetDescriptor: nothing };
  const standing = { captureInterface: 7, datapathMtu: undefined, sockets };
  try {
    return await Successor.start({
      command: [shell, "-c", script, "sh"],
      environment: process.env,
      options,
      logFile: undefined,
      keeper: undefined,
      router: { name, standing },
    });
  } finally {
    closeSync(nothing);
  }
}

const estate = { bequest: { commands: [], routes: undefined, residents: [] }, neighbours: [] };

test("a successor is told what it needs, and gets the estate when it is warm", async () => {
  const successor = await start(`
    case $2 in successor) ;; *) exit 1 ;; esac
    grep -q '"captureInterface":7.*"twoFamilies":true' || exit 1
    [ -e /proc/self/fd/8 ] || exit 1
    echo warm >&3
    read -r left <&4 || [ -n "$left" ] || exit 1
    echo "ready run" >&3
  `);
  await successor.inherit(estate);
  await successor.end();
});

test("a successor that dies or refuses is found out before anything is left to it", async () => {
  await expect(start("exit 1")).rejects.toThrow("has died");
  const refusal = JSON.stringify({ code: "X", message: "not from that version" });
  await expect(start(`echo 'failed ${refusal}' >&3`)).rejects.toThrow("not from that version");
});

test("a successor whose program is gone is found out, and ends nobody else", async () => {
  const error = await start("exit 1", "/nowhere/weave").catch((thrown) => thrown);
  expect(error).toMatchObject({
    code: "SUCCESSOR_DIED",
    message: expect.stringMatching(/cannot be started: .*ENOENT.*\/nowhere\/weave/),
  });
});

test("a successor that fails with the estate says why", async () => {
  const refusal = JSON.stringify({ code: "X", message: "the port is taken" });
  const successor = await start(`echo warm >&3; cat <&4 >/dev/null; echo 'failed ${refusal}' >&3`);
  await expect(successor.inherit(estate)).rejects.toThrow("the port is taken");
  await successor.end();
});

test("a successor of another format refuses", () => {
  const summons = { format: 1, options, name: "00:00:00:00:00:01", captureInterface: 7 };
  expect(decodeSummons(JSON.stringify(summons))).toMatchObject({ name, captureInterface: 7 });
  const later = JSON.stringify({ ...summons, format: 2 });
  expect(() => decodeSummons(later)).toThrow("cannot take over from the one that runs");
});

test("a successor gets a socket of each family that the former process has", () => {
  const summons = { format: 1, options, name: "00:00:00:00:00:01", captureInterface: 7 };
  const socketsOf = (more: object) =>
    inheritedSockets(decodeSummons(JSON.stringify({ ...summons, ...more }))).udpDescriptors;
  expect(socketsOf({})).toEqual([5]);
  expect(socketsOf({ twoFamilies: true })).toEqual([5, 8]);
});

test("what is left survives the way: large numbers and octets too", () => {
  const data = { uid: 2n ** 63n, key: Uint8Array.of(0, 255), list: [{ a: 1 }], text: "ä" };
  expect(fromPlainJson(toPlainJson(data))).toEqual(data);
});
