import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formerPaths, packImage } from "../../build/image.ts";

describe("the image", () => {
  const folder = mkdtempSync(join(tmpdir(), "weave-image-"));
  const archive = join(folder, "image.tar");
  // Any program does: what is in the image follows from what it is linked to.
  beforeAll(() => packImage("/bin/true", archive, "weave:1.2.3"));
  afterAll(() => rmSync(folder, { recursive: true }));

  const run = (command: readonly string[]): Uint8Array => {
    const { exitCode, stdout, stderr } = Bun.spawnSync([...command]);
    if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stderr}`);
    return stdout;
  };
  const contentOf = (path: string): Uint8Array => run(["tar", "-xOf", archive, `./${path}`]);
  const json = (path: string) => JSON.parse(new TextDecoder().decode(contentOf(path)));
  const blob = ({ digest }: { digest: string }): string => `blobs/${digest.replace(":", "/")}`;

  test("is one that runtimes can import, each part under the digest of its octets", () => {
    const { manifests } = json("index.json");
    const manifest = json(blob(manifests[0]));
    for (const part of [manifests[0], manifest.config, ...manifest.layers]) {
      const content = contentOf(blob(part));
      const digest = new Bun.CryptoHasher("sha256").update(content).digest("hex");
      expect([part.digest, part.size]).toEqual([`sha256:${digest}`, content.length]);
    }
    const config = json(blob(manifest.config));
    expect(config.rootfs.diff_ids).toEqual(
      manifest.layers.map((each: { digest: string }) => each.digest),
    );
    expect(config.config).toMatchObject({ Entrypoint: ["/usr/local/bin/weave"], Cmd: ["kube"] });
    // For engines that know no layouts.
    expect(json("manifest.json")).toEqual([
      {
        Config: blob(manifest.config),
        RepoTags: ["weave:1.2.3"],
        Layers: [blob(manifest.layers[0])],
      },
    ]);
  });

  test("has the program, what it is linked to, and the paths that manifests of Weave Net 2.x call", () => {
    const [entry] = json("index.json").manifests;
    const [layer] = json(blob(entry)).layers;
    const file = join(folder, "layer.tar");
    Bun.spawnSync(["sh", "-c", `tar -xOf ${archive} ./${blob(layer)} > ${file}`]);
    const listed = new TextDecoder().decode(run(["tar", "-tvf", file]));
    for (const path of formerPaths) expect(listed).toContain(`.${path} -> /usr/local/bin/weave\n`);
    expect(listed).toContain("./usr/local/bin/weave\n");
    expect(listed).toContain("./var/run -> ../run\n");
    expect(listed).toMatch(/libc\.so\.6\n/);
    // What iptables needs to read rules of others lies there under many names, most of them links.
    const extensions = "/usr/lib/x86_64-linux-gnu/xtables";
    const names = existsSync(extensions) ? readdirSync(extensions) : [];
    for (const name of names) expect(listed).toContain(`.${extensions}/${name}\n`);
    expect(listed).not.toMatch(/ (?!0\/0)\S+\/\S+ +\d+ \d{4}-/);
  });

  test("is the same when it is made again", () => {
    const again = join(folder, "again.tar");
    packImage("/bin/true", again, "weave:1.2.3");
    run(["cmp", archive, again]);
  });
});
