import type { HostIp } from "../../base/ip.ts";
import type { Node } from "../objects.ts";
import type { NodeQuery } from "../peer-term.ts";
import { selects } from "../selector.ts";

/** Which machines each query is about. Both are few, so each is asked of all. */
export class NodeMembership {
  readonly #nodes = new Map<string, Node>();
  readonly #queries = new Map<string, { readonly query: NodeQuery; users: number }>();

  node(name: string): Node | undefined {
    return this.#nodes.get(name);
  }

  put(node: Node): void {
    this.#nodes.set(node.name, node);
  }

  remove(name: string): void {
    this.#nodes.delete(name);
  }

  acquire(query: NodeQuery): void {
    const known = this.#queries.get(query.key);
    if (known === undefined) this.#queries.set(query.key, { query, users: 1 });
    else known.users += 1;
  }

  release({ key }: NodeQuery): void {
    const entry = this.#queries.get(key)!;
    entry.users -= 1;
    if (entry.users === 0) this.#queries.delete(key);
  }

  *queriesAbout({ labels }: Node): Iterable<NodeQuery> {
    for (const { query } of this.#queries.values()) if (selects(query.nodes, labels)) yield query;
  }

  *addressesOf(key: string): Iterable<HostIp> {
    const entry = this.#queries.get(key);
    if (entry === undefined) return;
    for (const { labels, addresses } of this.#nodes.values()) {
      if (selects(entry.query.nodes, labels)) yield* addresses;
    }
  }
}
