import { coalesce } from "../../base/coalesce.ts";
import { errorCode, errorText, WeaveError } from "../../base/errors.ts";
import type { HistogramReading } from "../../base/histogram.ts";
import { pause } from "../../base/pause.ts";
import { RetryDelay, type RetryDelays } from "../../base/retry-delay.ts";
import type { Cancel, World } from "../../base/world.ts";
import type { ChosenEnforcer } from "../../host/policy/choose-enforcer.ts";
import { PolicyCompiler } from "../../policy/compiler.ts";
import { mayBeOf, type PodInterface } from "./admitted-pods.ts";
import { type Applied, ApplyTimes } from "./apply-times.ts";
import type { PolicySource } from "./policy-input.ts";
import { PolicyTables } from "./policy-tables.ts";
import { StandingCutter, type StandingOptions } from "./standing-cutter.ts";

/** What is told within this time is put in place together. */
const burstMs = 10;

const retryDelays: RetryDelays = { firstMs: 250, maxMs: 15_000, growth: 2 };

/** How long a pod that is being made waits for all that decides about it to be known. */
export const readyMaxMs = 20_000;

/** How long it waits for a source that is asked for the pod itself. */
const resolveMaxMs = 3_000;

export type PolicyPhase =
  /** What decides is not known as a whole yet; what a former run has put in place stays. */
  | "waiting"
  /** There is nothing to enforce, and nothing of ours in the packet filter. */
  | "off"
  | "enforcing"
  /** The packet filter does not take it, and is tried again. */
  | "failing";

export interface PolicyControllerOptions {
  readonly world: Pick<World, "after" | "now" | "monotonicMs" | "log">;
  readonly source: PolicySource;
  /** `auto`: from the first policy to the last, or always where connections that stand may be ended. */
  readonly mode: "auto" | "on" | "off";
  /** Opens the packet filter, when it is needed. @throws WeaveError, SystemError */
  enforcer(): ChosenEnforcer;
  /** Ends connections that later rules do not allow; absent: they go on. */
  readonly standing?: StandingOptions;
  /** Called after {@link PolicyController.phase} has changed. */
  phaseChanged(): void;
  /** Whether anything of ours may be in the packet filter; outlives the process. */
  readonly mark: { get(): boolean; set(isInPlace: boolean): void };
}

/** Why policies are not enforced. */
export interface PolicyTrouble {
  readonly code: string;
  readonly text: string;
  /** Empty where there is none in particular. */
  readonly remedy: string;
  /** Of the first attempt that failed, in ms since 1970. */
  readonly sinceMs: number;
}

/**
 * Has the packet filter of this host do what policies say.
 *
 *   source ─▶ tables ─▶ compiler ─ a moment later, all at once ─▶ enforcer
 *                                    │ refused: everything anew, later and later
 *   somebody changed it: noticed within seconds, everything anew
 *
 * Nothing is touched before the source has told everything once, and what is in place outlives the
 * process: a router that is killed, restarted or taken over opens nothing and closes nothing.
 */
export class PolicyController {
  readonly tables: PolicyTables;
  /** Missing where connections that stand go on. */
  readonly cutter: StandingCutter | undefined;
  readonly #options: PolicyControllerOptions;
  readonly #compiler = new PolicyCompiler();
  readonly #soon: ReturnType<typeof coalesce>;
  readonly #retry = new RetryDelay(retryDelays);
  readonly #applyTimes: ApplyTimes;
  #chosen: ChosenEnforcer | undefined;
  /** What is known of the rules in the packet filter: ours as compiled, none, or nothing for sure. */
  #inPlace: "compiled" | "none" | "unknown";
  #trouble: PolicyTrouble | undefined;
  #cancelRetry: Cancel | undefined;
  #errors = 0;
  #changes = 0;
  #toldPhase: PolicyPhase | undefined;
  #toldFaults: ReadonlySet<string> = new Set();
  #stopped = false;

