import { describe, expect, test } from "bun:test";
import { formerVariables } from "../../lib/cli/table/former-variables.ts";
import { weave } from "./command-line.ts";

/** What tutorials and scripts of every age still show, and what becomes of it. */

describe("a flag of an earlier release", () => {
  const taken = [
    ["-password", "x".repeat(16)],
    ["-nickname", "n"],
    ["-port", "7000"],
    ["-name", "::1"],
    ["-nodiscovery"],
    ["--nodiscovery"],
    ["-iprange", "10.2.0.0/16"],
    ["--iprange", "10.2.0.0/16"],
    ["-ipsubnet", "10.32.2.0/24"],
    ["--ipsubnet", "10.32.2.0/24"],
    ["-initpeercount", "3"],
    ["--initpeercount", "3"],
    ["--init-peer-count", "3"],
    ["--connlimit", "5"],
    ["--pktdebug"],
    ["--httpaddr", ":6784"],
    ["--api", "unix:///var/run/docker.sock"],
    ["--no-default-ipam"],
  ];
  for (const words of taken) {
    test(`launch ${words[0]} starts a router, with a note of the new name`, async () => {
      const { code, stderr, launched } = await weave(["launch", ...words]);
      expect({ code, launched: launched.length }).toEqual({ code: 0, launched: 1 });
      expect(stderr).toMatch(/^note: -\S+ is an old spelling; write --[a-z-]+\n$/);
    });
  }

  const refused: [words: string[], says: string][] = [
    [["-version"], "'weave version'"],
    [["--iface", "eth0"], "--iface is gone"],
    [["--dns-effective-listen-address", "1.2.3.4"], "use --dns-listen-address"],
    [["--with-dns"], "DNS is on unless --no-dns"],
    [["--with-ipam"], "allocation is on unless"],
    [["-H", "docker.sock"], "unix sockets must be specified as an absolute path"],
    [["10.2.1.1/16", "10.0.0.2"], "give it to --ipalloc-range"],
  ];
  for (const [words, says] of refused) {
    test(`launch ${words[0]} is refused with what to do instead`, async () => {
      const { code, stderr, launched } = await weave(["launch", ...words]);
      expect(stderr).toContain(says);
      expect(code).toBeGreaterThan(0);
      expect(launched).toEqual([]);
    });
  }
});

describe("a variable of an earlier release", () => {
  for (const { names, isMissed } of formerVariables) {
    test(`${names.join(", ")}: launch ${isMissed ? "says that it has no effect" : "says nothing"}`, async () => {
      for (const name of names) {
        const { code, stderr } = await weave(["launch"], { environment: { [name]: "1" } });
        expect(code).toBe(0);
        expect(stderr.startsWith(`note: ${name} has no effect: `)).toBe(isMissed);
      }
    });
  }

  test("that still counts is read where its flag is missing", async () => {
    const environment = {
      WEAVE_PORT: "7000",
      WEAVE_MTU: "1300",
      WEAVE_NO_FASTDP: "1",
      WEAVE_NO_BRIDGED_FASTDP: "1",
      WEAVE_HTTP_ADDR: "127.0.0.1:6785",
      WEAVE_STATUS_ADDR: "127.0.0.1:6786",
      DOCKER_HOST: "tcp://127.0.0.1:2375",
      DOCKER_BRIDGE: "docker1",
      DOCKER_BRIDGE_IP: "172.18.0.1",
    };
    const { launched } = await weave(["launch"], { environment });
    expect(launched).toMatchObject([
      {
        port: 7000,
        mtu: 1300,
        fastdp: false,
        bridgedFastdp: false,
        httpAddress: "127.0.0.1:6785",
        statusAddress: "127.0.0.1:6786",
        dockerApi: "tcp://127.0.0.1:2375",
        dockerBridge: "docker1",
        dns: { listenAddress: "172.18.0.1:53" },
      },
    ]);
    const words = ["launch", "--dns-listen-address", "127.0.0.1:53", "--docker-bridge", "docker2"];
    const given = await weave(words, { environment });
    expect(given.launched).toMatchObject([
      { dockerBridge: "docker2", dns: { listenAddress: "127.0.0.1:53" } },
    ]);
  });
});
