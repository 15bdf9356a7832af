import { readFileSync } from "node:fs";
import { errorText, WeaveError } from "../base/errors.ts";
import { formatPeerName } from "../base/peer-name.ts";
import type { Log } from "../base/world.ts";
import type { AllocatorState, AllocatorStore } from "../ipam/allocator-store.ts";
import { readOriginalState } from "../ipam/original-state.ts";
import { readBoltBucket } from "../wire/bolt.ts";
import { decodeGob, gob } from "../wire/gob.ts";
import { importedNameSetting } from "./peer-identity.ts";
import type { SettingsStore } from "./settings-store.ts";

/** What a router of the original remembers. */
export interface OriginalDatabase {
  /** Absent when it never allocated anything. */
  readonly allocations: AllocatorState | undefined;
  /** The peers that it was told to connect to. */
  readonly targets: readonly string[];
  /** It was of a cluster of Kubernetes, whose nodes take the ranges of nodes that were deleted. */
  readonly mayBeReclaimed: boolean;
}

/** Bucket and keys as the original names them (ipam §15). */
const bucketName = "top";
const targetsType = gob.slice(gob.string);

/** @throws WeaveError `IMPORT_UNREADABLE` */
export function readOriginalDatabase(path: string): OriginalDatabase {
  try {
    return decode(readBoltBucket(readFileSync(path), bucketName) ?? new Map());
  } catch (cause) {
    throw new WeaveError("IMPORT_UNREADABLE", `cannot import ${path}: ${errorText(cause)}`, {
      remedy: "give a sound copy of weavedata.db, or start without --import-db",
      cause,
    });
  }
}

function decode(values: ReadonlyMap<string, Uint8Array>): OriginalDatabase {
  const version = values.get("version");
  if (version !== undefined && version[0] !== 1) {
    throw new WeaveError("IMPORT_VERSION", `its version ${version[0]} is not known`);
  }
  const targets = values.get("directPeers");
  return {
    allocations: readOriginalState({
      peername: values.get("peername"),
      ring: values.get("ring"),
      ownedAddresses: values.get("ownedAddresses"),
    }),
    targets: targets === undefined ? [] : decodeGob(targetsType, targets),
    mayBeReclaimed: values.has("flag:peer-reclaim"),
  };
}

/**
 * Goes on from a database of the original, unless there is state of our own: its name, ring, held
 * addresses and targets become ours. Returns whether that was done.
 *
 * @throws WeaveError `IMPORT_UNREADABLE`, `STORE_WRITE`
 */
export function importOriginal(
  path: string,
  stores: { readonly settings: SettingsStore; readonly allocations: AllocatorStore },
  log: Log,
): boolean {
  const { settings, allocations } = stores;
  if (allocations.load() !== undefined) {
    log.info(`not importing ${path}: there is state already`);
    return false;
  }
  const { allocations: state, targets } = readOriginalDatabase(path);
  if (state !== undefined) {
    const { self, ring, held } = state;
    settings.saveSetting(importedNameSetting, formatPeerName(self));
    allocations.save({ self, ring, added: held, removed: [], reset: true });
  }
  if (settings.targets().length === 0) settings.saveTargets(targets);
  log.info(`imported ${path}: ${state?.held.length ?? 0} addresses, ${targets.length} targets`);
  return true;
}
