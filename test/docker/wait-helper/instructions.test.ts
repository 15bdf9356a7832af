import { describe, expect, test } from "bun:test";
import { Arm64Assembler } from "../../../lib/docker/wait-helper/arm64.ts";
import type { Assembler } from "../../../lib/docker/wait-helper/assembler.ts";
import { X86Assembler } from "../../../lib/docker/wait-helper/x86-64.ts";

/**
 * What each word of the assembler becomes: as text, in the syntax of the processor's manual, and as
 * the octets that GNU as makes of that text with operands of this width.
 */
const instructions: readonly {
  does(asm: Assembler): void;
  x86: readonly [text: string, octets: string];
  arm64: readonly [text: string, octets: string];
}[] = [
  {
    does: (asm) => asm.set("argument0", 0),
    x86: ["mov rdi, 0", "48c7c700000000"],
    arm64: ["mov x0, #0", "000080d2"],
  },
  {
    does: (asm) => asm.set("kept3", 20_000_000),
    x86: ["mov r13, 20000000", "49c7c5002d3101"],
    arm64: ["movz x22, #0x2d00; movk x22, #0x131, lsl 16", "16a085d23626a0f2"],
  },
  {
    does: (asm) => asm.set("result", -2),
    x86: ["mov rax, -2", "48c7c0feffffff"],
    arm64: ["mov x9, #-2", "29008092"],
  },
  {
    does: (asm) => asm.set("argument5", -0x12345),
    x86: ["mov r9, -0x12345", "49c7c1bbdcfeff"],
    arm64: ["movn x5, #0x2344; movk x5, #0xfffe, lsl 16", "85688492c5ffbff2"],
  },
  {
    does: (asm) => asm.set("kept0", 0x7fffffff),
    x86: ["mov rbx, 0x7fffffff", "48c7c3ffffff7f"],
    arm64: ["movz x19, #0xffff; movk x19, #0x7fff, lsl 16", "f3ff9fd2f3ffaff2"],
  },
  {
    does: (asm) => asm.set("kept0", -(2 ** 31)),
    x86: ["mov rbx, -0x80000000", "48c7c300000080"],
    arm64: ["movn x19, #0xffff; movk x19, #0x8000, lsl 16", "f3ff9f921300b0f2"],
  },
  {
    does: (asm) => asm.move("kept1", "argument1"),
    x86: ["mov rbp, rsi", "4889f5"],
    arm64: ["mov x20, x1", "f40301aa"],
  },
  {
    does: (asm) => asm.move("argument3", "stack"),
    x86: ["mov r10, rsp", "4989e2"],
    arm64: ["mov x3, sp", "e3030091"],
  },
  {
    does: (asm) => asm.move("kept5", "result"),
    x86: ["mov r15, rax", "4989c7"],
    arm64: ["mov x24, x9", "f80309aa"],
  },
  {
    does: (asm) => asm.add("kept0", "stack", 16),
    x86: ["lea rbx, [rsp+16]", "488d9c2410000000"],
    arm64: ["add x19, sp, #16", "f3430091"],
  },
  {
    does: (asm) => asm.add("argument4", "kept2", -1),
    x86: ["lea r8, [r12-1]", "4d8d8424ffffffff"],
    arm64: ["sub x4, x21, #1", "a40600d1"],
  },
  {
    does: (asm) => asm.add("stack", "stack", -0x6000),
    x86: ["lea rsp, [rsp-0x6000]", "488da42400a0ffff"],
    arm64: ["sub sp, sp, #6, lsl #12", "ff1b40d1"],
  },
  {
    does: (asm) => asm.add("argument1", "stack", 0x1058),
    x86: ["lea rsi, [rsp+0x1058]", "488db42458100000"],
    arm64: ["add x1, sp, #1, lsl #12; add x1, x1, #0x58", "e107409121600191"],
  },
  {
    does: (asm) => asm.addRegister("result", "kept5"),
    x86: ["add rax, r15", "4c01f8"],
    arm64: ["add x9, x9, x24", "2901188b"],
  },
  {
    does: (asm) => asm.subtractRegister("argument2", "argument1"),
    x86: ["sub rdx, rsi", "4829f2"],
    arm64: ["sub x2, x2, x1", "420001cb"],
  },
  {
    does: (asm) => asm.roundUpTo4("argument0"),
    x86: ["lea rdi, [rdi+3]; and rdi, -4", "488dbf030000004881e7fcffffff"],
    arm64: ["add x0, x0, #3; and x0, x0, #-4", "000c009100f47e92"],
  },
  {
    does: (asm) => asm.roundUpTo4("argument4"),
    x86: ["lea r8, [r8+3]; and r8, -4", "4d8d80030000004981e0fcffffff"],
    arm64: ["add x4, x4, #3; and x4, x4, #-4", "840c009184f47e92"],
  },
  {
    does: (asm) => asm.load(8, "argument2", "kept3", 0),
    x86: ["movzx edx, byte ptr [r13+0]", "410fb69500000000"],
    arm64: ["ldrb w2, [x22]", "c2024039"],
  },
  {
    does: (asm) => asm.load(16, "argument1", "kept5", 4),
    x86: ["movzx esi, word ptr [r15+4]", "410fb7b704000000"],
    arm64: ["ldrh w1, [x24, #4]", "010b4079"],
  },
  {
    does: (asm) => asm.load(32, "argument0", "kept5", 0),
    x86: ["mov edi, [r15+0]", "418bbf00000000"],
    arm64: ["ldr w0, [x24]", "000340b9"],
  },
  {
    does: (asm) => asm.load(64, "kept4", "stack", 8),
    x86: ["mov r14, [rsp+8]", "4c8bb42408000000"],
    arm64: ["ldr x23, [sp, #8]", "f70740f9"],
  },
  {
    does: (asm) => asm.store(8, "argument0", 0, "argument2"),
    x86: ["mov byte ptr [rdi+0], dl", "40889700000000"],
    arm64: ["strb w2, [x0]", "02000039"],
  },
  {
    does: (asm) => asm.store(8, "argument0", 1, "argument1"),
    x86: ["mov byte ptr [rdi+1], sil", "4088b701000000"],
    arm64: ["strb w1, [x0, #1]", "01040039"],
  },
  {
    does: (asm) => asm.store(16, "kept2", 2, "kept1"),
    x86: ["mov word ptr [r12+2], bp", "664189ac2402000000"],
    arm64: ["strh w20, [x21, #2]", "b4060079"],
  },
  {
    does: (asm) => asm.store(32, "stack", 12, "argument0"),
    x86: ["mov dword ptr [rsp+12], edi", "4089bc240c000000"],
    arm64: ["str w0, [sp, #12]", "e00f00b9"],
  },
  {
    does: (asm) => asm.store(64, "stack", 56, "argument5"),
    x86: ["mov qword ptr [rsp+56], r9", "4c898c2438000000"],
    arm64: ["str x5, [sp, #56]", "e51f00f9"],
  },
  {
    does: (asm) => asm.call("behind"),
    x86: ["call behind", "e800000000"],
    arm64: ["bl behind", "01000094"],
  },
  {
    does: (asm) => asm.jump("behind"),
    x86: ["jmp behind", "e900000000"],
    arm64: ["b behind", "01000014"],
  },
  {
    does: (asm) => asm.jump("before"),
    x86: ["jmp before", "e9faffffff"],
    arm64: ["b before", "ffffff17"],
  },
  {
    does: (asm) => asm.address("argument1", "behind"),
    x86: ["lea rsi, [rip+behind]", "488d3500000000"],
    arm64: ["adr x1, behind", "21000010"],
  },
  {
    does: (asm) => asm.address("kept2", "before"),
    x86: ["lea r12, [rip+before]", "4c8d25f8ffffff"],
    arm64: ["adr x21, before", "f5ffff10"],
  },
  {
    does: (asm) => asm.jumpIf("argument0", "==", 0, "behind"),
    x86: ["cmp rdi, 0; je behind", "4881ff000000000f8400000000"],
    arm64: ["cmp x0, #0; b.eq behind", "1f0000f120000054"],
  },
  {
    does: (asm) => asm.jumpIf("kept2", "!=", -13, "before"),
    x86: ["cmp r12, -13; jne before", "4981fcf3ffffff0f85f2ffffff"],
    arm64: ["cmn x21, #13; b.ne before", "bf3600b1c1ffff54"],
  },
  {
    does: (asm) => asm.jumpIf("result", "<", 16, "before"),
    x86: ["cmp rax, 16; jl before", "4881f8100000000f8cf2ffffff"],
    arm64: ["cmp x9, #16; b.lt before", "3f4100f1cbffff54"],
  },
  {
    does: (asm) => asm.jumpIf("kept5", ">=", "result", "behind"),
    x86: ["cmp r15, rax; jge behind", "4939c70f8d00000000"],
    arm64: ["cmp x24, x9; b.ge behind", "1f0309eb2a000054"],
  },
  {
    does: (asm) => asm.jumpIfBit("argument0", 0, "behind"),
    x86: ["test rdi, 1; jne behind", "48f7c7010000000f8500000000"],
    arm64: ["tbnz x0, #0, behind", "20000037"],
  },
  {
    does: (asm) => asm.jumpIfBit("kept4", 9, "before"),
    x86: ["test r14, 0x200; jne before", "49f7c6000200000f85f2ffffff"],
    arm64: ["tbnz x23, #9, before", "f7ff4f37"],
  },
  {
    does: (asm) => asm.return(),
    x86: ["ret", "c3"],
    arm64: ["ret", "c0035fd6"],
  },
  {
    does: (asm) => asm.systemCall(221),
    x86: ["mov rax, 221; syscall", "48c7c0dd0000000f05"],
    arm64: ["mov x8, #221; svc #0; mov x9, x0", "a81b80d2010000d4e90300aa"],
  },
];

