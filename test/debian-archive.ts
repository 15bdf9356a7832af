import { existsSync, readFileSync } from "node:fs";
import { must } from "./hosts/shell.ts";

/** What Debian signs its packages with, wherever its `debian-archive-keyring` is installed. */
const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

export interface DebianArchive {
  readonly url: string;
  readonly keyring: string;
}

/**
 * The archive of the release that this machine runs, as its own sources name it.
 *
 * @throws Error why there is none
 */
export async function debianArchive(): Promise<DebianArchive> {
  if (!existsSync(keyring)) throw new Error(`there is no ${keyring} to check packages with`);
  const release = /^VERSION_CODENAME=(.*)$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1];
  const format = "$(CREATED_BY) $(RELEASE) $(COMPONENT) $(REPO_URI)";
  const listed = await must(["apt-get", "indextargets", "--format", format]);
  const wanted = listed.split("\n").find((line) => line.startsWith(`Packages ${release} main `));
  if (wanted === undefined) throw new Error("the machine's apt sources name no Debian archive");
  return { url: wanted.split(" ")[3]!, keyring };
}
