import type * as v from "valibot";
import { parseRequest } from "./messages.ts";

/** What a plugin answers to one method. The answer becomes JSON; `{}` stands for nothing to say. */
export type PluginMethod = (request: unknown, signal: AbortSignal) => Promise<object>;

/** By what follows the slash: `NetworkDriver.Join`. */
export type PluginMethods = Readonly<Record<string, PluginMethod>>;

/** A method that is asked in this form. @throws WeaveError `PLUGIN_REQUEST` from the method */
export function method<Schema extends v.GenericSchema>(
  schema: Schema,
  act: (request: v.InferOutput<Schema>, signal: AbortSignal) => object | Promise<object>,
): PluginMethod {
  return async (request, signal) => act(parseRequest(schema, request), signal);
}

/** Those of a receiver, with its name before them. */
export function methodsOf(receiver: string, methods: PluginMethods): PluginMethods {
  return Object.fromEntries(
    Object.entries(methods).map(([name, act]) => [`${receiver}.${name}`, act]),
  );
}
