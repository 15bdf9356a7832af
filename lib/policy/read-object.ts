import * as v from "valibot";
import { WeaveError } from "../base/errors.ts";
import { parsedBy } from "../base/schema.ts";
import type { PolicyProblem, ProblemCollector } from "./policy-problem.ts";
import { pairsMax, pairsOf } from "./rule-pairs.ts";

/** A policy as it is understood, and what of it is not: nothing of that is allowed. */
export interface ReadPolicy<Policy> {
  readonly policy: Policy;
  readonly problems: readonly PolicyProblem[];
}

const identitySchema = v.object({
  metadata: v.object({ name: v.pipe(v.string(), v.nonEmpty()), namespace: v.nullish(v.string()) }),
});

/** An object of the API beside its `spec`; what servers and clients write into it does not matter. */
const shellSchema = v.strictObject({
  apiVersion: v.nullish(v.string()),
  kind: v.nullish(v.string()),
  metadata: v.unknown(),
  spec: v.nullish(v.looseObject({}), {}),
  status: v.unknown(),
});

/**
 * Which object it is.
 *
 * @throws WeaveError `POLICY_FORMAT`: without a name there is nothing to hold on to
 */
export function identityOf(json: unknown): { readonly name: string; readonly namespace: string } {
  const { metadata } = parsedBy(identitySchema, json, "the object", (why) => {
    return new WeaveError("POLICY_FORMAT", `a policy cannot be read: ${why}`, {
      remedy: "give it 'metadata' with a 'name', as Kubernetes has it",
    });
  });
  const { name, namespace } = metadata;
  return { name, namespace: namespace == null || namespace === "" ? "default" : namespace };
}

/** The fields of `spec`; `undefined` when something stands beside it that is not known. */
export function readSpec(
  problems: ProblemCollector,
  json: unknown,
  effect: string,
): Readonly<Record<string, unknown>> | undefined {
  const loose = { status: null, ...(json as object) };
  return problems.read(shellSchema, loose, "", effect)?.spec;
}

/** The fields of a `spec` as they came; `undefined` when there are others. */
export function readFields<const Field extends string>(
  problems: ProblemCollector,
  spec: Readonly<Record<string, unknown>>,
  fields: readonly Field[],
  effect: string,
): Readonly<Partial<Record<Field, unknown>>> | undefined {
  const entries = Object.fromEntries(fields.map((field) => [field, v.optional(v.unknown())]));
  return problems.read(v.strictObject(entries), spec, "spec", effect) as
    | Partial<Record<Field, unknown>>
    | undefined;
}

/** Whether what rules name is no more than a packet filter can be asked. */
export function areFew(
  problems: ProblemCollector,
  rules: Parameters<typeof pairsOf>[0],
  effect: string,
): boolean {
  const pairs = pairsOf(rules);
  if (pairs <= pairsMax) return true;
  const what = `has ${pairs} pairs of a block and a port, and may have ${pairsMax}`;
  problems.add("spec", what, effect, "name fewer: neighbouring ports are one range with 'endPort'");
  return false;
}

const listSchema = v.nullish(v.array(v.unknown()), []);

/**
 * Rules, each by itself: one that cannot be read becomes what `closed` makes of it, at its place.
 * `undefined` when there is no list.
 */
export function readRules<Schema extends v.GenericSchema>(
  problems: ProblemCollector,
  { schema, closed, effect }: RuleReader<Schema>,
  value: unknown,
  where: string,
  effectOfList: string,
): v.InferOutput<Schema>[] | undefined {
  const list = problems.read(listSchema, value, where, effectOfList);
  return list?.map(
    (rule, at) => problems.read(schema, rule, `${where}[${at}]`, effect) ?? closed(rule),
  );
}

export interface RuleReader<Schema extends v.GenericSchema> {
  readonly schema: Schema;
  closed(json: unknown): v.InferOutput<Schema>;
  /** What holds of a rule that cannot be read. */
  readonly effect: string;
}
