import * as v from "valibot";
import { parsedBy } from "../base/schema.ts";
import { CniError, cniCode } from "./cni-error.ts";
import { type CniVersion, isCniVersion, isFrom, versionOfOld } from "./cni-version.ts";

/** More octets than any configuration has, with all attachments of a large host. */
export const configBytesMax = 8 << 20;
const routesMax = 256;
const attachmentsMax = 65_536;

/** Go's encoders write nothing as null. */
const nullable = <Schema extends v.GenericSchema>(schema: Schema) => v.nullish(schema);

const route = v.object({ dst: v.string(), gw: nullable(v.string()) });

const ipamModel = v.object({
  type: nullable(v.string()),
  subnet: nullable(v.string()),
  gateway: nullable(v.string()),
  routes: nullable(v.pipe(v.array(route), v.maxLength(routesMax))),
});

const attachments = v.nullish(
  v.pipe(
    v.array(v.object({ containerID: v.string(), ifname: v.string() })),
    v.maxLength(attachmentsMax),
  ),
);

/** What is read of a network's configuration; other members are other plugins' affair. */
const configModel = v.object({
  cniVersion: nullable(v.string()),
  name: nullable(v.string()),
  bridge: nullable(v.string()),
  mtu: nullable(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_535))),
  hairpinMode: nullable(v.boolean()),
  isGateway: nullable(v.boolean()),
  ipMasq: nullable(v.boolean()),
  dns: nullable(v.record(v.string(), v.unknown())),
  ipam: nullable(ipamModel),
  prevResult: nullable(v.record(v.string(), v.unknown())),
  "cni.dev/valid-attachments": attachments,
  /** As the first edition of 1.1.0 called them; libraries give both. */
  "cni.dev/attachments": attachments,
});

type Config = v.InferOutput<typeof configModel>;

/** A network's configuration as the plugins go by it: what says nothing is left out. */
export interface NetworkConfig {
  readonly version: CniVersion;
  readonly name: string;
  readonly bridge?: string;
  /** Octets. */
  readonly mtu?: number;
  readonly hairpin: boolean;
  readonly dns?: Readonly<Record<string, unknown>>;
  readonly ipam: IpamConfig;
  readonly previous?: Readonly<Record<string, unknown>>;
  /** For GC; absent where nobody has said who stays. */
  readonly valid?: readonly { readonly containerID: string; readonly ifname: string }[];
}

export interface IpamConfig {
  /** Empty for addresses of the router. */
  readonly type: string;
  readonly subnet?: string;
  readonly gateway?: string;
  /** Absent: a default route; empty: none. */
  readonly routes?: readonly { readonly dst: string; readonly gw?: string }[];
}

/** What the configuration of a network is while nothing of it can be read. */
export const emptyConfig: NetworkConfig = {
  ...{ version: versionOfOld, name: "", hairpin: true },
  ipam: { type: "" },
};

/** @throws CniError incompatible version, unsupported field, undecodable, invalid configuration */
export function parseConfig(text: string): NetworkConfig {
  const { cniVersion, ...config } = readConfig(text);
  const version = cniVersion || versionOfOld;
  if (!isCniVersion(version)) {
    throw new CniError(
      cniCode.incompatibleVersion,
      `version ${version} of CNI is not supported`,
      "see 'supportedVersions' in what VERSION answers",
    );
  }
  for (const field of ["isGateway", "ipMasq"] as const) {
    if (config[field] !== true) continue;
    throw new CniError(
      cniCode.unsupportedField,
      `${field} is not supported`,
      "leave it out: the bridge has its address and its rules from the router, see 'weave expose'",
    );
  }
  return configOf(version, config);
}

function readConfig(text: string): Config {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new CniError(cniCode.undecodable, "the configuration is no JSON", String(cause));
  }
  if (Array.isArray(value)) {
    throw new CniError(
      cniCode.invalidConfig,
      "the configuration is a list, not a plugin's part of it",
    );
  }
  const refuse = (text: string): Error => new CniError(cniCode.invalidConfig, text);
  return parsedBy(configModel, value, "the configuration", refuse);
}

function configOf(version: CniVersion, config: Omit<Config, "cniVersion">): NetworkConfig {
  const { name, bridge, mtu, hairpinMode, dns, ipam, prevResult } = config;
  const valid = attachmentsIn(config);
  // A version without results of earlier plugins has nothing to say by them.
  const previous = isFrom(version, "0.3.0") ? prevResult : undefined;
  return {
    ...{ version, name: name ?? "", hairpin: hairpinMode ?? true, ipam: ipamOf(ipam) },
    ...(bridge && { bridge }),
    ...(mtu && { mtu }),
    ...(dns && { dns }),
    ...(previous && { previous }),
    ...(valid && { valid }),
  };
}

/** No list is not an empty one, which encoders of Go may write as null. */
function attachmentsIn(config: Partial<Config>): NetworkConfig["valid"] {
  const names = ["cni.dev/valid-attachments", "cni.dev/attachments"] as const;
  const name = names.find((each) => each in config);
  return name && (config[name] ?? []);
}

function ipamOf(ipam: Config["ipam"]): IpamConfig {
  const { type, subnet, gateway, routes } = ipam ?? {};
  return {
    type: type ?? "",
    ...(subnet && { subnet }),
    ...(gateway && { gateway }),
    ...(routes && { routes: routes.map(({ dst, gw }) => ({ dst, ...(gw && { gw }) })) }),
  };
}
