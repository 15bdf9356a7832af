import { afterAll, describe, expect, test } from "bun:test";
import { readlinkSync } from "node:fs";
import {
  NetworkNamespace,
  namedNamespaces,
  namespaceOfProcess,
  processesByNamespace,
} from "../../lib/host/netns.ts";
import { setSysctl, sysctl } from "../../lib/host/sysctl.ts";
import { Laboratory } from "./laboratory.ts";

describe("network namespaces", () => {
  const laboratory = new Laboratory("netns");
  const one = laboratory.namespace("one");
  const two = laboratory.namespace("two");
  afterAll(() => laboratory.close());

  const whereIAm = () => readlinkSync("/proc/thread-self/ns/net");

  test("are entered for one piece of work, one within the other, and left again", () => {
    const home = whereIAm();
    one.run(() => {
      expect(whereIAm()).toBe(`net:[${one.inode}]`);
      two.run(() => expect(whereIAm()).toBe(`net:[${two.inode}]`));
      expect(whereIAm()).toBe(`net:[${one.inode}]`);
    });
    expect(whereIAm()).toBe(home);
  });

  test("are left also when the work fails", () => {
    const home = whereIAm();
    expect(() =>
      one.run(() => {
        throw new Error("work failed");
      }),
    ).toThrow("work failed");
    expect(whereIAm()).toBe(home);
  });

  test("take no work that goes on after it returned", () => {
    expect(() => one.run(async () => {})).toThrow("must be synchronous");
  });

  test("have settings of their own", () => {
    one.run(() => setSysctl("ipv4/ip_forward", 1));
    two.run(() => setSysctl("ipv4/ip_forward", 0));
    expect(one.run(() => sysctl("ipv4/ip_forward"))).toBe(1);
    expect(two.run(() => sysctl("ipv4/ip_forward"))).toBe(0);
    expect(one.run(() => setSysctl("ipv4/conf/nosuch/accept_local", 1))).toBe(false);
    expect(one.run(() => sysctl("ipv4/conf/nosuch/accept_local"))).toBeUndefined();
    expect(() => one.run(() => setSysctl("ipv4/ip_forward", -7.5))).toThrow(
      expect.objectContaining({ code: "SYSCTL" }),
    );
  });

  test("are listed by name, and by the processes in them", async () => {
    const named = namedNamespaces().filter(({ name }) => name.startsWith(laboratory.name("")));
    expect(named.map(({ inode }) => inode)).toEqual([one.inode, two.inode]);
    const child = one.run(() => Bun.spawn(["sleep", "60"]));
    try {
      expect(namespaceOfProcess(child.pid)).toBe(one.inode);
      expect(processesByNamespace().get(one.inode)).toBe(child.pid);
    } finally {
      child.kill();
      await child.exited;
    }
    expect(processesByNamespace().has(one.inode)).toBe(false);
    expect(namespaceOfProcess(child.pid)).toBeUndefined();
  });

  test("cannot be made twice under one name", () => {
    expect(() => laboratory.namespace("one")).toThrow(
      expect.objectContaining({ code: "NETNS_EXISTS" }),
    );
    expect(() => new NetworkNamespace("/run/netns/nosuch")).toThrow("no such file");
  });
});
