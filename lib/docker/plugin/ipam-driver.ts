import { errorCode, WeaveError } from "../../base/errors.ts";
import { formatIpv4, formatIpv4Cidr, type Ipv4, parseIpv4 } from "../../base/ip.ts";
import { cidrRange, contains, parseSubnet } from "../../ipam/range.ts";
import { addressRequestSchema, nothingSchema, poolRequestSchema, poolSchema } from "./messages.ts";
import type { PluginAddresses } from "./plugin-addresses.ts";
import { method, methodsOf, type PluginMethods } from "./plugin-method.ts";
import { noIpv6 } from "./plugin-network.ts";
import { formatPoolId, type Pool, parsePoolId } from "./pool-id.ts";

export const localAddressSpace = "weavelocal";

const addressSpaces = {
  LocalDefaultAddressSpace: localAddressSpace,
  GlobalDefaultAddressSpace: "weaveglobal",
} as const;

const addressTypeKey = "RequestAddressType";
const gatewayKey = "com.docker.network.gateway";

export interface IpamDriverOptions {
  /** Missing when the router allocates no addresses. */
  readonly addresses: PluginAddresses | undefined;
  /** Whether an endpoint that stands has this address. */
  isInUse(address: Ipv4): boolean;
}

/** Docker's IPAM driver `weavemesh`: addresses of the cluster's allocator for containers. */
export function ipamDriver({ addresses, isInUse }: IpamDriverOptions): PluginMethods {
  const poolOf = (id: string): Pool => parsePoolId(id, needed(addresses).defaultSubnet);

  const give = async (pool: Pool, signal: AbortSignal): Promise<Ipv4> =>
    (await needed(addresses).allocate(pool.range, signal)).address;

  const take = async (pool: Pool, given: Ipv4, signal: AbortSignal): Promise<Ipv4> => {
    if (!contains(cidrRange(pool.subnet), given)) throw outside(given, pool);
    if (isInUse(given)) throw inUse(given);
    await needed(addresses).claim({ address: given, prefix: pool.subnet.prefix }, signal);
    return given;
  };

  /** A host's own address may well be the gateway: it is held already, and not by Docker. */
  const takeGateway = async (pool: Pool, given: Ipv4, signal: AbortSignal): Promise<Ipv4> => {
    try {
      return await take(pool, given, signal);
    } catch (error) {
      if (errorCode(error) === "PLUGIN_ADDRESS_TAKEN") return given;
      throw error;
    }
  };

  return methodsOf("IpamDriver", {
    GetCapabilities: method(nothingSchema, () => ({
      RequiresMACAddress: false,
      RequiresRequestReplay: false,
    })),
    GetDefaultAddressSpaces: method(nothingSchema, () => addressSpaces),

    RequestPool: method(poolRequestSchema, ({ Pool: wanted, SubPool, V6 }) => {
      if (V6) throw noIpv6();
      const subnet = wanted === "" ? needed(addresses).defaultSubnet : parseSubnet(wanted);
      const range = SubPool === "" ? subnet : parseSubnet(SubPool);
      const shown = formatIpv4Cidr(subnet);
      // Nobody's address, so that no real one is spent on a gateway that nobody has.
      return {
        PoolID: formatPoolId({ subnet, range }),
        Pool: shown,
        Data: { [gatewayKey]: shown },
      };
    }),
    ReleasePool: method(poolSchema, () => ({})),

    RequestAddress: method(addressRequestSchema, async ({ PoolID, Address, Options }, signal) => {
      const pool = poolOf(PoolID);
      const get = Options[addressTypeKey] === gatewayKey ? takeGateway : take;
      const address =
        Address === "" ? await give(pool, signal) : await get(pool, parseIpv4(Address), signal);
      return { Address: formatIpv4Cidr({ address, prefix: pool.subnet.prefix }), Data: {} };
    }),
    ReleaseAddress: method(addressRequestSchema, ({ PoolID, Address }) => {
      const address = parseIpv4(Address);
      if (address !== poolOf(PoolID).subnet.address) needed(addresses).release(address);
      return {};
    }),
  });
}

function needed(addresses: PluginAddresses | undefined): PluginAddresses {
  if (addresses !== undefined) return addresses;
  throw new WeaveError("IPAM_OFF", "the router allocates no addresses", {
    remedy: "launch it with --ipalloc-range, or give the network another IPAM driver",
  });
}

function outside(address: Ipv4, { subnet }: Pool): WeaveError {
  return new WeaveError(
    "PLUGIN_ADDRESS_OUTSIDE",
    `address ${formatIpv4(address)} is not in the network's subnet ${formatIpv4Cidr(subnet)}`,
    { remedy: "choose one of the subnet" },
  );
}

function inUse(address: Ipv4): WeaveError {
  return new WeaveError(
    "PLUGIN_ADDRESS_TAKEN",
    `address ${formatIpv4(address)} is in use by another container`,
    { remedy: "choose another one, or let weave choose" },
  );
}
