import { existsSync } from "node:fs";
import { errorText } from "../base/errors.ts";
import { noteRemoved } from "../daemon/cni/removed-interfaces.ts";
import type { Paths } from "../daemon/paths.ts";
import { openContainer } from "../host/container.ts";
import { removeGuestInterface } from "../host/guest-interface.ts";
import { CniError, cniCode } from "./cni-error.ts";
import type { CniTarget } from "./cni-input.ts";

/**
 * DEL while no router answers: removes the interface, and leaves a note by which the router frees
 * the address when it runs. Without any state of a router there is nobody to leave it to.
 *
 * @throws CniError try again, when the note cannot be written
 */
export function removeAlone(
  paths: Pick<Paths, "database" | "removedInterfaces">,
  { container, namespace: namespacePath, interface: name }: CniTarget,
  { frees, warn }: { frees: boolean; warn(sentence: string): void },
): void {
  if (namespacePath !== "") {
    try {
      using namespace = openContainer({ ident: container, namespacePath });
      removeGuestInterface(namespace, name);
    } catch (error) {
      warn(`${name} is not removed: ${errorText(error)}`);
    }
  }
  if (!existsSync(paths.database)) return;
  try {
    noteRemoved(paths.removedInterfaces, { container, interface: name, frees });
  } catch (error) {
    throw new CniError(
      cniCode.tryAgain,
      "no router answers, and what it has to free cannot be noted",
      errorText(error),
    );
  }
}
