import { readFileSync } from "node:fs";
import { join } from "node:path";
import { renderTemplate } from "../../lib/api/template/render.ts";

const deploy = join(import.meta.dir, "../../deploy");

/** A file of `deploy`. */
export const textOf = (path: string): string => readFileSync(join(deploy, path), "utf8");

export type Values = Readonly<Record<string, unknown>>;

export const chart = Bun.YAML.parse(textOf("helm/weave/Chart.yaml")) as Readonly<
  Record<string, string>
>;

export const defaultValues = Bun.YAML.parse(textOf("helm/weave/values.yaml")) as Values;

/**
 * The documents of one template of the chart, as `helm template` makes them for charts as simple as
 * ours, with some values changed.
 *
 * @throws Error when the template does not fit the values
 */
export function rendered(template: string, changed: Values = {}): unknown {
  const { output, error, parseError } = renderTemplate(textOf(`helm/weave/templates/${template}`), {
    Values: { ...defaultValues, ...changed },
    Chart: { AppVersion: chart.appVersion },
  });
  if (error !== undefined || parseError !== undefined) throw new Error(error ?? parseError);
  return Bun.YAML.parse(output);
}
