import { WeaveError } from "../../lib/base/errors.ts";
import type { ApiRequest } from "../../lib/cli/api-client.ts";
import { ApiError } from "../../lib/cli/api-error.ts";
import type { Surroundings } from "../../lib/cli/context.ts";
import { run } from "../../lib/cli/run.ts";
import type { OpenScreen } from "../../lib/cli/terminal/screen.ts";
import type { AdoptionSite } from "../../lib/daemon/adoption/site.ts";
import type { LaunchOptions } from "../../lib/daemon/launch-options.ts";
import type { Diagnosis } from "../../lib/diagnosis/doctor/diagnosis.ts";
import { checkDocument } from "./document-check.ts";

/** A command line run with strings: no process, no socket, no router. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly requests: readonly ApiRequest[];
  readonly launched: readonly LaunchOptions[];
  readonly router: readonly string[];
}

export interface Stage {
  /** What the router answers; throws `ApiError` to refuse. Absent: no router runs. */
  readonly answer?: (request: ApiRequest) => string | Promise<string>;
  readonly environment?: Record<string, string>;
  readonly stdin?: string;
  readonly logFile?: string;
  readonly running?: boolean;
  readonly launch?: () => string;
  readonly interrupts?: AbortSignal;
  /** The host with an old router; absent: there is none. */
  readonly site?: AdoptionSite;
  readonly confirm?: (question: string) => Promise<boolean>;
  /** What is found on the host without a router. */
  readonly examined?: Diagnosis;
  readonly isColoured?: boolean;
  readonly isTerminal?: boolean;
  readonly isRoot?: boolean;
  /** A terminal that can be drawn on; absent: standard output goes elsewhere. */
  readonly openScreen?: OpenScreen;
}

const nothingFound: Diagnosis = {
  examined: { router: null, links: 0, peers: 0, containers: 0 },
  findings: [],
};

export const notRunning = (): never => {
  throw new ApiError("unreachable", "API_NOT_RUNNING", "weave is not running", {
    remedy: "start it with 'weave launch'",
  });
};

/** Of a snapshot. */
const extent = { addresses: 1, exposed: 0, names: 2, targets: 3 };

export async function weave(words: readonly string[], stage: Stage = {}): Promise<Outcome> {
  const out = { stdout: "", stderr: "" };
  const requests: ApiRequest[] = [];
  const launched: LaunchOptions[] = [];
  const router: string[] = [];
  const surroundings: Surroundings = {
    environment: stage.environment ?? {},
    stdout: {
      isColoured: stage.isColoured ?? false,
      isTerminal: stage.openScreen !== undefined,
      write(text) {
        out.stdout += text;
      },
    },
    stderr: {
      isTerminal: stage.isTerminal ?? false,
      write(text) {
        out.stderr += text;
      },
    },
    isRoot: stage.isRoot ?? true,
    readStdin: async () => stage.stdin ?? "",
    ...(stage.openScreen !== undefined && { openScreen: stage.openScreen }),
    ...(stage.confirm !== undefined && { confirm: stage.confirm }),
    interrupts: () => stage.interrupts ?? new AbortController().signal,
    api: {
      async request(request) {
        requests.push(request);
        const answer = await (stage.answer ?? notRunning)(request);
        if (request.received === undefined) return answer;
        request.received(new TextEncoder().encode(answer));
        return "";
      },
    },
    router: {
      async launch(options) {
        launched.push(options);
        return (stage.launch ?? (() => "0".repeat(64)))();
      },
      async foreground(options) {
        launched.push(options);
        router.push("foreground");
        return 0;
      },
      async stop() {
        router.push("stop");
        return stage.running ?? false;
      },
      async reset({ force }) {
        router.push(force ? "reset --force" : "reset");
      },
      async setUpService({ words, engineVariables, root, now }) {
        const variables = Object.entries(engineVariables).map((pair) => pair.join("="));
        const how = [...(now ? ["now"] : []), ...(variables.length > 0 ? ["by"] : [])];
        router.push(["set up", ...words, "at", root, ...how, ...variables].join(" "));
        return ["done"];
      },
      async setUpCni({ root, folder = "", hairpin }) {
        router.push(["set up cni at", root || "/", folder, hairpin ? "hairpin" : ""].join(" "));
        const program = "/opt/cni/bin/weave-plugin-3.0.0";
        const links = ["/opt/cni/bin/weave-net", "/opt/cni/bin/weave-ipam"];
        const missing = folder === "" ? [] : [`${folder}/portmap`];
        return { program, links, network: null, networkIs: "absent", missing };
      },
      async node() {
        throw new WeaveError("K8S_CONFIG", "this is no pod");
      },
      async takeSnapshot() {
        router.push("snapshot");
        return { text: "{}\n", extent };
      },
      async restoreSnapshot(text, { force, ranges }) {
        const how = [force ? " --force" : "", ranges ? " --ranges" : ""].join("");
        router.push(`restore ${text.trim()}${how}`);
        return { savedAt: "2026-01-02T03:04:05.000Z", extent };
      },
      async examine() {
        router.push("examine");
        return stage.examined ?? nothingFound;
      },
      async upgrade(file) {
        router.push(file === undefined ? "upgrade" : `upgrade ${file}`);
        return 4711;
      },
      async findOldRouter({ endpoint }) {
        router.push(`find an old router, asking ${endpoint}`);
        if (stage.site === undefined) throw new WeaveError("ADOPT_NOTHING", "no router runs here");
        return stage.site;
      },
      logFile: stage.logFile ?? "/nowhere/weave.log",
    },
  };
  const code = await run(words, surroundings);
  if (words.includes("--json")) {
    for (const line of out.stdout.split(/(?<=\n)/).filter(Boolean)) checkDocument(line);
  }
  return { code, ...out, requests, launched, router };
}

/** `GET /status/peers?x=y`, for comparing requests at a glance. */
export function requestLine(request: ApiRequest): string {
  const fields = [...(request.query ?? []), ...(request.form ?? [])].map(([k, v]) => `${k}=${v}`);
  const body = request.json === undefined ? "" : ` ${JSON.stringify(request.json)}`;
  const query = fields.length === 0 ? "" : `?${fields.join("&")}`;
  return `${request.method} /${request.path.join("/")}${query}${body}`;
}
