import { PinnedMemory, pinnedBytes } from "../memory.ts";
import { Attributes, command, found, nameAt, readInformation } from "./call.ts";

/** Tables that programs and processes share. */
export const mapType = { hash: 1, array: 2, perCpuArray: 6, lruHash: 9 } as const;

export interface MapShape {
  readonly type: number;
  readonly keyBytes: number;
  readonly valueBytes: number;
  readonly entriesMax: number;
}

/** A descriptor of a new map, close-on-exec. @throws SystemError */
export function createMap(name: string, shape: MapShape): number {
  return new Attributes()
    .u32(0, shape.type)
    .u32(4, shape.keyBytes)
    .u32(8, shape.valueBytes)
    .u32(12, shape.entriesMax)
    .name(28, name)
    .checkedCall(command.mapCreate, `map ${name}`);
}

/** Fills `value` (for a map with one value per processor: all of them); false for no entry. */
export function mapLookup(
  map: number,
  key: Uint8Array<ArrayBuffer>,
  value: Uint8Array<ArrayBuffer>,
): boolean {
  return found(element(map, key, value).call(command.mapLookup), "lookup");
}

/** Makes or changes an entry. @throws SystemError `SYS_E2BIG` when the map is full */
export function mapUpdate(
  map: number,
  key: Uint8Array<ArrayBuffer>,
  value: Uint8Array<ArrayBuffer>,
): void {
  element(map, key, value).checkedCall(command.mapUpdate, "update");
}

/** False when there was none. @throws SystemError */
export function mapDelete(map: number, key: Uint8Array<ArrayBuffer>): boolean {
  const attributes = new Attributes().u32(0, map).pointer(8, key);
  return found(attributes.call(command.mapDelete), "delete");
}

/** Fills `next` with the key after `key`, or the first one; false at the end. @throws SystemError */
export function mapNextKey(
  map: number,
  key: Uint8Array<ArrayBuffer> | undefined,
  next: Uint8Array<ArrayBuffer>,
): boolean {
  const attributes = new Attributes().u32(0, map).pointer(16, next);
  if (key !== undefined) attributes.pointer(8, key);
  return found(attributes.call(command.mapNextKey), "next key");
}

/** Many entries of a map at once, and where the next call is to go on. */
export interface MapBatch {
  readonly count: number;
  /** `undefined` when these were the last. */
  readonly next: Uint8Array<ArrayBuffer> | undefined;
}

/**
 * Fills `keys` and `values`, which have room for `entriesMax`, from where the last call ended.
 *
 * @throws SystemError
 */
export function mapLookupBatch(
  map: number,
  from: Uint8Array<ArrayBuffer> | undefined,
  keys: Uint8Array<ArrayBuffer>,
  values: Uint8Array<ArrayBuffer>,
  entriesMax: number,
): MapBatch {
  const next = pinnedBytes(8);
  const attributes = new Attributes()
    .pointer(8, next)
    .pointer(16, keys)
    .pointer(24, values)
    .u32(32, entriesMax)
    .u32(36, map);
  if (from !== undefined) attributes.pointer(0, from);
  // The end is told as an error, with the entries before it.
  const goesOn = found(attributes.call(command.mapLookupBatch), "lookup of many");
  const count = attributes.view.getUint32(32, true);
  return { count, next: goesOn && count > 0 ? next : undefined };
}

function element(
  map: number,
  key: Uint8Array<ArrayBuffer>,
  value: Uint8Array<ArrayBuffer>,
): Attributes {
  return new Attributes().u32(0, map).pointer(8, key).pointer(16, value);
}

/** A descriptor of the map with this id. @throws SystemError `SYS_ENOENT` */
export function mapById(id: number): number {
  return new Attributes().u32(0, id).checkedCall(command.mapById, `map ${id}`);
}

/** @throws SystemError */
export function mapInformation(map: number): MapShape & { readonly name: string } {
  const information = new PinnedMemory(40);
  readInformation(map, information.bytes);
  const field = (at: number): number => information.view.getUint32(at, true);
  return {
    name: nameAt(information.bytes, 24),
    type: field(0),
    keyBytes: field(8),
    valueBytes: field(12),
    entriesMax: field(16),
  };
}
