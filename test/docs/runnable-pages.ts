/**
 * Where the commands of pages are typed. A page that is not here has none that are run, and all of its
 * blocks say why.
 */

/** Each from its beginning, on hosts of its own, by `test/hosts/pages.test.ts`. */
export const typedPages: readonly string[] = [
  "README.md",
  "docs/api.md",
  "docs/cni.md",
  "docs/dns.md",
  "docs/events.md",
  "docs/first-network.md",
  "docs/install.md",
  "docs/ipam.md",
  "docs/multicast.md",
  "docs/operations.md",
  "docs/security.md",
  "docs/simulator.md",
  "docs/ui.md",
];

/** By tests that look at what comes of them. */
export const followedPages: Readonly<Record<string, string>> = {
  "docs/policy.md": "test/hosts/policy.test.ts",
  "docs/services.md": "test/hosts/services.test.ts",
};

/** With Docker engines. */
export const dockerPages: Readonly<Record<string, string>> = {
  "docs/docker.md": "test/engines/plugin.test.ts",
  "docs/first-network.md": "test/engines/first-network.test.ts",
};
