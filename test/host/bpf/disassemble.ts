import {
  arithmetic,
  comparison,
  helper,
  instructionBytes,
  instructionClass,
  jumpAlways,
  jumpCall,
  jumpExit,
  memorySize,
  registerSource,
  toBigEndian,
} from "../../../lib/host/bpf/opcodes.ts";

/** One line per instruction, written from the octets alone (RFC 9669 §4–5). */
export function disassemble(octets: Uint8Array): string[] {
  const lines: string[] = [];
  const view = new DataView(octets.buffer, octets.byteOffset, octets.length);
  for (let at = 0; at < octets.length; at += instructionBytes) {
    const code = view.getUint8(at);
    const registers = view.getUint8(at + 1);
    const line = instruction({
      code,
      destination: `r${registers & 15}`,
      source: registers >> 4,
      offset: view.getInt16(at + 2, true),
      immediate: view.getInt32(at + 4, true),
      at: at / instructionBytes,
    });
    // The second half of a wide load says nothing.
    if (code === 0x18) at += instructionBytes;
    lines.push(line);
  }
  return lines;
}

interface Fields {
  readonly code: number;
  readonly destination: string;
  readonly source: number;
  readonly offset: number;
  readonly immediate: number;
  readonly at: number;
}

function instruction(fields: Fields): string {
  const { code, destination, source, offset, immediate, at } = fields;
  const group = code & 7;
  const operand = (code & registerSource) === 0 ? `${immediate}` : `r${source}`;
  if (code === 0x18) return `${destination} = map ${immediate}`;
  if (code === toBigEndian) return `${destination} = big-endian ${immediate} ${destination}`;
  if (group === instructionClass.loadMemory) {
    return `${destination} = ${size(code)} [r${source} ${offset}]`;
  }
  if (group === instructionClass.storeImmediate) {
    return `${size(code)} [${destination} ${offset}] = ${immediate}`;
  }
  if (group === instructionClass.storeRegister) {
    return `${size(code)} [${destination} ${offset}] = r${source}`;
  }
  if (group === instructionClass.arithmetic64 || group === instructionClass.arithmetic32) {
    const width = group === instructionClass.arithmetic64 ? "" : " (32)";
    return `${destination} ${name(arithmetic, code & 0xf0)} ${operand}${width}`;
  }
  const operation = code & 0xf0;
  if (operation === jumpExit) return "exit";
  if (operation === jumpCall) return `call ${name(helper, immediate)}`;
  const target = `to ${at + 1 + offset}`;
  if (operation === jumpAlways) return target;
  const width = group === instructionClass.jump64 ? "" : " (32)";
  return `if ${destination} ${name(comparison, operation)} ${operand}${width} ${target}`;
}

function size(code: number): string {
  return name(memorySize, code & 0x18);
}

function name(table: Readonly<Record<string, number>>, value: number): string {
  return Object.entries(table).find(([, number]) => number === value)?.[0] ?? `? ${value}`;
}
