import type { Gauge } from "./router-control.ts";

/**
 * Prometheus text (exposition format 0.0.4):
 *
 *   # HELP weave_ips Number of IP addresses.
 *   # TYPE weave_ips gauge
 *   weave_ips{state="local-used"} 7
 *
 * Series of one name form one family, wherever they stand in `series`.
 */
export function prometheusText(series: readonly Gauge[]): string {
  return [...Map.groupBy(series, ({ name }) => name).values()].map(familyText).join("");
}

function familyText(family: readonly Gauge[]): string {
  const { name, help, type } = family[0]!;
  const samples = family.map(
    ({ labels = {}, value }) => `${name}${labelText(labels)} ${valueText(value)}\n`,
  );
  return `# HELP ${name} ${escaped(help)}\n# TYPE ${name} ${type}\n${samples.join("")}`;
}

/** Sorted by name, as clients of Go write them. */
function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}="${escaped(value).replaceAll('"', '\\"')}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function valueText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  return value === Number.NEGATIVE_INFINITY ? "-Inf" : String(value);
}
