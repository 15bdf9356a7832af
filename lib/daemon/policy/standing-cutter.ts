import { errorText } from "../../base/errors.ts";
import { formatHostIp, type HostIp } from "../../base/ip.ts";
import { type EventSink, noEvents } from "../../base/network-event.ts";
import { RetryDelay, type RetryDelays } from "../../base/retry-delay.ts";
import type { Cancel, World } from "../../base/world.ts";
import { judgesAnybody } from "../../policy/link-local.ts";
import type { Pod } from "../../policy/objects.ts";
import type { RuleSet } from "../../policy/rule-set.ts";
import type { FlowTable, StandingFlow } from "../../policy/standing-flow.ts";
import { labelOf } from "./find-party.ts";
import { type FlowJudge, type Looked, lookThrough, releaseAllowed } from "./standing-look.ts";

/** By then packets that came before the rules have made their flows, and more may have changed. */
const settleMs = 20;

/** After a look the processor rests for so many times as long as it took, within these bounds. */
const restFactor = 4;
const [restMinMs, restMaxMs] = [50, 2000] as const;

const retryDelays: RetryDelays = { firstMs: 250, maxMs: 15_000, growth: 2 };

export interface StandingOptions {
  readonly flows: FlowTable;
  /** Whether rules are asked about traffic to groups. */
  readonly judgesGroups: boolean;
  /** Absent: nobody is told. */
  readonly emit?: EventSink;
}

/** Why flows go on that rules would not let begin. */
export interface StandingTrouble {
  /** A clause. */
  readonly why: string;
  readonly remedy: string;
}

/**
 * Ends flows that rules would not let begin any more, and lets those go on again that they would.
 *
 *   rules changed ─ a moment later ─▶ look through all flows, a turn at a time ─▶ rest
 *                                       ▲ changed meanwhile                        │
 *                                       └──────────────────────────────────────────┘
 *
 * Many changes cost one look. What cannot be looked at is tried again; rules are in place regardless.
 */
export class StandingCutter {
  readonly #world: Pick<World, "after" | "monotonicMs" | "log">;
  readonly #options: StandingOptions;
  readonly #ownerOf: (address: HostIp) => Pod | undefined;
  readonly #retry = new RetryDelay(retryDelays);
  readonly #stopped = new AbortController();
  #rules: RuleSet | undefined;
  #cancelNext: Cancel | undefined;
  #isLooking = false;
  #isChanged = false;
  #restUntilMs = 0;
  #isUnable = false;
  #trouble: StandingTrouble | undefined;
  #cut = 0;

  /** @param ownerOf whose an address is, for those who are told */
  constructor(
    world: Pick<World, "after" | "monotonicMs" | "log">,
    options: StandingOptions,
    ownerOf: (address: HostIp) => Pod | undefined,
  ) {
    this.#world = world;
    this.#options = options;
    this.#ownerOf = ownerOf;
  }

  /** Flows that were cut since the start. */
  get cut(): number {
    return this.#cut;
  }

  get trouble(): StandingTrouble | undefined {
    return this.#trouble;
  }

  /** This host cannot do it, as a clause says; nothing is tried. */
  unable(why: string): void {
    this.#isUnable = true;
    this.#note({
      why,
      remedy:
        "load the kernel's module nf_conntrack_netlink and start the router again, or launch it with --policy-standing keep",
    });
  }

  /**
   * Lets flows go on that a former run has cut and rules allow: to be called before these are put in
   * place where nothing may have stood. What fails is looked at again afterwards.
   */
  prepare(rules: RuleSet): void {
    this.#rules = rules;
    if (this.#isUnable) return;
    try {
      using look = this.#options.flows.look("cut");
      releaseAllowed(look, this.#judge);
    } catch (error) {
      this.#world.log.debug(`policy: cannot see what was cut: ${errorText(error)}`);
    }
  }

  /** Has flows looked at soon. @param rules those in place; `undefined`: none */
  changed(rules: RuleSet | undefined): void {
    this.#rules = rules;
    this.#isChanged = true;
    this.#soon();
  }

  stop(): void {
    this.#stopped.abort();
    this.#cancelNext?.();
  }

  get #judge(): FlowJudge {
    return { rules: this.#rules, judgesGroups: this.#options.judgesGroups };
  }

  #soon(): void {
    if (!this.#isChanged || this.#isLooking || this.#isUnable) return;
    if (this.#stopped.signal.aborted) return;
    const restMs = this.#restUntilMs - this.#world.monotonicMs();
    this.#cancelNext ??= this.#world.after(Math.max(settleMs, restMs), () => {
      this.#cancelNext = undefined;
      void this.#look();
    });
  }

  async #look(): Promise<void> {
    this.#isLooking = true;
    this.#isChanged = false;
    const looked: Looked = { flows: [], cut: 0, tookMs: 0 };
    let restMs: number;
    try {
      // Where nobody is judged there is nothing to cut.
      const isJudging = this.#rules !== undefined && judgesAnybody(this.#rules);
      using look = this.#options.flows.look(isJudging ? "all" : "cut");
      await lookThrough(this.#world, look, this.#judge, looked, this.#stopped.signal);
      this.#retry.after(Number.POSITIVE_INFINITY);
      this.#note(undefined);
      restMs = Math.min(restMaxMs, Math.max(restMinMs, looked.tookMs * restFactor));
    } catch (error) {
      this.#note({ why: errorText(error), remedy: "it is tried again" });
      this.#isChanged = true;
      restMs = this.#retry.after(0);
    }
    this.#tell(looked);
    this.#isLooking = false;
    this.#restUntilMs = this.#world.monotonicMs() + restMs;
    this.#soon();
  }

  #note(trouble: StandingTrouble | undefined): void {
    if (trouble !== undefined && trouble.why !== this.#trouble?.why) {
      this.#world.log.warn(`policy: ${standingText(trouble)}`);
    }
    this.#trouble = trouble;
  }

  #tell({ cut, flows }: Looked): void {
    if (cut === 0) return;
    this.#cut += cut;
    const named = flows.map((flow) => this.#textOf(flow));
    const more = cut > named.length ? `, and ${cut - named.length} more` : "";
    const what = cut === 1 ? "a connection" : `${cut} connections`;
    this.#world.log.info(`policy: ended ${what} no longer allowed: ${named.join(", ")}${more}`);
    const { emit = noEvents } = this.#options;
    emit("policy.cut", { count: cut, flows: named });
  }

  /** `TCP shop/web to shop/db:5432` */
  #textOf({ protocol, opening: { source, destination, port } }: StandingFlow): string {
    const kind = port?.protocol ?? protocolNames.get(protocol) ?? `protocol ${protocol}`;
    const to = port === undefined ? "" : `:${port.port}`;
    return `${kind} ${this.#labelOf(source)} to ${this.#labelOf(destination)}${to}`;
  }

  #labelOf(address: HostIp): string {
    const pod = this.#ownerOf(address);
    return pod === undefined ? formatHostIp(address) : labelOf(pod);
  }
}

/** A sentence of what the clause explains. */
export function standingText({ why }: StandingTrouble): string {
  return `connections that policies do not allow any more go on: ${why}`;
}

const protocolNames: ReadonlyMap<number, string> = new Map([
  [1, "ICMP"],
  [58, "ICMP"],
]);
