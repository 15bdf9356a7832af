import { describe, expect, test } from "bun:test";
import { closeDescriptor, openReadOnly } from "../../ffi/descriptor.ts";
import { errnoName, isSystemError, SystemError } from "../../ffi/system-error.ts";

function thrownBy(action: () => void): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe("a failed system call", () => {
  test("says which call failed, on what, and why, in words and by name", () => {
    const error = thrownBy(() => openReadOnly("/nowhere/at/all"));
    expect(error).toBeInstanceOf(SystemError);
    expect(String(error)).toBe(
      "SystemError: open /nowhere/at/all: no such file or directory (ENOENT)",
    );
    expect(error).toMatchObject({ code: "SYS_ENOENT", call: "open", about: "/nowhere/at/all" });
    expect(isSystemError(error, "EPERM", "ENOENT")).toBe(true);
    expect(isSystemError(error, "EPERM")).toBe(false);
    expect(isSystemError(error)).toBe(true);
    expect(isSystemError(new Error("ENOENT"))).toBe(false);
  });

  test("keeps its errno while the collector is busy", () => {
    let garbage: unknown[] = [];
    for (let i = 0; i < 20_000; i++) {
      const error = thrownBy(() => closeDescriptor(1_000_000 + (i % 7)));
      expect(isSystemError(error, "EBADF")).toBe(true);
      garbage = garbage.length > 500 ? [] : [...garbage, new Uint8Array(512)];
    }
  });

  test("is named as in the manual pages", () => {
    expect(errnoName(95)).toBe("EOPNOTSUPP");
    expect(errnoName(11)).toBe("EAGAIN");
    expect(errnoName(96)).toBe("EPFNOSUPPORT");
    expect(errnoName(4000)).toBe("E4000");
  });

  test("refuses a path with a zero inside instead of cutting it off", () => {
    expect(() => openReadOnly("/proc\0/x")).toThrow(RangeError);
  });
});
