import type { Chain, Rule, SetKey } from "../../policy/rule-set.ts";

/** A set that rules use: one of addresses (`a`), or of ports at addresses (`p`). */
export interface SetId<Kind extends string = "a" | "p"> {
  readonly kind: Kind;
  readonly key: SetKey;
}

/** Equal ids have equal texts. */
export function textOfId({ kind, key }: SetId<string>): string {
  return `${kind} ${key}`;
}

/**
 * What an element of a set does where it is used:
 *
 *   opens    all rules with the set allow: with the element more passes, or the same
 *   closes   all of them deny: with it less passes, or the same
 *   either   anything else, as one set in rules of both kinds, or where it leads to another tier
 */
export type Effect = "opens" | "closes" | "either";

type Verdict = Rule["verdict"];

/** Counts by which rules sets are used. */
export class SetUsage {
  readonly #counts = new Map<string, Record<Verdict, number>>();

  add(chain: Chain): void {
    this.#count(chain, 1);
  }

  remove(chain: Chain): void {
    this.#count(chain, -1);
  }

  effectOf(id: SetId<string>): Effect {
    const { allow, deny, pass } = this.#counts.get(textOfId(id)) ?? none;
    if (pass > 0 || (allow > 0 && deny > 0)) return "either";
    return deny > 0 ? "closes" : "opens";
  }

  #count(chain: Chain, by: 1 | -1): void {
    for (const rule of chain.tiers.flat()) {
      for (const id of setsOf(rule).map(textOfId)) {
        const counts = this.#counts.get(id) ?? { ...none };
        counts[rule.verdict] += by;
        if (counts.allow + counts.deny + counts.pass > 0) this.#counts.set(id, counts);
        else this.#counts.delete(id);
      }
    }
  }
}

const none: Readonly<Record<Verdict, number>> = { allow: 0, deny: 0, pass: 0 };

/** The sets by which a rule says what it matches. */
export function setsOf({ peer, ports }: Rule): SetId[] {
  const portSets = ports === "any" ? [] : ports.filter((match) => match.kind === "set");
  return [
    ...(peer.kind === "set" ? [{ kind: "a", key: peer.set } as const] : []),
    ...portSets.map(({ set }) => ({ kind: "p", key: set }) as const),
  ];
}
