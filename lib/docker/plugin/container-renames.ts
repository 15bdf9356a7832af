import type { EngineContainer, ListedEngineContainer } from "../engine-models.ts";

/** A container that is called otherwise than before. */
export interface Renamed {
  readonly id: string;
  /** What it was called. */
  readonly before: string;
}

/**
 * Notices who was renamed: what a container is called when it starts is compared with what lists of
 * all containers say later. It holds as much as the engine runs.
 */
export class ContainerRenames {
  #called = new Map<string, string>();

  started({ id, name }: Pick<EngineContainer, "id" | "name">): void {
    this.#called.set(id, name);
  }

  /** Those of a list that have another name by now. */
  listed(all: readonly Pick<ListedEngineContainer, "id" | "names" | "running">[]): Renamed[] {
    const before = this.#called;
    const running = all.filter(({ running, names }) => running && names.length > 0);
    this.#called = new Map(
      running.map(({ id, names }) => {
        const known = before.get(id);
        return [id, known !== undefined && names.includes(known) ? known : names[0]!];
      }),
    );
    return running.flatMap(({ id }) => {
      const former = before.get(id);
      return former === undefined || former === this.#called.get(id)
        ? []
        : [{ id, before: former }];
    });
  }
}
