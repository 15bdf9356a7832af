import { emptyBytes, fromUtf8 } from "../base/bytes.ts";
import { WeaveError } from "../base/errors.ts";

/**
 * Reads a BoltDB file (format version 2), all numbers little-endian. Nothing is ever written.
 *
 *   page      ┌────────┬─────────┬─────────┬────────────┬─────────────────────────────
 *             │ id 8   │ flags 2 │ count 2 │ overflow 4 │ elements, then keys and values
 *             └────────┴─────────┴─────────┴────────────┴─────────────────────────────
 *             spans 1 + overflow pages
 *   meta      magic 4 │ version 4 │ page size 4 │ flags 4 │ root page 8 │ sequence 8 │
 *             freelist 8 │ high water 8 │ transaction 8 │ FNV-1a of all before 8
 *   branch    position 4 │ key length 4 │ page 8          positions count from their element
 *   leaf      flags 4 │ position 4 │ key length 4 │ value length 4
 *   bucket    root page 8 │ sequence 8 │ page, if root page is 0    (value of a leaf with flag 1)
 *
 * Pages 0 and 1 hold the meta of the last two transactions; the sound one with the higher number
 * counts. Every page is visited once at most, so that damage neither loops nor multiplies.
 */
const magic = 0xed0cdaed;
const formatVersion = 2;
const pageFlags = { branch: 1, leaf: 2, meta: 4 } as const;
const bucketFlag = 1;
const headerSize = 16;
const metaSize = 64;
const elementSize = 16;
const bucketSize = 16;
const depthMax = 32;
const pageSizes = [4096, 8192, 16384, 32768, 65536, 2048, 1024];

interface Meta {
  readonly pageSize: number;
  readonly root: number;
  readonly transaction: bigint;
}

interface Leaf {
  readonly key: string;
  readonly value: Uint8Array;
  readonly isBucket: boolean;
}

/**
 * The keys and values of one bucket at the top of the file, keys as text; `undefined` when there is
 * no such bucket.
 *
 * @throws WeaveError `BOLT_DAMAGED` for a file that is cut off, damaged or of another kind
 */
export function readBoltBucket(
  file: Uint8Array,
  name: string,
): Map<string, Uint8Array> | undefined {
  const reader = new BoltReader(file);
  const bucket = reader.leaves(reader.root).find(({ key, isBucket }) => isBucket && key === name);
  if (bucket === undefined) return undefined;
  const entries = reader.bucket(bucket.value).filter(({ isBucket }) => !isBucket);
  return new Map(entries.map(({ key, value }) => [key, value]));
}

class BoltReader {
  readonly #file: Uint8Array;
  readonly #meta: Meta;
  readonly #visited = new Set<number>();

  constructor(file: Uint8Array) {
    this.#file = file;
    this.#meta = findMeta(file);
  }

  get root(): number {
    return this.#meta.root;
  }

  /** The content of a bucket, which small ones have in their value. */
  bucket(value: Uint8Array): Leaf[] {
    if (value.length < bucketSize) throw damaged("a bucket is cut off");
    const root = uint64(viewOf(value), 0);
    return root === 0 ? leavesOf(value.subarray(bucketSize)) : this.leaves(root);
  }

  /** All leaves below a page, in the order of their keys. */
  leaves(id: number, depth = 0): Leaf[] {
    const page = this.#page(id);
    const { flags } = header(page);
    if (flags === pageFlags.leaf) return leavesOf(page);
    if (flags !== pageFlags.branch) throw damaged(`page ${id} is neither branch nor leaf`);
    if (depth === depthMax) throw damaged(`the tree is deeper than ${depthMax} pages`);
    return childrenOf(page).flatMap((child) => this.leaves(child, depth + 1));
  }

  #page(id: number): Uint8Array {
    const { pageSize } = this.#meta;
    const start = id * pageSize;
    if (this.#visited.has(id)) throw damaged(`page ${id} is used twice`);
    if (start + pageSize > this.#file.length) throw damaged(`page ${id} is missing`);
    this.#visited.add(id);
    const { overflow } = header(this.#file.subarray(start));
    const end = start + (1 + overflow) * pageSize;
    if (end > this.#file.length) throw damaged(`page ${id} is cut off`);
    return this.#file.subarray(start, end);
  }
}

function findMeta(file: Uint8Array): Meta {
  const first = metaAt(file, 0);
  const sizes = first === undefined ? pageSizes : [first.pageSize];
  const second = sizes
    .map((size) => metaAt(file, size))
    .find((meta, index) => meta?.pageSize === sizes[index]);
  const newest =
    first !== undefined && second !== undefined && second.transaction > first.transaction
      ? second
      : (first ?? second);
  if (newest === undefined) throw damaged("it is no BoltDB file, or its first pages are damaged");
  return newest;
}

function metaAt(file: Uint8Array, start: number): Meta | undefined {
  const bytes = file.subarray(start + headerSize, start + headerSize + metaSize);
  if (bytes.length < metaSize) return undefined;
  const view = viewOf(bytes);
  if (view.getUint32(0, true) !== magic || view.getUint32(4, true) !== formatVersion) {
    return undefined;
  }
  if (fnv1a(bytes.subarray(0, metaSize - 8)) !== view.getBigUint64(metaSize - 8, true)) {
    return undefined;
  }
  const pageSize = view.getUint32(8, true);
  if (!pageSizes.includes(pageSize)) return undefined;
  return { pageSize, root: uint64(view, 16), transaction: view.getBigUint64(48, true) };
}

function header(page: Uint8Array): { flags: number; count: number; overflow: number } {
  if (page.length < headerSize) throw damaged("a page is cut off");
  const view = viewOf(page);
  return {
    flags: view.getUint16(8, true),
    count: view.getUint16(10, true),
    overflow: view.getUint32(12, true),
  };
}

/** Where the elements of a page are; none lies outside of it. */
function elementsOf(page: Uint8Array): number[] {
  const { count } = header(page);
  if (headerSize + count * elementSize > page.length) throw damaged("a page has too many elements");
  return Array.from({ length: count }, (_, index) => headerSize + index * elementSize);
}

function leavesOf(page: Uint8Array): Leaf[] {
  if (header(page).flags !== pageFlags.leaf) throw damaged("a bucket has no leaf page");
  const view = viewOf(page);
  return elementsOf(page).map((at) => {
    const keyAt = at + view.getUint32(at + 4, true);
    const valueAt = keyAt + view.getUint32(at + 8, true);
    const end = valueAt + view.getUint32(at + 12, true);
    if (end > page.length) throw damaged("a value reaches beyond its page");
    return {
      key: fromUtf8(page.subarray(keyAt, valueAt)),
      value: end === valueAt ? emptyBytes : page.subarray(valueAt, end),
      isBucket: (view.getUint32(at, true) & bucketFlag) !== 0,
    };
  });
}

function childrenOf(page: Uint8Array): number[] {
  const view = viewOf(page);
  return elementsOf(page).map((at) => uint64(view, at + 8));
}

/** Page numbers of any real file are far below 2^53. */
function uint64(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** 64 bits (Fowler, Noll, Vo). */
function fnv1a(bytes: Uint8Array): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of bytes) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return hash;
}

function damaged(what: string): WeaveError {
  return new WeaveError("BOLT_DAMAGED", `the database file cannot be read: ${what}`);
}
