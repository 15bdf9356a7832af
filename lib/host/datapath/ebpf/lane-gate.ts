import { isSystemError } from "../../../../ffi/system-error.ts";
import { writeUint32 } from "../../../base/bytes.ts";
import type { ShortId } from "../../../overlay/fastdp/ports.ts";
import type { NetlinkRequest } from "../../netlink/conversation.ts";
import * as match from "../../netlink/nft-match.ts";
import { transact } from "../../netlink/nft-message.ts";
import {
  addElements,
  keyFields,
  markData,
  type NftElement,
  removeElements,
} from "../../netlink/nft-set.ts";
import * as statement from "../../netlink/nft-statement.ts";
import { deleteTable, type NftTable } from "../../netlink/nftables.ts";
import { openNetfilter } from "../../netlink/open.ts";
import { hasNftables, nftablesGeneration, OwnTable } from "../../own-table.ts";
import { lanedFlag } from "./decisions.ts";

/**
 * Where frames of neighbours part on their way in. VXLAN devices of one UDP port either take any VNI
 * and make an object for each frame that says where it came from, or know theirs and do not. The
 * uplink is of the first kind, for frames of anybody on the way to anybody; most are of a neighbour
 * for us, and what comes from its host with its VNI goes to its lane instead:
 *
 *   UDP 6784 ──▶ filters of the host ──▶ gate ── source and VNI known ──▶ port of the lanes ──▶ lane
 *                                          └──── anything else ──▶ uplink
 *
 * The packet's mark says that it came through the gate, and whose it is. The gate is the last that
 * sees a packet before its socket, so whatever else filters or counts it knows it by its own port.
 * IPsec policies go by the port as well, so encrypted neighbours have no place here. Without a gate
 * everything takes the uplink, as right and a little slower.
 */
const gateTable = { family: "ip", name: "weave-fastdp" } as const;
const mapName = "lanes";
/** After connection tracking, NAT and all filters of `input`. */
const priority = 300;

/** In a packet: the source of IPv4, and the VNI behind the UDP header's 8 octets and 4 of VXLAN. */
const gatedFields = [
  { header: "network", offset: 12, bytes: 4 },
  { header: "transport", offset: 12, bytes: 3 },
] as const;
const keyBytes = 8;

/** Whose frames may pass. */
export interface GatePass {
  readonly shortId: ShortId;
  /** Outer source address. */
  readonly remoteIp: number;
  /** Of frames of the neighbour for us. */
  readonly vni: number;
}

export class LaneGate {
  readonly #port: number;
  readonly #table = new OwnTable(gateTable);
  readonly #wanted = new Map<ShortId, GatePass>();
  /** Those in the kernel; `undefined` while there is no table. */
  #open: { readonly lanePort: number; readonly passes: Map<ShortId, GatePass> } | undefined;
  #isRefused = false;

  /**
   * Shuts a gate that an earlier process left: it may have neighbours that are encrypted by now.
   *
   * @param port UDP port at which frames of neighbours come in
   */
  constructor(port: number) {
    this.#port = port;
    removeGate();
  }

  /** Lets frames of a neighbour pass from the next {@link settle} on. */
  admit(pass: GatePass): void {
    const former = this.#wanted.get(pass.shortId);
    if (former?.remoteIp === pass.remoteIp && former.vni === pass.vni) return;
    this.exclude(pass.shortId);
    this.#wanted.set(pass.shortId, pass);
  }

  /** Lets them pass no more, from now on: there will be no lane for them. */
  exclude(shortId: ShortId): void {
    this.#wanted.delete(shortId);
    const pass = this.#open?.passes.get(shortId);
    if (pass === undefined) return;
    this.#open?.passes.delete(shortId);
    this.#change(removeElements(gateTable, mapName, [entryOf(pass)]));
  }

  /**
   * Makes the kernel's gate what it should be, for lanes at this port; whether somebody had changed
   * it. Many neighbours that come at once are admitted at once.
   */
  settle(lanePort: number | undefined): boolean {
    if (this.#isRefused) return false;
    const isSpoilt = this.#isSpoilt();
    if (isSpoilt || (this.#open !== undefined && this.#open.lanePort !== lanePort)) {
      this.#open = undefined;
    }
    if (lanePort === undefined || this.#wanted.size === 0) return isSpoilt;
    if (this.#open === undefined) {
      this.#put(lanePort);
      return isSpoilt;
    }
    const { passes } = this.#open;
    const missing = [...this.#wanted.values()].filter(({ shortId }) => !passes.has(shortId));
    for (const pass of missing) passes.set(pass.shortId, pass);
    if (missing.length > 0) {
      this.#change(addElements(gateTable, mapName, missing.map(entryOf)));
    }
    return isSpoilt;
  }

  #isSpoilt(): boolean {
    if (this.#open === undefined) return false;
    const generation = nftablesGeneration();
    return generation !== undefined && this.#table.isSpoilt(generation);
  }

  #put(lanePort: number): void {
    const passes = new Map(this.#wanted);
    try {
      this.#table.put(contentOf(this.#port, lanePort, [...passes.values()].map(entryOf)));
      this.#open = { lanePort, passes };
    } catch (error) {
      // A kernel without nf_tables, or without a part of it, will not get it while we run.
      if (!isSystemError(error)) throw error;
      this.#isRefused = true;
    }
  }

  /** Frames must not go where no lane is: if the entries are not as we know them, the gate is shut. */
  #change(changes: readonly NetlinkRequest[]): void {
    try {
      using netfilter = openNetfilter();
      transact(netfilter, changes);
    } catch (error) {
      if (!isSystemError(error)) throw error;
      removeGate();
      this.#open = undefined;
    }
  }
}

/** Frames take the uplink again; does nothing where there is no gate. @throws SystemError */
export function removeGate(): void {
  if (!hasNftables()) return;
  using netfilter = openNetfilter();
  deleteTable(netfilter, gateTable);
}

function contentOf(
  port: number,
  lanePort: number,
  elements: readonly NftElement[],
): Pick<NftTable, "sets" | "chains"> {
  const expressions = [
    ...match.destinationPort("udp", port),
    ...match.withoutUdpChecksum(),
    ...statement.markByMap(mapName, gatedFields),
    ...statement.redirectUdp(lanePort),
  ];
  const comment = "frames of neighbours for containers here, to lanes";
  const hook = { type: "filter", at: "input", priority } as const;
  return {
    sets: [{ name: mapName, key: [keyFields.integer(keyBytes)], data: "mark", elements }],
    chains: [{ name: "input", hook, rules: [{ expressions, comment }] }],
  };
}

function entryOf({ shortId, remoteIp, vni }: GatePass): NftElement {
  const key = new Uint8Array(keyBytes);
  writeUint32(key, 0, remoteIp);
  // Three octets, padded behind.
  writeUint32(key, 4, vni * 0x100);
  return { key, data: markData(lanedFlag | shortId) };
}
