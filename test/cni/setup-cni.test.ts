import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { networkList } from "../../lib/cni/network-list.ts";
import { removeCni, setUpCni } from "../../lib/cni/setup-cni.ts";
import { must } from "../hosts/shell.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "weave-cni-"));
  writeFileSync(path("weave"), "#!/bin/sh\necho this is $(basename $0)\n", { mode: 0o755 });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const path = (name: string): string => join(root, name);
const network = "etc/cni/net.d/10-weave.conflist";

function setUp(more: Partial<Parameters<typeof setUpCni>[0]> = {}) {
  const command = [path("weave")];
  const stateDir = path("state");
  return setUpCni({ root, hairpin: true, command, version: "3.0.0", stateDir, ...more });
}

describe("the plugins of CNI", () => {
  test("are links to one program, which goes by the name that it is called by", async () => {
    const { program, links, missing } = setUp();
    expect(program).toBe(path("opt/cni/bin/weave-plugin-3.0.0"));
    expect(links).toEqual([path("opt/cni/bin/weave-net"), path("opt/cni/bin/weave-ipam")]);
    expect(links.map((link) => readlinkSync(link))).toEqual(Array(2).fill("weave-plugin-3.0.0"));
    expect(statSync(program).ino).toBe(statSync(path("weave")).ino);
    expect(await must([links[1]!])).toBe("this is weave-ipam\n");
    expect(missing).toEqual([path("opt/cni/bin/portmap")]);
    expect(readdirSync(path("opt/cni/bin")).sort()).toEqual([
      ...["weave-ipam", "weave-net", "weave-plugin-3.0.0"],
    ]);
  });

  test("tell the program by a word where an interpreter runs it", async () => {
    writeFileSync(path("main program"), 'echo "$@"\n');
    const { links } = setUp({ command: ["/bin/sh", path("main program")] });
    expect(await must([links[0]!])).toBe("cni-plugin weave-net\n");
  });

  test("lead to the new version after an upgrade, in the place of files of old releases", () => {
    setUp();
    rmSync(path("opt/cni/bin/weave-net"));
    writeFileSync(path("opt/cni/bin/weave-net"), "of weave 1.9");
    setUp({ version: "3.0.1" });
    expect(readlinkSync(path("opt/cni/bin/weave-net"))).toBe("weave-plugin-3.0.1");
  });

  test("of a former version go when nobody is led to them any more", () => {
    const { program: former } = setUp();
    const { program } = setUp({ version: "3.0.1" });
    expect([existsSync(former), existsSync(program)]).toEqual([false, true]);
    writeFileSync(program, "somebody's own");
    setUp({ version: "3.0.2" });
    expect(readFileSync(program, "utf8")).toBe("somebody's own");
  });

  test("are not copied again while they are what was copied", async () => {
    // A folder in memory is a file system of its own: nothing there can be the same file.
    const elsewhere = mkdtempSync("/dev/shm/weave-cni-");
    try {
      const folder = join(elsewhere, "bin");
      const { program } = setUp({ folder });
      const copied = statSync(program).ino;
      setUp({ folder });
      expect(statSync(program).ino).toBe(copied);
      writeFileSync(path("weave"), "#!/bin/sh\necho another\n", { mode: 0o755 });
      setUp({ folder });
      expect(readFileSync(program, "utf8")).toContain("another");
    } finally {
      rmSync(elsewhere, { recursive: true });
    }
  });

  test("are there before their network, where that is for later", () => {
    mkdirSync(path("etc/cni/net.d"), { recursive: true });
    expect(setUp({ withNetwork: false })).toMatchObject({ networkIs: "absent" });
    expect(existsSync(path(network))).toBe(false);
    setUp();
    const text = readFileSync(path(network), "utf8");
    setUp({ withNetwork: false, hairpin: false });
    expect(readFileSync(path(network), "utf8")).toBe(text);
    // It is known to be ours still.
    expect(setUp({ hairpin: false })).toMatchObject({ networkIs: "written" });
    removeCni(path("state"));
    expect(existsSync(path(network))).toBe(false);
  });

  test("go where the environment says, or where the host can have them", () => {
    expect(setUp({ folder: path("mine") }).program).toBe(path("mine/weave-plugin-3.0.0"));
    writeFileSync(path("opt"), "no folder");
    expect(setUp().program).toBe(path("home/kubernetes/bin/weave-plugin-3.0.0"));
    rmSync(path("home"), { recursive: true });
    writeFileSync(path("home"), "no folder");
    expect(() => setUp()).toThrow("no folder for the CNI plugins");
  });
});

describe("the network", () => {
  test("is written where runtimes look for networks, and only there", () => {
    expect(setUp()).toMatchObject({ network: null, networkIs: "absent" });
    mkdirSync(path("etc/cni/net.d"), { recursive: true });
    writeFileSync(path("etc/cni/net.d/10-weave.conf"), "{}");
    expect(setUp()).toMatchObject({ network: path(network), networkIs: "written" });
    expect(readdirSync(path("etc/cni/net.d"))).toEqual(["10-weave.conflist"]);
    const list = JSON.parse(readFileSync(path(network), "utf8"));
    expect(list).toEqual({
      ...{ cniVersion: "1.0.0", name: "weave", disableCheck: true },
      plugins: [
        { name: "weave", type: "weave-net", hairpinMode: true },
        { type: "portmap", capabilities: { portMappings: true }, snat: true },
      ],
    });
  });

  test("follows what is asked for until somebody edits it", () => {
    mkdirSync(path("etc/cni/net.d"), { recursive: true });
    setUp();
    setUp({ hairpin: false });
    expect(readFileSync(path(network), "utf8")).toBe(networkList({ hairpin: false }));
    writeFileSync(path(network), "{}");
    expect(setUp()).toMatchObject({ networkIs: "kept" });
    expect(readFileSync(path(network), "utf8")).toBe("{}");
  });
});

describe("a reset", () => {
  test("removes all that was put there", () => {
    mkdirSync(path("etc/cni/net.d"), { recursive: true });
    setUp();
    removeCni(path("state"));
    expect(
      [path("opt/cni/bin"), path("etc/cni/net.d"), path("state")].flatMap((each) =>
        readdirSync(each),
      ),
    ).toEqual([]);
    expect(existsSync(path("weave"))).toBe(true);
    removeCni(path("state"));
  });

  test("leaves what others have put in its place", () => {
    mkdirSync(path("etc/cni/net.d"), { recursive: true });
    const { program, links } = setUp();
    rmSync(links[0]!);
    symlinkSync("elsewhere", links[0]!);
    rmSync(program);
    writeFileSync(program, "of somebody else");
    writeFileSync(path(network), "{}");
    removeCni(path("state"));
    expect(readdirSync(path("opt/cni/bin")).sort()).toEqual(["weave-net", "weave-plugin-3.0.0"]);
    expect(readFileSync(path(network), "utf8")).toBe("{}");
  });
});
