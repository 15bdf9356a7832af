import * as v from "valibot";
import { type Cidr, cidrContains, networkOf, parseCidr } from "../base/ip.ts";
import type { Peer } from "./objects.ts";
import { hasField } from "./read-port.ts";
import { selectorSchema } from "./read-selector.ts";

const cidr = v.pipe(
  v.string(),
  v.rawTransform(({ dataset, addIssue, NEVER }): Cidr => {
    const block = tryParseCidr(dataset.value);
    if (block !== undefined) return block;
    addIssue({ message: "is no block of addresses such as 10.32.0.0/16" });
    return NEVER;
  }),
);

function tryParseCidr(text: string): Cidr | undefined {
  try {
    return networkOf(parseCidr(text));
  } catch {
    return undefined;
  }
}

const ipBlock = v.pipe(
  v.strictObject({ cidr, except: v.nullish(v.array(cidr), []) }),
  v.forward(
    v.check(
      ({ cidr, except }) =>
        except.every((each) => each.prefix > cidr.prefix && cidrContains(cidr, each.address)),
      "has a block that is not a part of 'cidr'",
    ),
    ["except"],
  ),
);

const block = v.pipe(
  v.strictObject({ ipBlock }),
  v.transform(({ ipBlock }): Peer => {
    return { kind: "block", block: ipBlock.cidr, except: ipBlock.except };
  }),
);

const pods = v.pipe(
  v.strictObject({
    podSelector: v.nullish(selectorSchema),
    namespaceSelector: v.nullish(selectorSchema),
  }),
  v.check(
    ({ podSelector, namespaceSelector }) => podSelector != null || namespaceSelector != null,
    "has none of 'podSelector', 'namespaceSelector' and 'ipBlock'",
  ),
  v.transform(({ podSelector, namespaceSelector }): Peer => {
    return { kind: "pods", namespaces: namespaceSelector ?? "own", pods: podSelector ?? [] };
  }),
);

/** A CIDR by itself. */
export const cidrPeerSchema = v.pipe(
  cidr,
  v.transform((block): Peer => ({ kind: "block", block, except: [] })),
);

/** A NetworkPolicyPeer: `ipBlock`, or one or both selectors. */
export const peerSchema = v.lazy((value) => (hasField(value, "ipBlock") ? block : pods));
