import * as v from "valibot";
import type { WeaveError } from "../base/errors.ts";
import { type KubernetesErrorCode, kubernetesError } from "./kubernetes-error.ts";
import { type Resource, resourceName } from "./resources.ts";

/** What of a refusal is shown. */
const messageCharactersMax = 500;

/** What was asked, in the words of RBAC. */
export interface AskedOf {
  readonly verb: "get" | "list" | "watch" | "create" | "update" | "patch";
  readonly resource: Resource;
  /** As in `nodes/status`. */
  readonly subresource?: string | undefined;
}

const statusSchema = v.object({
  code: v.optional(v.number()),
  message: v.optional(v.string(), ""),
});

const codes: Readonly<Record<number, KubernetesErrorCode>> = {
  401: "K8S_UNAUTHORIZED",
  403: "K8S_FORBIDDEN",
  404: "K8S_NOT_FOUND",
  409: "K8S_CONFLICT",
  410: "K8S_GONE",
  429: "K8S_BUSY",
};

/** The error that an answer with a status of 300 or more is. @param text its body */
export function apiFailure(status: number, text: string, asked: AskedOf): WeaveError {
  const failure = v.safeParse(statusSchema, tryParse(text));
  return statusFailure(status, failure.success ? failure.output.message : text, asked);
}

const absenceSchema = v.object({ kind: v.literal("Status"), reason: v.literal("NotFound") });

/** Whether an answer 404 says that there is no such object; something before the server says less. */
export function isAbsence(text: string): boolean {
  return v.is(absenceSchema, tryParse(text));
}

/** The error that a watch ended with. @param object a `Status`, as far as it is one */
export function watchFailure(object: unknown, asked: AskedOf): WeaveError {
  const status = v.safeParse(statusSchema, object);
  const { code = 500, message } = status.success ? status.output : { message: "" };
  return statusFailure(code, message, asked);
}

function statusFailure(status: number, message: string, asked: AskedOf): WeaveError {
  const { verb, resource, subresource } = asked;
  const name = resourceName(resource) + (subresource ? `/${subresource}` : "");
  const code = codes[status] ?? (status >= 500 ? "K8S_BUSY" : "K8S_REFUSED");
  const said = message.trim().slice(0, messageCharactersMax);
  const sentence = `the Kubernetes API answered ${status} to ${verb} ${name}${said && `: ${said}`}`;
  return kubernetesError(code, sentence, code === "K8S_FORBIDDEN" ? { remedy: rule(asked) } : {});
}

/** What a role has to have. */
function rule({ verb, resource, subresource }: AskedOf): string {
  const what = resource.plural + (subresource ? `/${subresource}` : "");
  const group = JSON.stringify(resource.group);
  return `allow the service account verb "${verb}" on resource "${what}" of API group ${group}, as the manifest does`;
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
