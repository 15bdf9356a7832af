import { join, resolve } from "node:path";
import { formatEndpoint, splitHostPort } from "../base/endpoint.ts";
import { WeaveError } from "../base/errors.ts";
import { parseGoPattern } from "../base/go-pattern.ts";
import type { LaunchOptions } from "./launch-options.ts";
import { type LaunchWords, parsed } from "./launch-words.ts";

/**
 * Where the proxy listens and what it does to containers.
 *
 * @param certificates folder of files with Docker's own names
 */
export function proxyOptions(
  words: LaunchWords,
  certificates: string,
): Pick<LaunchOptions, "engineContainers" | "proxy"> {
  const file = (flag: string, name: string): string =>
    resolve(words.text(flag) || join(certificates, name));
  const verify = words.enabled("tlsverify");
  const enabled = verify || words.enabled("tls");
  const tls = {
    ...{ enabled, verify, ca: file("tlscacert", "ca.pem") },
    ...{ cert: file("tlscert", "cert.pem"), key: file("tlskey", "key.pem") },
  };
  const match = words.text("hostname-match") || "(.*)";
  parsed("hostname-match", match, parseGoPattern);
  return {
    engineContainers: {
      getDefaultAddress: !words.enabled("no-default-ipalloc"),
      rewriteHosts: !words.enabled("no-rewrite-hosts"),
      multicastRoute: !words.enabled("no-multicast-route"),
    },
    proxy:
      words.text("proxy") === "false"
        ? undefined
        : {
            listen: (words.list?.("proxy-listen") ?? []).map((text) =>
              parsed("proxy-listen", text, proxyAddress),
            ),
            dns: !words.enabled("no-dns") && !words.enabled("without-dns"),
            hostname: {
              fromLabel: words.text("hostname-from-label") ?? "",
              match,
              replacement: words.text("hostname-replacement") ?? "$1",
            },
            rewriteInspect: words.enabled("rewrite-inspect"),
            tls: enabled || words.enabled("no-detect-tls") ? tls : undefined,
          },
  };
}

/** `[tcp://][ip]:port`, `unix:///path` or `/path`, as one form. */
function proxyAddress(text: string): string {
  const path = /^(?:unix:\/\/)?(\/[^\0]*[^/\0])$/.exec(text)?.[1];
  if (path !== undefined) return `unix://${path}`;
  const given = text.replace(/^tcp:\/\//, "");
  const at = splitHostPort(given.startsWith(":") ? `0.0.0.0${given}` : given);
  if (at?.port !== undefined) return `tcp://${formatEndpoint({ host: at.host, port: at.port })}`;
  throw new WeaveError("PROXY_ADDRESS", "should be [tcp://][ip]:port or [unix://]/path", {
    remedy: "unix sockets must be specified as an absolute path",
  });
}
