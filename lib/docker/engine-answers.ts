import * as v from "valibot";
import { WeaveError } from "../base/errors.ts";
import { parsedBy, textsByName } from "../base/schema.ts";
import type {
  EngineAttachment,
  EngineContainer,
  EngineImage,
  EngineInfo,
  EngineNetwork,
  ListedEngineContainer,
} from "./engine-models.ts";

/**
 * Reads what the engine's API answers, in all versions from 1.24 on. Where a field has moved, the
 * newest place is read:
 *
 *   mounts     Mounts[].Destination                  for Volumes, gone since 1.20
 *   addresses  NetworkSettings.Networks[*].IPAddress for NetworkSettings.IPAddress, gone since 1.52
 *   MACs       NetworkSettings.Networks[*]           for Config.MacAddress, gone since 1.52
 *   aliases    Aliases, without the short id since 1.45; DNSNames has all since 1.44
 *   image      Cmd and Entrypoint may be absent since 1.52: none
 *
 * Go leaves out what is empty or writes `null` for it; both are read as the empty value.
 */

const text = v.optional(v.nullable(v.string(), ""), "");
const whole = v.optional(v.nullable(v.number(), 0), 0);
const flag = v.optional(v.nullable(v.boolean(), false), false);
const texts = v.optional(v.nullable(v.array(v.string()), []), []);
const textMap = v.optional(v.nullable(textsByName, {}), {});

/** Images and some containers have one word in place of a list. */
const words = v.pipe(
  v.optional(v.nullable(v.union([v.string(), v.array(v.string())]), []), []),
  v.transform((given) => (typeof given === "string" ? [given] : given)),
);

const attachmentSchema = v.object({
  NetworkID: text,
  IPAddress: text,
  IPPrefixLen: whole,
  MacAddress: text,
  Aliases: texts,
  DNSNames: texts,
});

const containerSchema = v.object({
  Id: v.string(),
  Name: text,
  HostsPath: text,
  State: v.object({ Pid: whole, Running: flag, Restarting: flag }),
  Config: v.object({
    Hostname: text,
    Domainname: text,
    Labels: textMap,
    Env: texts,
    Entrypoint: words,
    Cmd: words,
  }),
  HostConfig: v.object({ NetworkMode: text, ExtraHosts: texts }),
  Mounts: v.optional(v.nullable(v.array(v.object({ Source: text, Destination: text })), []), []),
  NetworkSettings: v.optional(
    v.object({
      Networks: v.optional(v.nullable(v.record(v.string(), v.nullable(attachmentSchema)), {}), {}),
    }),
    {},
  ),
});

