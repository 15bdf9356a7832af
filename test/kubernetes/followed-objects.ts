import type { ObjectObserver } from "../../lib/kubernetes/object-observer.ts";
import { keyOf } from "../../lib/kubernetes/object-observer.ts";
import type { KubernetesObject } from "../../lib/kubernetes/objects.ts";

/** What an observer makes of what it is told; what makes no sense is an error. */
export class FollowedObjects implements ObjectObserver<KubernetesObject> {
  readonly told: string[] = [];
  /** Versions by key. */
  readonly view = new Map<string, string>();
  isSynced = false;

  changed(change: "added" | "modified", object: KubernetesObject): void {
    const key = keyOf(object);
    if ((change === "added") === this.view.has(key)) throw new Error(`${change} twice: ${key}`);
    this.told.push(`${change} ${key}`);
    this.view.set(key, object.metadata.resourceVersion);
  }

  deleted(object: KubernetesObject): void {
    const key = keyOf(object);
    if (!this.view.delete(key)) throw new Error(`deleted, but never there: ${key}`);
    this.told.push(`deleted ${key}`);
  }

  replaced(all: readonly KubernetesObject[]): void {
    this.isSynced = true;
    this.told.push(`all ${all.map(keyOf).sort().join()}`);
    const listed = all.map((each) => `${keyOf(each)}@${each.metadata.resourceVersion}`).sort();
    const known = [...this.view].map(([key, version]) => `${key}@${version}`).sort();
    if (listed.join() !== known.join()) throw new Error(`${listed} is not what was told: ${known}`);
  }

  /** What has been told since the last time. */
  take(): string[] {
    return this.told.splice(0);
  }
}
