import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../house/source-files.ts";

/**
 * install.sh in a checkout, with stand-ins for npm, apt and Bun: which of them it calls and what
 * it says when one is missing. The real things are exercised by `.ci/run` on a fresh machine.
 */
const pinned = (
  JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { engines: { bun: string } }
).engines.bun;

let folder = "";
let calls = "";
const path = (...parts: string[]): string => join(folder, ...parts);

/** A Bun that notes how it is called; its build makes a program that knows its version. */
const fakeBun = `#!/bin/sh
case $1 in
--version) echo ${pinned} ;;
install) echo "bun $*" >>"$CALLS" ;;
run)
	echo "bun $*" >>"$CALLS"
	mkdir -p dist
	printf '#!/bin/sh\\necho "weave script 9.9.9"\\n' >dist/weave
	chmod 755 dist/weave ;;
esac
`;

function tool(bin: string, name: string, script: string): void {
  mkdirSync(path(bin), { recursive: true });
  writeFileSync(path(bin, name), script);
  chmodSync(path(bin, name), 0o755);
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "weave-checkout-"));
  calls = path("calls");
  for (const file of [
    "install.sh",
    "package.json",
    "cmd/weave.ts",
    "LICENSE",
    "docs/man/weave.1",
    "completions/weave.bash",
    "completions/_weave",
    "completions/weave.fish",
  ]) {
    mkdirSync(join(path("checkout", file), ".."), { recursive: true });
    copyFileSync(join(root, file), path("checkout", file));
  }
  mkdirSync(path("tools"));
  const tools =
    "sh dirname mktemp rm rmdir uname id grep sed wc cp mv chmod mkdir cat sort pwd env printf";
  for (const name of tools.split(" ")) {
    const found = Bun.which(name);
    if (found !== null) symlinkSync(found, path("tools", name));
  }
  tool("debian", "dpkg-query", "#!/bin/sh\nprintf installed\n");
  tool("bun", "bun", fakeBun);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly calls: string[];
}

function install(bins: string[], ...words: string[]): Outcome {
  writeFileSync(calls, "");
  rmSync(path("checkout/build"), { recursive: true, force: true });
  const run = Bun.spawnSync([path("checkout/install.sh"), "--prefix", path("prefix"), ...words], {
    env: { PATH: [...bins, "tools"].map((bin) => path(bin)).join(":"), CALLS: calls },
  });
  return {
    code: run.exitCode,
    stdout: run.stdout.toString(),
    stderr: run.stderr.toString(),
    calls: readFileSync(calls, "utf8").trim().split("\n"),
  };
}

describe("in a checkout, install.sh", () => {
  test("builds with the pinned Bun on PATH and installs", () => {
    const outcome = install(["debian", "bun"]);
    expect(outcome).toMatchObject({ code: 0, stderr: "" });
    expect(outcome.calls).toEqual([
      "bun install --frozen-lockfile --production",
      "bun run build/build.ts",
    ]);
    expect(outcome.stdout).toContain(`weave 9.9.9 is installed: ${path("prefix/bin/weave")}`);
    expect(existsSync(path("prefix/bin/bun"))).toBe(false);
  });

  test("fetches the pinned Bun from npm when there is none, without running its scripts", () => {
    tool(
      "npm",
      "npm",
      `#!/bin/sh
echo "npm $*" >>"$CALLS"
while [ "$1" != --prefix ]; do shift; done
for last; do :; done
name=\${last%@*}
mkdir -p "$2/node_modules/$name/bin"
cp ${path("bun/bun")} "$2/node_modules/$name/bin/bun"
`,
    );
    const { code, calls: called } = install(["debian", "npm"]);
    expect(code).toBe(0);
    expect(called[0]).toContain("--ignore-scripts");
    expect(called[0]).toMatch(new RegExp(`@oven/bun-linux-[a-z0-9-]+@${pinned}$`));
    expect(called.at(-1)).toBe("bun run build/build.ts");
  });

  test("says what to install when npm is missing", () => {
    const { code, stderr } = install(["debian"]);
    expect(code).toBe(1);
    expect(stderr).toContain(`npm is missing, which fetches Bun ${pinned}`);
    expect(stderr).toContain("apt-get install npm");
  });

  test("--dev also installs what tests need, and Bun beside weave, until it is uninstalled", () => {
    for (const words of [["--dev"], ["--dev"], []]) {
      const { code, calls: called } = install(["debian", "npm"], ...words);
      expect(code).toBe(0);
      expect(called).toContain(
        words.length > 0
          ? "bun install --frozen-lockfile"
          : "bun install --frozen-lockfile --production",
      );
      expect(existsSync(path("prefix/bin/bun"))).toBe(true);
    }
    expect(install(["debian"], "--uninstall").code).toBe(0);
    expect(existsSync(path("prefix"))).toBe(false);
  });

  test("leaves a Bun of another origin alone", () => {
    mkdirSync(path("prefix/bin"), { recursive: true });
    writeFileSync(path("prefix/bin/bun"), "mine");
    const { code, stdout } = install(["debian", "npm"], "--dev");
    expect(code).toBe(0);
    expect(stdout).toContain("is another Bun than the pinned");
    install(["debian"], "--uninstall");
    expect(readFileSync(path("prefix/bin/bun"), "utf8")).toBe("mine");
  });
});

describe("missing packages", () => {
  const dpkg = "#!/bin/sh\ncase $4 in libnl*) exit 1 ;; *) printf installed ;; esac\n";

  test("are installed by apt, with new lists when the old ones do not do", () => {
    tool("bare", "dpkg-query", dpkg);
    tool(
      "apt",
      "apt-get",
      `#!/bin/sh\necho "apt-get $*" >>"$CALLS"\n[ -e ${path("updated")} ] || { [ "$1" = update ] && : >${path("updated")}; }\n`,
    );
    const { code, calls: called } = install(["bare", "apt", "bun"]);
    expect(code).toBe(0);
    expect(called.slice(0, 3)).toEqual([
      "apt-get install -y -qq --no-install-recommends libnl-3-200",
      "apt-get update -qq",
      "apt-get install -y -qq --no-install-recommends libnl-3-200",
    ]);
  });

  test("are named where there is no apt", () => {
    const { code, stderr } = install(["bare", "bun"]);
    expect(code).toBe(1);
    expect(stderr).toContain("these Debian packages are missing: libnl-3-200");
  });
});
