import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hostsFileText, writeHostsFile } from "../../lib/host/hosts-file.ts";

describe("a container's hosts file", () => {
  test("names the container, what was added, and localhost", () => {
    const text = hostsFileText({ hostname: "web", fqdn: "web.weave.local" }, ["10.32.0.1"], {
      pairs: ["db:10.0.0.7"],
    });
    expect(text.split("\n").slice(0, 9)).toEqual([
      "# created by Weave - BEGIN",
      "# container hostname",
      "10.32.0.1       web.weave.local web",
      "",
      "# static names added with --add-host",
      "10.0.0.7        db",
      "",
      "# default localhost entries",
      "127.0.0.1       localhost",
    ]);
  });

  test("names a container without domain once", () => {
    const text = hostsFileText({ hostname: "web", fqdn: "web" }, ["10.32.0.1"], { pairs: [] });
    expect(text.split("\n")[2]).toBe("10.32.0.1       web");
  });

  test("has what was added with addresses of either family, and nothing without address", () => {
    const pairs = ["six:2001:db8::7", "bracketed:[::7]", "alone", "four:10.0.0.7"];
    expect(addedLines({ pairs })).toEqual([
      "2001:db8::7     six",
      "::7             bracketed",
      "10.0.0.7        four",
    ]);
  });

  test("keeps the address of the host as the engine has resolved it", () => {
    const present = [
      "127.0.0.1\tlocalhost",
      "172.17.0.1\thost.docker.internal gateway # the host",
      "fd00::1\thost.docker.internal",
    ].join("\n");
    const pairs = ["host.docker.internal:host-gateway", "none:host-gateway", "db:10.0.0.7"];
    expect(addedLines({ pairs, present })).toEqual([
      "172.17.0.1      host.docker.internal",
      "fd00::1         host.docker.internal",
      "10.0.0.7        db",
    ]);
  });

  test("is never the host's own", () => {
    const container = { ident: `pid:${process.pid}`, namespacePath: `/proc/${process.pid}/ns/net` };
    expect(() => writeHostsFile(container, () => "")).toThrow("has no hosts file of its own");
    expect(() => writeHostsFile({ ident: "netns:/x", namespacePath: "/x" }, () => "")).toThrow(
      "has no hosts file of its own",
    );
  });
});

/** Those for what was added. */
function addedLines(added: { pairs: string[]; present?: string }): string[] {
  const text = hostsFileText({ hostname: "web", fqdn: "web" }, [], added);
  return text.split("# static names added with --add-host\n")[1]!.split("\n\n")[0]!.split("\n");
}

describe("a hosts file that an engine has made", () => {
  const folder = mkdtempSync(join(tmpdir(), "weave-hosts-"));
  const hostsPath = join(folder, "hosts");
  const container = { ident: "ab".repeat(32), namespacePath: "/proc/1/ns/net", hostsPath };

  beforeEach(() => {
    rmSync(hostsPath, { force: true });
    writeFileSync(hostsPath, "172.17.0.2\tabc\n".repeat(20));
    chmodSync(hostsPath, 0o664);
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  test("is written where the container sees it, and no more to be changed by the engine", () => {
    const { ino } = statSync(hostsPath);
    const asContainer = new HeldFile(hostsPath);
    writeHostsFile(container, (present) => `${present.length} octets\n`);
    expect(asContainer.text()).toBe("300 octets\n");
    expect(readFileSync(hostsPath, "utf8")).toBe("300 octets\n");
    expect(statSync(hostsPath).ino).not.toBe(ino);
    expect(statSync(hostsPath).mode & 0o7777).toBe(0o664);
    writeFileSync(hostsPath, "what the engine says now\n");
    expect(asContainer.text()).toBe("300 octets\n");
    asContainer.close();
  });

  test("stays when it is as it should be", () => {
    const { ino } = statSync(hostsPath);
    writeHostsFile(container, (present) => present);
    expect(statSync(hostsPath).ino).toBe(ino);
  });

  test("is not written where a link or a device lies in its place", () => {
    const victim = join(folder, "victim");
    writeFileSync(victim, "of the host");
    rmSync(hostsPath);
    symlinkSync(victim, hostsPath);
    expect(() => writeHostsFile(container, () => "text")).toThrow("cannot write");
    expect(readFileSync(victim, "utf8")).toBe("of the host");
    const device = { ...container, hostsPath: "/dev/null" };
    expect(() => writeHostsFile(device, () => "text")).toThrow("cannot write");
  });

  test("is named when it cannot be written", () => {
    const gone = { ...container, hostsPath: join(folder, "none", "hosts") };
    expect(() => writeHostsFile(gone, () => "text")).toThrow(`cannot write ${folder}/none/hosts`);
  });
});

/** A file as a bind mount holds it: by what it is, not by its name. */
class HeldFile {
  readonly #descriptor: number;

  constructor(path: string) {
    this.#descriptor = openSync(path, "r");
  }

  text(): string {
    return readFileSync(`/proc/self/fd/${this.#descriptor}`, "utf8");
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}
