const mark = "  # The rules of deploy/prometheus/weave.rules.yaml:\n";

/** deploy/kubernetes/monitoring.yaml with these rules for alerts in place of those that it has. */
export function withAlertRules(manifest: string, rules: string): string {
  const head = manifest.slice(0, manifest.indexOf(mark) + mark.length);
  const groups = rules.slice(rules.indexOf("groups:\n"));
  return head + groups.replaceAll(/^(?=.)/gm, "  ");
}
