import { expect, test } from "bun:test";
import { WeaveError } from "../../lib/base/errors.ts";
import { FuzzFailure, inputAt, runCampaign } from "./campaign.ts";
import { type FuzzLife, type FuzzTarget, hold, refusable } from "./target.ts";

const corpus = [new Uint8Array([1, 2, 3, 4]), new Uint8Array(50).fill(7)];

function targetOf(begin: (life: number) => FuzzLife, lifeInputs = 10): FuzzTarget {
  return { name: "test", corpus: () => corpus, begin, lifeInputs };
}

async function failureOf(target: FuzzTarget, count = 100): Promise<FuzzFailure> {
  try {
    await runCampaign(target, { seed: 3, count });
  } catch (error) {
    if (error instanceof FuzzFailure) return error;
    throw error;
  }
  throw new Error("no failure");
}

test("every life takes its share of the inputs, and the last one what is left", async () => {
  const lives: number[] = [];
  const target = targetOf(() => {
    const life = lives.push(0) - 1;
    return { consume: () => lives[life]!++ % 2 === 0 };
  });
  const result = await runCampaign(target, { seed: 1, count: 35 });
  expect(lives).toEqual([10, 10, 10, 5]);
  expect([result.inputs, result.accepted]).toEqual([35, 18]);
});

test("a failure tells seed, number and octets, with which it is seen again", async () => {
  const seen: string[] = [];
  const target = targetOf(() => ({
    consume(bytes) {
      seen.push(bytes.toHex());
      hold(seen.length < 24, "tripped");
      // A decoder may change what it is given: the report shows what it was.
      bytes.fill(0);
      return true;
    },
  }));
  const { message } = await failureOf(target);
  expect(message).toContain("test: Error: tripped");
  expect(message).toContain("--target test --seed 3 --only 23");
  expect(message).toEndWith(seen.at(-1)!);
  expect(inputAt(target, 3, 23).toHex()).toBe(seen.at(-1)!);
});

test("a replay begins where the life of the input began", async () => {
  const whole: string[] = [];
  const part: string[] = [];
  const into = (list: string[]) =>
    targetOf(() => ({ consume: (bytes) => list.push(bytes.toHex()) > 0 }));
  await runCampaign(into(whole), { seed: 1, count: 40 });
  await runCampaign(into(part), { seed: 1, from: 20, count: 6 });
  expect(part).toEqual(whole.slice(20, 26));
});

test("a life that ends badly is a failure of its last input", async () => {
  const end = (): void => hold(false, "no longer works");
  const { message } = await failureOf(targetOf(() => ({ consume: () => true, end })));
  expect(message).toContain("no longer works");
  expect(message).toContain("--only 9");
});

test("a promise that is refused is a failure", async () => {
  const consume = async (): Promise<boolean> => {
    throw new TypeError("undefined is not an object");
  };
  const { message } = await failureOf(targetOf(() => ({ consume })));
  expect(message).toContain("TypeError: undefined is not an object");
});

test("an input may be refused for a declared reason alone", () => {
  const refuse = (error: Error) => () => {
    throw error;
  };
  expect(refusable(["A_*"], refuse(new WeaveError("A_B", "")))).toBeUndefined();
  expect(refusable(["A"], () => 1)).toBe(1);
  expect(() => refusable(["A"], refuse(new WeaveError("A_B", "undeclared")))).toThrow("undeclared");
  expect(() => refusable(["A"], refuse(new RangeError("out of bounds")))).toThrow("out of bounds");
});
