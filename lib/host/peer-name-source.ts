import { readFileSync } from "node:fs";
import { concatBytes, utf8 } from "../base/bytes.ts";
import { noPeer, type PeerName, parsePeerName, readPeerName } from "../base/peer-name.ts";

/** What identifies a machine: the raw content of two files; `undefined` for those that are missing. */
export interface SystemIds {
  readonly machineId: Uint8Array | undefined;
  readonly productUuid: Uint8Array | undefined;
}

/** Where a name came from, for the log. */
export type PeerNameSource = "option" | "bridge" | "stored" | "system ids" | "random";

/** Reads the machine's ids below `root`. */
export function readSystemIds(root = ""): SystemIds {
  return {
    machineId: firstFile(`${root}/etc/machine-id`, `${root}/var/lib/dbus/machine-id`),
    productUuid: firstFile("/sys/class/dmi/id/product_uuid", "/sys/hypervisor/uuid"),
  };
}

/**
 * The name that follows from a machine's ids: the same on every start, and the same that the
 * original derives, line ends included (host-network §4). `undefined` when the ids say nothing.
 */
export function derivePeerName(ids: SystemIds): PeerName | undefined {
  const salt = utf8("9oBJ0Jmip-");
  const parts = [ids.machineId, ids.productUuid].filter((part) => part !== undefined);
  if (parts.every((part) => part.length === 0)) return undefined;
  return unicastName(new Bun.CryptoHasher("sha256").update(concatBytes(salt, ...parts)).digest());
}

/**
 * Chooses by the original's order: what was asked for, what the bridge says, what was stored by
 * releases that derived it from the product UUID alone, what the ids give; and a random name on
 * machines without ids, which the stored name or the bridge then keeps.
 */
export function choosePeerName(known: {
  readonly option?: PeerName;
  readonly bridgeMac?: string;
  readonly stored?: PeerName;
  readonly ids: SystemIds;
}): { readonly name: PeerName; readonly source: PeerNameSource } {
  if (known.option !== undefined) return { name: known.option, source: "option" };
  if (known.bridgeMac !== undefined && parsePeerName(known.bridgeMac) !== noPeer) {
    return { name: parsePeerName(known.bridgeMac), source: "bridge" };
  }
  const derived = derivePeerName(known.ids);
  if (
    known.stored !== undefined &&
    (derived === undefined || known.stored === oldName(known.ids))
  ) {
    return { name: known.stored, source: "stored" };
  }
  if (derived !== undefined) return { name: derived, source: "system ids" };
  return { name: randomPeerName(), source: "random" };
}

/** A name that nobody has, by all likelihood. */
export function randomPeerName(): PeerName {
  return unicastName(crypto.getRandomValues(new Uint8Array(6)));
}

/** The derivation of releases before 1.9, which knew the product UUID alone. */
function oldName({ productUuid }: SystemIds): PeerName | undefined {
  return derivePeerName({ machineId: undefined, productUuid });
}

/** Six octets as a MAC that is unicast and locally administered. */
function unicastName(bytes: Uint8Array): PeerName {
  bytes[0] = (bytes[0]! & 0xfe) | 0x02;
  return readPeerName(bytes);
}

function firstFile(...paths: readonly string[]): Uint8Array | undefined {
  for (const path of paths) {
    try {
      return readFileSync(path);
    } catch {
      // The next path is another system's place for the same id.
    }
  }
  return undefined;
}