/** The instruction between two that do nothing, each with a label. */
function assembled(asm: Assembler, nothing: readonly number[], does: (asm: Assembler) => void) {
  asm.label("before");
  asm.data(nothing);
  does(asm);
  asm.label("behind");
  asm.data(nothing);
  return asm.assemble().slice(nothing.length, -nothing.length).toHex();
}

describe("on x86-64", () => {
  for (const { does, x86 } of instructions) {
    test(x86[0], () => {
      expect(assembled(new X86Assembler(), [0x90], does)).toBe(x86[1]);
    });
  }
});

describe("on arm64", () => {
  for (const { does, arm64 } of instructions) {
    test(arm64[0], () => {
      expect(assembled(new Arm64Assembler(), [0x1f, 0x20, 0x03, 0xd5], does)).toBe(arm64[1]);
    });
  }

  test("instructions begin at multiples of four octets, whatever data there is between them", () => {
    const asm = new Arm64Assembler();
    asm.data([1, 2, 3, 4, 5]);
    asm.return();
    expect(asm.assemble().toHex()).toBe("0102030405000000c0035fd6");
  });

  for (const [what, does] of [
    ["an offset that is no multiple of what is loaded", (asm) => asm.load(64, "kept0", "stack", 4)],
    ["an offset below the base", (asm) => asm.store(8, "kept0", -1, "result")],
    ["a comparison with more than 12 bits", (asm) => asm.jumpIf("kept0", "==", 4096, "before")],
    ["an amount of more than 24 bits", (asm) => asm.add("kept0", "kept1", 2 ** 24)],
  ] as readonly [string, (asm: Assembler) => void][]) {
    test(`there is no instruction for ${what}`, () => {
      expect(() => assembled(new Arm64Assembler(), [0, 0, 0, 0], does)).toThrow(RangeError);
    });
  }

  test("a branch on a bit does not reach as far as others", () => {
    const asm = new Arm64Assembler();
    asm.jumpIfBit("kept0", 0, "far");
    asm.data(new Uint8Array(2 ** 15));
    asm.label("far");
    expect(() => asm.assemble()).toThrow("is not between");
  });
});

describe("an assembler", () => {
  test("refuses a constant of more than 32 bits", () => {
    expect(() => new X86Assembler().set("kept0", 2 ** 31)).toThrow(RangeError);
    expect(() => new Arm64Assembler().set("kept0", -(2 ** 31) - 1)).toThrow(RangeError);
  });

  test("refuses two labels of one name, and a jump to none", () => {
    const asm = new X86Assembler();
    asm.label("here");
    expect(() => asm.label("here")).toThrow("twice");
    asm.jump("there");
    expect(() => asm.assemble()).toThrow("there is not there");
  });
});
