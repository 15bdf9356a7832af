import * as v from "valibot";
import { BoundedLines } from "../base/bounded-lines.ts";
import type { WeaveError } from "../base/errors.ts";
import { type AskedOf, watchFailure } from "./api-failure.ts";
import type { WatchEvent } from "./kubernetes-api.ts";
import { kubernetesError } from "./kubernetes-error.ts";
import { anyObjectSchema, type KubernetesObject } from "./objects.ts";
import type { Resource } from "./resources.ts";

/** Objects have 1.5 MiB at most (etcd, "System limits"); their text as JSON may be a little longer. */
const lineCharactersMax = 4 << 20;

const lineSchema = v.object({ type: v.string(), object: v.unknown() });
const bookmarkSchema = v.object({ metadata: v.object({ resourceVersion: v.string() }) });

/**
 * Reads what a watch tells, one JSON object a line (Kubernetes, "Efficient detection of changes"):
 *
 *   {"type":"MODIFIED","object":{"kind":"Pod","metadata":{…,"resourceVersion":"10596"},…}}
 *   {"type":"BOOKMARK","object":{"kind":"Pod","metadata":{"resourceVersion":"12746"}}}
 *   {"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired",…}}
 */
export class WatchLines<T extends KubernetesObject> {
  readonly #resource: Resource<T>;
  readonly #asked: AskedOf;
  readonly #lines = new BoundedLines(lineCharactersMax, () =>
    refuse("sent a change that does not end"),
  );

  constructor(resource: Resource<T>) {
    this.#resource = resource;
    this.#asked = { verb: "watch", resource };
  }

  /** @throws WeaveError `K8S_GONE` and others for ERROR; `K8S_ANSWER` for what is no change */
  push(chunk: Uint8Array): WatchEvent<T>[] {
    return this.#lines.push(chunk).flatMap((line) => (line.trim() === "" ? [] : this.#read(line)));
  }

  #read(line: string): WatchEvent<T> | [] {
    const parsed = v.safeParse(lineSchema, parseLine(line));
    if (!parsed.success) throw refuse("sent something else than a change");
    const { type, object } = parsed.output;
    if (type === "ERROR") throw watchFailure(object, this.#asked);
    if (type === "BOOKMARK") return bookmark(object);
    if (type === "ADDED" || type === "MODIFIED" || type === "DELETED") {
      return this.#change(type, object);
    }
    return [];
  }

  /** One object that is odd must not hide all others: it is counted by who follows. */
  #change(type: "ADDED" | "MODIFIED" | "DELETED", raw: unknown): WatchEvent<T> | [] {
    const bare = v.safeParse(anyObjectSchema, raw);
    if (!bare.success) return [];
    if (type === "DELETED") return { type, object: bare.output };
    try {
      return { type, object: this.#resource.read(raw) };
    } catch {
      return { type: "UNREADABLE", resourceVersion: bare.output.metadata.resourceVersion };
    }
  }
}

/** Servers say no more of the object than its version. */
function bookmark(object: unknown): WatchEvent<never> | [] {
  const parsed = v.safeParse(bookmarkSchema, object);
  if (!parsed.success) return [];
  const { resourceVersion } = parsed.output.metadata;
  return { type: "BOOKMARK", resourceVersion };
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw refuse("sent a change that is no JSON");
  }
}

function refuse(what: string): WeaveError {
  return kubernetesError("K8S_ANSWER", `the Kubernetes API ${what}`);
}
