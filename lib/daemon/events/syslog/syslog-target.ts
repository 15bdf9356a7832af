import { formatEndpoint, splitHostPort } from "../../../base/endpoint.ts";
import { WeaveError } from "../../../base/errors.ts";

/** Where messages go. */
export type SyslogTarget =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "udp" | "tcp"; readonly host: string; readonly port: number };

/** Of this machine's own logger. */
const localSocket = "/dev/log";

/** RFC 5426, section 3.3. Nobody has a port for TCP. */
const udpPort = 514;

/** `local`, `unix:///path`, `udp://host[:port]` or `tcp://host:port`. @throws WeaveError `SYSLOG_TARGET` */
export function parseSyslogTarget(text: string): SyslogTarget {
  if (text === "local") return { kind: "unix", path: localSocket };
  const [, scheme, rest = ""] = /^(unix|udp|tcp):\/\/(.+)$/.exec(text) ?? [];
  if (scheme === "unix" && rest.startsWith("/")) return { kind: "unix", path: rest };
  if (scheme === "udp" || scheme === "tcp") {
    const { host, port = scheme === "udp" ? udpPort : 0 } = splitHostPort(rest) ?? {};
    if (host !== undefined && port > 0 && /^[\w.:-]+$/.test(host))
      return { kind: scheme, host, port };
  }
  throw new WeaveError("SYSLOG_TARGET", `"${text}" is no place for messages`, {
    remedy: "write local, unix:///path, udp://host[:port] or tcp://host:port",
  });
}

export function formatSyslogTarget(target: SyslogTarget): string {
  if (target.kind === "unix") return `unix://${target.path}`;
  return `${target.kind}://${formatEndpoint(target)}`;
}
