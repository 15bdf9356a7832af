import * as v from "valibot";
import { textsByName } from "../base/schema.ts";

/** Bodies and answers of the routes for whole operations on containers (`container-routes.ts`). */

/** No command has so many; a body that does is a mistake. */
const tokensMax = 256;

const tokens = v.optional(v.pipe(v.array(v.string()), v.maxLength(tokensMax)), []);
const texts = v.array(v.string());

export const addressesBody = v.object({ addresses: tokens });

export const attachBody = v.object({
  addresses: tokens,
  withoutDns: v.optional(v.boolean(), false),
  rewriteHosts: v.optional(v.boolean(), false),
  addHosts: tokens,
  multicastRoute: v.optional(v.boolean(), true),
  labels: v.exactOptional(textsByName),
});

export const exposeBody = v.object({
  addresses: tokens,
  masquerade: v.optional(v.boolean(), true),
  fqdn: v.exactOptional(v.string()),
});

export const namesBody = v.object({
  container: v.exactOptional(v.string()),
  addresses: tokens,
  fqdn: v.exactOptional(v.string()),
});

export const cidrsAnswer = v.object({ cidrs: texts });

const ignored = v.array(v.object({ fqdn: v.string(), reason: v.string() }));

export const exposeAnswer = v.object({ cidrs: texts, ignored: v.exactOptional(ignored) });

export const attachAnswer = v.object({
  ident: v.string(),
  cidrs: texts,
  interface: v.string(),
  mac: v.string(),
  fqdn: v.exactOptional(v.string()),
  ignored: v.exactOptional(ignored),
});

export const detachAnswer = v.object({ ident: v.string(), cidrs: texts });

export const joinAnswer = v.object({ joined: v.boolean() });

export const namesAnswer = v.object({
  names: v.array(v.object({ fqdn: v.string(), address: v.string() })),
  ignored,
});

export const lookupAnswer = v.object({ addresses: texts });

export const listAnswer = v.object({
  containers: v.array(
    v.object({ ref: v.string(), ident: v.string(), mac: v.string(), cidrs: texts }),
  ),
});
