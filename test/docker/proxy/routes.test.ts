import { describe, expect, test } from "bun:test";
import { type Route, routeOf } from "../../../lib/docker/proxy/routes.ts";

describe("a request", () => {
  test.each<[string, string, Route]>([
    ["POST", "/containers/create", { kind: "create", name: "" }],
    ["POST", "/v1.41/containers/create?name=web&platform=", { kind: "create", name: "web" }],
    ["POST", "/v1.51/containers/create?name=%2Fa%20b", { kind: "create", name: "a b" }],
    ["POST", "http://docker/v1.41/containers/create", { kind: "create", name: "" }],
    ["POST", "/v1.41/%63ontainers/create", { kind: "create", name: "" }],
    ["POST", "/v1.41/containers/abc/start", { kind: "start", container: "abc" }],
    ["POST", "/containers/abc/restart?t=10", { kind: "start", container: "abc" }],
    ["POST", "/v1.24/containers/a/b/start", { kind: "start", container: "a/b" }],
    ["POST", "/v1.41/containers/abc/exec", { kind: "exec", container: "abc" }],
    ["GET", "/v1.41/containers/abc/json?size=1", { kind: "inspect", container: "abc" }],
  ])("%s %s concerns the proxy", (method, target, route) => {
    expect(routeOf(method, target)).toEqual(route);
  });

  test.each([
    ["GET", "/v1.41/containers/json"],
    ["GET", "/containers/create"],
    ["HEAD", "/_ping"],
    ["POST", "/v1.41/containers/abc/attach"],
    ["POST", "/v1.41/exec/abc/start"],
    ["POST", "/v1.41/containers/start"],
    ["POST", "/v2/x/containers/create"],
    ["POST", "/build?x=/containers/create"],
    ["POST", "/containers/%ff/start"],
    ["OPTIONS", "*"],
  ])("%s %s does not", (method, target) => {
    expect(routeOf(method, target)).toBeUndefined();
  });
});
