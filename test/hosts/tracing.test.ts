import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { pathsFrom } from "../../lib/daemon/paths.ts";
import { NetworkNamespace } from "../../lib/host/netns.ts";
import { type Host, Lab } from "./lab.ts";
import { PretendedDocker } from "./pretended-docker.ts";
import { eventually } from "./shell.ts";

let lab: Lab;

beforeAll(async () => {
  lab = await Lab.onSwitch("tr", 2);
});

afterAll(() => lab?.[Symbol.asyncDispose]());

interface Told {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly attributes: ReadonlyArray<{ readonly key: string; readonly value: object }>;
  readonly events: ReadonlyArray<{ readonly name: string; readonly attributes: readonly object[] }>;
  readonly status: { readonly code?: number };
}

interface Batch {
  readonly resource: { readonly attributes: readonly object[] };
  readonly spans: readonly Told[];
}

const secret = "b3f7a1d2";

/** A collector of traces in a host's namespace, at the port that collectors have. */
class Collector implements Disposable {
  readonly batches: Batch[] = [];
  /** Of requests. */
  readonly keys = new Set<string | null>();
  readonly #server: ReturnType<typeof Bun.serve>;

  constructor(host: Host) {
    using namespace = new NetworkNamespace(`/run/netns/${host.namespace}`);
    this.#server = namespace.run(() =>
      Bun.serve({
        ...{ hostname: "127.0.0.1", port: 4318 },
        fetch: async (request) => {
          expect(new URL(request.url).pathname).toBe("/v1/traces");
          this.keys.add(request.headers.get("x-key"));
          for (const { resource, scopeSpans } of readBody(await request.text())) {
            this.batches.push({ resource, spans: scopeSpans.flatMap(spansOf) });
          }
          return Response.json({});
        },
      }),
    );
  }

  get spans(): Told[] {
    return this.batches.flatMap(({ spans }) => spans);
  }

  [Symbol.dispose](): void {
    void this.#server.stop(true);
  }
}

/** As the exporter writes it. */
function readBody(text: string): Array<Pick<Batch, "resource"> & { readonly scopeSpans: Batch[] }> {
  return JSON.parse(text).resourceSpans;
}

const spansOf = ({ spans }: Batch): readonly Told[] => spans;

/** Names as a tree, in the order of their starts. */
function tree(spans: readonly Told[], parent: string): unknown[] {
  const parts = spans.filter(({ parentSpanId }) => parentSpanId === parent);
  return parts
    .sort((a, b) => Number(BigInt(a.startTimeUnixNano) - BigInt(b.startTimeUnixNano)))
    .map(({ name, spanId }) => {
      const inner = tree(spans, spanId);
      return inner.length === 0 ? name : [name, inner];
    });
}

/** A trace that the test begins itself. */
const traceOf = (digit: string) => ({
  ...{ traceId: digit.repeat(32), spanId: digit.repeat(16) },
  traceparent: `00-${digit.repeat(32)}-${digit.repeat(16)}-01`,
});

const attribute = (span: Told | undefined, key: string): unknown =>
  Object.values(span?.attributes.find((each) => each.key === key)?.value ?? {})[0];

