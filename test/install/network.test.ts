import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { installPiped, ReleaseServer } from "./release-server.ts";

let server: ReleaseServer;
let prefix = "";
let count = 0;

beforeAll(async () => {
  server = new ReleaseServer();
  await server.publish("9.1.0", ["9.1.0", "latest"]);
  await server.publish("9.0.0", ["9.0.0"]);
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(() => {
  prefix = join(server.folder, `prefix${++count}`);
  server.tampered.clear();
  server.requested.length = 0;
});

const arch = process.arch === "x64" ? "linux-x64" : "linux-arm64";
const install = (words: string[] = [], environment: Record<string, string> = {}) =>
  installPiped(["--prefix", prefix, ...words], { WEAVE_BASE_URL: server.url, ...environment });

function tree(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => statSync(join(folder, path)).isFile())
    .sort();
}

describe("a release from the network", () => {
  test("is installed with program, completions, manual page and licence", async () => {
    const { code, stdout, stderr } = await install();
    expect(stderr).toBe("");
    expect(code).toBe(0);
    expect(stdout).toContain(`weave 9.1.0 is installed: ${prefix}/bin/weave\n`);
    expect(stdout).toContain(`note: ${prefix}/bin is not in PATH\n`);
    const files = tree(prefix);
    expect(files).toContain("bin/weave");
    expect(files).toContain("share/bash-completion/completions/weave");
    expect(files).toContain("share/zsh/site-functions/_weave");
    expect(files).toContain("share/fish/vendor_completions.d/weave.fish");
    expect(files).toContain("share/man/man1/weave.1");
    expect(files).toContain("share/doc/weave/LICENSE");
    expect(statSync(join(prefix, "bin/weave")).mode & 0o777).toBe(0o755);
  });

  test("can be an older one, and a newer one takes its place", async () => {
    expect((await install(["--version", "9.0.0"])).stdout).toContain("9.0.0 is installed");
    expect((await install(["--version=9.1.0"])).stdout).toContain("9.1.0 is installed");
    expect(server.requested).toEqual([
      "/releases/9.0.0/SHA256SUMS",
      `/releases/9.0.0/weave-9.0.0-${arch}.tar.gz`,
      "/releases/9.1.0/SHA256SUMS",
      `/releases/9.1.0/weave-9.1.0-${arch}.tar.gz`,
    ]);
  });

  test("is removed to the last file and folder, and nothing else is", async () => {
    mkdirSync(join(prefix, "share/man"), { recursive: true });
    writeFileSync(join(prefix, "share/man/mine"), "");
    await install();
    await install();
    const { code, stdout } = await install(["--uninstall"]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: `weave is removed from ${prefix}\n` });
    expect(readdirSync(prefix, { recursive: true }).sort()).toEqual([
      "share",
      "share/man",
      "share/man/mine",
    ]);
  });

  test("leaves no folder behind where there was none", async () => {
    await install();
    await install(["--uninstall"]);
    expect(existsSync(prefix)).toBe(false);
    const again = await install(["--uninstall"]);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain(`nothing of this installer is under ${prefix}`);
  });

  test("does not overwrite a program of another origin", async () => {
    mkdirSync(join(prefix, "bin"), { recursive: true });
    writeFileSync(join(prefix, "bin/weave"), "the script of earlier releases");
    const { code, stderr } = await install();
    expect(code).toBe(1);
    expect(stderr).toContain(`${prefix}/bin/weave is there and is not of this installer`);
    expect(readFileSync(join(prefix, "bin/weave"), "utf8")).toBe("the script of earlier releases");
  });
});

