import { type Picture, pictureModel } from "../../api/picture-models.ts";
import { readAnswer } from "../answer.ts";
import type { ApiClient } from "../api-client.ts";
import { type ReportModel, reportModel } from "../report-model.ts";

/** What a router knows of the network at one moment. */
export interface NetworkReading {
  /** Monotonic, of this process. */
  readonly atMs: number;
  /** Since 1970. */
  readonly clockMs: number;
  readonly picture: Picture;
  readonly report: ReportModel;
}

/**
 * Asks the router.
 *
 * @param links whose: of this host alone, or of all, for which others are waited for a moment
 * @throws ApiError
 */
export async function readNetwork(
  api: ApiClient,
  links: "own" | "awaited",
  signal?: AbortSignal,
): Promise<NetworkReading> {
  const shared = { method: "GET", ...(signal && { signal }) } as const;
  const [picture, report] = await Promise.all([
    api.request({ ...shared, path: ["picture"], query: [["links", links]] }),
    api.request({ ...shared, path: ["report"], accept: "application/json" }),
  ]);
  return {
    ...{ atMs: performance.now(), clockMs: Date.now() },
    picture: readAnswer(pictureModel, picture),
    report: readAnswer(reportModel, report),
  };
}
