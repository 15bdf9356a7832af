import { span } from "../terminal/spans.ts";
import type { Column } from "../terminal/table.ts";
import type { PaneTable } from "./pane-table.ts";
import type { Known } from "./top-state.ts";

const columns: readonly Column[] = [
  { title: "CONTAINERS", rank: 0, leastWidth: 12 },
  { title: "ADDRESSES", rank: 1, leastWidth: 13 },
  { title: "HOST", rank: 2, leastWidth: 6 },
  { title: "NAMES", rank: 3, leastWidth: 16 },
  { title: "ID", rank: 4, leastWidth: 12 },
];

/** Those of this host, and of others as far as they are known here. */
export function containerPane({ reading }: Known): PaneTable {
  if (reading === undefined) return { columns, rows: [] };
  const { peers, containers, self } = reading.picture;
  const nicknames = new Map(peers.map(({ name, nickname }) => [name, nickname]));
  const rows = containers.map(({ id, peer, name, names, addresses }) => {
    const host = nicknames.get(peer) ?? peer;
    const texts = [name, addresses.join(" "), host, names.join(" "), id];
    const cells = texts.map((text, at) =>
      span(text, at === 2 && peer === self ? "accent" : undefined),
    );
    return { cells, keys: texts, detail: names.join(", ") };
  });
  return { columns, rows };
}
