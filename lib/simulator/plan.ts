import type { ProtocolVersion } from "../mesh/header.ts";

/**
 * A history before it happens: who takes part, what users ask for and what goes wrong, with every
 * choice made. It follows from a seed alone, and any part of its steps can be carried out without
 * the others, which is how a failure is made small.
 */
export interface Plan {
  readonly seed: number;
  readonly shape: Shape;
  /** In the order of their times. */
  readonly steps: readonly Step[];
  /** How long the cluster runs before it is left in peace. */
  readonly durationMs: number;
}

/** What stays the same during a history. */
export interface Shape {
  readonly peers: number;
  /**
   * `chords`: each peer dials two others and no more. `ring`: each dials its neighbour, and every
   * other one goes across as well. `mesh`: each finds all others.
   */
  readonly topology: "chords" | "ring" | "mesh";
  /** `observers`: only the first half votes. */
  readonly init: "consensus" | "seed" | "observers";
  /** Bits of the network part of the universe 10.32.0.0: the longer, the tighter. */
  readonly prefix: number;
  readonly delayMs: number;
  readonly jitterMs: number;
  /** Connections set up at the same time overtake each other by up to this. */
  readonly setupJitterMs: number;
  /** What runs on each peer at the beginning; peer 1 first. */
  readonly releases: readonly Release[];
  /** Ranges of peers gone for so long are taken by the others; 0 for never. */
  readonly reclaimAfterMs: number;
}

/** What a peer speaks: a release of ours, or one that knows less. */
export interface Release {
  /** Highest protocol version. */
  readonly version: ProtocolVersion;
  /** Whether it has the extensions that we settle among ourselves. */
  readonly extended: boolean;
}

export type Step = { readonly atMs: number } & Action;
export type Action = Request | Fault;

/** What users ask for. Whatever a request finds impossible at its time it leaves. */
export type Request =
  /** `half`: of the lower half of the universe, which is somebody else's for most peers. */
  | { kind: "allocate"; peer: number; ident: string; half: boolean }
  /** Of the address so many places after the first of the universe. */
  | { kind: "claim"; peer: number; ident: string; offset: number }
  /** Everything that `ident` holds at this peer. */
  | { kind: "free"; peer: number; ident: string }
  | { kind: "name"; peer: number; name: string; address: number }
  | { kind: "unname"; peer: number; name: string }
  /** Wait until there is a ring, and have one elected if need be. */
  | { kind: "prime"; peer: number };

/** What goes wrong, and what operators do. */
export type Fault =
  | { kind: "reset"; a: number; b: number }
  | { kind: "cut"; a: number; b: number; forMs: number }
  | { kind: "one-way cut"; from: number; to: number; forMs: number }
  | { kind: "partition"; group: readonly number[]; forMs: number }
  | { kind: "slow link"; a: number; b: number; delayMs: number; jitterMs: number; forMs: number }
  | { kind: "slow peer"; peer: number; bytesPerMs: number; forMs: number }
  | { kind: "redial"; a: number; b: number }
  | { kind: "disk full"; peer: number; forMs: number }
  | { kind: "clock skew"; peer: number; skewMs: number; forMs: number }
  /** `silent`: the machine dies, and nobody is told. */
  | { kind: "kill"; peer: number; silent: boolean; backAfterMs: number }
  /** As `kill`, and the disk is lost. `takenOverBy`: who is told to take its ranges meanwhile. */
  | { kind: "wipe"; peer: number; silent: boolean; backAfterMs: number; takenOverBy?: number }
  /** Hands its addresses to an heir, stops, forgets everything, and joins anew. */
  | { kind: "leave"; peer: number; backAfterMs: number }
  /** Stops in good order and returns as another release. */
  | { kind: "upgrade"; peer: number; release: Release };

const requestKinds: ReadonlySet<string> = new Set<Request["kind"]>([
  "allocate",
  "claim",
  "free",
  "name",
  "unname",
  "prime",
]);

export function isFault(action: Action): action is Fault {
  return !requestKinds.has(action.kind);
}

/** The peers that a step is about. */
export function peersOf(action: Action): readonly number[] {
  switch (action.kind) {
    case "reset":
    case "cut":
    case "slow link":
    case "redial":
      return [action.a, action.b];
    case "one-way cut":
      return [action.from, action.to];
    case "partition":
      return action.group;
    default:
      return [action.peer];
  }
}

/** `cut 3 from 7 for 12 s`. */
export function describe(action: Action): string {
  switch (action.kind) {
    case "allocate":
      return `${action.peer} allocates for ${action.ident}${action.half ? " in the lower half" : ""}`;
    case "claim":
      return `${action.peer} claims address ${action.offset} for ${action.ident}`;
    case "free":
      return `${action.peer} frees ${action.ident}`;
    case "name":
      return `${action.peer} names ${action.name}`;
    case "unname":
      return `${action.peer} removes the name ${action.name}`;
    case "prime":
      return `${action.peer} waits for a ring`;
    default:
      return describeFault(action);
  }
}

function describeFault(fault: Fault): string {
  switch (fault.kind) {
    case "reset":
      return `connections between ${fault.a} and ${fault.b} are reset`;
    case "cut":
      return `${fault.a} and ${fault.b} are cut apart for ${seconds(fault.forMs)}`;
    case "one-way cut":
      return `nothing gets from ${fault.from} to ${fault.to} for ${seconds(fault.forMs)}`;
    case "partition":
      return `${fault.group.join(", ")} are cut off for ${seconds(fault.forMs)}`;
    case "slow link":
      return `${fault.a} and ${fault.b} are ${fault.delayMs} to ${fault.delayMs + fault.jitterMs} ms apart for ${seconds(fault.forMs)}`;
    case "slow peer":
      return `${fault.peer} takes ${fault.bytesPerMs} octets a millisecond for ${seconds(fault.forMs)}`;
    case "redial":
      return `${fault.a} and ${fault.b} dial each other`;
    case "disk full":
      return `the disk of ${fault.peer} is full for ${seconds(fault.forMs)}`;
    case "clock skew":
      return `the clock of ${fault.peer} is off by ${seconds(fault.skewMs)} for ${seconds(fault.forMs)}`;
    case "kill":
      return `${fault.peer} is killed${fault.silent ? " silently" : ""}, back after ${seconds(fault.backAfterMs)}`;
    case "wipe":
      return `${fault.peer} loses its disk${fault.silent ? " silently" : ""}, back after ${seconds(fault.backAfterMs)}${fault.takenOverBy === undefined ? "" : `, taken over by ${fault.takenOverBy}`}`;
    case "leave":
      return `${fault.peer} leaves, back after ${seconds(fault.backAfterMs)}`;
    case "upgrade":
      return `${fault.peer} restarts with protocol version ${fault.release.version}${fault.release.extended ? " and extensions" : ""}`;
  }
}

function seconds(ms: number): string {
  return `${ms / 1000} s`;
}
