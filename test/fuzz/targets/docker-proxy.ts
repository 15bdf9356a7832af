import { fromUtf8, utf8 } from "../../../lib/base/bytes.ts";
import { parseGoPattern } from "../../../lib/base/go-pattern.ts";
import { type BodyLength, bodyEnd, requestBodyLength } from "../../../lib/docker/proxy/body.ts";
import { HttpHead, headEnd, requestLine } from "../../../lib/docker/proxy/http-head.ts";
import { JsonObject } from "../../../lib/docker/proxy/json-text.ts";
import {
  createChoice,
  imageAsked,
  rewriteCreate,
} from "../../../lib/docker/proxy/rewrite-create.ts";
import { rewriteExec } from "../../../lib/docker/proxy/rewrite-exec.ts";
import { rewriteStart } from "../../../lib/docker/proxy/rewrite-start.ts";
import { routeOf } from "../../../lib/docker/proxy/routes.ts";
import { type FuzzTarget, hold, refusable } from "../target.ts";

/** What clients of the Docker API proxy may send. */

const description = JSON.stringify({
  ...{ Image: "bb", Cmd: ["sh", "-c", "x"], Entrypoint: null, Env: ["A=b", "WEAVE_CIDR="] },
  Labels: { a: "b" },
  HostConfig: { Binds: ["/a:/b"], Mounts: [{ Target: "/w" }], MemorySwap: -1, Dns: [] },
});
const text = utf8(description);

const requests = [
  `POST /v1.41/containers/create?name=c1 HTTP/1.1\r\nHost: x\r\nContent-Length: ${text.length}\r\n\r\n${description}`,
  `POST /containers/c1/start HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n` +
    `${text.length.toString(16)};a=b\r\n${description}\r\n0\r\nTrail: er\r\n\r\n`,
  `POST /v1.51/containers/c1/exec HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: ${text.length}\r\n\r\n${description}`,
  "GET /v1.41/containers/c1/json HTTP/1.1\r\nHost: api.moby.localhost\r\n\r\n",
];

const settings = {
  waitFolder: "/w1",
  hostname: { fromLabel: "a", match: parseGoPattern("(.*)"), replacement: "$1" },
  dns: { address: "172.17.0.1", domain: "weave.local." },
};

/** Whether there is a request, whole and proper, at the start of these octets. */
function isRequest(bytes: Uint8Array): boolean {
  const end = headEnd(bytes);
  if (end === -1) return false;
  const read = refusable(["HTTP_HEAD", "HTTP_BODY"], () => {
    const head = HttpHead.parse(bytes.subarray(0, end));
    hold(Bun.deepEquals([...head.bytes()], [...bytes.subarray(0, end)]), "a head has changed");
    return { ...requestLine(head), length: requestBodyLength(head) };
  });
  if (read === undefined) return false;
  const body = bodyOf(bytes.subarray(end), read.length);
  return body !== undefined && edit(read.method, read.target, fromUtf8(body));
}

/** Octet by octet it is the same as in one go. */
function bodyOf(bytes: Uint8Array, length: BodyLength): Uint8Array | undefined {
  const taken = (step: number) =>
    refusable(["HTTP_BODY"], () => {
      const end = bodyEnd(length);
      const data: number[] = [];
      let at = 0;
      while (at < bytes.length && !end.isOver) {
        at += end.take(bytes.subarray(at, at + step), (part) => data.push(...part));
      }
      return end.isOver ? { at, data } : undefined;
    });
  const whole = taken(bytes.length + 1);
  hold(Bun.deepEquals(taken(1), whole), "a body depends on how it is cut");
  return whole && new Uint8Array(whole.data);
}

function edit(method: string, target: string, body: string): boolean {
  const route = routeOf(method, target);
  if (route === undefined) return true;
  const declared = ["JSON_SYNTAX", "JSON_TYPE", "CONTAINER_NO_COMMAND"];
  const edited = refusable(declared, () => {
    if (route.kind === "start") {
      const folders = { noopDir: "/w3" };
      return rewriteStart(body, { ...settings, folders, isNamed: true }) ?? "{}";
    }
    if (route.kind === "exec") return rewriteExec(body) ?? "{}";
    if (route.kind === "inspect") return "{}";
    const description = JsonObject.parse(body);
    createChoice(description);
    const image = imageAsked(description) === undefined ? undefined : { entrypoint: [], cmd: [] };
    return String(rewriteCreate(description, route.name, image, settings).body);
  });
  if (edited !== undefined) JSON.parse(edited);
  return edited !== undefined;
}

export const dockerProxyTarget: FuzzTarget = {
  name: "docker-proxy",
  corpus: () => requests.map(utf8),
  begin: () => ({ consume: isRequest }),
};
