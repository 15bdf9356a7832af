import { describe, expect, test } from "bun:test";
import {
  defaultProxyListeners,
  dockerCertificates,
  dockerClientHost,
  proxyForClient,
} from "../../lib/cli/docker-client.ts";

describe("docker's own settings", () => {
  test.each([
    [{}, ""],
    [{ DOCKER_HOST: "tcp://a:1" }, "tcp://a:1"],
    [{ DOCKER_HOST: "tcp://a:1", DOCKER_CLIENT_HOST: "tcp://b:1" }, "tcp://b:1"],
    [{ DOCKER_HOST: "tcp://a:1", DOCKER_CLIENT_ARGS: "--tls -H tcp://c:1" }, "tcp://c:1"],
    [{ DOCKER_CLIENT_ARGS: "--host=unix:///x" }, "unix:///x"],
    [{ DOCKER_CLIENT_ARGS: "-Htcp://d:1" }, "tcp://d:1"],
  ])("%p lead docker to %p", (environment, host) => {
    expect(dockerClientHost(environment)).toBe(host);
  });

  test.each([
    [{}, []],
    [{ DOCKER_HOST: "unix:///var/run/docker.sock" }, []],
    [{ DOCKER_HOST: "tcp://h:2375" }, ["tcp://0.0.0.0:12375"]],
    [{ DOCKER_HOST: "h:2375" }, ["tcp://0.0.0.0:12375"]],
  ])("with %p the proxy listens where such a docker can reach it", (environment, addresses) => {
    expect(defaultProxyListeners(environment)).toEqual(addresses);
  });

  test.each([
    ["tcp://0.0.0.0:12375", {}, "tcp://127.0.0.1:12375"],
    ["tcp://0.0.0.0:12375", { DOCKER_HOST: "tcp://h1:2375" }, "tcp://h1:12375"],
    ["tcp://0.0.0.0:12375", { DOCKER_HOST: "h1:2375" }, "tcp://h1:12375"],
    ["tcp://0.0.0.0:12375", { DOCKER_HOST: "tcp://[fd00::1]:1" }, "tcp://[fd00::1]:12375"],
    ["tcp://[::]:12375", { PROXY_HOST: "h2", DOCKER_HOST: "tcp://h1:1" }, "tcp://h2:12375"],
    ["tcp://10.0.0.1:12375", { PROXY_HOST: "h2" }, "tcp://10.0.0.1:12375"],
    ["unix:///var/run/weave/weave.sock", {}, "unix:///var/run/weave/weave.sock"],
  ])("%p with %p is printed as %p", (address, environment, printed) => {
    expect(proxyForClient(address, environment)).toBe(printed);
  });

  test("name the folder of certificates", () => {
    expect(dockerCertificates({ HOME: "/home/a" })).toBe("/home/a/.docker");
    expect(dockerCertificates({ HOME: "/home/a", DOCKER_CERT_PATH: "/c" })).toBe("/c");
  });
});
