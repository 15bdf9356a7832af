import { WeaveError } from "../../base/errors.ts";
import { runTemplate } from "./evaluator.ts";
import { Execution } from "./execution.ts";
import { type GoType, plain } from "./go-type.ts";
import { wrap } from "./go-value.ts";
import { BoundedText, Budget, formatCharsMax } from "./limits.ts";
import { parse } from "./parser.ts";
import { syntaxError } from "./template-error.ts";
import type { TemplateSet } from "./tree.ts";

export interface Rendered {
  /** What was written until the end or the error. */
  readonly output: string;
  /** Why the template does not fit the data, as Go says it. */
  readonly error?: string;
  /** Why the text is no template; then nothing was written. */
  readonly parseError?: string;
}

/**
 * Renders a Go `text/template` over plain data (http-api §5.1): objects, lists, strings, booleans,
 * numbers, `bigint`s and `null`. `type` says what the data does not say of itself; without it,
 * objects print like structs (`{v w}`), `null` prints `<nil>` and counts as an empty list, and a
 * member that is not there is an error.
 *
 * Never throws for what a template says, and ends within the bounds of `limits.ts`.
 */
export function renderTemplate(format: string, data: unknown, type: GoType = plain): Rendered {
  let set: TemplateSet;
  try {
    set = parseBounded(format);
  } catch (thrown) {
    if (!(thrown instanceof WeaveError)) throw thrown;
    return { output: "", parseError: thrown.message };
  }
  return execute(format, set, data, type);
}

function parseBounded(format: string): TemplateSet {
  if (format.length > formatCharsMax) {
    throw syntaxError("", 0, `template is longer than ${formatCharsMax} characters`);
  }
  return parse(format);
}

function execute(format: string, set: TemplateSet, data: unknown, type: GoType): Rendered {
  const budget = new Budget();
  const execution = new Execution(format, budget);
  const out = new BoundedText(budget);
  try {
    runTemplate({ set, execution, out }, set.main, wrap(data, type));
    return { output: out.text };
  } catch (thrown) {
    return { output: out.text, error: execution.located(thrown).message };
  }
}
