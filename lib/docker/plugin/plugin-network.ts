import { parseGoBoolean } from "../../api/parameters.ts";
import { WeaveError } from "../../base/errors.ts";
import {
  cidrFromIpv4,
  cidrsOverlap,
  formatIpv4Cidr,
  type Ipv4Cidr,
  parseIpv4Cidr,
} from "../../base/ip.ts";
import type { StoredNetwork } from "../../daemon/settings-store.ts";
import { parseSubnet } from "../../ipam/range.ts";
import type { CreateNetworkRequest } from "./messages.ts";

/** What `docker network create -o` may say to us; all other options are for somebody else. */
const multicastOption = "works.weave.multicast";
const isolatedOption = "works.weave.isolated";
const ownPrefix = "works.weave.";

/** How networks are when they are not told otherwise. */
export interface NetworkDefaults {
  readonly driver: string;
  readonly multicast: boolean;
  /** Where addresses come from that nobody asked for in particular; missing without allocation. */
  readonly defaultSubnet: Ipv4Cidr | undefined;
  /** How Docker calls what our IPAM driver gives out, where addresses should be from that. */
  readonly addressSpace?: string;
}

/**
 * The network that Docker tells of. One that has a subnet of its own is kept within it; those in the
 * cluster's default subnet are one flat network with everybody else there, as they always were.
 *
 * @throws WeaveError `PLUGIN_OPTION`, `PLUGIN_IPV6`
 */
export function networkFrom(
  request: CreateNetworkRequest,
  defaults: NetworkDefaults,
): StoredNetwork {
  if (request.IPv6Data.length > 0) throw noIpv6();
  return describeNetwork(
    request.NetworkID,
    { options: request.Options, subnets: request.IPv4Data.map(({ Pool }) => Pool) },
    defaults,
  );
}

/** The same by what the engine answers when it is asked. @throws WeaveError `PLUGIN_OPTION` */
export function describeNetwork(
  id: string,
  told: {
    readonly options: readonly (readonly [key: string, value: string])[];
    readonly subnets: readonly string[];
  },
  { driver, multicast, defaultSubnet }: NetworkDefaults,
): StoredNetwork {
  const options = new Map(told.options);
  const subnet = told.subnets.flatMap(tryParseSubnet)[0];
  const isFlat =
    subnet === undefined ||
    (defaultSubnet !== undefined && formatIpv4Cidr(subnet) === formatIpv4Cidr(defaultSubnet));
  return {
    id,
    driver,
    subnet: subnet === undefined ? "" : formatIpv4Cidr(subnet),
    multicast: flagOf(options, multicastOption) ?? multicast,
    isolated: subnet !== undefined && (flagOf(options, isolatedOption) ?? !isFlat),
  };
}

/** What whoever made the network may not have meant, a clause each, for the log. */
export function remarksOn(
  request: CreateNetworkRequest,
  network: StoredNetwork,
  { defaultSubnet, addressSpace }: Pick<NetworkDefaults, "defaultSubnet" | "addressSpace">,
): string[] {
  const unknown = request.Options.map(([key]) => key).filter(
    (key) => key.startsWith(ownPrefix) && key !== multicastOption && key !== isolatedOption,
  );
  const own = guardedSubnet(network);
  const overlaps =
    own !== undefined &&
    defaultSubnet !== undefined &&
    cidrsOverlap(cidrFromIpv4(own), cidrFromIpv4(defaultSubnet));
  const isForeign =
    addressSpace !== undefined &&
    request.IPv4Data.some((each) => each.AddressSpace !== addressSpace);
  return [
    ...unknown.map((key) => `option ${key} is not known`),
    ...(isForeign
      ? [
          `Docker chooses its addresses on each host by itself: give --ipam-driver ${network.driver}`,
        ]
      : []),
    ...(overlaps ? [`its subnet overlaps with the default subnet, in which others are`] : []),
  ];
}

/** The subnet in which an isolated network's endpoints are kept. */
export function guardedSubnet({ isolated, subnet }: StoredNetwork): Ipv4Cidr | undefined {
  return isolated ? parseIpv4Cidr(subnet) : undefined;
}

/** As refused wherever Docker asks for IPv6. */
export function noIpv6(): WeaveError {
  return new WeaveError("PLUGIN_IPV6", "networks of weave are IPv4 only", {
    remedy: "leave out --ipv6 and IPv6 subnets",
  });
}

/** An option without a value is on. @throws WeaveError `PLUGIN_OPTION` */
function flagOf(options: ReadonlyMap<string, string>, key: string): boolean | undefined {
  const value = options.get(key);
  if (value === undefined) return undefined;
  const flag = value === "" ? true : parseGoBoolean(value);
  if (flag !== undefined) return flag;
  throw new WeaveError("PLUGIN_OPTION", `unrecognized value "${value}" for option "${key}"`, {
    remedy: "write true or false",
  });
}

function tryParseSubnet(text: string): Ipv4Cidr[] {
  try {
    return [parseSubnet(text)];
  } catch {
    return [];
  }
}
