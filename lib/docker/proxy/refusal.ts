import { errorCode, errorText, WeaveError } from "../../base/errors.ts";
import { HttpHead } from "./http-head.ts";

/** What the proxy itself answers where the engine is not asked, or its answer is withheld. */

const phrases = new Map([
  [400, "Bad Request"],
  [404, "Not Found"],
  [413, "Content Too Large"],
  [431, "Request Header Fields Too Large"],
  [500, "Internal Server Error"],
  [503, "Service Unavailable"],
]);

/** Codes that do not mean a fault of this host. A client pulls an image of which it hears 404. */
const statuses = new Map([
  ["HTTP_BODY", 400],
  ["HTTP_BODY_LONG", 413],
  ["HTTP_HEAD", 400],
  ["HTTP_HEAD_LONG", 431],
  ["IMAGE_UNKNOWN", 404],
  ["PROXY_BUSY", 503],
]);

/** An answer in the engine's own form, so that clients show its message. */
export function refusal(
  error: unknown,
  { keepsOpen }: { readonly keepsOpen: boolean },
): Uint8Array {
  const status = statuses.get(errorCode(error)) ?? 500;
  const remedy = error instanceof WeaveError ? error.remedy : undefined;
  const message = `${errorText(error)}${remedy === undefined ? "" : `; ${remedy}`}`;
  const body = Buffer.from(`${JSON.stringify({ message })}\n`);
  const head = HttpHead.of(
    `HTTP/1.1 ${status} ${phrases.get(status)}`,
    "Content-Type: application/json",
    `Content-Length: ${body.length}`,
    ...(keepsOpen ? [] : ["Connection: close"]),
  );
  return Buffer.concat([head.bytes(), body]);
}
