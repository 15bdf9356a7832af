import { readFileSync, statSync } from "node:fs";
import { errorText, type WeaveError } from "../base/errors.ts";

/** Which PEM files secure the way to a server; missing ones are not used. */
export interface TlsFiles {
  /** Who may have signed the server's certificate; else those that the system trusts. */
  readonly caFile?: string | undefined;
  /** What we show the server; never without its key. */
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  /** Whether the server's certificate must be signed and bear its name. */
  readonly verify: boolean;
}

/** What a TLS client is told. */
export interface TlsSettings {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly rejectUnauthorized: boolean;
}

/** What is thrown for files that are not as they have to be. */
export type TlsError = (why: string, cause?: unknown) => WeaveError;

/** Certificates are renewed while the router runs: files are read again when they have changed. */
export class TlsFileReader {
  readonly #files: TlsFiles;
  readonly #error: TlsError;
  #stamp: string | undefined;
  #settings: TlsSettings | undefined;

  /** @param error what {@link current} throws */
  constructor(files: TlsFiles, error: TlsError) {
    this.#files = files;
    this.#error = error;
  }

  /**
   * As the files are now, or were when they last were whole: who renews them writes one after the
   * other.
   *
   * @throws what the constructor was given, when they were not whole yet
   */
  current(): TlsSettings {
    const stamp = this.#stampNow();
    if (this.#settings !== undefined && stamp === this.#stamp) return this.#settings;
    try {
      this.#settings = readTlsFiles(this.#files, this.#error);
      this.#stamp = stamp;
    } catch (error) {
      if (this.#settings === undefined) throw error;
    }
    return this.#settings;
  }

  #stampNow(): string {
    const { caFile, certFile, keyFile } = this.#files;
    return [caFile, certFile, keyFile]
      .map((path) => {
        const found = path === undefined ? undefined : statSync(path, { throwIfNoEntry: false });
        return found === undefined ? "-" : `${found.ino}/${found.size}/${found.mtimeMs}`;
      })
      .join(" ");
  }
}

function readTlsFiles(
  { caFile, certFile, keyFile, verify }: TlsFiles,
  error: TlsError,
): TlsSettings {
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw error(`there is ${certFile ?? keyFile} without its ${certFile ? "key" : "certificate"}`);
  }
  return {
    ...(caFile !== undefined && { ca: readPem(caFile, error) }),
    ...(certFile !== undefined && { cert: readPem(certFile, error) }),
    ...(keyFile !== undefined && { key: readPem(keyFile, error) }),
    rejectUnauthorized: verify,
  };
}

function readPem(path: string, error: TlsError): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw error(`${path} cannot be read: ${errorText(cause)}`, cause);
  }
  if (/^-----BEGIN [A-Z ]+-----[\s\S]*^-----END [A-Z ]+-----/m.test(text)) return text;
  throw error(`${path} is no PEM file`);
}
