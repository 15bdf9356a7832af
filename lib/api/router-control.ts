import type * as v from "valibot";
import type { WeaveError } from "../base/errors.ts";
import type { Cidr, IpAddress, Ipv4Cidr } from "../base/ip.ts";
import type { Diagnosis } from "../diagnosis/doctor/diagnosis.ts";
import type { Explanation } from "../diagnosis/why/explanation.ts";
import type { Entry } from "../dns/entry.ts";
import type { JsonObject } from "../incident/json.ts";
import type { Redactable } from "../incident/pseudonyms.ts";
import type { Allocator } from "../ipam/allocator.ts";
import type { SharedLinks } from "../links/shared-links.ts";
import type { EventControl } from "./event-models.ts";
import type { Measurement } from "./metrics/measurement.ts";
import type {
  applyBody,
  changesAnswer,
  deleteBody,
  policyExplanation,
  policyListAnswer,
  policyWays,
  testAnswer,
  testBody,
} from "./policy-models.ts";
import type { Report } from "./report.ts";

/**
 * What the control API asks of a running router. The router implements it; the API holds no state
 * of its own and knows nothing of devices, sockets or files.
 */
export interface RouterControl {
  /** False until everything a client may ask for has started: `/status` then answers 503. */
  ready(): boolean;
  /** What has to be done besides before the router is of use, a sentence each. */
  awaited(): readonly string[];
  report(): Promise<Report>;
  /** For `/metrics`; cheap enough to be asked for every few seconds. */
  measurements(): readonly Measurement[];

  /** Bad names are returned, good ones applied. */
  connect(peers: readonly string[], options: { replace: boolean }): WeaveError[];
  forget(peers: readonly string[]): void;
  /** Takes over the ranges of a peer; returns the number of addresses gained. */
  removePeer(nameOrNickname: string, options: { force: boolean }): number;
  /** Hands our own ranges over, as the last act before a reset. */
  leave(): void;
  /**
   * Starts a process that takes this one's place. Resolves with its id when it is ready for that;
   * right after that this one lets go of everything.
   */
  succeed(): Promise<number>;

  /** Absent when address allocation is off. */
  readonly ipam:
    | {
        readonly allocator: Allocator;
        readonly defaultSubnet: Ipv4Cidr;
        readonly tracker?: "no-masq-local";
      }
    | undefined;
  /** Absent when DNS is off. */
  readonly dns: { readonly names: NameRegistry; readonly listenAddress: string } | undefined;
  readonly containers: ContainerControl;
  readonly cni: CniControl;
  readonly diagnosis: DiagnosisControl;
  readonly policy: PolicyControl;
  /** What others tell of their links. Absent when this router speaks as the original does. */
  readonly links: Pick<SharedLinks, "look" | "lookOnce" | "told"> | undefined;
  readonly events: EventControl;
  readonly page: PageControl;
  readonly incident: IncidentControl;
  /** Absent when the router is no plugin of Docker. */
  readonly plugin: PluginControl | undefined;
}

/** The page that shows the network to browsers of this host. */
export interface PageControl {
  /** Where it is, with the token that lets in. @throws WeaveError `API_LISTEN` */
  open(): Promise<{ readonly url: string }>;
}

/** What somebody needs who is to find out what went wrong. */
export interface IncidentControl {
  /** The document of `lib/incident/bundle.ts`, without secrets, with pseudonyms for what is named. */
  bundle(redact: readonly Redactable[]): Promise<JsonObject>;
}

/** Networks of Docker that are the router's. */
export interface PluginControl {
  /**
   * Takes the default network out of Docker, as the last act before a stop, unless containers are
   * connected to it: gives those.
   *
   * @throws WeaveError `ENGINE_…`
   */
  retire(): Promise<{ readonly network: string; readonly containers: readonly PluginContainer[] }>;
}

export interface PluginContainer {
  /** 64 hex digits. */
  readonly id: string;
  readonly name: string;
}

/** Looking for what is wrong. Both take a while on hosts with many rules and containers. */
export interface DiagnosisControl {
  /** This host, its links and its containers. */
  doctor(): Promise<Diagnosis>;
  /**
   * The way of a frame between two places, or to one: containers, addresses, names or peers.
   *
   * @throws WeaveError `CONTAINER_…` for `netns:` and `pid:` that lead nowhere
   */
  why(from: string, to: string | undefined): Promise<Explanation>;
}

