import * as v from "valibot";
import { readAnswer } from "./answer.ts";
import { ApiError } from "./api-error.ts";
import type { CommandContext } from "./context.ts";

const retired = v.object({
  network: v.string(),
  containers: v.array(v.object({ id: v.string(), name: v.string() })),
});

/** The engine may take its time over a network. */
const retireWaitMs = 15_000;

/**
 * Before the router goes: has Docker give up the network that it has of the router by default, and
 * says which containers hold it. Nothing of that keeps a router from being stopped.
 */
export async function retirePlugin({
  api,
  stderr,
}: Pick<CommandContext, "api" | "stderr">): Promise<void> {
  try {
    const path = ["plugin", "network"];
    const body = await api.request({ method: "DELETE", path, waitMs: retireWaitMs });
    const { network, containers } = readAnswer(retired, body);
    if (containers.length === 0) return;
    stderr.write(
      `WARNING: the following containers are still attached to network "${network}":\n` +
        containers.map(({ id, name }) => `  ${id.slice(0, 12)} ${name}\n`).join("") +
        "Docker operations involving those containers may pause or fail\n" +
        "while Weave is not running\n",
    );
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.kind !== "refused") return;
    stderr.write(`note: Docker keeps its network of weave: ${error.message}\n`);
  }
}
