import { errorText, WeaveError } from "../../base/errors.ts";
import {
  bundleFileBytesMax,
  bundleTextBytesMax,
  cutBundle,
  oversized,
  readBundle,
} from "../../incident/read-bundle.ts";
import { IncidentReplay, type ReplayEnd, type Scene } from "../../simulator/incident/replay.ts";
import { type Script, scriptOf } from "../../simulator/incident/script.ts";

/** A bundle, with all of its replay. */
export interface Incident {
  readonly title: string;
  readonly script: Script;
  readonly scenes: readonly Scene[];
  readonly end: ReplayEnd;
}

/** Reads a file that a browser was given, and replays it. @throws WeaveError `BUNDLE_…` */
export async function openIncident(file: Blob & { readonly name: string }): Promise<Incident> {
  if (file.size > bundleFileBytesMax) throw oversized();
  const script = scriptOf(readBundle(await textOf(file)));
  const replay = new IncidentReplay(script, { seed: 1 });
  const scenes: Scene[] = [await replay.begin()];
  for await (const scene of replay.play()) {
    scenes.push(scene);
    // The page stays alive meanwhile.
    await new Promise((resolve) => setTimeout(resolve));
  }
  return { title: file.name, script, scenes, end: await replay.end() };
}

/** Why a file is not replayed, and what to do. */
export function refusalText(error: unknown): string {
  const remedy = error instanceof WeaveError ? error.remedy : undefined;
  return `${errorText(error)}${remedy === undefined ? "" : `: ${remedy}`}`;
}

/** As text, compressed by gzip (RFC 1952) or not. */
async function textOf(file: Blob): Promise<string> {
  const head = new Uint8Array(await file.slice(0, 2).arrayBuffer());
  if (head[0] !== 0x1f || head[1] !== 0x8b) return file.text();
  const reader = file.stream().pipeThrough(new DecompressionStream("gzip")).getReader();
  const decoder = new TextDecoder();
  let [text, bytes] = ["", 0];
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return text + decoder.decode();
      bytes += value.length;
      if (bytes > bundleTextBytesMax) break;
      text += decoder.decode(value, { stream: true });
    }
  } catch (cause) {
    throw cutBundle(cause);
  }
  await reader.cancel();
  throw oversized();
}