describe("nothing is installed", () => {
  async function refusal(words: string[], environment: Record<string, string> = {}) {
    const outcome = await install(words, environment);
    expect(outcome.code).toBe(1);
    expect(tree(prefix)).toEqual([]);
    return outcome.stderr;
  }

  test("when the checksum is wrong", async () => {
    server.tampered.set(`/releases/latest/weave-9.1.0-${arch}.tar.gz`, "something else");
    expect(await refusal([])).toContain(
      `the checksum of weave-9.1.0-${arch}.tar.gz is wrong; nothing was installed`,
    );
  });

  test("when the program does not run here", async () => {
    await server.publish("9.2.0", ["9.2.0"], "exit 132");
    expect(await refusal(["--version", "9.2.0"])).toContain("does not run on this machine");
  });

  test("when the list of checksums names no release for this system", async () => {
    server.tampered.set("/releases/latest/SHA256SUMS", `${"0".repeat(64)}  weave-9-plan9.tar.gz\n`);
    expect(await refusal([])).toContain(`there is no release for ${arch} at ${server.url}/latest`);
    server.tampered.set(
      "/releases/latest/SHA256SUMS",
      `${"0".repeat(64)}  ../../etc/weave-1-${arch}.tar.gz\n`,
    );
    expect(await refusal([])).toContain("there is no release");
  });

  test("when there is no such version", async () => {
    expect(await refusal(["--version", "1.0.0"])).toContain(
      `cannot download ${server.url}/1.0.0/SHA256SUMS`,
    );
  });

  test("on an unknown system or processor", async () => {
    const darwin = server.standIn(
      "uname",
      'if [ "$1" = -s ]; then echo Darwin; else echo arm64; fi',
    );
    const path = `${darwin}:${process.env.PATH}`;
    expect(await refusal([], { PATH: path })).toContain("weave runs on Linux, not on Darwin");
    server.standIn("uname", 'if [ "$1" = -s ]; then echo Linux; else echo riscv64; fi');
    expect(await refusal([], { PATH: path })).toContain(
      "there is no weave for processors of type riscv64",
    );
    expect(server.requested).toEqual([]);
  });

  test("when a tool is missing, which is named", async () => {
    const all = ["dirname", "mktemp", "rm", "uname", "id", "grep", "sed", "wc", "tar", "gzip"];
    const bin = join(server.folder, "few-tools");
    mkdirSync(bin, { recursive: true });
    for (const tool of all) symlinkSync(Bun.which(tool)!, join(bin, tool));
    expect(await refusal([], { PATH: bin })).toContain("sha256sum is missing");
    symlinkSync(Bun.which("sha256sum")!, join(bin, "sha256sum"));
    expect(await refusal([], { PATH: bin })).toContain("neither curl nor wget is there");
  });

  test("under a prefix that cannot be written to, or is no folder", async () => {
    prefix = "/proc/weave";
    expect((await install()).stderr).toContain("cannot write to /proc/weave");
    prefix = join(server.folder, "file");
    writeFileSync(prefix, "");
    expect((await install()).stderr).toContain(`cannot write to ${prefix}`);
    expect(server.requested).toEqual([]);
  });

  test("when it is not known where releases are", async () => {
    expect(await refusal([], { WEAVE_BASE_URL: "" })).toContain("set WEAVE_BASE_URL");
  });

  test("when an option is wrong", async () => {
    expect(await refusal(["--prefx", "/x"])).toContain("unknown option: --prefx");
    expect(await refusal(["--version"])).toContain("--version needs a value");
    expect(await refusal(["--dev"])).toContain("--dev works in a checkout of the sources only");
  });

  test("when the script arrives cut off", async () => {
    const script = readFileSync(join(import.meta.dir, "../../install.sh"), "utf8");
    const child = Bun.spawnSync(["/bin/sh", "-s", "--", "--prefix", prefix], {
      stdin: Buffer.from(script.slice(0, script.length - 20)),
      env: { PATH: process.env.PATH ?? "", WEAVE_BASE_URL: server.url },
    });
    expect(child.stdout.toString()).toBe("");
    expect(tree(prefix)).toEqual([]);
    expect(server.requested).toEqual([]);
  });
});

describe("wget", () => {
  test("serves where there is no curl", async () => {
    const bin = join(server.folder, "wget-only");
    mkdirSync(bin, { recursive: true });
    const tools =
      "dirname mktemp rm rmdir uname id grep sed wc tar gzip sha256sum cp mv chmod mkdir cat sort sh";
    for (const tool of tools.split(" ")) symlinkSync(Bun.which(tool)!, join(bin, tool));
    // Speaks HTTP as wget does, from the same address, whether or not wget is installed here.
    writeFileSync(
      join(bin, "wget"),
      `#!/bin/sh\n[ "$1" = -q ] && [ "$2" = -O ] && exec ${Bun.which("curl")} -fsS -o "$3" "$4"\n`,
    );
    chmodSync(join(bin, "wget"), 0o755);
    const { code, stderr } = await install([], { PATH: bin });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(tree(prefix)).toContain("bin/weave");
  });
});
