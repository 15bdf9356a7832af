import { WeaveError } from "../../base/errors.ts";
import { quote, toBytes } from "./go-text.ts";

/** The name of the template in `GET /report`, which begins every message. */
export const templateName = "format";

/** The template is not one; `at` is an index into `source`. */
export function syntaxError(source: string, at: number, sentence: string): WeaveError {
  return new WeaveError(
    "TEMPLATE_SYNTAX",
    `template: ${templateName}:${lineOf(source, at)}: ${sentence}`,
  );
}

/** The template does not fit the data. `running` is the (sub)template, `node` the text at fault. */
export function executionError(
  where: { readonly source: string; readonly at: number; readonly running: string },
  node: string,
  sentence: string,
): WeaveError {
  const { source, at, running } = where;
  const place = `${templateName}:${lineOf(source, at)}:${columnOf(source, at)}`;
  return new WeaveError(
    "TEMPLATE_EXECUTION",
    `template: ${place}: executing ${quote(running)} at <${node}>: ${sentence}`,
  );
}

/** A function refuses its operands; the evaluator adds the place. */
export function functionFailure(sentence: string): WeaveError {
  return new WeaveError("TEMPLATE_FUNCTION", sentence);
}

/** Counted from one. */
function lineOf(source: string, at: number): number {
  return source.slice(0, at).split("\n").length;
}

/** Bytes of UTF-8 before it on its line. */
function columnOf(source: string, at: number): number {
  return toBytes(source.slice(source.lastIndexOf("\n", at - 1) + 1, at)).length;
}
