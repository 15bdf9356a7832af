import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { closeDescriptor, Epoll, EventCounter, memoryFile } from "../../ffi/descriptor.ts";
import { libnlOrigin } from "../../ffi/libnl.ts";
import { openLibrary } from "../../ffi/library.ts";
import { openSodium } from "../../ffi/sodium.ts";

describe("an event counter", () => {
  test("wakes a sleeper once for many signals", () => {
    const counter = new EventCounter();
    const sleeper = new Epoll(4);
    sleeper.add(counter.descriptor);
    expect(sleeper.wait(0)).toBe(0);
    counter.signal();
    counter.signal();
    expect(sleeper.wait(1000)).toBe(1);
    expect(sleeper.ready(0)).toBe(counter.descriptor);
    counter.clear();
    expect(sleeper.wait(0)).toBe(0);
    sleeper.remove(counter.descriptor);
    counter.signal();
    expect(sleeper.wait(0)).toBe(0);
    sleeper.close();
    counter.close();
  });
});

describe("a file in memory", () => {
  test("holds what was written, whole", () => {
    const content = new Uint8Array(3_000_000).map((_, i) => i % 251);
    const descriptor = memoryFile("test", content);
    expect(readFileSync(`/proc/self/fd/${descriptor}`)).toEqual(Buffer.from(content));
    closeDescriptor(descriptor);
  });
});

describe("native libraries", () => {
  test("come from the system where it has them", () => {
    expect(libnlOrigin()).toBe("system");
    expect(openSodium().origin).toBe("system");
  });

  test("that exist nowhere are named", () => {
    const name = { soname: "libweave-none.so.1", carried: "libweave-none.so" };
    expect(() => openLibrary(name, {})).toThrow("libweave-none.so.1");
  });
});
