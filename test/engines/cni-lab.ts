import { copyFileSync } from "node:fs";
import { Lab } from "../hosts/lab.ts";
import { engineRoot } from "./engine-files.ts";
import { EngineHost } from "./engine-host.ts";
import { rootArchive } from "./images.ts";

/** Where this machine's packages have the reference plugins. */
const referencePlugins = "/usr/lib/cni";

/** Folders of CNI that are the host's own and empty. */
const ownFolders = `
for each in /etc/cni/net.d /opt/cni/bin /var/lib/cni; do
  mkdir -p $each
  mount -t tmpfs tmpfs $each
done
cp ${referencePlugins}/portmap /opt/cni/bin
`;

/**
 * Hosts for runtimes that call plugins of CNI: without an engine, with routers that are peers, and with
 * the plugins and the network that `weave setup-cni` installs. Each has {@link rootArchivePath}.
 */
export class CniLab implements AsyncDisposable {
  readonly hosts: readonly EngineHost[];
  readonly #lab: Lab;

  private constructor(lab: Lab, hosts: readonly EngineHost[]) {
    this.#lab = lab;
    this.hosts = hosts;
  }

  /**
   * @param prefix of the lab's names, no other test's, of few letters
   * @throws Error saying what is missing on this machine
   */
  static async start(prefix: string, count: number): Promise<CniLab> {
    const root = engineRoot("20.10");
    const lab = await Lab.onSwitch(prefix, count);
    const hosts: EngineHost[] = [];
    const made = new CniLab(lab, hosts);
    try {
      const archive = await rootArchive(lab.folder);
      for (const { number, namespace, ip } of lab.hosts) {
        const place = { number, namespace, ip, folder: `${lab.folder}/host${number}` };
        const host = await EngineHost.boot({
          ...place,
          engine: "20.10",
          root,
          engineArguments: [],
        });
        hosts.push(host);
        copyFileSync(archive, host.outside(rootArchivePath(host)));
        await host.mustExec(["sh", "-ec", ownFolders]);
        // As on every host whose containers have ports.
        await host.mustExec(["sysctl", "-qw", "net.ipv4.ip_forward=1"]);
        await host.launch(lab.hosts.slice(0, number - 1).map(({ ip: peer }) => peer));
        await host.mustWeave(["setup-cni"]);
      }
      return made;
    } catch (error) {
      await made[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.end()));
    await this.#lab[Symbol.asyncDispose]();
  }
}

/** What containers see as their root, as a file inside the host. */
export function rootArchivePath({ folder }: EngineHost): string {
  return `${folder}/root.tar`;
}