/** The answer to `GET /containers/<reference>/json`. @throws WeaveError `ENGINE_ANSWER` */
export function readContainer(raw: unknown): EngineContainer {
  const answer = parseAnswer(containerSchema, raw);
  const { Id, Name, State, Config, HostConfig, HostsPath, Mounts, NetworkSettings } = answer;
  return {
    id: Id,
    name: Name.replace(/^\//, ""),
    pid: State.Pid,
    running: State.Running,
    restarting: State.Restarting,
    hostname: Config.Hostname,
    domainname: Config.Domainname,
    labels: Config.Labels,
    env: Config.Env,
    entrypoint: Config.Entrypoint,
    cmd: Config.Cmd,
    networkMode: HostConfig.NetworkMode,
    usesHostNetwork: HostConfig.NetworkMode === "host",
    extraHosts: HostConfig.ExtraHosts,
    mounts: Mounts.map(({ Source, Destination }) => ({ source: Source, target: Destination })),
    networks: Object.entries(NetworkSettings.Networks).flatMap(([name, at]) =>
      at === null ? [] : [readAttachment(name, at)],
    ),
    hostsPath: HostsPath,
  };
}

function readAttachment(
  name: string,
  at: v.InferOutput<typeof attachmentSchema>,
): EngineAttachment {
  return {
    networkId: at.NetworkID,
    name,
    ip: at.IPAddress,
    prefix: at.IPPrefixLen,
    mac: at.MacAddress,
    aliases: [...new Set([...at.Aliases, ...at.DNSNames])],
  };
}

const listSchema = v.array(
  v.object({ Id: v.string(), Names: texts, State: text, Labels: textMap }),
);

/** The answer to `GET /containers/json`. @throws WeaveError `ENGINE_ANSWER` */
export function readContainerList(raw: unknown): ListedEngineContainer[] {
  return parseAnswer(listSchema, raw).map(({ Id, Names, State, Labels }) => ({
    id: Id,
    // Each begins with a slash; others name the container as seen by one that is linked to it.
    names: Names.filter((name) => name.lastIndexOf("/") === 0).map((name) => name.slice(1)),
    running: State === "running" || State === "paused",
    labels: Labels,
  }));
}

const imageSchema = v.object({
  Id: text,
  Config: v.optional(v.nullable(v.object({ Entrypoint: words, Cmd: words })), null),
});

/** The answer to `GET /images/<reference>/json`. @throws WeaveError `ENGINE_ANSWER` */
export function readImage(raw: unknown): EngineImage {
  const { Id, Config } = parseAnswer(imageSchema, raw);
  return { id: Id, entrypoint: Config?.Entrypoint ?? [], cmd: Config?.Cmd ?? [] };
}

const networkSchema = v.object({
  Id: v.string(),
  Name: text,
  Driver: text,
  Scope: text,
  Options: textMap,
  IPAM: v.optional(
    v.nullable(
      v.object({
        Config: v.optional(v.nullable(v.array(v.object({ Subnet: text })), []), []),
      }),
    ),
    null,
  ),
  Containers: v.optional(v.nullable(v.record(v.string(), v.object({ Name: text })), {}), {}),
});

/** The answer to `GET /networks/<reference>`. @throws WeaveError `ENGINE_ANSWER` */
export function readNetwork(raw: unknown): EngineNetwork {
  const { Id, Name, Driver, Scope, Options, IPAM, Containers } = parseAnswer(networkSchema, raw);
  return {
    id: Id,
    name: Name,
    driver: Driver,
    scope: Scope,
    options: Options,
    subnets: (IPAM?.Config ?? []).map(({ Subnet }) => Subnet).filter((subnet) => subnet !== ""),
    containers: Object.entries(Containers).map(([id, { Name: name }]) => ({ id, name })),
  };
}

const infoSchema = v.object({
  Name: text,
  ServerVersion: text,
  FirewallBackend: v.optional(v.nullable(v.object({ Driver: text })), null),
  Swarm: v.optional(
    v.nullable(
      v.object({
        NodeID: text,
        NodeAddr: text,
        LocalNodeState: text,
        RemoteManagers: v.optional(v.nullable(v.array(v.object({ Addr: text })), []), []),
      }),
    ),
    null,
  ),
});

/** The answer to `GET /info`. @throws WeaveError `ENGINE_ANSWER` */
export function readInfo(raw: unknown): EngineInfo {
  const { Name, ServerVersion, FirewallBackend, Swarm } = parseAnswer(infoSchema, raw);
  return {
    name: Name,
    version: ServerVersion,
    firewall: FirewallBackend?.Driver ?? "",
    swarm: {
      state: Swarm?.LocalNodeState ?? "",
      nodeId: Swarm?.NodeID ?? "",
      nodeAddress: Swarm?.NodeAddr ?? "",
      managers: (Swarm?.RemoteManagers ?? []).map(({ Addr }) => Addr),
    },
  };
}

/** @throws WeaveError `ENGINE_ANSWER` */
export function parseAnswer<Schema extends v.GenericSchema>(
  schema: Schema,
  raw: unknown,
): v.InferOutput<Schema> {
  const text = "the Docker engine answered something unexpected";
  return parsedBy(
    schema,
    raw,
    "the answer",
    (cause) => new WeaveError("ENGINE_ANSWER", text, { cause }),
  );
}
