/**
 * Who may ask an API server, by a token each: as the first column of its `--token-auth-file`
 * (kubernetes.io, "Authenticating").
 */
export interface User {
  readonly token: string;
  readonly name: string;
  readonly groups: readonly string[];
}

export const admin: User = { token: "admin-token", name: "admin", groups: ["system:masters"] };

/** A kubelet: what it may do is that of the node of its name. */
export function kubeletOf(node: string): User {
  return { token: `${node}-token`, name: `system:node:${node}`, groups: ["system:nodes"] };
}

/** Somebody with the rights of a service account, and no more. */
export function accountOf(namespace: string, name: string): User {
  const groups = ["system:serviceaccounts", `system:serviceaccounts:${namespace}`];
  return {
    token: `${namespace}-${name}-token`,
    name: `system:serviceaccount:${namespace}:${name}`,
    groups: [...groups, "system:authenticated"],
  };
}

/** The file of all tokens. */
export function tokenFile(users: readonly User[]): string {
  return users
    .map(({ token, name, groups }, at) => `${token},${name},${at + 1},"${groups.join(",")}"\n`)
    .join("");
}

export interface ServerAddress {
  readonly url: string;
  /** What its certificate is checked with, PEM. */
  readonly authority: string;
}

/** What clients are configured with; JSON is YAML. */
export function kubeconfig(server: ServerAddress, user: User): string {
  const authority = Buffer.from(server.authority).toString("base64");
  return JSON.stringify({
    ...{ apiVersion: "v1", kind: "Config", "current-context": "it" },
    clusters: [
      {
        name: "it",
        cluster: { server: server.url, "certificate-authority-data": authority },
      },
    ],
    users: [{ name: "it", user: { token: user.token } }],
    contexts: [{ name: "it", context: { cluster: "it", user: "it" } }],
  });
}
