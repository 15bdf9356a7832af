import * as v from "valibot";
import { fromUtf8 } from "../../base/bytes.ts";
import { productVersion } from "../../base/product-version.ts";
import type { SendOutcome } from "./otlp-exporter.ts";

/** What is read of an answer. */
const answerBytesMax = 64 << 10;

/** `ExportTraceServiceResponse`: an integer of 64 bits is a string in JSON, and some write a number. */
const answerSchema = v.object({
  partialSuccess: v.optional(
    v.object({
      rejectedSpans: v.optional(
        v.pipe(
          v.union([v.string(), v.number()]),
          v.transform(Number),
          v.safeInteger(),
          v.minValue(0),
        ),
      ),
    }),
  ),
});

export interface OtlpRequest {
  readonly url: string;
  /** `name=value`; may be secret. */
  readonly headers: readonly string[];
  readonly timeoutMs: number;
}

/**
 * Posts a body to a collector. What it is sent elsewhere by is not followed: headers may be secret.
 *
 * @throws Error when it does not answer in time
 */
export async function postTraces(request: OtlpRequest, body: string): Promise<SendOutcome> {
  const { url, headers, timeoutMs } = request;
  const answer = await fetch(url, {
    method: "POST",
    headers: {
      "User-Agent": `weave/${productVersion}`,
      ...Object.fromEntries(headers.map(nameAndValue)),
      "Content-Type": "application/json",
    },
    body,
    redirect: "manual",
    signal: AbortSignal.timeout(timeoutMs),
  });
  const text = await boundedText(answer);
  const retryAfter = answer.headers.get("Retry-After") ?? undefined;
  return { status: answer.status, retryAfter, rejected: answer.ok ? rejectedOf(text) : 0 };
}

function nameAndValue(header: string): [string, string] {
  const at = header.indexOf("=");
  return [header.slice(0, at), header.slice(at + 1)];
}

/** All of the body is read, so that its connection can be used again, unless there is too much. */
async function boundedText(answer: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer.body ?? []) {
    size += chunk.length;
    if (size > answerBytesMax) return "";
    chunks.push(chunk);
  }
  return fromUtf8(Buffer.concat(chunks));
}

/** Collectors may answer with nothing, or in another form than they were asked in. */
function rejectedOf(text: string): number {
  try {
    return v.parse(answerSchema, JSON.parse(text)).partialSuccess?.rejectedSpans ?? 0;
  } catch {
    return 0;
  }
}
