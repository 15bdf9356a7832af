import type { CniSetup, CniSetupRequest } from "../cni/setup-cni.ts";
import type { AdoptionSite } from "../daemon/adoption/site.ts";
import type { LaunchOptions } from "../daemon/launch-options.ts";
import type { ServiceRequest } from "../daemon/service-setup.ts";
import type { SnapshotExtent } from "../daemon/snapshot.ts";
import type { RestoreOptions } from "../daemon/snapshot-store.ts";
import type { Diagnosis } from "../diagnosis/doctor/diagnosis.ts";
import type { EngineChoice } from "../docker/engine-choice.ts";
import type { NodeAgent } from "../kubernetes/agent/node-agent.ts";

/** The router's process on this host, as `lib/daemon` starts and stops it. */
export interface RouterProcess {
  /** Starts it in the background and resolves when it is ready, with the id of its run. */
  launch(options: LaunchOptions): Promise<string>;
  /** Runs it in this process and resolves when it has ended, with the exit code. */
  foreground(options: LaunchOptions): Promise<number>;
  /** False when no router was running. */
  stop(): Promise<boolean>;
  /** Leaves the cluster and removes what the router made on this host. */
  reset(options: { force: boolean }): Promise<void>;
  /** Makes it a service of systemd; resolves with what was done, a sentence each. */
  setUpService(request: ServiceRequest): Promise<readonly string[]>;
  /** Installs the CNI plugins; the program is this one. */
  setUpCni(request: Pick<CniSetupRequest, "root" | "folder" | "hairpin">): Promise<CniSetup>;
  /**
   * This host as a node of Kubernetes, as the environment tells.
   *
   * @param nodeName another than that of the environment
   */
  node(nodeName?: string): Promise<NodeAgent>;
  /** Its state as a text, whether it runs or not. */
  takeSnapshot(): Promise<{ text: string; extent: SnapshotExtent }>;
  /** Makes its state that of a snapshot, for the next launch. */
  restoreSnapshot(
    text: string,
    options: RestoreOptions,
  ): Promise<{ savedAt: string; extent: SnapshotExtent }>;
  /** Looks at this host when no router answers: without options, as a launch would find it. */
  examine(): Promise<Diagnosis>;
  /**
   * Has the router succeeded by this file or version, or by what is in its place; gives the process
   * id.
   */
  upgrade(source: string | undefined): Promise<number>;
  /** Finds the router of Weave Net 2.x on this host, asking this Docker engine if it answers. */
  findOldRouter(engine: EngineChoice): Promise<AdoptionSite>;
  /** Path of the log of the current or last run. */
  readonly logFile: string;
}
