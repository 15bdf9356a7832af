import { describe, expect, test } from "bun:test";
import { statusText } from "../../lib/api/status-text.ts";
import { Alone } from "./test-router.ts";

const unix = "unix:///var/run/weave/weave.sock";

describe("the Docker API proxy", () => {
  test("tells where it listens, a line each", async () => {
    const alone = new Alone();
    alone.router.proxy = { Addresses: ["tcp://0.0.0.0:12375", unix] };
    expect(await alone.ask("GET", "/proxyaddrs")).toMatchObject({
      status: 200,
      body: `tcp://0.0.0.0:12375\n${unix}\n`,
    });
  });

  test("is unknown to the API while it listens nowhere", async () => {
    const alone = new Alone();
    expect(await alone.ask("GET", "/proxyaddrs")).toMatchObject({
      ...{ status: 404, body: "404 page not found\n" },
    });
    alone.router.proxy = { Addresses: null, Problems: ["the port is taken"] };
    expect(await alone.ask("GET", "/proxyaddrs")).toMatchObject({ status: 404 });
  });

  test("has a section in status, with what is in its way", async () => {
    const alone = new Alone();
    expect(statusText(await alone.router.report())).not.toContain("proxy");
    alone.router.proxy = { Addresses: [unix], Problems: ["the port is taken"] };
    expect(statusText(await alone.router.report())).toEndWith(
      `
        Service: proxy
        Address: ${unix}
        Problem: the port is taken
`,
    );
  });

  test("is what templates for the original find in the report", async () => {
    const alone = new Alone();
    alone.router.proxy = { Addresses: [unix] };
    const format = encodeURIComponent("{{range .Proxy.Addresses}}{{.}};{{end}}");
    expect(await alone.ask("GET", `/report?format=${format}`)).toMatchObject({ body: `${unix};` });
  });
});
