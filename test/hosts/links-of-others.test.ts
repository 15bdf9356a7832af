import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Picture } from "../../lib/api/picture-models.ts";
import { type Container, type Host, Lab } from "./lab.ts";
import { eventually, must } from "./shell.ts";

describe("the first of three hosts in a line", () => {
  let lab: Lab;
  let hosts: [Host, Host, Host];
  const containers: Container[] = [];

  beforeAll(async () => {
    lab = await Lab.inLine("bl", 3);
    hosts = lab.hosts as [Host, Host, Host];
    for (const host of hosts) host.fastdp = true;
    await hosts[0].launch(["--no-discovery"]);
    await hosts[1].launch(["--no-discovery", "192.168.1.1"]);
    await hosts[2].launch(["--no-discovery", "192.168.2.1"]);
    for (const host of hosts) await host.reaches(2);
    for (const host of hosts) {
      const container = await host.container(`c${host.number}`);
      await host.mustWeave(["attach", container.reference]);
      containers.push(container);
    }
  });

  afterAll(() => lab?.[Symbol.asyncDispose]());

  const picture = async (): Promise<Picture> => {
    const { stdout } = await hosts[0].exec(["curl", "-gsS", "http://127.0.0.1:6784/picture"]);
    return JSON.parse(stdout) as Picture;
  };
  const farLink = ({ links, self }: Picture) =>
    links.find(({ from, to }) => from !== self && to !== self)!;

  test("draws the link of the two others with what carries its frames", async () => {
    const drawn = await eventually(
      "the overlay of the far link",
      () => hosts[0].mustWeave(["map"]),
      (text) => (text.match(/fastdp [\d.]+ ms/g) ?? []).length === 2,
    );
    expect(drawn).toContain("3 hosts, 2 links");
    const names = [hosts[1].peerName, hosts[2].peerName];
    const far = await eventually(
      "the round trip of the far link",
      async () => {
        const { links } = JSON.parse(await hosts[0].mustWeave(["map", "--json"])) as {
          links: { from: string; to: string; overlay?: string; roundTripMs?: number }[];
        };
        return links.find(({ from, to }) => names.includes(from) && names.includes(to))!;
      },
      ({ roundTripMs }) => (roundTripMs ?? 0) > 0,
    );
    expect(far).toMatchObject({ state: "established", overlay: "fastdp", encrypted: false });
    await eventually(
      "the same as a graph",
      () => hosts[0].mustWeave(["map", "--dot"]),
      (text) => (text.match(/label="fastdp [\d.]+ ms"/g) ?? []).length === 2,
    );
  });

  test("counts what containers of the others send each other, at both ends", async () => {
    const address = /inet ([\d.]+)/.exec(
      await must(containers[2]!.command(["ip", "-4", "-o", "addr", "show", "dev", "ethwe"])),
    )![1]!;
    await containers[1]!.pings(address);
    await containers[1]!.exec(["ping", "-c", "60", "-i", "0.01", "-s", "1000", address]);
    const shown = await eventually("what 50 pings have carried", picture, (seen) => {
      const { from, to } = farLink(seen).ends;
      const told = seen.peers.filter((peer) => peer.told !== null);
      return (
        told.length === 2 && [from, to].every((end) => (end?.traffic?.sentBytes ?? 0) > 50_000)
      );
    });
    const { from, to } = farLink(shown).ends;
    expect(from).toMatchObject({ established: true, overlay: "fastdp" });
    expect(to!.mtu).toBe(from!.mtu);
  });

  test("shows a link of the others that is lost and comes back by sleeve", async () => {
    const [, , three] = hosts;
    await three.mustWeave(["stop"]);
    await eventually("two hosts", picture, ({ peers }) => peers.length === 2);
    three.fastdp = false;
    await three.launch(["--no-discovery", "192.168.2.1"]);
    const shown = await eventually(
      "the far link by sleeve",
      picture,
      (seen) => {
        const { from, to } = farLink(seen)?.ends ?? {};
        return (
          from !== undefined && to !== undefined && [from.overlay, to.overlay].includes("sleeve")
        );
      },
      30_000,
    );
    expect(shown.peers).toHaveLength(3);
  });

  test("knows of a host that speaks as the original does no more than that it is linked", async () => {
    const [one, two, three] = hosts;
    await three.mustWeave(["stop"]);
    await eventually("two hosts", picture, ({ peers }) => peers.length === 2);
    await three.launch(["--no-discovery", "--no-extensions", "192.168.2.1"]);
    await one.reaches(2);
    const shown = await eventually(
      "what the one between says of the far link",
      picture,
      (seen) =>
        Object.keys(farLink(seen)?.ends ?? {}).length === 1 &&
        seen.peers.some(({ name, told }) => name === two.peerName && told !== null),
    );
    expect(shown.peers.find(({ name }) => name === three.peerName)!.told).toBeNull();
  });
});
