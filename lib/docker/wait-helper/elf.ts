/**
 * An executable that needs nothing of the file system that it runs in (System V ABI, ELF-64):
 *
 *   0    +-------------------------------------------------------------+
 *        | file header: 7f "ELF", 64 bits, lowest octet first,         |
 *        |   executable, machine, entry, place of the program headers  |
 *   64   +-------------------------------------------------------------+
 *        | program header: the whole file, to be read and executed     |
 *   120  +-------------------------------------------------------------+
 *        | program header: a stack from which nothing is executed      |
 *   176  +-------------------------------------------------------------+
 *        | code, beginning with its first instruction; its data        |
 *        +-------------------------------------------------------------+
 */
const fileHeaderBytes = 64;
const programHeaderBytes = 56;
const codeAt = fileHeaderBytes + 2 * programHeaderBytes;

/** Where the file appears in memory: a multiple of the largest page that Linux has. */
const loadAddress = 0x400000;
const largestPage = 0x10000;

/** Numbers by which ELF knows processors. */
export const elfMachine = { "x86-64": 62, arm64: 183 } as const;
export type Machine = keyof typeof elfMachine;

export function elfExecutable(machine: Machine, code: Uint8Array): Uint8Array<ArrayBuffer> {
  const octets = new Uint8Array(codeAt + code.length);
  const view = new DataView(octets.buffer);
  const size = BigInt(octets.length);

  const [bits64, lowestFirst, version, executable] = [2, 1, 1, 2];
  octets.set([0x7f, 0x45, 0x4c, 0x46, bits64!, lowestFirst!, version!]);
  view.setUint16(16, executable!, true);
  view.setUint16(18, elfMachine[machine], true);
  view.setUint32(20, version!, true);
  view.setBigUint64(24, BigInt(loadAddress + codeAt), true);
  view.setBigUint64(32, BigInt(fileHeaderBytes), true);
  view.setUint16(52, fileHeaderBytes, true);
  view.setUint16(54, programHeaderBytes, true);
  view.setUint16(56, 2, true);

  const [execute, write, read] = [1, 2, 4];
  const [load, stack] = [1, 0x6474e551];
  const header = (at: number, type: number, flags: number): void => {
    view.setUint32(at, type, true);
    view.setUint32(at + 4, flags, true);
  };
  header(fileHeaderBytes, load!, read! | execute!);
  for (const at of [16, 24]) {
    view.setBigUint64(fileHeaderBytes + at, BigInt(loadAddress), true);
  }
  for (const at of [32, 40]) view.setBigUint64(fileHeaderBytes + at, size, true);
  view.setBigUint64(fileHeaderBytes + 48, BigInt(largestPage), true);
  header(fileHeaderBytes + programHeaderBytes, stack!, read! | write!);
  view.setBigUint64(fileHeaderBytes + programHeaderBytes + 48, 16n, true);

  octets.set(code, codeAt);
  return octets;
}
