/** The plugins, by the names under which runtimes call the executable. */
export const pluginNames = ["weave-net", "weave-ipam"] as const;
export type PluginName = (typeof pluginNames)[number];

/** The plugin that the executable is when it is called so: `/opt/cni/bin/weave-net`. */
export function pluginNamed(calledAs: string): PluginName | undefined {
  return pluginNames.find((name) => calledAs.endsWith(name));
}
