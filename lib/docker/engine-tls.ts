import { WeaveError } from "../base/errors.ts";

/** That there is no TLS to an engine: files that are missing, or are not what they have to be. */
export function engineTlsError(why: string, cause?: unknown): WeaveError {
  return new WeaveError("ENGINE_TLS", `no TLS to the Docker engine: ${why}`, {
    remedy: "look at DOCKER_CERT_PATH, or at the files of the Docker context",
    cause,
  });
}
