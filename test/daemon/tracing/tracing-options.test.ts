import { describe, expect, test } from "bun:test";
import {
  type TracingVariables,
  tracingOptions,
} from "../../../lib/daemon/tracing/tracing-options.ts";

const ask = (flags: Record<string, string | boolean>, variables: TracingVariables = {}) =>
  tracingOptions(
    {
      peers: [],
      enabled: (flag) => flags[flag] === true,
      text: (flag) => (typeof flags[flag] === "string" ? flags[flag] : undefined),
    },
    variables,
  );

describe("traces", () => {
  test("go nowhere before somebody has asked for it, whatever the environment holds", () => {
    expect(ask({}, { OTEL_EXPORTER_OTLP_ENDPOINT: "http://c:4318" })).toBeUndefined();
    expect(ask({ otlp: true }, { OTEL_SDK_DISABLED: "true" })).toBeUndefined();
  });

  test.each([
    [{ "otlp-endpoint": "http://c:4318" }, {}, "http://c:4318/v1/traces"],
    [{ "otlp-endpoint": "https://c/base/" }, {}, "https://c/base/v1/traces"],
    [{ otlp: true }, {}, "http://localhost:4318/v1/traces"],
    [{ otlp: true }, { OTEL_EXPORTER_OTLP_ENDPOINT: "http://d:1" }, "http://d:1/v1/traces"],
    [
      { otlp: true },
      { OTEL_EXPORTER_OTLP_ENDPOINT: "http://d", OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://e/x" },
      "http://e/x",
    ],
    [
      { otlp: true, "otlp-endpoint": "http://c" },
      { OTEL_EXPORTER_OTLP_ENDPOINT: "http://d" },
      "http://c/v1/traces",
    ],
  ])("asked for with %j and %j go to %s", (flags, variables, endpoint) => {
    expect(ask(flags, variables)?.endpoint).toBe(endpoint);
  });

  test("bear the name, attributes and headers of the environment", () => {
    const variables = {
      OTEL_RESOURCE_ATTRIBUTES: "deployment.environment=test, service.name=other ,x=a%20b",
      OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20a%3Db,x-key=1",
      OTEL_EXPORTER_OTLP_TIMEOUT: "2500",
    };
    expect(ask({ otlp: true }, variables)).toMatchObject({
      headers: ["authorization=Bearer a=b", "x-key=1"],
      resource: { "service.name": "other", "deployment.environment": "test", x: "a b" },
      timeoutMs: 2500,
    });
    const named = { ...variables, OTEL_SERVICE_NAME: "weave-edge" };
    expect(ask({ otlp: true }, named)?.resource["service.name"]).toBe("weave-edge");
    const ofTraces = { ...variables, OTEL_EXPORTER_OTLP_TRACES_HEADERS: "k=v" };
    expect(ask({ otlp: true }, ofTraces)?.headers).toEqual(["k=v"]);
    expect(ask({ otlp: true })?.resource).toEqual({ "service.name": "weave" });
  });

  test.each([
    [{ "otlp-endpoint": "collector:4318" }, {}, "this is no address of a collector"],
    [{ "otlp-endpoint": "ftp://c" }, {}, "this is no address of a collector"],
    [{ "otlp-endpoint": "http://user:key@c" }, {}, "shown to whoever asks"],
    [{ otlp: true }, { OTEL_EXPORTER_OTLP_ENDPOINT: "c" }, "OTEL_EXPORTER_OTLP_ENDPOINT cannot"],
    [{ otlp: true }, { OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc"],
    [{ otlp: true }, { OTEL_EXPORTER_OTLP_TIMEOUT: "10s" }, "OTEL_EXPORTER_OTLP_TIMEOUT cannot"],
    [{ otlp: true }, { OTEL_RESOURCE_ATTRIBUTES: "a" }, "OTEL_RESOURCE_ATTRIBUTES cannot"],
  ])("cannot be asked for with %j and %j", (flags, variables, message) => {
    expect(() => ask(flags, variables)).toThrow(message);
  });

  test.each(["%0a", "%00", "%e2%98%83"])("have no header that cannot be sent: %s", (octets) => {
    const variables = { OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer${octets}x` };
    expect(() => ask({ otlp: true }, variables)).toThrow("OTEL_EXPORTER_OTLP_HEADERS cannot be");
  });

  test("have headers that no error repeats", () => {
    const variables = { OTEL_EXPORTER_OTLP_HEADERS: "secret key" };
    expect(() => ask({ otlp: true }, variables)).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining("secret") }),
    );
  });
});
