import { WeaveError } from "../base/errors.ts";
import { peerNameFromNumber } from "../base/peer-name.ts";
import { decodeGob, gob } from "../wire/gob.ts";
import type { AllocatorState } from "./allocator-store.ts";
import type { HeldAddress } from "./held-addresses.ts";
import { ringType, type SentRing, toRing } from "./state-codec.ts";

/**
 * Values of the original's database (ipam §15), each a gob stream of its own:
 *
 *   peername         uint
 *   ring             Ring, as in state messages
 *   ownedAddresses   map ident → { IsContainer bool, Cidrs slice of { Addr uint, PrefixLen int } }
 */
export interface OriginalValues {
  readonly peername: Uint8Array | undefined;
  readonly ring: Uint8Array | undefined;
  readonly ownedAddresses: Uint8Array | undefined;
}

const ipv4Bits = 32;

const ownedAddressesType = gob.map(
  gob.string,
  gob.struct("ownedData", {
    IsContainer: gob.bool,
    Cidrs: gob.slice(gob.struct("CIDR", { Addr: gob.uintBits(32), PrefixLen: gob.int })),
  }),
);

/**
 * What an allocator of the original remembers; `undefined` when it never stored anything.
 *
 * @throws GobError, WeaveError `PEER_NAME_RANGE`, `IPAM_STATE_INVALID`
 */
export function readOriginalState(values: OriginalValues): AllocatorState | undefined {
  if (values.peername === undefined) return undefined;
  return {
    self: peerNameFromNumber(decodeGob(gob.uint, values.peername)),
    ring: values.ring && readOriginalRing(values.ring),
    held: values.ownedAddresses === undefined ? [] : readHeld(values.ownedAddresses),
  };
}

export function readOriginalRing(bytes: Uint8Array): SentRing {
  return toRing(decodeGob(ringType, bytes));
}

function readHeld(bytes: Uint8Array): HeldAddress[] {
  return decodeGob(ownedAddressesType, bytes).flatMap(([ident, { IsContainer, Cidrs }]) =>
    Cidrs.map(({ Addr, PrefixLen }) => {
      if (PrefixLen < 0 || PrefixLen > ipv4Bits) throw badPrefix(ident, PrefixLen);
      return { ident, isContainer: IsContainer, cidr: { address: Addr, prefix: PrefixLen } };
    }),
  );
}

function badPrefix(ident: string, length: number): WeaveError {
  return new WeaveError(
    "IPAM_STATE_INVALID",
    `the original's data says that ${ident} holds an address with a prefix of ${length} bits`,
    { remedy: "restore the original's database from a backup, or start without it" },
  );
}
