import { describe, expect, test } from "bun:test";
import { ContainerRenames } from "../../../lib/docker/plugin/container-renames.ts";

const run = (id: string, ...names: string[]) => ({ id, names, running: true });

describe("a container that is renamed", () => {
  test("is noticed once, whether a start or a list told of it before", () => {
    const renames = new ContainerRenames();
    renames.started({ id: "a", name: "web" });
    expect(renames.listed([run("a", "web"), run("b", "db")])).toEqual([]);
    const later = [run("a", "shop"), run("b", "old-db")];
    expect(renames.listed(later)).toEqual([
      { id: "a", before: "web" },
      { id: "b", before: "db" },
    ]);
    expect(renames.listed(later)).toEqual([]);
  });

  test("is none that has another name besides, or that runs anew", () => {
    const renames = new ContainerRenames();
    renames.started({ id: "a", name: "web" });
    expect(renames.listed([run("a", "link", "web")])).toEqual([]);
    expect(renames.listed([{ id: "a", names: ["shop"], running: false }])).toEqual([]);
    expect(renames.listed([run("a", "shop")])).toEqual([]);
  });
});
