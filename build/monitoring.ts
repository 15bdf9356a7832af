/**
 * Rules for alerts and the dashboard as clusters of Kubernetes take them: by manifests, or by the chart.
 *
 *   weave.rules.yaml ─▶ operator.yaml ──▶ templates/monitoring.yaml
 *   weave.json ───────▶ dashboard.yaml ─▶ templates/dashboard.yaml
 */
const rulesFile = "deploy/prometheus/weave.rules.yaml";
const dashboardFile = "deploy/grafana/weave.json";
const operatorFile = "deploy/kubernetes/monitoring/operator.yaml";
const templates = "deploy/helm/weave/templates";

/** Behind this line of the manifest are the rules. */
const mark = `  # The rules of ${rulesFile}:\n`;

/** @param textOf a file of the repository */
export function monitoringFiles(
  textOf: (path: string) => string,
): Array<{ path: string; text: string }> {
  const operator = withAlertRules(textOf(operatorFile), textOf(rulesFile));
  const dashboard = dashboardManifest(textOf(dashboardFile));
  return [
    { path: operatorFile, text: operator },
    { path: "deploy/kubernetes/monitoring/dashboard.yaml", text: dashboard },
    { path: `${templates}/monitoring.yaml`, text: operatorTemplate(operator) },
    { path: `${templates}/dashboard.yaml`, text: dashboardTemplate(dashboard) },
  ];
}

/** The manifest with these rules in place of those that it has. */
function withAlertRules(manifest: string, rules: string): string {
  const head = manifest.slice(0, manifest.indexOf(mark) + mark.length);
  const groups = rules.slice(rules.indexOf("groups:\n"));
  return head + groups.replaceAll(/^(?=.)/gm, "  ");
}

/** Grafana's sidecar looks for the label. */
function dashboardManifest(json: string): string {
  return `# The dashboard of ${dashboardFile}, for a Grafana that looks for such labels.
apiVersion: v1
kind: ConfigMap
metadata:
  name: weave-net-dashboard
  namespace: kube-system
  labels:
    name: weave-net
    grafana_dashboard: "1"
data:
  weave.json: |-
    ${JSON.stringify(JSON.parse(json))}
`;
}

function operatorTemplate(manifest: string): string {
  const interval = replaced(escaped(manifest), /30s$/gm, "{{.Values.monitoring.interval}}", 1);
  const labels = eachLabel(".Values.monitoring.labels");
  return template(replaced(interval, /(?<=^ {2}labels:\n {4}name: weave-net\n)/gm, labels, 2), 2);
}

function dashboardTemplate(manifest: string): string {
  const labels = eachLabel(".Values.monitoring.dashboardLabels");
  return template(replaced(escaped(manifest), / {4}grafana_dashboard: "1"\n/g, labels, 1), 1);
}

/** What is there if monitoring is, each object in the namespace of the chart's values. */
function template(manifest: string, objects: number): string {
  const namespace = "{{.Values.monitoring.namespace}}";
  const placed = replaced(manifest, /(?<=^ {2}namespace: )kube-system$/gm, namespace, objects);
  return `{{- if .Values.monitoring.enabled}}\n${placed}{{- end}}\n`;
}

function eachLabel(values: string): string {
  return `{{- range $name, $value := ${values}}}\n    {{$name}}: {{printf "%q" $value}}\n{{- end}}\n`;
}

/** Alerts and panels have templates of their own, which are not Helm's. */
function escaped(text: string): string {
  return text.replaceAll("{{", '{{"{{"}}');
}

/** @throws Error when the text does not have it so many times */
function replaced(text: string, pattern: RegExp, by: string, times: number): string {
  const found = text.match(pattern)?.length ?? 0;
  if (found !== times) throw new Error(`${pattern} is there ${found} times instead of ${times}`);
  return text.replace(pattern, () => by);
}
