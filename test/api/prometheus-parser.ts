/** One family of an exposition, as read back by {@link parseExposition}. */
export interface Family {
  readonly help: string;
  readonly type: string;
  /** By their labels as written, `` for none; of a histogram after `_bucket`, `_sum` or `_count`. */
  readonly samples: Map<string, number>;
}

const metricName = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const labels = /^\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\n"])*"(?:,(?!\})|(?=\})))*\}$/;
const number = /^(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]Inf|NaN)$/;

/**
 * Reads the text format 0.0.4 more strictly than Prometheus does: each family has HELP, then TYPE,
 * then all its samples, once, and no two samples have the same labels.
 *
 * @throws Error that names the line
 */
export function parseExposition(text: string): Map<string, Family> {
  const families = new Map<string, Family>();
  if (!text.endsWith("\n")) throw new Error("the last line has no end");
  const lines = text.slice(0, -1).split("\n");
  for (let at = 0; at < lines.length; ) {
    const help = /^# HELP (\S+) (.*)$/.exec(lines[at++]!);
    const type = /^# TYPE (\S+) (counter|gauge|histogram|summary|untyped)$/.exec(lines[at++] ?? "");
    const name = help?.[1] ?? "";
    if (!metricName.test(name) || type?.[1] !== name || families.has(name)) {
      throw new Error(`line ${at - 1} begins no new family: ${lines[at - 2]}`);
    }
    const samples = new Map<string, number>();
    for (; at < lines.length && !lines[at]!.startsWith("#"); at++) {
      const [series, value] = sampleOf(lines[at]!, name, type![2]!, at);
      if (samples.has(series)) throw new Error(`line ${at + 1} is there twice: ${lines[at]}`);
      samples.set(series, value);
    }
    if (samples.size === 0) throw new Error(`line ${at}: ${name} has no sample`);
    families.set(name, { help: help![2]!, type: type[2]!, samples });
  }
  return families;
}

function sampleOf(line: string, name: string, type: string, at: number): [string, number] {
  const space = line.lastIndexOf(" ");
  const series = line.slice(name.length, space);
  const value = line.slice(space + 1);
  const said = type === "histogram" ? series.replace(/^_(bucket|sum|count)/, "") : series;
  const isPart = type !== "histogram" || said !== series;
  const isSample =
    line.startsWith(name) && isPart && (said === "" || labels.test(said)) && number.test(value);
  if (!isSample) throw new Error(`line ${at + 1} is no sample of ${name}: ${line}`);
  return [series, Number(value.replace("Inf", "Infinity"))];
}
