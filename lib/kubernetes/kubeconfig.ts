import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import * as v from "valibot";
import { errorText, type WeaveError } from "../base/errors.ts";
import { parsedBy } from "../base/schema.ts";
import { TlsFileReader, type TlsSettings } from "../host/tls-files.ts";
import type { ClusterAccess, TokenSource } from "./cluster-access.ts";
import { kubernetesError, noTls } from "./kubernetes-error.ts";
import { fixedToken, TokenFile } from "./token-file.ts";

const name = v.string();

const clusterSchema = v.object({
  server: v.string(),
  "certificate-authority": v.optional(v.string()),
  "certificate-authority-data": v.optional(v.string()),
  "insecure-skip-tls-verify": v.optional(v.boolean(), false),
});
type Cluster = v.InferOutput<typeof clusterSchema>;

const userSchema = v.object({
  token: v.optional(v.string()),
  tokenFile: v.optional(v.string()),
  "client-certificate": v.optional(v.string()),
  "client-certificate-data": v.optional(v.string()),
  "client-key": v.optional(v.string()),
  "client-key-data": v.optional(v.string()),
  exec: v.optional(v.unknown()),
  "auth-provider": v.optional(v.unknown()),
});
type User = v.InferOutput<typeof userSchema>;

const fileSchema = v.object({
  "current-context": v.optional(v.string(), ""),
  contexts: v.array(
    v.object({ name, context: v.object({ cluster: name, user: v.optional(name, "") }) }),
  ),
  clusters: v.array(v.object({ name, cluster: clusterSchema })),
  users: v.optional(v.array(v.object({ name, user: userSchema })), []),
});

/**
 * How a kubeconfig file says that a cluster is spoken to (Kubernetes, "Organizing Cluster Access
 * Using kubeconfig Files"): certificates and tokens, as files or within. Programs that make tokens
 * are not run.
 *
 * @param context default: the current one of the file
 * @throws WeaveError `K8S_CONFIG`
 */
export function kubeconfigAccess(path: string, context = ""): ClusterAccess {
  const file = readKubeconfig(path);
  const wanted = context === "" ? file["current-context"] : context;
  const chosen = file.contexts.find((each) => each.name === wanted)?.context;
  if (chosen === undefined) throw refuse(path, `there is no context "${wanted}"`);
  const cluster = file.clusters.find((each) => each.name === chosen.cluster)?.cluster;
  if (cluster === undefined) throw refuse(path, `there is no cluster "${chosen.cluster}"`);
  const user = file.users.find((each) => each.name === chosen.user)?.user;
  if (user?.exec !== undefined || user?.["auth-provider"] !== undefined) {
    throw refuse(path, `user "${chosen.user}" has its tokens made by a program, which is not run`);
  }
  const server = serverOf(path, cluster.server);
  return {
    server,
    tls: server.startsWith("https:") ? tlsOf(path, cluster, user) : undefined,
    token: user && tokenOf(path, user),
  };
}

function readKubeconfig(path: string): v.InferOutput<typeof fileSchema> {
  let raw: unknown;
  try {
    raw = Bun.YAML.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw refuse(path, errorText(cause));
  }
  return parsedBy(fileSchema, raw, "the file", (why) => refuse(path, why));
}

/** Without path: some have the one of a proxy for many clusters, which is kept. */
function serverOf(path: string, server: string): string {
  if (!URL.canParse(server) || !/^https?:/.test(server)) {
    throw refuse(path, `"${server}" is no address of a server`);
  }
  return server.replace(/\/+$/, "");
}

/** What is in the file itself is taken before what it names. */
function tlsOf(path: string, cluster: Cluster, user: User | undefined): ClusterAccess["tls"] {
  const besideFile = (named: string | undefined) =>
    named === undefined ? undefined : resolve(dirname(path), named);
  const files = {
    caFile: besideFile(cluster["certificate-authority"]),
    certFile: besideFile(user?.["client-certificate"]),
    keyFile: besideFile(user?.["client-key"]),
    verify: !cluster["insecure-skip-tls-verify"],
  };
  const within = {
    ...pem("ca", cluster["certificate-authority-data"]),
    ...pem("cert", user?.["client-certificate-data"]),
    ...pem("key", user?.["client-key-data"]),
  };
  const reader = new TlsFileReader(
    {
      ...files,
      ...("ca" in within && { caFile: undefined }),
      ...("cert" in within && { certFile: undefined, keyFile: undefined }),
    },
    noTls,
  );
  return { current: (): TlsSettings => ({ ...reader.current(), ...within }) };
}

function pem(field: "ca" | "cert" | "key", data: string | undefined): Partial<TlsSettings> {
  return data === undefined ? {} : { [field]: Buffer.from(data, "base64").toString() };
}

function tokenOf(path: string, { token, tokenFile }: User): TokenSource | undefined {
  if (tokenFile !== undefined) return new TokenFile(resolve(dirname(path), tokenFile));
  return token === undefined ? undefined : fixedToken(token);
}

function refuse(path: string, why: string): WeaveError {
  return kubernetesError("K8S_CONFIG", `${path} does not say how to reach Kubernetes: ${why}`);
}
