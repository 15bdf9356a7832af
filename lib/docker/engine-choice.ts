import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import * as v from "valibot";
import { WeaveError } from "../base/errors.ts";
import { pathsFrom } from "../daemon/paths.ts";
import type { TlsFiles } from "../host/tls-files.ts";
import { defaultEndpoint } from "./engine-address.ts";
import type { EngineAccess } from "./engine-client.ts";
import { apiVersionWanted } from "./engine-version.ts";

/** Which engine is meant, and how it is spoken to. */
export interface EngineChoice {
  /** As in `DOCKER_HOST`; empty for none. */
  readonly endpoint: string;
  readonly access: EngineAccess;
}

/**
 * The engine that Docker's own client would speak to, in its order:
 *
 *   what is given, or DOCKER_HOST ▸ DOCKER_CONTEXT ▸ the current context ▸ this host's socket
 *
 * but that the proxy is never taken for one: `weave env` has told the client of it.
 *
 * @param given an option's value, or `DOCKER_HOST` in its place; `undefined` for neither
 * @throws WeaveError `ENGINE_CONTEXT`, `ENGINE_VERSION`
 */
export function chooseEngine(
  given: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): EngineChoice {
  const apiVersion = apiVersionWanted(environment.DOCKER_API_VERSION);
  const folder = clientFolder(environment);
  if (given === undefined) {
    const context = environment.DOCKER_CONTEXT || currentContext(folder);
    if (context !== "" && context !== "default") {
      const { endpoint, tls } = readContext(folder, context);
      return { endpoint, access: { apiVersion, tls } };
    }
  }
  const named = given ?? defaultEndpoint;
  const endpoint = isProxy(named, environment)
    ? environment.ORIG_DOCKER_HOST || defaultEndpoint
    : named;
  return { endpoint, access: { apiVersion, tls: tlsOfEnvironment(environment, folder) } };
}

/**
 * The variables by which a process with another environment finds the engine that one with this does,
 * once it is given what `DOCKER_HOST` says. They name files and hold no secrets.
 */
export function engineVariables(
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const folder = clientFolder(environment);
  const isElsewhere = folder !== clientFolder({}) && existsSync(folder);
  const certificates = environment.DOCKER_CERT_PATH;
  const variables = {
    ORIG_DOCKER_HOST: environment.ORIG_DOCKER_HOST,
    DOCKER_API_VERSION: environment.DOCKER_API_VERSION,
    DOCKER_CONTEXT: environment.DOCKER_CONTEXT,
    DOCKER_CONFIG: isElsewhere ? resolve(folder) : undefined,
    DOCKER_TLS: environment.DOCKER_TLS,
    DOCKER_TLS_VERIFY: environment.DOCKER_TLS_VERIFY,
    DOCKER_CERT_PATH: certificates ? resolve(certificates) : undefined,
  };
  return Object.fromEntries(
    Object.entries(variables).flatMap(([name, value]) => (value ? [[name, value]] : [])),
  );
}

/** Where Docker's client keeps its settings. */
function clientFolder(environment: Readonly<Record<string, string | undefined>>): string {
  return environment.DOCKER_CONFIG || join(environment.HOME || "/root", ".docker");
}

/** Whether our own proxy listens there for Docker's clients. */
function isProxy(
  endpoint: string,
  environment: Readonly<Record<string, string | undefined>>,
): boolean {
  const canonical = (path: string): string => path.replace(/^\/var\/run\//, "/run/");
  const path = endpoint.replace(/^unix:\/\//, "");
  return canonical(path) === canonical(pathsFrom(environment).proxySocket);
}

/** `DOCKER_TLS_VERIFY` of any value asks for it, `DOCKER_TLS` for the same without looking closely. */
function tlsOfEnvironment(
  { DOCKER_CERT_PATH, DOCKER_TLS, DOCKER_TLS_VERIFY }: Readonly<Record<string, string | undefined>>,
  folder: string,
): TlsFiles | undefined {
  if (!DOCKER_TLS && !DOCKER_TLS_VERIFY) return undefined;
  return tlsFilesIn(DOCKER_CERT_PATH || folder, Boolean(DOCKER_TLS_VERIFY));
}

/** Under the names that Docker gives them. */
function tlsFilesIn(folder: string, verify: boolean): TlsFiles {
  const present = (name: string): string | undefined => {
    const path = join(folder, name);
    return existsSync(path) ? path : undefined;
  };
  return {
    caFile: present("ca.pem"),
    certFile: present("cert.pem"),
    keyFile: present("key.pem"),
    verify,
  };
}

const configSchema = v.object({ currentContext: v.optional(v.string(), "") });

/** Empty for none, also where the client's settings cannot be read: those are its own affair. */
function currentContext(folder: string): string {
  const config = v.safeParse(configSchema, readJson(join(folder, "config.json")));
  return config.success ? config.output.currentContext : "";
}

const contextSchema = v.object({
  Endpoints: v.object({
    docker: v.object({
      Host: v.optional(v.string(), defaultEndpoint),
      SkipTLSVerify: v.optional(v.boolean(), false),
    }),
  }),
});

/** A context is kept under the SHA-256 of its name. */
function readContext(
  folder: string,
  name: string,
): { endpoint: string; tls: TlsFiles | undefined } {
  const key = createHash("sha256").update(name).digest("hex");
  const path = join(folder, "contexts/meta", key, "meta.json");
  const read = v.safeParse(contextSchema, readJson(path));
  if (!read.success) {
    throw new WeaveError("ENGINE_CONTEXT", `there is no Docker context "${name}"`, {
      remedy:
        "'docker context ls' shows those that there are; --docker-api names an engine without one",
    });
  }
  const { Host, SkipTLSVerify } = read.output.Endpoints.docker;
  const tlsFolder = join(folder, "contexts/tls", key, "docker");
  return {
    endpoint: Host || defaultEndpoint,
    tls: existsSync(tlsFolder) ? tlsFilesIn(tlsFolder, !SkipTLSVerify) : undefined,
  };
}

/** `undefined` for what is not there or no JSON. */
function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}