/** The names that this router registers, which outlive its process. */
export interface NameRegistry {
  /** With final dot. */
  readonly domain: string;
  /** Returns false for a name outside the domain, which is ignored. @throws WeaveError `DNS_…` */
  add(fqdn: string, ident: string, address: IpAddress): boolean;
  /** Removes the names that match all that is given. */
  remove(filter: { fqdn?: string; ident?: string; address?: IpAddress }): void;
  /** Those of all peers, deleted ones included. */
  entries(): readonly Entry[];
}

/** Who may connect to whom, on all hosts. */
export interface PolicyControl {
  /** @throws WeaveError `POLICY_…`, with nothing changed */
  apply(request: v.InferOutput<typeof applyBody>): v.InferOutput<typeof changesAnswer>;
  remove(request: v.InferOutput<typeof deleteBody>): v.InferOutput<typeof changesAnswer>;
  /** @param now what is known here, without waiting for what other hosts would tell */
  list(options: { readonly now: boolean }): Promise<v.InferOutput<typeof policyListAnswer>>;
  /** @throws WeaveError `POLICY_PLACE` for an end that is not known */
  explain(question: PolicyQuestion): Promise<v.InferOutput<typeof policyExplanation>>;
  /** The same on all ports, there and back. @throws WeaveError `POLICY_PLACE` */
  ways(ends: Pick<PolicyQuestion, "from" | "to">): Promise<v.InferOutput<typeof policyWays>>;
  /**
   * Containers of all hosts, as far as those have told of theirs. Hosts that have not are asked, and
   * not waited for.
   */
  containers(): readonly ToldContainer[];
  /** @throws WeaveError `POLICY_TEST_…` */
  test(request: v.InferOutput<typeof testBody>): Promise<v.InferOutput<typeof testAnswer>>;
}

/** A container as its host tells of it, or a pod as its cluster does. */
export interface ToldContainer {
  /** As `weave ps` lists it, or the pod's UID. */
  readonly container: string;
  /** The peer on whose host it is, or the name of a cluster's node; empty when unknown. */
  readonly host: string;
  readonly namespace: string;
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  /** Without prefix lengths. */
  readonly addresses: readonly string[];
}

export interface PolicyQuestion {
  /** Containers, `<namespace>/<name>`, or addresses. */
  readonly from: string;
  readonly to: string;
  /** Missing: of a protocol without ports, such as ICMP. */
  readonly port: { readonly protocol: "TCP" | "UDP" | "SCTP"; readonly port: number } | undefined;
}

/** Containers of this host and addresses of the bridge. Tokens are those of cli §2. */
export interface ContainerControl {
  /** False for a container that is known to be gone or at rest; it must not get anything then. */
  isAlive(ident: string): Promise<boolean>;
  attach(request: AttachRequest, signal: AbortSignal): Promise<AttachAnswer>;
  detach(request: DetachRequest): Promise<DetachAnswer>;
  expose(request: ExposeRequest, signal: AbortSignal): Promise<ExposeAnswer>;
  hide(request: { addresses: readonly string[] }): Promise<CidrsAnswer>;
  /** One address that the caller has claimed itself; idempotent. */
  exposeAddress(cidr: Cidr, options: { masquerade: boolean }): Promise<void>;
  /** Joins another bridge of this host with ours; false when it was joined already. */
  joinBridge(name: string): Promise<boolean>;
  /** All attached containers and the bridge, or those named. */
  list(references: readonly string[]): Promise<readonly ListedContainer[]>;
  addNames(request: NamesRequest): Promise<NamesAnswer>;
  removeNames(request: NamesRequest): Promise<NamesAnswer>;
  lookupName(name: string): readonly string[];
}

