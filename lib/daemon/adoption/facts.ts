import type { Ipv4Cidr } from "../../base/ip.ts";
import type { PeerName } from "../../base/peer-name.ts";
import type { Wiring } from "../../host/wiring.ts";
import type { OriginalDatabase } from "../original-import.ts";
import type { StoredName } from "../settings-store.ts";

/** A host with a router of Weave Net 2.x, as it was found; nothing is changed by looking. */
export interface AdoptionFacts {
  readonly router: OldRouter;
  /** What it remembers; absent when it has no data file, or none that can be read. */
  readonly database: OldDatabase | undefined;
  /** Absent when nothing stands. */
  readonly wiring: Wiring | undefined;
  /** Hardware address of the bridge, which the original makes its peer name. */
  readonly bridgeName: PeerName | undefined;
  /** Addresses of the bridge. */
  readonly exposed: readonly Ipv4Cidr[];
  /** Containers on the bridge. */
  readonly containers: readonly FoundContainer[];
  /** Names that its name server has from this host; absent when it could not be asked. */
  readonly names: readonly StoredName[] | undefined;
  /** Containers of earlier releases that go with it: proxy and plugin. */
  readonly companions: readonly EngineProgram[];
  /** Whether there is state of a router of ours, which would be in the way. */
  readonly hasOwnState: boolean;
}

/** A router of the original. */
export interface OldRouter {
  /** Its process; absent when it does not run. */
  readonly pid: number | undefined;
  /** The container in which a container engine runs it; absent for a process of its own. */
  readonly container: EngineProgram | undefined;
  /** As it was started. */
  readonly program: string;
  /** Its arguments, without a password. */
  readonly words: readonly string[];
  /** Absent: its traffic is not encrypted. Never shown. */
  readonly password: string | undefined;
  /** Whether Kubernetes keeps it running. */
  readonly isPod: boolean;
  /** Where its files can be opened from here, a file of its own by path. */
  readonly files: OldFiles;
}

/** How paths of the old router lead to files as seen from here. */
export interface OldFiles {
  /** `undefined` when it cannot be told. */
  locate(path: string): string | undefined;
  /** Whether the path leads to the same file here as there. */
  isShared(path: string): boolean;
}

export interface OldDatabase {
  /** As seen from here. */
  readonly path: string;
  readonly content: OriginalDatabase;
}

/** A container that the old router has attached. */
export interface FoundContainer {
  /** Name of its port at the bridge. */
  readonly port: string;
  /** Under which we keep it: an engine's full id, or what its namespace tells; may be empty. */
  readonly ident: string;
  readonly addresses: readonly Ipv4Cidr[];
  /** Whether its first program waits for the old router's proxy when it is started again. */
  readonly isOfProxy: boolean;
}

/** A container as far as it matters how its program is run. */
export interface EngineProgram {
  /** 64 hex digits. */
  readonly id: string;
  readonly name: string;
  /** Of its first process; 0 when it does not run. */
  readonly pid: number;
  readonly isRunning: boolean;
  /** The program and its arguments. */
  readonly command: readonly string[];
  /** `NAME=value` each. */
  readonly environment: readonly string[];
  readonly restartPolicy: RestartPolicy;
  readonly mounts: readonly EngineMount[];
}

export interface RestartPolicy {
  /** `no`, `always`, `unless-stopped` or `on-failure`; empty as `no`. */
  readonly name: string;
  readonly maximumRetryCount: number;
}

export interface EngineMount {
  /** Inside the container. */
  readonly target: string;
  /** On this host. */
  readonly source: string;
}

/** A container engine, as far as adopting asks it. All calls fail when it does not answer. */
export interface ProgramEngine {
  /** By name or id; `undefined` when there is no such container. */
  describe(reference: string): Promise<EngineProgram | undefined>;
  /** All that run. */
  running(): Promise<readonly EngineProgram[]>;
  stop(id: string): Promise<void>;
  start(id: string): Promise<void>;
  setRestartPolicy(id: string, policy: RestartPolicy): Promise<void>;
}
