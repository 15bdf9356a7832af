import { WeaveError } from "../../base/errors.ts";
import type { LaunchOptions } from "../launch-options.ts";
import { conflict, type LaunchWords, parsed } from "../launch-words.ts";

/** Variables by the names that OpenTelemetry gives them. */
export type TracingVariables = Readonly<Record<string, string | undefined>>;

/** Where collectors listen (OTLP specification, section "OTLP/HTTP Default Port"). */
const defaultEndpoint = "http://localhost:4318";
const tracesPath = "v1/traces";
const defaultTimeoutMs = 10_000;

/** Those that may be secret, and have no business in the environment of a router. */
export const secretTracingVariables = [
  "OTEL_EXPORTER_OTLP_HEADERS",
  "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
] as const;

/**
 * Whether and where traces go (OpenTelemetry specification, "OpenTelemetry Protocol Exporter" and
 * "Environment Variable Specification"). Variables count once a flag has switched it on.
 *
 * @throws WeaveError `LAUNCH_FLAG`, `LAUNCH_CONFLICT`, `OTEL_VARIABLE`
 */
export function tracingOptions(
  words: LaunchWords,
  variables: TracingVariables,
): LaunchOptions["tracing"] {
  const given = words.text("otlp-endpoint") || undefined;
  if (given === undefined && !words.enabled("otlp")) return undefined;
  if (variables.OTEL_SDK_DISABLED?.toLowerCase() === "true") return undefined;
  const protocol = ofTraces(variables, "PROTOCOL");
  if (protocol !== undefined && !protocol.startsWith("http/")) {
    throw conflict(`traces are not sent by OTEL_EXPORTER_OTLP_PROTOCOL=${protocol}`, {
      remedy: "set it to http/json, and the endpoint to where the collector takes HTTP",
    });
  }
  const { "service.name": service, ...resource } = attributesOf(
    "OTEL_RESOURCE_ATTRIBUTES",
    variables.OTEL_RESOURCE_ATTRIBUTES,
  );
  return {
    endpoint:
      given === undefined
        ? endpointOfVariables(variables)
        : parsed("otlp-endpoint", given, (text) => checkedUrl(text, tracesPath)),
    headers: headersOf(variables),
    resource: { "service.name": variables.OTEL_SERVICE_NAME || service || "weave", ...resource },
    timeoutMs: timeoutOf(variables),
  };
}

/** What is said of traces goes before what is said of all signals. */
function ofTraces(variables: TracingVariables, name: string): string | undefined {
  return (
    variables[`OTEL_EXPORTER_OTLP_TRACES_${name}`] ||
    variables[`OTEL_EXPORTER_OTLP_${name}`] ||
    undefined
  );
}

/** Of all signals it is where their paths begin, of traces alone it is all of it. */
function endpointOfVariables(variables: TracingVariables): string {
  const ofAll = variables.OTEL_EXPORTER_OTLP_ENDPOINT || defaultEndpoint;
  const ofTracesAlone = variables.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT;
  const [name, text, path] = ofTracesAlone
    ? ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", ofTracesAlone, ""]
    : ["OTEL_EXPORTER_OTLP_ENDPOINT", ofAll, tracesPath];
  try {
    return checkedUrl(text, path);
  } catch (cause) {
    throw badVariable(name, cause);
  }
}

/** @throws WeaveError `OTLP_ENDPOINT` */
function checkedUrl(text: string, path: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new WeaveError("OTLP_ENDPOINT", "this is no address of a collector", {
      remedy: "write it as in http://collector:4318",
    });
  }
  if (url.username !== "" || url.password !== "" || url.search !== "") {
    throw new WeaveError("OTLP_ENDPOINT", "an address is shown to whoever asks", {
      remedy: "give what is secret in OTEL_EXPORTER_OTLP_HEADERS",
    });
  }
  if (path !== "") url.pathname = `${url.pathname.replace(/\/+$/, "")}/${path}`;
  return url.href;
}

/** Each as it can be sent: else every batch would be dropped. */
function headersOf(variables: TracingVariables): string[] {
  const name = "OTEL_EXPORTER_OTLP_HEADERS";
  const headers = attributesOf(name, ofTraces(variables, "HEADERS"));
  try {
    return [...new Headers(headers)].map((pair) => pair.join("="));
  } catch {
    throw badVariable(name);
  }
}

/** `key=value,…`, values percent-encoded (W3C Baggage). What is in it is not repeated: it may be secret. */
function attributesOf(name: string, text = ""): Record<string, string> {
  const pairs = text
    .split(",")
    .map((pair) => pair.trim())
    .filter((pair) => pair !== "");
  return Object.fromEntries(
    pairs.map((pair) => {
      const [, key, value] = /^([!#$%&'*+.^_`|~\w-]+)\s*=\s*([^\s,;]*)$/.exec(pair) ?? [];
      if (key === undefined || value === undefined) throw badVariable(name);
      try {
        return [key, decodeURIComponent(value)];
      } catch {
        throw badVariable(name);
      }
    }),
  );
}

function timeoutOf(variables: TracingVariables): number {
  const text = ofTraces(variables, "TIMEOUT");
  if (text === undefined) return defaultTimeoutMs;
  if (!/^[1-9]\d{0,6}$/.test(text)) throw badVariable("OTEL_EXPORTER_OTLP_TIMEOUT");
  return Number(text);
}

function badVariable(name: string, cause?: unknown): WeaveError {
  return new WeaveError("OTEL_VARIABLE", `${name} cannot be read`, {
    remedy: "docs/tracing.md says how variables are written",
    cause,
  });
}
