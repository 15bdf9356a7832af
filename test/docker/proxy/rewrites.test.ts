import { describe, expect, test } from "bun:test";
import { parseGoPattern } from "../../../lib/base/go-pattern.ts";
import { JsonObject } from "../../../lib/docker/proxy/json-text.ts";
import {
  type CreateSettings,
  createChoice,
  type ImageCommand,
  imageAsked,
  rewriteCreate,
} from "../../../lib/docker/proxy/rewrite-create.ts";
import { rewriteExec } from "../../../lib/docker/proxy/rewrite-exec.ts";
import { rewriteInspect } from "../../../lib/docker/proxy/rewrite-inspect.ts";
import { rewriteStart } from "../../../lib/docker/proxy/rewrite-start.ts";

const rule = { fromLabel: "", match: parseGoPattern("(.*)"), replacement: "$1" };
const dns = { address: "172.17.0.1", domain: "weave.local." };
const settings: CreateSettings = { waitFolder: "/var/lib/weave/w", hostname: rule, dns };
const bind = "/var/lib/weave/w:/w:ro";

function create(
  body: object | string,
  name = "",
  image?: ImageCommand,
  changes: Partial<CreateSettings> = {},
) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const made = rewriteCreate(JsonObject.parse(text), name, image, { ...settings, ...changes });
  return { ...JSON.parse(String(made.body)), warnings: made.warnings, text: String(made.body) };
}

const image = (entrypoint: string[], cmd: string[]): ImageCommand => ({ entrypoint, cmd });

describe("the command of a container", () => {
  test.each<[object, ImageCommand | undefined, string[], string[] | string | undefined]>([
    [{ Cmd: ["ls"] }, image([], ["sh"]), ["/w/w"], ["ls"]],
    [{}, image([], ["sh"]), ["/w/w"], ["sh"]],
    [{ Cmd: null, Entrypoint: null }, image(["e"], ["c"]), ["/w/w", "e"], ["c"]],
    [{ Cmd: ["x"] }, image(["e"], ["c"]), ["/w/w", "e"], ["x"]],
    [{ Cmd: [] }, image(["e"], []), ["/w/w", "e"], []],
    [{ Entrypoint: ["o"] }, undefined, ["/w/w", "o"], undefined],
    [{ Entrypoint: ["o"], Cmd: ["x"] }, undefined, ["/w/w", "o"], ["x"]],
    [{ Entrypoint: "o", Cmd: "x y" }, undefined, ["/w/w", "o"], "x y"],
    [{ Entrypoint: [], Cmd: ["x"] }, undefined, ["/w/w"], ["x"]],
    [{ Entrypoint: [] }, image(["e"], ["c"]), ["/w/w"], ["c"]],
    [{ Entrypoint: [""], Cmd: ["x"] }, undefined, ["/w/w"], ["x"]],
    [{ Entrypoint: "", Cmd: ["x"] }, undefined, ["/w/w"], ["x"]],
  ])("of %j with the image's %j goes behind the helper", (body, ofImage, entrypoint, cmd) => {
    const made = create({ Image: "bb", ...body }, "", ofImage);
    expect({ entrypoint: made.Entrypoint, cmd: made.Cmd }).toEqual({ entrypoint, cmd });
  });

  test("of an image that was committed from such a container is behind it already", () => {
    expect(create({}, "", image(["/w/w", "e"], ["c"])).Entrypoint).toBeUndefined();
    expect(create({ Entrypoint: ["/w/w", "e"] }).Entrypoint).toEqual(["/w/w", "e"]);
  });

  test("has to be one", () => {
    expect(() => create({}, "", image([], []))).toThrow("No command specified");
    expect(() => create({ Entrypoint: [""] }, "", undefined)).toThrow("No command specified");
    expect(() => create({ Entrypoint: 7 })).toThrow("Entrypoint should be an array of strings");
  });

  test("asks for the image where the request does not say it all", () => {
    const asked = (body: object) => imageAsked(JsonObject.parse(JSON.stringify(body)));
    expect(asked({ Image: "bb", Cmd: ["x"] })).toBe("bb");
    expect(asked({ Image: "bb", Entrypoint: [] })).toBe("bb");
    expect(asked({ Image: "bb", Entrypoint: [], Cmd: ["x"] })).toBeUndefined();
    expect(asked({ Image: "bb", Entrypoint: [""] })).toBeUndefined();
    expect(asked({ Image: "bb", Entrypoint: "e" })).toBeUndefined();
    expect(asked({})).toBe("");
  });
});

