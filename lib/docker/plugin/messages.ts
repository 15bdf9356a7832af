import * as v from "valibot";
import { errorText, WeaveError } from "../../base/errors.ts";
import { parsedBy } from "../../base/schema.ts";

/**
 * What Docker asks of network and IPAM plugins (libnetwork's remote drivers), reduced to what is
 * read. Go writes `null` for a map or a list that has nothing; fields that are not here pass by.
 */

const identifierLengthMax = 128;

/** 64 hex digits for what an engine makes, 25 letters and digits for what a swarm does. */
const identifier = v.pipe(v.string(), v.regex(/^[0-9A-Za-z]+$/), v.maxLength(identifierLengthMax));

const text = v.optional(v.nullable(v.string(), ""), "");
const flag = v.optional(v.nullable(v.boolean(), false), false);

/** Labels of a network, where Docker passes them on to the driver. */
const genericKey = "com.docker.network.generic";

const anyMap = v.optional(v.nullable(v.record(v.string(), v.unknown()), {}), {});

const pools = v.optional(v.nullable(v.array(v.object({ AddressSpace: text, Pool: text })), []), []);

/** `docker network create -o key=value`, as strings; what is anything else is left out. */
const networkOptions = v.pipe(
  anyMap,
  v.transform((options) => {
    const generic = options[genericKey];
    const given = typeof generic === "object" && generic !== null ? generic : options;
    return Object.entries(given).flatMap(([key, value]): [string, string][] =>
      typeof value === "string" ? [[key, value]] : [],
    );
  }),
);

export const createNetworkSchema = v.object({
  NetworkID: identifier,
  Options: networkOptions,
  IPv4Data: pools,
  IPv6Data: pools,
});
export type CreateNetworkRequest = v.InferOutput<typeof createNetworkSchema>;

/** Sent by the manager of a swarm, which wants its options back. */
export const allocateNetworkSchema = v.object({ NetworkID: identifier, Options: anyMap });

export const networkSchema = v.object({ NetworkID: identifier });

const endpointFields = { NetworkID: identifier, EndpointID: identifier };
export const endpointSchema = v.object(endpointFields);

export const createEndpointSchema = v.object({
  ...endpointFields,
  Interface: v.nullish(v.object({ Address: text, AddressIPv6: text, MacAddress: text })),
});

export type CreateEndpointRequest = v.InferOutput<typeof createEndpointSchema>;

export const poolRequestSchema = v.object({ Pool: text, SubPool: text, V6: flag });

export const poolSchema = v.object({ PoolID: v.string() });

export const addressRequestSchema = v.object({
  PoolID: v.string(),
  /** Empty for any of the pool. */
  Address: text,
  Options: v.optional(v.nullable(v.record(v.string(), v.unknown()), {}), {}),
});

export const nothingSchema = v.unknown();

/** @throws WeaveError `PLUGIN_REQUEST` */
export function parseRequest<Schema extends v.GenericSchema>(
  schema: Schema,
  raw: unknown,
): v.InferOutput<Schema> {
  return parsedBy(schema, raw, "the request", (text) => new WeaveError("PLUGIN_REQUEST", text));
}

/** The body of a request; none at all counts as nothing asked for. @throws WeaveError `PLUGIN_BODY` */
export function parseBody(body: string): unknown {
  if (body.trim() === "") return {};
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw new WeaveError("PLUGIN_BODY", `the request is no JSON: ${errorText(cause)}`, { cause });
  }
}
