import { productVersion } from "../../base/product-version.ts";
import { readAnswer } from "../answer.ts";
import type { ApiClient } from "../api-client.ts";
import { ApiError } from "../api-error.ts";
import type { CommandHandler } from "../context.ts";
import { writeJson } from "../json-output.ts";
import { reportModel } from "../report-model.ts";

/** A router that hangs must not hang the question how old it is. */
const routerWaitMs = 2000;

export const version: CommandHandler = async ({ api, flags, stdout }) => {
  const router = await routerVersion(api);
  if (flags.enabled("json")) {
    writeJson(stdout, "version", { client: productVersion, router: router ?? null });
  } else {
    stdout.write(`weave script ${productVersion}\nweave ${router ?? productVersion}\n`);
  }
  return 0;
};

async function routerVersion(api: ApiClient): Promise<string | undefined> {
  try {
    const body = await api.request({
      method: "GET",
      path: ["report"],
      accept: "application/json",
      waitMs: routerWaitMs,
    });
    return readAnswer(reportModel, body).Version;
  } catch (error) {
    if (error instanceof ApiError) return undefined;
    throw error;
  }
}
