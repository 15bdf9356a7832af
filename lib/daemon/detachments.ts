import type { Container } from "../host/container.ts";
import { namespaceIdentity, tryOpenNamespace } from "../host/netns.ts";
import type { SettingsStore, StoredDetachment } from "./settings-store.ts";

/**
 * Containers that were detached by hand, each as long as the run lasts in which that was done: who
 * attaches what it finds running must not undo it, a router that was started anew included.
 *
 *   detached ──▶ known, by its namespace and the process that leads there ──its end──▶ forgotten
 */
export class Detachments {
  readonly #settings: SettingsStore;

  constructor(settings: SettingsStore) {
    this.#settings = settings;
  }

  /** Takes the opportunity to forget those that have ended. */
  note({ ident, namespace, path }: StoredDetachment): void {
    for (const each of this.#settings.detachments()) {
      if (!isStill(each, each.path)) this.#settings.removeDetachment(each.ident);
    }
    this.#settings.saveDetachment({ ident, namespace, path });
  }

  /** Whether this run of the container was detached. */
  has({ ident, namespacePath }: Pick<Container, "ident" | "namespacePath">): boolean {
    const known = this.#settings.detachments().find((each) => each.ident === ident);
    return known !== undefined && isStill(known, namespacePath);
  }
}

/** A process id is used again, and so is the number of a namespace: hardly both, by one container. */
function isStill(known: StoredDetachment, path: string): boolean {
  using namespace = tryOpenNamespace(path);
  if (namespace === undefined || path !== known.path) return false;
  return namespaceIdentity(namespace) === known.namespace;
}
