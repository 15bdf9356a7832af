import { readFileSync, statSync } from "node:fs";
import { errorText } from "../base/errors.ts";
import type { TokenSource } from "./cluster-access.ts";
import { kubernetesError } from "./kubernetes-error.ts";

/** Tokens of service accounts are a tenth of it. */
const tokenBytesMax = 64 << 10;

/**
 * A token that somebody else renews: the kubelet puts another file in its place when four fifths of
 * its time have passed (Kubernetes, "Bound service account tokens").
 */
export class TokenFile implements TokenSource {
  readonly #path: string;
  #stamp = "";
  #token: string | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  current(): string {
    try {
      const stamp = this.#stampNow();
      if (this.#token === undefined || stamp !== this.#stamp) {
        this.#token = this.#read();
        this.#stamp = stamp;
      }
    } catch (cause) {
      // The one there was is good for a while yet.
      if (this.#token === undefined) throw unusable(`${this.#path}: ${errorText(cause)}`);
    }
    return this.#token;
  }

  refused(): void {
    this.#stamp = "";
  }

  #stampNow(): string {
    const { ino, size, mtimeMs } = statSync(this.#path);
    return `${ino}/${size}/${mtimeMs}`;
  }

  #read(): string {
    const bytes = readFileSync(this.#path);
    const token = bytes.subarray(0, tokenBytesMax).toString().trim();
    if (!isToken(token)) throw new Error("no bearer token is in there");
    return token;
  }
}

/** A token that does not change. @throws WeaveError `K8S_CONFIG` for what cannot be one */
export function fixedToken(token: string): TokenSource {
  if (!isToken(token)) throw unusable("the token that is given is none");
  return { current: () => token, refused: () => undefined };
}

/** RFC 6750 §2.1: anything else would not survive in a header. */
function isToken(text: string): boolean {
  return /^[A-Za-z0-9\-._~+/]+=*$/.test(text);
}

function unusable(why: string): Error {
  return kubernetesError("K8S_CONFIG", `there is no token for the Kubernetes API: ${why}`);
}
