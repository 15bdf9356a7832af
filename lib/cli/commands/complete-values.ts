import { readdirSync } from "node:fs";
import { readAnswer } from "../answer.ts";
import type { ApiClient } from "../api-client.ts";
import type { CommandHandler } from "../context.ts";
import { reportModel } from "../report-model.ts";

/** Nobody waits longer than this for a completion. */
const waitMs = 500;

/** A completion that fails offers nothing and says nothing: the user is in the middle of a line. */
export const completeValues: CommandHandler = async ({ api, arguments: words, stdout }) => {
  const kind = words[0]!;
  const values = [
    ...(kind === "container" || kind === "place" ? namespaces() : []),
    ...(kind === "container" ? [] : await fromReport(api, kind)),
  ];
  for (const value of values) stdout.write(`${value}\n`);
  return 0;
};

function namespaces(): string[] {
  try {
    return readdirSync("/run/netns").map((name) => `netns:${name}`);
  } catch {
    return [];
  }
}

async function fromReport(api: ApiClient, kind: string): Promise<string[]> {
  try {
    const body = await api.request({
      method: "GET",
      path: ["report"],
      accept: "application/json",
      waitMs,
    });
    const report = readAnswer(reportModel, body);
    if (kind === "peer") return report.Router.Targets;
    const peers = report.Router.Peers.flatMap((p) => [p.NickName, p.Name]);
    if (kind === "peer-id") return peers;
    const names = new Set((report.DNS?.Entries ?? []).map((entry) => entry.Hostname));
    return kind === "place" ? [...peers, ...names] : [...names];
  } catch {
    return [];
  }
}