const withCmd = (rest: object) => ({ Entrypoint: ["e"], ...rest });

describe("a container that is made", () => {
  test("has the helper mounted, and nothing else there", () => {
    const Binds = ["/a:/b", "/x:/w", "/w", "vol:/w:rw", "/w:/c"];
    const Mounts = [
      { Type: "bind", Source: "/x", Target: "/w" },
      { Type: "bind", Source: "/y", Target: "/z" },
    ];
    const { HostConfig } = create(withCmd({ HostConfig: { Binds, Mounts } }));
    expect(HostConfig.Binds).toEqual(["/a:/b", "/w:/c", bind]);
    expect(HostConfig.Mounts).toEqual([Mounts[1]]);
    expect(create(withCmd({ HostConfig: null })).HostConfig.Binds).toEqual([bind]);
  });

  test("keeps whatever nobody knows here, and its large numbers", () => {
    const { text } = create(
      '{"X":null,"HostConfig":{"MemorySwap":9007199254740993},"Entrypoint":["e"]}',
    );
    expect(text).toContain('"X":null');
    expect(text).toContain('"MemorySwap":9007199254740993');
  });

  test("is named after itself, in the cluster's domain", () => {
    expect(create(withCmd({}), "web")).toMatchObject({
      ...{ Hostname: "web", Domainname: "weave.local", warnings: [] },
      HostConfig: { Dns: ["172.17.0.1"], DnsSearch: ["."] },
    });
    expect(create(withCmd({ Hostname: "mine" }), "web")).toMatchObject({ Hostname: "mine" });
    expect(create(withCmd({ Hostname: "mine" }), "web").Domainname).toBeUndefined();
  });

  test("without a name finds others of the cluster's domain by short names", () => {
    const made = create(withCmd({}));
    expect(made.Hostname).toBeUndefined();
    expect(made.HostConfig.DnsSearch).toEqual(["weave.local."]);
  });

  test("keeps servers and a search list of its own", () => {
    const HostConfig = { Dns: ["8.8.8.8"], DnsSearch: ["example.com"] };
    expect(create(withCmd({ HostConfig }), "web").HostConfig).toMatchObject({
      ...{ Dns: ["8.8.8.8", "172.17.0.1"], DnsSearch: ["example.com"] },
    });
  });

  test("is told nothing of names when they are switched off", () => {
    const made = create(withCmd({}), "web", undefined, { dns: undefined });
    expect(made.Hostname).toBeUndefined();
    expect(made.HostConfig).toEqual({ Binds: [bind] });
  });

  test("has no host name that is too long, and a warning", () => {
    const name = "x".repeat(53);
    expect(create(withCmd({}), "x".repeat(52)).Hostname).toHaveLength(52);
    const made = create(withCmd({}), name);
    expect(made.Hostname).toBeUndefined();
    expect(made.warnings).toEqual([expect.stringContaining("too long for a host name")]);
  });

  test.each(["web.", "a..b"])("has no host name that is none, as %p, and a warning", (name) => {
    const made = create(withCmd({}), name);
    expect(made.Hostname).toBeUndefined();
    expect(made.warnings).toEqual([
      `"${name}" is no host name in weave.local.: others do not find the container by it`,
    ]);
  });

  test("has no host name of its own with that of its host, which engines refuse", () => {
    const made = create(withCmd({ HostConfig: { UTSMode: "host" } }), "web");
    expect(made.Hostname).toBeUndefined();
    expect(made).toMatchObject({ warnings: [], HostConfig: { DnsSearch: ["weave.local."] } });
  });

  test.each([
    ["(.*)", "$1", "", "one"],
    ["^aws-[0-9]+-(.*)$", "my-app-$1", "", "my-app-one"],
    ["^aws-[0-9]+-(?P<app>.*)$", "my-app-$app", "", "my-app-one"],
    ["^other-(.*)$", "$1", "", "aws-12798186823-one"],
    ["(.*)", "$1", "label", "labelled"],
    ["(.*)", "$1", "Label", "one"],
  ])("with %p, %p and the label %p is called %p", (match, replacement, fromLabel, hostname) => {
    const name = hostname === "one" && fromLabel !== "Label" ? "one" : "aws-12798186823-one";
    const own = fromLabel === "Label" ? "one" : name;
    const hostnameRule = { fromLabel, match: parseGoPattern(match), replacement };
    const body = withCmd({ Labels: { label: "labelled" } });
    expect(create(body, own, undefined, { hostname: hostnameRule }).Hostname).toBe(hostname);
  });

  test("is looked at for what decides whether it is attached", () => {
    const choice = (text: string) => createChoice(JsonObject.parse(text));
    expect(choice('{"Env":["A=b"],"HostConfig":{"NetworkMode":"host"}}')).toEqual({
      ...{ networkMode: "host", env: ["A=b"] },
    });
    expect(choice("{}")).toEqual({ networkMode: "", env: [] });
    expect(() => choice('{"HostConfig":{"NetworkMode":7}}')).toThrow(
      "NetworkMode should be a string, and is a number",
    );
  });
});

