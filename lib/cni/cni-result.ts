import * as v from "valibot";
import { parseCidr } from "../base/ip.ts";
import { parsedBy } from "../base/schema.ts";
import { CniError, cniCode } from "./cni-error.ts";
import { type CniVersion, isFrom } from "./cni-version.ts";

/** What a plugin has done, whatever version of the specification says how to write it. */
export interface CniResult {
  /** Bridge, end at the bridge, end in the container; empty for a plugin of addresses alone. */
  readonly interfaces: readonly CniResultInterface[];
  readonly ips: readonly CniResultAddress[];
  readonly routes: readonly CniResultRoute[];
  readonly dns?: Readonly<Record<string, unknown>>;
}

export interface CniResultInterface {
  readonly name: string;
  readonly mac: string;
  /** Octets; told from version 1.1.0 on. */
  readonly mtu?: number;
  /** Path of the namespace it lies in; absent for the host's. */
  readonly sandbox?: string;
}

export interface CniResultAddress {
  /** With the length of its prefix. */
  readonly address: string;
  readonly gateway?: string;
  /** Which of {@link CniResult.interfaces} has it. */
  readonly interface?: number;
}

export interface CniResultRoute {
  readonly dst: string;
  readonly gw?: string;
}

/** A result as one version of the specification has it, to be printed as JSON. */
export function formatResult(result: CniResult, version: CniVersion): object {
  return isFrom(version, "0.3.0") ? listedResult(result, version) : pairedResult(result, version);
}

/** From 0.3.0 on: lists. The family of an address is told until 0.4.0, an MTU from 1.1.0 on. */
function listedResult({ interfaces, ips, routes, dns }: CniResult, version: CniVersion): object {
  const tellsFamily = !isFrom(version, "1.0.0");
  const tellsMtu = isFrom(version, "1.1.0");
  return {
    cniVersion: version,
    ...(interfaces.length > 0 && {
      interfaces: interfaces.map(({ mtu, ...rest }) => ({
        ...rest,
        ...(tellsMtu && mtu !== undefined && { mtu }),
      })),
    }),
    ips: ips.map((ip) => ({ ...(tellsFamily && { version: familyOf(ip) }), ...ip })),
    routes,
    dns: dns ?? {},
  };
}

/** Until 0.2.0: an address of each family at most, with the routes of its family. */
function pairedResult({ ips, routes, dns }: CniResult, version: CniVersion): object {
  const ofFamily = (family: "4" | "6"): object | undefined => {
    const ip = ips.find((each) => familyOf(each) === family);
    if (ip === undefined) return undefined;
    const own = routes.filter(({ dst }) => familyOf({ address: dst }) === family);
    return {
      ip: ip.address,
      ...(ip.gateway !== undefined && { gateway: ip.gateway }),
      routes: own,
    };
  };
  const [ip4, ip6] = [ofFamily("4"), ofFamily("6")];
  return { cniVersion: version, ...(ip4 && { ip4 }), ...(ip6 && { ip6 }), dns: dns ?? {} };
}

function familyOf({ address }: Pick<CniResultAddress, "address">): "4" | "6" {
  return address.includes(":") ? "6" : "4";
}

const listMax = 256;
const route = v.object({ dst: v.string(), gw: v.nullish(v.string()) });
const routes = v.nullish(v.pipe(v.array(route), v.maxLength(listMax)));
const gateway = v.nullish(v.string());
const paired = v.nullish(v.object({ ip: v.string(), gateway, routes }));
const dns = v.nullish(v.record(v.string(), v.unknown()));

const resultModel = v.object({
  interfaces: v.nullish(
    v.pipe(
      v.array(
        v.object({ name: v.string(), mac: v.nullish(v.string()), sandbox: v.nullish(v.string()) }),
      ),
      v.maxLength(listMax),
    ),
  ),
  ips: v.nullish(
    v.pipe(
      v.array(v.object({ address: v.string(), gateway, interface: v.nullish(v.number()) })),
      v.maxLength(listMax),
    ),
  ),
  routes,
  ip4: paired,
  ip6: paired,
  dns,
});

/**
 * Reads a result of any version: that of a plugin that was called on, or of those before in the list.
 *
 * @throws CniError undecodable
 */
export function readResult(value: unknown): CniResult {
  const parsed = parsedBy(resultModel, value, "it", undecodable);
  const { interfaces, ips, ip4, ip6, dns: names } = parsed;
  const pairs = [ip4, ip6].flatMap((pair) => pair ?? []);
  const all = [parsed, ...pairs].flatMap((each) => each.routes ?? []);
  const result: CniResult = {
    interfaces: (interfaces ?? []).map(({ name, mac, sandbox }) => ({
      ...{ name, mac: mac ?? "" },
      ...(sandbox && { sandbox }),
    })),
    ips: [
      ...(ips ?? []).map((ip) => ({
        ...addressOf(ip.address, ip.gateway),
        ...(typeof ip.interface === "number" && { interface: ip.interface }),
      })),
      ...pairs.map((pair) => addressOf(pair.ip, pair.gateway)),
    ],
    routes: all.map(({ dst, gw }) => ({ dst, ...(gw && { gw }) })),
    ...(names && { dns: names }),
  };
  checkAddresses(result);
  return result;
}

function addressOf(address: string, by: string | null | undefined): CniResultAddress {
  return { address, ...(by && { gateway: by }) };
}

function checkAddresses({ ips, routes: listed }: CniResult): void {
  try {
    for (const text of [...ips.map(({ address }) => address), ...listed.map(({ dst }) => dst)]) {
      parseCidr(text);
    }
  } catch (cause) {
    throw undecodable(cause instanceof Error ? cause.message : String(cause));
  }
}

function undecodable(details: string): CniError {
  return new CniError(cniCode.undecodable, "the result of a plugin cannot be read", details);
}
