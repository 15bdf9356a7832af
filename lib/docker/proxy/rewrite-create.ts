import { WeaveError } from "../../base/errors.ts";
import { isWrapped, waitHelperPath } from "../wait-helper/mount.ts";
import type { ContainerChoice } from "../weave-cidr.ts";
import { type DnsSettings, withDns, withWaitHelper } from "./host-config.ts";
import { derivedHostname, type HostnameRule, hostnameFields } from "./hostname.ts";
import type { JsonObject } from "./json-text.ts";

/**
 * The request to make a container that is to be attached (docker.md §5.1):
 *
 *   HostConfig.Binds   the wait helper at /w                  Entrypoint  the wait helper goes first
 *   HostConfig.Dns…    weaveDNS, unless switched off          Hostname    from the container's name
 */
export interface CreateSettings {
  /** Folder of the wait helper on this host. */
  readonly waitFolder: string;
  readonly hostname: HostnameRule;
  /** Missing: containers are told nothing of weaveDNS. */
  readonly dns: DnsSettings | undefined;
}

/** What an image runs where the request does not say. */
export interface ImageCommand {
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
}

/** What decides whether the container is attached. @throws WeaveError `JSON_TYPE` */
export function createChoice(body: JsonObject): ContainerChoice {
  return {
    networkMode: body.object("HostConfig").string("NetworkMode"),
    env: body.strings("Env") ?? [],
  };
}

/** The image whose command has to be known; `undefined` when the request has it all. */
export function imageAsked(body: JsonObject): string | undefined {
  const entrypoint = body.words("Entrypoint");
  const isSaid = entrypoint !== undefined && entrypoint.length > 0;
  const isCleared = entrypoint !== undefined && (body.words("Cmd") ?? []).length > 0;
  return isSaid || isCleared ? undefined : body.string("Image");
}

/**
 * @param name the container's; empty when the engine chooses it
 * @param image of {@link imageAsked}
 * @throws WeaveError `JSON_TYPE`, `CONTAINER_NO_COMMAND`
 */
export function rewriteCreate(
  body: JsonObject,
  name: string,
  image: ImageCommand | undefined,
  settings: CreateSettings,
): { readonly body: JsonObject; readonly warnings: readonly string[] } {
  const wrapped = withCommand(body, image);
  const hostConfig = withWaitHelper(body.object("HostConfig"), settings.waitFolder);
  const { dns } = settings;
  if (dns === undefined) return { body: wrapped.with("HostConfig", hostConfig), warnings: [] };
  const hostname = hostnameFor(body, name, settings.hostname);
  const asking = withDns(hostConfig, dns, { isNamed: hostname !== "" });
  const made = wrapped.with("HostConfig", asking);
  if (hostname === "" || body.string("Hostname") !== "") return { body: made, warnings: [] };
  const fields = hostnameFields(hostname, dns.domain);
  if (typeof fields === "string") return { body: made, warnings: [fields] };
  const { Hostname, Domainname } = fields;
  return {
    body: made.with("Hostname", Hostname).with("Domainname", Domainname),
    warnings: [],
  };
}

/** Empty for a container that gets none. One that has its host's own may not be given another. */
function hostnameFor(body: JsonObject, name: string, rule: HostnameRule): string {
  if (body.object("HostConfig").string("UTSMode") === "host") return "";
  const labels = body.object("Labels");
  return derivedHostname(rule, name, (key) => labels.entry(key));
}

function withCommand(body: JsonObject, image: ImageCommand | undefined): JsonObject {
  const given = body.words("Entrypoint");
  const cmd = body.words("Cmd") ?? [];
  const isWhole = given !== undefined && given.length > 0;
  const entrypoint = withoutEmptyWord(isWhole ? given : (given ?? image?.entrypoint ?? []));
  const command = isWhole || cmd.length > 0 ? cmd : (image?.cmd ?? []);
  if (entrypoint.length === 0 && command.length === 0) {
    throw new WeaveError("CONTAINER_NO_COMMAND", "No command specified");
  }
  // Images that were committed from such a container have it already.
  if (isWrapped(entrypoint)) return body;
  const wrapped = body.with("Entrypoint", [waitHelperPath, ...entrypoint]);
  // With an entrypoint in the request the engine does not look for the image's command.
  return command === cmd ? wrapped : wrapped.with("Cmd", command);
}

/** The one empty word of `--entrypoint ""` means none, whatever the image has. */
function withoutEmptyWord(words: readonly string[]): readonly string[] {
  return words.length === 1 && words[0] === "" ? [] : words;
}
