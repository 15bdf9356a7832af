import { expect, test } from "bun:test";
import { Undo } from "../../lib/host/undo.ts";
import { recordingLog } from "./laboratory.ts";

test("steps are taken back latest first, once, and one that fails does not stop the others", () => {
  const log = recordingLog();
  const undone: string[] = [];
  const undo = new Undo();
  undo.push("first", () => undone.push("first"));
  undo.push("second", () => {
    throw new Error("stuck");
  });
  undo.push("third", () => undone.push("third"));
  undo.rollBack(log);
  undo.rollBack(log);
  expect(undone).toEqual(["third", "first"]);
  expect(log.lines).toEqual(["warn could not take back: second: stuck"]);
});
