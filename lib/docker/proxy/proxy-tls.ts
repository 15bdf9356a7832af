import { homedir } from "node:os";
import { join } from "node:path";
import { WeaveError } from "../../base/errors.ts";
import type { LaunchOptions } from "../../daemon/launch-options.ts";
import { TlsFileReader } from "../../host/tls-files.ts";
import type { EngineTlsOptions } from "./detect-tls.ts";

type TlsOptions = NonNullable<LaunchOptions["proxy"]>["tls"];

/**
 * What clients on TCP must agree to, as the files are now; `undefined` for nothing.
 *
 * @param detect how the engine itself serves TLS; asked when nothing was said
 */
export function proxyTls(
  asked: TlsOptions,
  detect: () => EngineTlsOptions | undefined,
): TlsFileReader | undefined {
  const { enabled, verify, ca, cert, key } = asked ?? detect() ?? { enabled: false };
  if (!enabled) return undefined;
  const files = {
    caFile: verify ? (ca ?? ofRoot("ca.pem")) : undefined,
    certFile: cert ?? ofRoot("cert.pem"),
    keyFile: key ?? ofRoot("key.pem"),
    verify: verify ?? false,
  };
  return new TlsFileReader(files, tlsError);
}

/** What an engine takes that is told to serve TLS and not with what. */
function ofRoot(name: string): string {
  return join(homedir(), ".docker", name);
}

function tlsError(why: string, cause?: unknown): WeaveError {
  return new WeaveError("PROXY_TLS", `the proxy cannot serve TLS: ${why}`, {
    remedy: "name the files with --tlscacert, --tlscert and --tlskey",
    cause,
  });
}
