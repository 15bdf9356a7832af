import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface FakeRequest {
  readonly method: string;
  /** Without version. */
  readonly path: string;
  /** `undefined` for an unversioned one. */
  readonly version: string | undefined;
  readonly query: URLSearchParams;
  /** What came as JSON; `undefined` for nothing. */
  readonly body: unknown;
}

/** What an engine answers to a path without version; `undefined` for what it does not have. */
export type FakeAnswers = (
  request: FakeRequest,
) => Response | undefined | Promise<Response | undefined>;

/** An engine's API on a unix socket, as far as a test says what it answers. */
export class FakeEngine implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), "weave-engine-"));
  readonly socket = join(this.folder, "docker.sock");
  readonly endpoint = `unix://${this.socket}`;
  /** `GET /v1.41/info`, in the order in which they came. */
  readonly asked: string[] = [];
  /** What it says of its versions. */
  newest = "1.41";
  oldest = "1.12";
  answers: FakeAnswers;
  #server: Bun.Server<undefined> | undefined;

  constructor(answers: FakeAnswers = () => undefined) {
    this.answers = answers;
    this.start();
  }

  start(): void {
    rmSync(this.socket, { force: true });
    this.#server = Bun.serve<undefined>({
      unix: this.socket,
      fetch: (request, server) => {
        // Events may be long in coming.
        server.timeout(request, 0);
        return this.#answer(request);
      },
    });
  }

  /** As an engine that ends: its connections are gone with it. */
  async stop(): Promise<void> {
    await this.#server?.stop(true);
    this.#server = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    this.asked.push(`${request.method} ${pathname}`);
    const [, version, path] = /^(?:\/v([\d.]+))?(\/.*)$/.exec(decodeURIComponent(pathname))!;
    if (path === "/_ping") return new Response("OK", { headers: { "Api-Version": this.newest } });
    if (path === "/version") {
      return Response.json({ ApiVersion: this.newest, MinAPIVersion: this.oldest });
    }
    const refused =
      version === undefined ? undefined : this.#refusal(Number(version.split(".")[1]));
    if (refused !== undefined) return Response.json({ message: refused }, { status: 400 });
    const text = await request.text();
    const body: unknown = text === "" ? undefined : JSON.parse(text);
    const asked = { method: request.method, path: path!, version, query: searchParams, body };
    return (
      (await this.answers(asked)) ?? Response.json({ message: "page not found" }, { status: 404 })
    );
  }

  /** As Docker words it. */
  #refusal(minor: number): string | undefined {
    if (minor < Number(this.oldest.split(".")[1])) {
      return `client version 1.${minor} is too old. Minimum supported API version is ${this.oldest}`;
    }
    if (minor > Number(this.newest.split(".")[1])) {
      return `client version 1.${minor} is too new. Maximum supported API version is ${this.newest}`;
    }
    return undefined;
  }
}
