import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ApiClient } from "../../lib/kubernetes/api-client.ts";
import { inClusterAccess } from "../../lib/kubernetes/in-cluster.ts";
import { kubeconfigAccess } from "../../lib/kubernetes/kubeconfig.ts";
import { nodes } from "../../lib/kubernetes/resources.ts";
import { TokenFile } from "../../lib/kubernetes/token-file.ts";
import { certificate } from "../docker/certificates.ts";
import { FakeApiServer } from "./fake-api-server.ts";
import { someNode } from "./fake-cluster.ts";

const folder = mkdtempSync(join(tmpdir(), "kk-access-"));
afterAll(() => rmSync(folder, { recursive: true }));

const pem = (name: Parameters<typeof certificate>[0]) => readFileSync(certificate(name), "utf8");
const data = (name: Parameters<typeof certificate>[0]) => Buffer.from(pem(name)).toString("base64");

/** What the kubelet mounts: a link to the folder of now, which it replaces as a whole. */
function mountAccount(account: string, generation: number, token: string): void {
  const now = join(account, `..${generation}`);
  mkdirSync(now, { recursive: true });
  copyFileSync(certificate("authority"), join(now, "ca.crt"));
  writeFileSync(join(now, "token"), token);
  symlinkSync(`..${generation}`, join(account, "..data_tmp"));
  renameSync(join(account, "..data_tmp"), join(account, "..data"));
  for (const name of ["ca.crt", "token"]) {
    rmSync(join(account, name), { force: true });
    symlinkSync(join("..data", name), join(account, name));
  }
}

describe("a pod", () => {
  const account = join(folder, "account");
  const tls = { cert: pem("engine"), key: pem("engine-key") };
  beforeAll(() => mountAccount(account, 1, "first"));

  test("speaks to its own cluster by what it is given, with the token of now", async () => {
    const tokens = new Set(["first"]);
    await using server = new FakeApiServer({ tls, tokens });
    server.cluster.apply(someNode("n1"));
    const client = new ApiClient(
      inClusterAccess(
        { KUBERNETES_SERVICE_HOST: "127.0.0.1", KUBERNETES_SERVICE_PORT: String(server.port) },
        account,
      ),
    );
    expect(await client.get(nodes, { name: "n1" })).toBeDefined();
    mountAccount(account, 2, "second");
    tokens.clear();
    tokens.add("second");
    expect(await client.get(nodes, { name: "n1" })).toBeDefined();
  });

  test("may be told an IPv6 address, and must be told one", () => {
    const environment = { KUBERNETES_SERVICE_HOST: "fd00::1", KUBERNETES_SERVICE_PORT: "443" };
    expect(inClusterAccess(environment).server).toBe("https://[fd00::1]:443");
    expect(() => inClusterAccess({})).toThrow("this is no pod");
    expect(() => inClusterAccess({ ...environment, KUBERNETES_SERVICE_PORT: "x" })).toThrow();
  });
});

describe("a token in a file", () => {
  test("is read again when it has changed, and kept while there is none", () => {
    const path = join(folder, "token");
    const token = new TokenFile(path);
    expect(() => token.current()).toThrow("there is no token");
    writeFileSync(path, "one\n");
    expect(token.current()).toBe("one");
    writeFileSync(path, "the second");
    expect(token.current()).toBe("one");
    writeFileSync(path, "another");
    expect(token.current()).toBe("another");
    rmSync(path);
    expect(token.current()).toBe("another");
  });

  test("that would break a header is none", () => {
    const path = join(folder, "odd-token");
    for (const text of ["", "a b", "a\r\nX-Evil: 1", "ä"]) {
      writeFileSync(path, text);
      expect(() => new TokenFile(path).current()).toThrow("no bearer token");
    }
  });
});

describe("a kubeconfig file", () => {
  const write = (text: string): string => {
    const path = join(folder, "config");
    writeFileSync(path, text);
    return path;
  };
  const whole = `
apiVersion: v1
kind: Config
current-context: inline
contexts:
- name: inline
  context: {cluster: one, user: inline, namespace: ignored}
- name: files
  context: {cluster: two, user: files}
- name: token
  context: {cluster: one, user: token}
- name: program
  context: {cluster: one, user: program}
- name: lost
  context: {cluster: nowhere, user: token}
clusters:
- name: one
  cluster:
    certificate-authority-data: ${data("authority")}
    server: https://127.0.0.1:6443/
- name: two
  cluster: {certificate-authority: ca.pem, server: "https://[::1]:6443"}
users:
- name: inline
  user: {client-certificate-data: ${data("client")}, client-key-data: ${data("client-key")}}
- name: files
  user: {client-certificate: client.pem, client-key: key.pem}
- name: token
  user: {token: abc}
- name: program
  user:
    exec: {command: aws}
`;

  test("has certificates within, or names them beside itself", () => {
    const path = write(whole);
    const inline = kubeconfigAccess(path);
    expect(inline.server).toBe("https://127.0.0.1:6443");
    expect(inline.token).toBeUndefined();
    const all = { ca: pem("authority"), cert: pem("client"), key: pem("client-key") };
    expect(inline.tls?.current()).toEqual({ ...all, rejectUnauthorized: true });
    copyFileSync(certificate("authority"), join(folder, "ca.pem"));
    copyFileSync(certificate("client"), join(folder, "client.pem"));
    copyFileSync(certificate("client-key"), join(folder, "key.pem"));
    const files = kubeconfigAccess(path, "files");
    expect(files.tls?.current()).toEqual({ ...all, rejectUnauthorized: true });
  });

  test("has a token", () => {
    expect(kubeconfigAccess(write(whole), "token").token?.current()).toBe("abc");
  });

  test("that is of no use says why", () => {
    const path = write(whole);
    for (const [context, why] of [
      ["program", "made by a program, which is not run"],
      ["lost", 'there is no cluster "nowhere"'],
      ["other", 'there is no context "other"'],
    ] as const) {
      expect(() => kubeconfigAccess(path, context)).toThrow(why);
    }
    expect(() => kubeconfigAccess(join(folder, "none"))).toThrow("ENOENT");
    expect(() => kubeconfigAccess(write("a: [1"))).toThrow(path);
    expect(() => kubeconfigAccess(write("contexts: 7"))).toThrow("contexts");
    const odd = whole.replace("https://127.0.0.1:6443/", "ftp://x");
    expect(() => kubeconfigAccess(write(odd))).toThrow("no address of a server");
  });
});
