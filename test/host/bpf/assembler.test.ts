import { describe, expect, test } from "bun:test";
import { toHex } from "../../../lib/base/bytes.ts";
import { Assembler, fp, link, r0, r1, r2, r6 } from "../../../lib/host/bpf/assembler.ts";
import { disassemble } from "./disassemble.ts";

function assembled(write: (asm: Assembler) => void): string[] {
  const asm = new Assembler();
  write(asm);
  return disassemble(asm.assemble().octets);
}

describe("the assembler", () => {
  test("writes instructions as the kernel's headers lay them out", () => {
    const asm = new Assembler();
    asm.set(r6, r1);
    asm.load("u32", r2, r6, 8);
    asm.store("u16", fp, -2, 0x1234);
    asm.compute(r2, "and", 0xfff, 32);
    asm.call("mapLookup");
    asm.exit();
    expect(toHex(asm.assemble().octets)).toBe(
      "bf16000000000000" +
        "6162080000000000" +
        "6a0afeff34120000" +
        "54020000ff0f0000" +
        "8500000001000000" +
        "9500000000000000",
    );
  });

  test("covers every operation of its tables", () => {
    expect(
      assembled((asm) => {
        asm.compute(r0, "add", -1);
        asm.compute(r0, "subtract", r1);
        asm.compute(r0, "or", 1);
        asm.compute(r0, "xor", r2, 32);
        asm.compute(r0, "shiftLeft", 12);
        asm.compute(r0, "shiftRight", 12);
        asm.swap(r0, 32);
        asm.swap(r0, 16);
        asm.load("u8", r0, r1, 1);
        asm.load("u64", r0, fp, -8);
        asm.store("u64", fp, -8, r0);
        asm.store("u8", fp, -1, 255);
        asm.address(r2, fp, -16);
      }),
    ).toEqual([
      "r0 add -1",
      "r0 subtract r1",
      "r0 or 1",
      "r0 xor r2 (32)",
      "r0 shiftLeft 12",
      "r0 shiftRight 12",
      "r0 = big-endian 32 r0",
      "r0 = big-endian 16 r0",
      "r0 = u8 [r1 1]",
      "r0 = u64 [r10 -8]",
      "u64 [r10 -8] = r0",
      "u8 [r10 -1] = 255",
      "r2 set r10",
      "r2 add -16",
    ]);
  });

  test("resolves labels before and behind, over map references of two instructions", () => {
    expect(
      assembled((asm) => {
        asm.label("again");
        asm.jumpIf(r1, "==", 0, "end");
        asm.map(r1, "macs");
        asm.jumpIf(r1, "<", r2, "again", 32);
        asm.jump("again");
        asm.label("end");
        asm.exit();
      }),
    ).toEqual(["if r1 == 0 to 5", "r1 = map 0", "if r1 < r2 (32) to 0", "to 0", "exit"]);
  });

  test("puts the descriptors of maps in when a program is linked", () => {
    const asm = new Assembler();
    asm.map(r1, "macs");
    asm.map(r2, "routes");
    asm.map(r2, "macs");
    const program = asm.assemble();
    const linked = link(program, { macs: 7, routes: 9 });
    expect(disassemble(linked)).toEqual(["r1 = map 7", "r2 = map 9", "r2 = map 7"]);
    expect(toHex(linked.subarray(0, 16))).toBe("18110000070000000000000000000000");
    expect(() => link(program, { macs: 7 })).toThrow("map routes is not there");
  });

  test("refuses what would mean something else in the kernel", () => {
    const missing = new Assembler();
    missing.jump("nowhere");
    expect(() => missing.assemble()).toThrow("label nowhere is not there");
    const twice = new Assembler();
    twice.label("here");
    expect(() => twice.label("here")).toThrow("label here is there twice");
    expect(() => new Assembler().set(r0, 0xffff_ffff)).toThrow("does not fit 32 bits");
  });
});
