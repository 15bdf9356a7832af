import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ClusterFiles } from "./cluster-files.ts";
import type { ControlPlane } from "./control-plane.ts";
import { type CaseResult, readReport } from "./e2e-report.ts";

/** A case waits for what must not arrive for most of its time. */
const suiteMaxMs = 3_600_000;

export interface SuiteOptions {
  /** Which cases, as a regular expression of upstream's. */
  readonly focus: string;
  readonly nodes: number;
  /** How many cases run at a time. */
  readonly workers: number;
  readonly onResult?: (result: CaseResult) => void;
}

/** Upstream's tests of a cluster, run where its API server is. */
export class E2eSuite {
  readonly #plane: ControlPlane;
  readonly #program: string;
  #runs = 0;

  constructor(plane: ControlPlane, files: ClusterFiles) {
    this.#plane = plane;
    this.#program = files.program("e2e.test");
  }

  /** Runs cases; several at a time are as many programs, each with cases of its own. */
  async run(options: SuiteOptions): Promise<CaseResult[]> {
    const left = (await this.#cases(options.focus)).sort();
    const results: CaseResult[] = [];
    const work = async (): Promise<void> => {
      for (let name = left.shift(); name !== undefined; name = left.shift()) {
        const result = await this.#runCase(name, options.nodes);
        results.push(result);
        options.onResult?.(result);
      }
    };
    await Promise.all(Array.from({ length: options.workers }, work));
    return results;
  }

  async #cases(focus: string): Promise<string[]> {
    const { results } = await this.#report([`--ginkgo.focus=${focus}`, "--ginkgo.dryRun"]);
    return results.map(({ name }) => name);
  }

  async #runCase(name: string, nodes: number): Promise<CaseResult> {
    const focus = `${name.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&")}$`;
    const words = [`--ginkgo.focus=${focus}`, `--num-nodes=${nodes}`, "--minStartupPods=0"];
    const { results, said } = await this.#report(words);
    const [result] = results;
    return result ?? { name, outcome: "failed", seconds: 0, reason: said };
  }

  /** What became of the cases that were not left out. */
  async #report(words: readonly string[]): Promise<{ results: CaseResult[]; said: string }> {
    const folder = join(this.#plane.folder, `report${++this.#runs}`);
    const config = join(this.#plane.folder, "admin.config");
    const own = ["--provider=skeleton", "--ginkgo.noColor", `--report-dir=${folder}`];
    await this.#plane.mustExec(["mkdir", folder]);
    const { stdout, stderr } = await this.#plane.exec(
      [this.#program, `--kubeconfig=${config}`, ...own, ...words],
      { waitMs: suiteMaxMs },
    );
    const seen = this.#plane.outside(folder);
    const reports = readdirSync(seen).map((file) => readFileSync(join(seen, file), "utf8"));
    const results = reports.flatMap(readReport).filter(({ outcome }) => outcome !== "skipped");
    return { results, said: (stdout + stderr).slice(-2000) };
  }
}
