import type { NetworkConfig } from "./cni-config.ts";
import type { CniTarget } from "./cni-input.ts";
import type { CniResult } from "./cni-result.ts";
import type { CniRouter } from "./cni-router.ts";

/** What a plugin is called for, and what it may use. */
export interface PluginCall {
  readonly config: NetworkConfig;
  /** The configuration as it came, for plugins that are called on. */
  readonly stdin: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly router: CniRouter;
  /**
   * What can be done for DEL where no router answers: removes the interface, and leaves a note by
   * which the router frees what it has for the container when it runs.
   *
   * @throws CniError try again
   */
  removeAlone(target: CniTarget, options: { readonly frees: boolean }): void;
  /** A sentence for whoever reads the runtime's log. */
  warn(sentence: string): void;
}

/** One of the two plugins. A command that answers nothing resolves with nothing; all throw CniError. */
export interface CniPlugin {
  add(call: PluginCall, target: CniTarget): Promise<CniResult>;
  remove(call: PluginCall, target: CniTarget): Promise<void>;
  check(call: PluginCall, target: CniTarget): Promise<void>;
  collect(call: PluginCall): Promise<void>;
  status(call: PluginCall): Promise<void>;
}
