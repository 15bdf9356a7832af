import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { must } from "../hosts/shell.ts";

export interface ImageParts {
  /** With host and tag, as pods name it. */
  readonly name: string;
  /** A folder that becomes its root. */
  readonly root: string;
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly env?: readonly string[];
}

/**
 * Makes an image of one layer, as `docker save` writes it and every runtime reads it (the image
 * specification of Docker, v1.2):
 *
 *   manifest.json   names the image, its configuration and its layer
 *   config.json     what to run, and the sum of the layer
 *   layer.tar       the root folder
 *
 * @param folder where to put it
 * @returns the archive
 */
export async function imageArchive(folder: string, image: ImageParts): Promise<string> {
  const name = image.name.replaceAll(/[^\w.]/g, "-");
  const parts = join(folder, name);
  mkdirSync(parts, { recursive: true });
  const layer = join(parts, "layer.tar");
  await must(["tar", "-C", image.root, "--owner=0", "--group=0", "-cf", layer, "."]);
  const sum = createHash("sha256").update(readFileSync(layer)).digest("hex");
  const config = {
    ...{ architecture: process.arch === "x64" ? "amd64" : process.arch, os: "linux" },
    config: {
      Env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", ...(image.env ?? [])],
      ...(image.entrypoint && { Entrypoint: image.entrypoint }),
      ...(image.command && { Cmd: image.command }),
    },
    rootfs: { type: "layers", diff_ids: [`sha256:${sum}`] },
  };
  const manifest = [{ Config: "config.json", RepoTags: [image.name], Layers: ["layer.tar"] }];
  writeFileSync(join(parts, "config.json"), JSON.stringify(config));
  writeFileSync(join(parts, "manifest.json"), JSON.stringify(manifest));
  const archive = join(folder, `${name}.tar`);
  await must(["tar", "-C", parts, "-cf", archive, "manifest.json", "config.json", "layer.tar"]);
  return archive;
}
