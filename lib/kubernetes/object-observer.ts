import type { KubernetesObject } from "./objects.ts";

/** How an object came to what it is: it was not there before, or was and is another now. */
export type ObjectChange = "added" | "modified";

/**
 * Who wants to know all objects of a kind. What is told last of an object is how it stands on the
 * server, or stood when the server was last heard: never is anything told that is older than what
 * was told before. Calls come one at a time and wait for nothing.
 */
export interface ObjectObserver<T extends KubernetesObject> {
  changed?(change: ObjectChange, object: T): void;
  /** The last that was known of it. */
  deleted?(object: T): void;
  /**
   * All there are, after each list; what they differ in from before has been told by then: first
   * what is new or other, then what is gone. The first time of all it may be an empty list, which
   * says that there are none.
   */
  replaced?(all: readonly T[]): void;
}

/** How it stands with the watch of a kind. Times are milliseconds since the Unix epoch. */
export interface WatchStatus {
  /** `pods`, `networkpolicies.networking.k8s.io`, … */
  readonly resource: string;
  readonly phase: WatchPhase;
  /** Whether everything has been listed since the start: what is known is whole, if not fresh. */
  readonly synced: boolean;
  /** When it came into its phase. */
  readonly sinceMs: number;
  /** When the server was last heard of, be it that nothing happened; missing before. */
  readonly heardMs: number | undefined;
  readonly objects: number;
  /** Since the start: whole lists, requests to be told of changes, changes told, */
  readonly lists: number;
  readonly watches: number;
  readonly events: number;
  /** changes that were known already or older than what was known, objects that nobody could read. */
  readonly staleEvents: number;
  readonly unreadable: number;
  /** The last that went wrong; kept when it goes on. */
  readonly lastError: WatchTrouble | undefined;
}

export type WatchPhase =
  | "stopped"
  | "listing"
  | "watching"
  /** Something went wrong, and is tried again in a moment. */
  | "resting"
  /** The server does not have this kind of objects; it is asked again now and then. */
  | "absent";

export interface WatchTrouble {
  readonly code: string;
  readonly text: string;
  /** Empty where there is none in particular. */
  readonly remedy: string;
  readonly atMs: number;
}

/** All objects of a kind, as far as they are known. `Reflector` is the one there is. */
export interface ObjectSource<T extends KubernetesObject> {
  /** Before it is started, to hear of everything. Returns what ends it. */
  observe(observer: ObjectObserver<T>): () => void;
  /** Under `<namespace>/<name>`, or the name alone. */
  get(key: string): T | undefined;
  all(): readonly T[];
  status(): WatchStatus;
}

/** `<namespace>/<name>`, or the name of what has no namespace. */
export function keyOf({ metadata: { namespace, name } }: KubernetesObject): string {
  return namespace === "" ? name : `${namespace}/${name}`;
}