describe("a start that says how to run", () => {
  const start = (text: string, isNamed = true) =>
    rewriteStart(text, {
      ...{ folders: { noopDir: "/noop" }, waitFolder: "/var/lib/weave/w", dns, isNamed },
    });

  test.each(["", " ", "null", "null\n", "{}", '{"HostConfig":null}', '{"HostConfig":{}}'])(
    "not, as %j, is left as it is",
    (text) => {
      expect(start(text)).toBeUndefined();
    },
  );

  test("at the top or below it keeps what was said, and what was added before", () => {
    const ours =
      '"Binds":["/a:/b","/var/lib/weave/w:/w:ro"],"Dns":["172.17.0.1"],"DnsSearch":["."]';
    expect(start('{"Binds":["/a:/b"]}')).toBe(`{${ours}}`);
    expect(start('{"X":1,"HostConfig":{"Binds":["/a:/b"]}}')).toBe(
      `{"X":1,"HostConfig":{${ours}}}`,
    );
    expect(start('{"MemorySwap":9007199254740993}', false)).toContain(
      '"MemorySwap":9007199254740993',
    );
  });

  test.each(["host", "container:x"])(
    "on the network %p has its command wait for nothing",
    (mode) => {
      expect(start(`{"NetworkMode":"${mode}"}`)).toBe(
        `{"NetworkMode":"${mode}","Binds":["/noop:/w:ro"]}`,
      );
    },
  );
});

describe("one more command in a container", () => {
  test.each([
    ['{"Cmd":["ls","-l"],"Tty":true}', '{"Cmd":["/w/w","ls","-l"],"Tty":true}'],
    ['{"Cmd":"ls"}', '{"Cmd":["/w/w","ls"]}'],
    ['{"Cmd":["/w/w","ls"]}', undefined],
    ['{"Cmd":[]}', undefined],
    ["{}", undefined],
  ])("%p becomes %p", (text, edited) => {
    expect(rewriteExec(text)).toBe(edited);
  });
});

describe("a question about a container", () => {
  test("is answered with its address here, also by engines without those fields", () => {
    const shown = { mac: "6e:1f:3c:0a:88:51", address: "10.32.0.1", prefix: 12 };
    const ours = '"MacAddress":"6e:1f:3c:0a:88:51","IPAddress":"10.32.0.1","IPPrefixLen":12';
    expect(
      rewriteInspect('{"Id":"x","NetworkSettings":{"Ports":{}},"Size":9007199254740993}', shown),
    ).toBe(`{"Id":"x","NetworkSettings":{"Ports":{},${ours}},"Size":9007199254740993}`);
    const old = '{"NetworkSettings":{"IPAddress":"172.17.0.2","IPPrefixLen":16,"MacAddress":""}}';
    expect(JSON.parse(rewriteInspect(old, shown)).NetworkSettings).toEqual({
      ...{ MacAddress: shown.mac, IPAddress: "10.32.0.1", IPPrefixLen: 12 },
    });
  });
});
