import { fromUtf8, utf8 } from "../../../lib/base/bytes.ts";
import { requestOf, requests, wellFormed } from "../../api/requests.ts";
import { Alone } from "../../api/test-router.ts";
import { type FuzzLife, type FuzzTarget, hold } from "../target.ts";

/** A whole router that is alone in its cluster, asked over its control API without sockets. */
function asked(
  requestFor: (bytes: Uint8Array, gone: AbortSignal) => Request | undefined,
): FuzzLife {
  const alone = new Alone();
  return {
    async consume(bytes) {
      const gone = new AbortController();
      const request = requestFor(bytes, gone.signal);
      if (request === undefined) return false;
      const pending = Promise.resolve(alone.app.fetch(request));
      // An exhausted subnet makes a request wait, until its client has had enough.
      setImmediate(() => gone.abort());
      const response = await pending;
      await wellFormed(request, response);
      return response.ok;
    },
    async end() {
      const { pendingAllocations, pendingClaims, pendingPrimes, election } =
        alone.router.ipam!.allocator.status();
      // A claim that is content without an answer waits for the first ring, its client or not.
      const claims = election === undefined ? pendingClaims.length : 0;
      const waiting = pendingAllocations.length + claims + pendingPrimes;
      hold(waiting === 0, `${waiting} requests wait for clients that are gone`);
      const { status } = await alone.ask("GET", "/status");
      hold(status === 200, `a good request is answered ${status}`);
    },
  };
}

/** Damaged requests to every route: methods, paths, queries, headers and bodies. */
export const httpTarget: FuzzTarget = {
  name: "http",
  corpus: () => requests.map(utf8),
  begin: () => asked(requestOf),
};

/** Every construct of Go's templates, over a report. */
const templates = [
  "{{.Ready}} {{.Router.Name}}",
  "{{json .}}",
  "{{json .IPAM.Entries}}{{json .Router.Peers}}",
  "{{range .Router.Peers}}{{.Name}} {{.UID}}\n{{else}}none{{end}}",
  "{{range $i, $p := .Router.Peers}}{{$i}}: {{$p.NickName}}{{break}}{{end}}",
  "{{with .DNS}}{{.Domain}} {{range .Entries}}{{.Hostname}}{{continue}}{{end}}{{end}}",
  '{{if and .Ready (not .Router.Encryption)}}a{{else if eq .Version "3.0.0"}}b{{else}}c{{end}}',
  '{{define "t"}}{{.}}{{end}}{{template "t" .Router.Targets}}{{block "u" 1}}{{.}}{{end}}',
  '{{$x := 1}}{{$x = 2}}{{$x}}{{/* nothing */}}{{- " trimmed " -}}',
  '{{printf "%q %v %+v %#v %T %5.2f|%-8s|%08d|%x" .Version .Router .IPAM .DNS .Ready 1.5 "s" 42 "hex"}}',
  '{{len .Router.Peers}} {{index .Router.Peers 0}} {{slice "weave" 1 3}}',
  '{{index .Router.OverlayDiagnostics "sleeve"}} {{html "<a>"}} {{js "\'"}} {{urlquery "a b"}}',
  "{{print 1 2 nil true}} {{println .Router.Port}} {{call .Version}}",
  '{{lt 1 2}} {{le 1.5 2.5}} {{gt "a" "b"}} {{ge 3 3}} {{ne 1 2}} {{or 0 "" .Ready}}',
  "{{0x1p-2}} {{'\\u00e9'}} {{`raw`}} {{1e3}} {{0b101}} {{1_000}} {{3i}}",
  '{{range 3}}{{.}}{{end}}{{range "ab"}}{{.}}{{end}}',
  '{{define "again"}}{{template "again" .}}{{end}}{{template "again"}}',
  '{{(index .Router.Peers 0).Name | printf "%s-%d" | len}}',
  "{{.Router.Nothing}} {{.Version.Length}} {{$.Ready}}",
  "{{range .Router.CaptureStats}}{{.}}{{end}}{{range $k, $v := .Router.CaptureStats}}{{$k}}={{$v}}{{end}}",
];

/** Damaged templates for `GET /report?format=`. */
export const templateTarget: FuzzTarget = {
  name: "template",
  corpus: () => templates.map(utf8),
  begin: () =>
    asked((bytes, signal) => {
      const format = encodeURIComponent(fromUtf8(bytes).toWellFormed());
      return new Request(`http://127.0.0.1:6784/report?format=${format}`, { signal });
    }),
};