  constructor(options: PolicyControllerOptions) {
    this.#options = options;
    this.#applyTimes = new ApplyTimes(options.world);
    this.#inPlace = options.mark.get() ? "unknown" : "none";
    this.#soon = coalesce(options.world, burstMs, () => this.act());
    this.tables = new PolicyTables(this.#compiler, () => this.#soon());
    const { world, standing } = options;
    this.cutter =
      standing && new StandingCutter(world, standing, (ip) => this.#compiler.ownerOf(ip));
  }

  start(): void {
    this.#options.source.start(this.tables);
    this.#soon();
  }

  /** Ends without touching the packet filter. */
  stop(): void {
    this.#stopped = true;
    this.#soon.cancel();
    this.#cancelRetry?.();
    this.cutter?.stop();
    this.#options.source.stop();
  }

  get source(): PolicySource {
    return this.#options.source;
  }

  get phase(): PolicyPhase {
    if (this.#isAwaiting) return "waiting";
    if (!this.isWanted) return this.#trouble === undefined ? "off" : "failing";
    return this.#inPlace === "compiled" ? "enforcing" : this.#trouble ? "failing" : "waiting";
  }

  /** Whether policies are to be enforced, as far as is known. */
  get isWanted(): boolean {
    const { mode } = this.#options;
    if (mode !== "auto") return mode === "on";
    // Who began a connection is known to those who saw its first packet: before there is a policy.
    return this.tables.policies > 0 || this.cutter !== undefined;
  }

  get trouble(): PolicyTrouble | undefined {
    return this.#trouble;
  }

  /** How long it took to put changes in place, and to put all in place. */
  get applyTimes(): Readonly<Record<Applied, HistogramReading>> {
    return this.#applyTimes.read();
  }

  /** Since the start: attempts that failed, and changes put in place. */
  get counts(): { readonly errors: number; readonly changes: number } {
    return { errors: this.#errors, changes: this.#changes };
  }

  /** The packet filter in use; missing before it is needed. */
  get chosen(): ChosenEnforcer | undefined {
    return this.#chosen;
  }

  /** Puts what is known in place now. What fails is said in {@link trouble}, and tried again. */
  act(): void {
    if (this.#stopped || this.#isAwaiting) return;
    this.#soon.cancel();
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
    this.#tellFaults();
    try {
      if (this.isWanted) this.#enforce();
      else this.#remove();
      this.#succeeded();
    } catch (error) {
      this.#failed(error);
    }
    if (this.phase === this.#toldPhase) return;
    this.#toldPhase = this.phase;
    this.#options.phaseChanged();
  }

  /** Puts everything back when somebody else has changed it. To be called every few seconds. */
  check(): void {
    if (this.#inPlace !== "compiled" || this.#stopped) return;
    try {
      if (this.#chosen?.enforcer.isSpoilt() !== true) return;
    } catch (error) {
      this.#options.world.log.warn(`policy: cannot see what is in place: ${errorText(error)}`);
    }
    this.#inPlace = "unknown";
    this.act();
    if (this.phase === "enforcing") {
      this.#options.world.log.warn("policy: put everything back: somebody had changed it");
    }
  }

  /**
   * Has a pod judged from its first packet on: to be called before its interface is up. What is not
   * known of it in time is waited for by the pod, which can open no connection meanwhile.
   *
   * @throws WeaveError `POLICY_NOT_READY`, `POLICY_NOT_ENFORCED`
   */
  async admit(made: PodInterface, signal: AbortSignal): Promise<void> {
    await this.ready(signal);
    const before = this.tables.admitted.of(made.container);
    this.tables.admitted.admit(made);
    try {
      if (!this.tables.admitted.isKnown(made)) await this.#resolve(made, signal);
      this.mustStand();
    } catch (error) {
      if (before === undefined) this.dismiss(made.container);
      else this.readmit(before);
      throw error;
    }
  }

  /** It has other addresses than it was admitted with. */
  readmit(made: PodInterface): void {
    this.tables.admitted.admit(made);
    this.#soon();
  }

  /** Its interface is gone. */
  dismiss(container: string): void {
    this.tables.admitted.dismiss(container);
    this.#soon();
  }

  /** Resolves when all that decides is known. @throws WeaveError `POLICY_NOT_READY` */
  async ready(signal: AbortSignal): Promise<void> {
    const { world } = this.#options;
    const untilMs = world.monotonicMs() + readyMaxMs;
    while (this.#isAwaiting) {
      if (world.monotonicMs() >= untilMs) throw this.#notReady();
      await pause(world, 50, signal);
      signal.throwIfAborted();
    }
  }

  /** Puts what is known in place. @throws WeaveError `POLICY_NOT_ENFORCED` when it cannot be */
  mustStand(): void {
    this.act();
    if (this.#trouble === undefined || !this.isWanted) return;
    throw new WeaveError(
      "POLICY_NOT_ENFORCED",
      `policies cannot be enforced, so nothing new is attached: ${this.#trouble.text}`,
      { remedy: this.#trouble.remedy || "see 'weave doctor'" },
    );
  }

  /** Each once, for as long as it lasts. */
  #tellFaults(): void {
    const { source, world } = this.#options;
    const faults = new Set(source.faults());
    for (const sentence of faults.difference(this.#toldFaults)) {
      world.log.warn(`policy: not understood: ${sentence}`);
    }
    this.#toldFaults = faults;
  }

  /** What is off needs to know nothing. */
  get #isAwaiting(): boolean {
    return this.#options.mode !== "off" && this.tables.awaited.length > 0;
  }

  #enforce(): void {
    const change = this.#compiler.commit();
    const { enforcer } = this.#open();
    if (this.#inPlace === "compiled" && change === undefined) return;
    const isFollowing = this.#inPlace === "compiled" && change !== undefined;
    // Whatever happens from here on, what is there is not what was.
    this.#inPlace = "unknown";
    const { rules } = this.#compiler;
    if (isFollowing) this.#applyTimes.measure("change", () => enforcer.apply(change, rules));
    else {
      this.#options.mark.set(true);
      this.cutter?.prepare(rules);
      this.#applyTimes.measure("replace", () => enforcer.replace(rules));
    }
    this.#inPlace = "compiled";
    this.#changes++;
    this.cutter?.changed(rules);
  }

  #remove(): void {
    if (this.#inPlace === "none") return;
    this.#open().enforcer.remove();
    this.#inPlace = "none";
    this.#options.mark.set(false);
    this.cutter?.changed(undefined);
  }

  #open(): ChosenEnforcer {
    if (this.#chosen === undefined) {
      this.#chosen = this.#options.enforcer();
      const { missingForCut } = this.#chosen;
      if (missingForCut !== undefined) this.cutter?.unable(missingForCut);
    }
    return this.#chosen;
  }

  #succeeded(): void {
    if (this.#trouble !== undefined) this.#options.world.log.info("policy: in place again");
    this.#trouble = undefined;
    this.#retry.after(Number.POSITIVE_INFINITY);
  }

  #failed(error: unknown): void {
    const { world } = this.#options;
    this.#errors++;
    this.#inPlace = "unknown";
    const [code, text] = [errorCode(error), errorText(error)];
    if (text !== this.#trouble?.text) world.log.error(`policy is not enforced: ${text}`);
    const remedy = error instanceof WeaveError ? (error.remedy ?? "") : "";
    this.#trouble = { code, text, remedy, sinceMs: this.#trouble?.sinceMs ?? world.now() };
    this.#cancelRetry = world.after(this.#retry.after(0), () => this.act());
  }

  async #resolve(made: PodInterface, signal: AbortSignal): Promise<void> {
    const { world, source } = this.#options;
    if (source.resolvePod === undefined) return;
    const found = await Promise.race([
      source.resolvePod(made.namespace, made.name).catch((error) => {
        world.log.warn(
          `policy: cannot ask for ${made.namespace}/${made.name}: ${errorText(error)}`,
        );
        return undefined;
      }),
      pause(world, resolveMaxMs, signal).then(() => undefined),
    ]);
    signal.throwIfAborted();
    // What was told meanwhile is newer, and a namesake may be gone since.
    const { pods, admitted } = this.tables;
    const isIt = found !== undefined && mayBeOf(made, found);
    if (isIt && !admitted.isKnown(made)) pods.put(found);
  }

  #notReady(): WeaveError {
    const kinds = this.tables.awaited.join(", ");
    return new WeaveError(
      "POLICY_NOT_READY",
      `policies are not known yet: ${this.#options.source.name} has not told of ${kinds}`,
      { remedy: "see that the API server can be reached; it is tried again" },
    );
  }
}
