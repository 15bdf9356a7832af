import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
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

/**
 * The words of an apt-get with lists and a cache of its own: neither has the machine a say in what it
 * finds, nor is anything changed on the machine.
 *
 * @param scratch a folder for both
 * @param kind `deb` for packages, `deb-src` for their sources
 * @param suite release of Debian
 * @throws Error why there is no archive
 */
export async function privateApt(
  scratch: string,
  kind: "deb" | "deb-src",
  suite: string,
): Promise<string[]> {
  const { url, keyring } = await debianArchive();
  for (const folder of ["lists/partial", "cache/archives/partial"]) {
    mkdirSync(join(scratch, folder), { recursive: true });
  }
  const sources = join(scratch, "sources.list");
  writeFileSync(sources, `${kind} [signed-by=${keyring}] ${url} ${suite} main\n`);
  return [
    ...["apt-get", "-qq", "-o", `Dir::Etc::SourceList=${sources}`],
    ...["-o", "Dir::Etc::SourceParts=/nonexistent", "-o", `Dir::State::Lists=${scratch}/lists`],
    ...["-o", `Dir::Cache=${scratch}/cache`, "-o", "Acquire::Check-Valid-Until=false"],
    ...["-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=2"],
  ];
}
