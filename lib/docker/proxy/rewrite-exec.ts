import { isWrapped, waitHelperPath } from "../wait-helper/mount.ts";
import { JsonObject } from "./json-text.ts";

/**
 * The request to run one more command in a container that is attached (docker.md §5.3): the command
 * waits for the container's interface. `undefined` when there is nothing to be changed.
 *
 * @throws WeaveError `JSON_SYNTAX`, `JSON_TYPE`
 */
export function rewriteExec(text: string): string | undefined {
  const body = JsonObject.parse(text);
  const command = body.words("Cmd") ?? [];
  if (command.length === 0 || isWrapped(command)) return undefined;
  return String(body.with("Cmd", [waitHelperPath, ...command]));
}
