import { type Ipv4Cidr, parseIpv4Cidr } from "../base/ip.ts";
import { type Bundle, bundleBytesMax, bundleSchemaId } from "./bundle.ts";
import { type JsonObject, mapObject, objectToJson } from "./json.ts";
import { namesIn } from "./names-in-bundle.ts";
import { Pseudonyms, type Redactable } from "./pseudonyms.ts";
import { type KnownSecret, withoutSecrets } from "./secrets.ts";
import { shorten } from "./shorten.ts";

/** All that a bundle is made of, secrets included; of the report there is more than readers need. */
export type BundleParts = Omit<Bundle, "removed">;

export interface BundleRules {
  /** What is known not to leave the host. */
  readonly secrets: readonly KnownSecret[];
  readonly redact: readonly Redactable[];
  /** Besides those that the parts themselves tell of. */
  readonly names?: readonly string[];
  /** Octets of the document, but for a few that say what is left out. */
  readonly lengthMax?: number;
}

/** Texts of these members are words of ours, and no pseudonym takes their place. */
const vocabulary = new Set([
  ...["kind", "change", "direction", "channel", "code", "severity", "madeAt", "at", "since"],
  ...["State", "Code", "Channel", "Protocol", "Status", "Source", "Enforcer", "what"],
]);

/** The document of a bundle: what is taken out is taken out of every text in it. */
export function makeBundle(parts: BundleParts, rules: BundleRules): JsonObject {
  const { secrets, redact, lengthMax = bundleBytesMax, names = [] } = rules;
  const found = namesIn(parts);
  const known = { ...found, others: [...found.others, ...names] };
  const cleaned = withoutSecrets(objectToJson(parts), secrets);
  const redacted =
    redact.length === 0
      ? cleaned.value
      : pseudonymous(cleaned.value, new Pseudonyms(redact, known, universeOf(parts)));
  const { document, leftOut } = shorten(redacted, lengthMax);
  const removed = {
    secrets: [...cleaned.removed].map(([what, count]) => ({ what, count })),
    ...{ redacted: [...redact], leftOut },
  };
  return { schema: bundleSchemaId, ...document, removed };
}

function pseudonymous(value: JsonObject, pseudonyms: Pseudonyms): JsonObject {
  return mapObject(value, {
    text: (text) => pseudonyms.replace(text),
    member: (name, inside) =>
      vocabulary.has(name) && typeof inside === "string" ? inside : undefined,
  });
}

/** Of which addresses keep their place. */
function universeOf({ report: { IPAM } }: BundleParts): Ipv4Cidr | undefined {
  return IPAM === undefined ? undefined : parseIpv4Cidr(IPAM.Range);
}
