/** The values of a command's flags after parsing, by long name; the environment is already in. */
export class FlagValues {
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(values: ReadonlyMap<string, readonly string[]> = new Map()) {
    this.#values = values;
  }

  /** Whether a switch is on. */
  enabled(name: string): boolean {
    return this.text(name) === "true";
  }

  /** The last value given; an empty text is a value. `undefined` when there is none. */
  text(name: string): string | undefined {
    return this.#values.get(name)?.at(-1);
  }

  /** Every value of a repeatable flag, in order. */
  list(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }
}