test("what attaching takes is told to a collector as the trees of spans that it was", async () => {
  const [one, two] = [lab.hosts[0]!, lab.hosts[1]!];
  using collector = new Collector(one);
  const docker = new PretendedDocker(one);
  const ring = ["--ipalloc-init", "consensus=2"];
  await one.launch(["--otlp", ...docker.flags, ...ring], {
    env: { OTEL_EXPORTER_OTLP_HEADERS: `x-key=${secret}`, OTEL_SERVICE_NAME: "weave-one" },
  });
  const [first, second, third] = ["1", "2", "3"].map(traceOf);
  const c1 = await one.container("c1");
  const attached = one.mustWeave(["attach", c1.reference], {
    env: { TRACEPARENT: first!.traceparent },
  });
  await eventually(
    "somebody who waits for the ring",
    () => one.mustWeave(["report", "-f", "{{len .IPAM.PendingAllocates}}"]),
    (count) => count === "1",
  );
  await two.launch([one.ip, ...ring]);
  const address = await attached;
  const c2 = await one.container("c2");
  const refused = await one.weave(["attach", "net:default", `${address}/12`, c2.reference], {
    env: { TRACEPARENT: second!.traceparent },
  });
  expect(refused.code).not.toBe(0);
  const added = await one.exec([
    ...["curl", "-sS", "--unix-socket", pathsFrom(one.env).socket],
    ...["-H", `traceparent: ${third!.traceparent}`, "-H", "Content-Type: application/json"],
    ...["-d", JSON.stringify(podOf(c2.namespace)), "http://localhost/cni/add"],
  ]);
  expect(added.stdout).toContain('"cidr"');
  await docker.container("a", "10.40.9.0/24");
  const shown = `${await one.mustWeave(["report"])}${await one.mustWeave(["logs"])}`;
  const pid = await one.routerPid();
  const open = ["environ", "cmdline"].map((name) => readFileSync(`/proc/${pid}/${name}`, "utf8"));
  expect(shown).toContain("http://localhost:4318/v1/traces");
  for (const text of [shown, ...open]) expect(text).not.toContain(secret);
  await one.mustWeave(["stop"]);

  const { spans, keys } = collector;
  expect([...keys]).toEqual([secret]);
  expect(JSON.stringify(collector.batches[0]!.resource)).toContain('"stringValue":"weave-one"');
  expect(tree(spans, first!.spanId)).toEqual([
    [
      "POST /attach/:container",
      [["attach container", ["acquire addresses", "admit by policies", "make interface"]]],
    ],
  ]);
  const ofFirst = spans.filter(({ traceId }) => traceId === first!.traceId);
  const acquired = ofFirst.find(({ name }) => name === "acquire addresses")!;
  expect(acquired.events).toMatchObject([
    {
      name: "waiting",
      attributes: [{ key: "weave.waiting.for", value: { stringValue: "ring" } }, {}, {}],
    },
  ]);
  expect(
    attribute(
      ofFirst.find(({ kind }) => kind === 2),
      "http.response.status_code",
    ),
  ).toBe("200");
  expect(tree(spans, second!.spanId)).toEqual([
    [
      "POST /attach/:container",
      [["attach container", [["acquire addresses", ["give addresses back"]]]]],
    ],
  ]);
  const failed = spans.filter(
    ({ traceId, status }) => traceId === second!.traceId && status.code === 2,
  );
  expect(failed.map((span) => [span.name, attribute(span, "error.type")]).sort()).toEqual([
    ["acquire addresses", "IPAM_CLAIM_REFUSED"],
    ["attach container", "IPAM_CLAIM_REFUSED"],
  ]);
  expect(tree(spans, third!.spanId)).toMatchObject([
    ["POST /cni/add", [["attach container", expect.arrayContaining(["make interface"])]]],
  ]);
  const ofPlugin = spans.filter((span) => attribute(span, "weave.caller") === "plugin");
  expect(ofPlugin.map(({ name }) => name)).toContain("NetworkDriver.Join");
});

test("a collector that is away holds up nothing, and status says so", async () => {
  const one = lab.hosts[0]!;
  await one.launch(["--otlp-endpoint", "http://127.0.0.1:1"]);
  const c3 = await one.container("c3");
  await one.mustWeave(["attach", c3.reference]);
  expect(await one.mustWeave(["status"])).toContain(
    "        Service: tracing\n       Endpoint: http://127.0.0.1:1/v1/traces",
  );
  await one.mustWeave(["stop"]);
  expect(await one.mustWeave(["logs"])).toContain("traces are dropped that do not reach http");
});

/** What the plugin asks for when it is called for a container. */
function podOf(namespace: string): object {
  return {
    ...{ container: "pod1", interface: "eth0", network: "weave" },
    ...{ namespace: `/run/netns/${namespace}`, hairpin: false },
  };
}
