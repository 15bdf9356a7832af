import { describe, expect, test } from "bun:test";
import { parseEngineAddress } from "../../lib/docker/engine-address.ts";

const tls = { certFile: "/c/cert.pem", keyFile: "/c/key.pem", verify: true };
const tcp = (authority: string) => ({ kind: "tcp", authority, tls: undefined });

describe("an endpoint of an engine", () => {
  test("is a socket, or a host and port", () => {
    const examples: readonly [string, unknown][] = [
      ["unix:///var/run/docker.sock", { kind: "unix", path: "/var/run/docker.sock" }],
      ["/run/podman.sock", { kind: "unix", path: "/run/podman.sock" }],
      ["tcp://10.0.0.1:2375", tcp("10.0.0.1:2375")],
      ["10.0.0.1:2375", tcp("10.0.0.1:2375")],
      ["tcp://engine.example", tcp("engine.example:2375")],
      ["tcp://[fe80::1]:2375", tcp("[fe80::1]:2375")],
      [":2375", tcp("127.0.0.1:2375")],
      ["http://h:1", tcp("h:1")],
    ];
    for (const [endpoint, address] of examples) {
      expect(parseEngineAddress(endpoint) as unknown).toEqual(address);
    }
  });

  test("has Docker's port for TLS where that is spoken", () => {
    expect(parseEngineAddress("tcp://h", tls)).toEqual({ kind: "tcp", authority: "h:2376", tls });
    expect(parseEngineAddress("https://h:8443")).toEqual({
      ...{ kind: "tcp", authority: "h:8443", tls: { verify: true } },
    });
  });

  test("over ssh is refused with the way that there is", () => {
    expect(() => parseEngineAddress("ssh://root@h")).toThrow("over ssh is one of another host");
  });

  test("is nothing else", () => {
    for (const endpoint of [
      ...["", "docker", "unix://", "unix://relative", "ftp://h:1", "tcp://", "tcp://h:99999"],
      ...["tcp://h:1/v1.41", "tcp://user@h:1", "npipe:////./pipe/docker_engine", "h:1\n", "a b:1"],
    ]) {
      expect(() => parseEngineAddress(endpoint)).toThrow("as Docker endpoint");
    }
  });
});
