import { errorText, WeaveError } from "../base/errors.ts";

/**
 * Which version of the engine's API our own requests name:
 *
 *   ours    1.24 ├──────────────────────────┤ 1.52
 *   engine         Min ├──────────────┤ Api            the newest that both have
 *
 * With `DOCKER_API_VERSION` it is that one, or none. An engine whose newest is within ours is never
 * asked for less than it answers, so its oldest matters only where ours ends first.
 */
export const apiVersionMin = "1.24";
export const apiVersionMax = "1.52";

/** What an engine says of itself, unversioned. */
export interface EngineVersions {
  /** The newest that it answers. */
  readonly newest: string;
  /** The oldest that it answers, where that is known. */
  readonly oldest?: string | undefined;
}

/** The answer to `GET /version`. @throws WeaveError `ENGINE_ANSWER` */
export function readVersions(text: string): EngineVersions {
  const given = versionsOf(text);
  const newest = given.ApiVersion;
  if (typeof newest !== "string" || !isApiVersion(newest)) {
    throw notAnEngine("it names no version of its API");
  }
  const oldest = given.MinAPIVersion;
  return {
    newest,
    oldest: typeof oldest === "string" && isApiVersion(oldest) ? oldest : undefined,
  };
}

function versionsOf(text: string): {
  readonly ApiVersion?: unknown;
  readonly MinAPIVersion?: unknown;
} {
  try {
    const given: unknown = JSON.parse(text);
    return typeof given === "object" && given !== null ? given : {};
  } catch (cause) {
    throw notAnEngine(errorText(cause));
  }
}

function notAnEngine(why: string): WeaveError {
  return new WeaveError("ENGINE_ANSWER", `what answers is no Docker engine: ${why}`);
}

/** Below 0 when `a` is older, above when `b` is. */
export function compareApiVersions(a: string, b: string): number {
  const [left, right] = [parts(a), parts(b)];
  return left[0] - right[0] || left[1] - right[1];
}

/** Of the form `1.41`, and not so long that it stands for something else. */
export function isApiVersion(text: string): boolean {
  return /^\d{1,4}\.\d{1,4}$/.test(text);
}

function parts(version: string): [number, number] {
  const [major, minor] = version.split(".");
  return [Number(major), Number(minor)];
}

/**
 * The version to ask for.
 *
 * @param wanted the value of `DOCKER_API_VERSION`; `undefined` to negotiate
 * @throws WeaveError `ENGINE_VERSION`
 */
export function chooseApiVersion(engine: EngineVersions, wanted: string | undefined): string {
  if (wanted !== undefined) return wantedVersion(engine, wanted);
  const { newest, oldest } = engine;
  const choice = compareApiVersions(newest, apiVersionMax) < 0 ? newest : apiVersionMax;
  if (compareApiVersions(choice, apiVersionMin) < 0) {
    throw versionError(
      `the Docker engine answers API versions up to ${newest} only, and weave needs ${apiVersionMin}`,
      "use Docker 1.12 or later",
    );
  }
  if (oldest !== undefined && compareApiVersions(choice, oldest) < 0) {
    throw versionError(
      `the Docker engine answers no API version below ${oldest}, and weave knows none above ${apiVersionMax}`,
      "use a later weave, or lower the engine's DOCKER_MIN_API_VERSION",
    );
  }
  return choice;
}

function wantedVersion({ newest, oldest }: EngineVersions, wanted: string): string {
  const from = later(apiVersionMin, oldest ?? apiVersionMin);
  const to = compareApiVersions(newest, apiVersionMax) < 0 ? newest : apiVersionMax;
  if (compareApiVersions(wanted, from) >= 0 && compareApiVersions(wanted, to) <= 0) return wanted;
  throw versionError(
    `DOCKER_API_VERSION is ${wanted}, and weave and the Docker engine have ${from} to ${to} in common`,
    "unset it to use the newest that both have",
  );
}

function later(a: string, b: string): string {
  return compareApiVersions(a, b) < 0 ? b : a;
}

/** @throws WeaveError `ENGINE_VERSION` when `DOCKER_API_VERSION` is set and no version */
export function apiVersionWanted(text: string | undefined): string | undefined {
  if (text === undefined || text === "") return undefined;
  if (isApiVersion(text)) return text;
  throw versionError(
    `DOCKER_API_VERSION is "${text}", which is no version`,
    `write one like ${apiVersionMax}, or unset it`,
  );
}

/** Whether the engine refused a request for its version alone: another process answers by now. */
export function isVersionRefusal(status: number, message: string): boolean {
  return status === 400 && /client version \S+ is too (old|new)/.test(message);
}

function versionError(message: string, remedy: string): WeaveError {
  return new WeaveError("ENGINE_VERSION", message, { remedy });
}
