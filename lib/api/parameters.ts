import type { Context } from "hono";

/**
 * Parameters of a request: the query, and the form body where there is one. Clients of the original
 * send either; a name given in both counts twice, as in Go's `Request.Form`, body first.
 */
export class Parameters {
  readonly #form: URLSearchParams;
  readonly #query: URLSearchParams;

  private constructor(form: URLSearchParams, query: URLSearchParams) {
    this.#form = form;
    this.#query = query;
  }

  static async of(context: Context): Promise<Parameters> {
    const isForm = context.req
      .header("Content-Type")
      ?.toLowerCase()
      .startsWith("application/x-www-form-urlencoded");
    const form = new URLSearchParams(isForm ? await context.req.text() : "");
    return new Parameters(form, new URL(context.req.url).searchParams);
  }

  all(name: string): string[] {
    return [...this.#form.getAll(name), ...this.#query.getAll(name)];
  }

  one(name: string): string {
    return this.all(name)[0] ?? "";
  }

  /** Exactly `true`; everything else is false, as it always was. */
  isTrue(name: string): boolean {
    return this.one(name) === "true";
  }
}

/** Go's `strconv.ParseBool`; `undefined` for a word it refuses. */
export function parseGoBoolean(word: string): boolean | undefined {
  if (["1", "t", "T", "TRUE", "true", "True"].includes(word)) return true;
  if (["0", "f", "F", "FALSE", "false", "False"].includes(word)) return false;
  return undefined;
}
