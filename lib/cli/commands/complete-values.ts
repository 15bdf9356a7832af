import { readdirSync } from "node:fs";
import { listAnswer } from "../../api/container-models.ts";
import { policyListAnswer } from "../../api/policy-models.ts";
import { readAnswer } from "../answer.ts";
import type { ApiClient } from "../api-client.ts";
import type { CommandHandler } from "../context.ts";
import type { Environment } from "../parse.ts";
import { type ReportModel, reportModel } from "../report-model.ts";

/** Nobody waits longer than this for a completion. */
const waitMs = 500;

/** A completion that fails offers nothing and says nothing: the user is in the middle of a line. */
export const completeValues: CommandHandler = async ({
  api,
  arguments: words,
  environment,
  stdout,
}) => {
  for (const value of new Set(await valuesOf(words[0]!, api, environment))) {
    stdout.write(`${value}\n`);
  }
  return 0;
};

async function valuesOf(kind: string, api: ApiClient, environment: Environment): Promise<string[]> {
  switch (kind) {
    case "container":
      return containers(api, environment);
    case "place": {
      const [inside, known] = await Promise.all([
        containers(api, environment),
        fromReport(api, (report) => [...peers(report), ...names(report)]),
      ]);
      return [...inside, ...known];
    }
    case "policy":
      return orNothing(() => policies(api));
    case "peer":
      return fromReport(api, (report) => report.Router.Targets);
    case "peer-id":
      return fromReport(api, peers);
    default:
      return fromReport(api, names);
  }
}

function peers({ Router }: ReportModel): string[] {
  return Router.Peers.flatMap(({ NickName, Name }) => [NickName, Name]);
}

/** Without the final dot, which nobody types. */
function names({ DNS }: ReportModel): string[] {
  const live = (DNS?.Entries ?? []).filter(({ Tombstone }) => Tombstone === 0);
  return live.map(({ Hostname }) => Hostname.replace(/\.$/, ""));
}

function fromReport(api: ApiClient, values: (report: ReportModel) => string[]): Promise<string[]> {
  return orNothing(async () => {
    const path = ["report"];
    const body = await api.request({ method: "GET", path, accept: "application/json", waitMs });
    return values(readAnswer(reportModel, body));
  });
}

/** Policies, and whom they are about. */
async function policies(api: ApiClient): Promise<string[]> {
  const body = await api.request({
    method: "GET",
    path: ["policy"],
    query: [["now", "true"]],
    waitMs,
  });
  const { policies: documents, pods } = readAnswer(policyListAnswer, body);
  return [...documents, ...pods].map(({ namespace, name }) =>
    namespace === "" ? name : `${namespace}/${name}`,
  );
}

/** Namespaces, what runs in Docker, and what else is on the network. */
async function containers(api: ApiClient, environment: Environment): Promise<string[]> {
  const found = await Promise.all([
    orNothing(async () => readdirSync("/run/netns").map((name) => `netns:${name}`)),
    orNothing(() => inDocker(environment)),
    orNothing(() => onNetwork(api)),
  ]);
  return found.flat();
}

async function inDocker(environment: Environment): Promise<string[]> {
  const { DockerEngine } = await import("../../docker/engine.ts");
  const { EngineClient } = await import("../../docker/engine-client.ts");
  const { chooseEngine } = await import("../../docker/engine-choice.ts");
  const { endpoint, access } = chooseEngine(environment.DOCKER_HOST || undefined, environment);
  return new DockerEngine(new EngineClient(endpoint, access)).runningNames({ waitMs });
}

/** Containers of Docker have names, which are easier to type than what is listed here. */
async function onNetwork(api: ApiClient): Promise<string[]> {
  const body = await api.request({ method: "GET", path: ["ps"], waitMs });
  const references = readAnswer(listAnswer, body).containers.map(({ ref }) => ref);
  return references.filter((ref) => /^(netns|pid):/.test(ref));
}

async function orNothing(ask: () => Promise<string[]>): Promise<string[]> {
  try {
    return await ask();
  } catch {
    return [];
  }
}
