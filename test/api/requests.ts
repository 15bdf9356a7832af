import { fromUtf8 } from "../../lib/base/bytes.ts";

/** As bytes on the wire: request line, headers, body. At least one for every route. */
export const requests: readonly string[] = [
  "GET /status",
  "GET /status/targets",
  "GET /status/connections",
  "GET /status/peers",
  "GET /status/dns",
  "GET /status/ipam",
  "GET /readyz",
  "GET /report\nAccept: application/json",
  "GET /report?format=%7B%7Bjson%20.DNS%7D%7D",
  "GET /report?format={{range%20$i,%20$p%20:=%20.Router.Peers}}{{$i}}{{printf%20%22%25v%22%20$p.Name}}{{end}}",
  "GET /report/bundle?redact=addresses&redact=names",
  "GET /metrics",
  "GET /openapi.json",
  "POST /connect?replace=true\nContent-Type: application/x-www-form-urlencoded\n\npeer=10.0.0.2&peer=host2%3A6783",
  "POST /forget\nContent-Type: application/x-www-form-urlencoded\n\npeer=10.0.0.2",
  "DELETE /peer",
  "GET /proxyaddrs",
  "DELETE /plugin/network",
  "DELETE /peer/01:00:00:01:00:00?force=true",
  "POST /expose/10.2.1.1/24?skipNAT=true",
  "POST /ip/c1?check-alive=true",
  "POST /ip/c1/10.32.7.0/24",
  "POST /ip/_",
  "GET /ip",
  "GET /ip/c1",
  "GET /ip/c1/10.32.0.0/16",
  "PUT /ip/c1/10.32.1.1/24?noErrorOnUnknown=true",
  "PUT /ip/c2/10.2.1.1/24\nContent-Type: application/x-www-form-urlencoded\n\ncheck-alive=true",
  "DELETE /ip/c1/10.32.1.1",
  "DELETE /ip/c1",
  "GET /ring",
  "GET /ipinfo/defaultsubnet",
  "GET /ipinfo/tracker",
  "GET /domain",
  "GET /dns-address",
  "GET /dns-address-port",
  "PUT /name/c1/10.2.1.1\nContent-Type: application/x-www-form-urlencoded\n\nfqdn=one.weave.local",
  "DELETE /name/c1/10.2.1.1?fqdn=one.weave.local",
  "DELETE /name/c1",
  "DELETE /name?fqdn=one.weave.local",
  "GET /name\nAccept: application/json, */*",
  'POST /attach/c1\n\n{"addresses":["net:default","10.2.1.1/24"],"rewriteHosts":true,"addHosts":["a:1.2.3.4"]}',
  'POST /detach/c1\n\n{"addresses":["net:10.32.0.0/16"]}',
  'POST /expose\n\n{"addresses":[],"masquerade":false,"fqdn":"host.weave.local"}',
  "POST /attach-bridge/docker0",
  `POST /cni/add\n\n{"container":"abcdef1","interface":"eth0","namespace":"/run/netns/c1","network":"weave","routes":[{"dst":"10.0.0.0/8","gw":"10.32.0.1"}],"mtu":1300,"hairpin":false}`,
  `POST /cni/remove\n\n{"container":"abcdef1","interface":"eth0","frees":true}`,
  `POST /cni/check\n\n{"container":"abcdef1","interface":"eth0","namespace":"/run/netns/c1","cidrs":["10.32.0.2/12"]}`,
  `POST /policy/apply\n\n{"documents":[{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"deny"},"spec":{"podSelector":{},"ingress":[{"from":[{"ipBlock":{"cidr":"10.0.0.0/8"}}],"ports":[{"port":80,"endPort":90}]}]}}],"namespace":"shop"}`,
  `POST /policy/apply\n\n{"documents":[{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop","labels":{"a":"b"}}}]}`,
  `POST /policy/delete\n\n{"names":[{"kind":"NetworkPolicy","namespace":"shop","name":"deny"}]}`,
  `GET /policy`,
  `GET /policy/explain?from=10.32.0.1&to=10.32.0.2&port=80&protocol=UDP`,
  `GET /policy/ways?from=10.32.0.1&to=10.32.0.2`,
  `POST /policy/test\n\n{"documents":[],"tables":[{"expectations":[{"from":"10.32.0.1","to":"10.32.0.2","port":80,"allowed":true}]}]}`,
  `POST /cni/collect\n\n{"network":"weave","valid":[{"container":"abcdef1","interface":"eth0"}]}`,
  'POST /hide\n\n{"addresses":["net:default"]}',
  'POST /dns-add\n\n{"container":"c1","addresses":["10.2.1.1"],"fqdn":"one.weave.local"}',
  'POST /dns-remove\n\n{"addresses":["10.2.1.1"],"fqdn":"one.weave.local"}',
  "GET /dns-lookup/one.weave.local",
  "GET /doctor",
  "GET /picture",
  "POST /ui",
  "GET /events?after=1&since=2026-01-02T15:04:05Z&kind=link",
  "GET /why?from=c1&to=c2",
  "POST /successor",
  "GET /ps?container=c1&container=c2",
];

/** The request that these bytes stand for; `undefined` when a client could not even send it. */
export function requestOf(bytes: Uint8Array, signal: AbortSignal): Request | undefined {
  const [head = "", ...rest] = fromUtf8(bytes).split("\n\n");
  const [line = "", ...headers] = head.split("\n");
  const space = line.indexOf(" ");
  const method = line.slice(0, space).toUpperCase();
  const hasBody = rest.length > 0 && !["GET", "HEAD"].includes(method);
  try {
    return new Request(`http://127.0.0.1:6784${line.slice(space + 1)}`, {
      method,
      headers: headers.map((each): [string, string] => {
        const colon = each.indexOf(": ");
        return [each.slice(0, colon), each.slice(colon + 2)];
      }),
      ...(hasBody && { body: rest.join("\n\n") }),
      signal,
    });
  } catch {
    return undefined;
  }
}

/** Statuses that a request can bring about; 500 is looked at more closely. */
const statuses = [200, 204, 301, 400, 404, 405, 409, 500, 503];

/** Throws unless the answer is one that a client can make sense of. */
export async function wellFormed(request: Request, response: Response): Promise<void> {
  const { status, headers } = response;
  const body = await response.text();
  const what = `${request.method} ${request.url}: ${status} ${body.slice(0, 200)}`;
  const type = headers.get("Content-Type");
  const check = (holds: boolean): void => {
    if (!holds) throw new Error(`ill-formed answer to ${what}`);
  };
  check(statuses.includes(status));
  check(body === "" || type !== null);
  if (status === 204 || status === 405 || status === 301) check(body === "");
  if (status === 301) check(/^\/(?!\/)/.test(headers.get("Location") ?? ""));
  if (status >= 400 && status !== 405 && request.method !== "HEAD") check(body.length > 1);
  if (type?.startsWith("application/json")) check(typeof JSON.parse(body) === "object");
  // The only fault of ours that a request can bring about is a template that fails as it runs.
  if (status >= 500) check(/\/report\?/.test(request.url) && /^template: format:\d/.test(body));
}