/** Interfaces of containers that a runtime has made through CNI. */
export interface CniControl {
  /** Does nothing twice: who has the interface already is told what it is. */
  add(request: CniAddRequest, signal: AbortSignal): Promise<CniInterface>;
  /** What is gone already is no error. */
  remove(request: CniRemoveRequest): Promise<void>;
  /** What is not as it was made: a sentence each. */
  check(request: CniCheckRequest): Promise<{ readonly wrong: readonly string[] }>;
  /** Removes the interfaces of a network that the runtime does not know any more. */
  collect(request: CniCollectRequest): Promise<{ readonly removed: readonly CniName[] }>;
}

export interface CniName {
  /** As the runtime has it. */
  readonly container: string;
  /** The name in the container. */
  readonly interface: string;
}

export interface CniRoute {
  readonly dst: string;
  readonly gw?: string;
}

export interface CniAddRequest extends CniName {
  /** Path of the container's network namespace. */
  readonly namespace: string;
  /** Name of the runtime's network. */
  readonly network: string;
  /** Must be the router's, if given. */
  readonly bridge?: string;
  /** An address that the caller has; without it one is allocated. */
  readonly address?: string;
  /** What to allocate in. Default: the default subnet. */
  readonly subnet?: string;
  readonly gateway?: string;
  /** Absent: a default route. */
  readonly routes?: readonly CniRoute[];
  /** Default: the bridge's. */
  readonly mtu?: number;
  readonly hairpin: boolean;
  /** The pod that it is of; policies are about that. */
  readonly pod?: CniPod;
}

export interface CniPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid?: string;
}

/** One end or the other of an interface, or the bridge. */
export interface CniLink {
  readonly name: string;
  readonly mac: string;
}

export interface CniInterface {
  readonly bridge: CniLink;
  readonly port: CniLink;
  readonly guest: CniLink;
  readonly mtu: number;
  readonly cidr: string;
  readonly gateway?: string;
  readonly routes: readonly CniRoute[];
}

export interface CniRemoveRequest extends CniName {
  readonly namespace?: string;
  /** Whether the address is the router's to free. */
  readonly frees: boolean;
}

export interface CniCheckRequest extends CniName {
  readonly namespace: string;
  readonly cidrs: readonly string[];
  readonly routes: readonly CniRoute[];
  readonly mtu?: number;
  readonly hairpin: boolean;
  /** Whether the addresses have to be held in the allocator. */
  readonly held: boolean;
}

export interface CniCollectRequest {
  readonly network: string;
  /** Those that stay. */
  readonly valid: readonly CniName[];
}

export interface AttachRequest {
  readonly container: string;
  readonly addresses: readonly string[];
  readonly withoutDns: boolean;
  readonly rewriteHosts: boolean;
  /** `name:ip` pairs for the container's hosts file. */
  readonly addHosts: readonly string[];
  readonly multicastRoute: boolean;
  /** What policies know it by, beside what an engine says; missing: as it was attached before. */
  readonly labels?: Readonly<Record<string, string>>;
}

export interface AttachAnswer extends CidrsAnswer {
  readonly ident: string;
  readonly interface: string;
  readonly mac: string;
  /** The name that was registered, if any. */
  readonly fqdn?: string;
  /** Its name, when that could not be registered, with the reason. */
  readonly ignored?: NamesAnswer["ignored"];
}

export interface DetachRequest {
  readonly container: string;
  readonly addresses: readonly string[];
}

export interface DetachAnswer extends CidrsAnswer {
  readonly ident: string;
}

export interface ExposeRequest {
  readonly addresses: readonly string[];
  readonly masquerade: boolean;
  readonly fqdn?: string;
}

export interface CidrsAnswer {
  readonly cidrs: readonly string[];
}

export interface ExposeAnswer extends CidrsAnswer {
  /** The name, when it was not registered, with the reason. */
  readonly ignored?: NamesAnswer["ignored"];
}

export interface ListedContainer {
  /** As asked for, or the ident when all were listed. */
  readonly ref: string;
  readonly ident: string;
  readonly mac: string;
  readonly cidrs: readonly string[];
}

export interface NamesRequest {
  readonly container?: string;
  readonly addresses: readonly string[];
  readonly fqdn?: string;
}

export interface NamesAnswer {
  readonly names: readonly { readonly fqdn: string; readonly address: string }[];
  /** What was asked for and not done, with the reason. */
  readonly ignored: readonly { readonly fqdn: string; readonly reason: string }[];
}
