import { splitHostPort } from "../base/endpoint.ts";
import type { Environment } from "./parse.ts";

/** What the docker of whoever types a command is told by its environment (docker.md §2, §11). */

const proxyPort = 12375;

/** Where it looks for the engine; empty for its default, a unix socket. */
export function dockerClientHost(environment: Environment): string {
  const { DOCKER_CLIENT_ARGS = "", DOCKER_CLIENT_HOST, DOCKER_HOST } = environment;
  const given = /(?:^|\s)(?:-H|--host)[=\s]*(\S+)/.exec(DOCKER_CLIENT_ARGS)?.[1];
  return given ?? (DOCKER_CLIENT_HOST || DOCKER_HOST || "");
}

/** Where the proxy listens unless it is said: reachable for such a docker; empty for the default. */
export function defaultProxyListeners(environment: Environment): readonly string[] {
  const host = dockerClientHost(environment);
  const isUnix = host === "" || host.startsWith("/") || host.startsWith("unix:");
  return isUnix ? [] : [`tcp://0.0.0.0:${proxyPort}`];
}

/** Folder of its certificates. */
export function dockerCertificates({ DOCKER_CERT_PATH, HOME }: Environment): string {
  return DOCKER_CERT_PATH || `${HOME || "/root"}/.docker`;
}

/** An address of the proxy as docker is to be told of it: one that listens everywhere has a host. */
export function proxyForClient(address: string, environment: Environment): string {
  return address.replace(/^(tcp:\/\/)(?:0\.0\.0\.0|\[::\])(?=:)/, `$1${proxyHost(environment)}`);
}

/** The host of an engine that is asked over TCP: the router runs beside it. */
function proxyHost(environment: Environment): string {
  if (environment.PROXY_HOST) return environment.PROXY_HOST;
  const host = dockerClientHost(environment);
  if (host === "" || host.startsWith("/") || host.startsWith("unix:")) return "127.0.0.1";
  const name = splitHostPort(host.replace(/^\w+:\/\//, "").replace(/\/.*$/, ""))?.host;
  if (name === undefined) return "127.0.0.1";
  return name.includes(":") ? `[${name}]` : name;
}
