import { expect, test } from "bun:test";
import { type LineLook, shownLines } from "../../lib/ui/page/shown-lines.ts";

const line = (health: LineLook["health"], there?: number): LineLook => ({
  health,
  flow: there === undefined ? undefined : { there, back: 0 },
});
const many = (count: number, health: LineLook["health"]): LineLook[] =>
  Array.from({ length: count }, () => line(health));
const never = () => false;

test("few lines are drawn all", () => {
  const lines = [...many(300, "good"), ...many(100, "plain")];
  expect(shownLines(lines, never, 1000)).toEqual(lines);
});

test("of many lines those are drawn that are not as they should be, chosen or busy", () => {
  const [broken, slow, chosen] = [line("broken"), line("slow"), line("good")];
  const quiet = line("good", 999);
  const busy = Array.from({ length: 100 }, (_, at) => line("good", 1000 + at));
  const lines = [
    ...many(2000, "good"),
    ...many(2000, "plain"),
    broken,
    slow,
    chosen,
    quiet,
    ...busy,
  ];
  const shown = shownLines(lines, (each) => each === chosen, 1000);
  expect(shown).toEqual([broken, slow, chosen, ...busy.slice(-24)]);
});

test("where very many lines are slow that is no reason to draw them", () => {
  const [broken, busy] = [line("broken"), line("slow", 1e6)];
  expect(shownLines([...many(401, "slow"), broken, busy], never, 1000)).toEqual([broken, busy]);
});
