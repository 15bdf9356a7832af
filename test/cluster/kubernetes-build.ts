import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { must } from "../hosts/shell.ts";
import type { BuiltProgram } from "./cluster-files.ts";
import type { KubernetesSource } from "./kubernetes-source.ts";

/** Where in the sources each program is. */
const places: Readonly<Record<Exclude<BuiltProgram, "e2e.test">, string>> = {
  "kube-apiserver": "./cmd/kube-apiserver",
  "kube-controller-manager": "./cmd/kube-controller-manager",
  "kube-scheduler": "./cmd/kube-scheduler",
  kubelet: "./cmd/kubelet",
  "kube-proxy": "./cmd/kube-proxy",
  kubectl: "./cmd/kubectl",
  agnhost: "./test/images/agnhost",
};

/** The server describes its types by a file that the sources come without. */
const descriptions = "k8s.io/kubernetes/pkg/generated/openapi";

/** Tests of upstream read manifests out of this one, which none of the tests here wants. */
const noManifests = `package generated

import "fmt"

func Asset(name string) ([]byte, error) { return nil, fmt.Errorf(name) }
func AssetNames() []string              { return nil }
`;

/** One program takes five minutes on two processors; much longer where they are wanted elsewhere. */
const buildMaxMs = 3_600_000;

/**
 * Builds one of the programs, unless it is there: what was built before a build was interrupted stays.
 *
 * @throws Error with what the compiler says
 */
export async function buildProgram(
  source: KubernetesSource,
  name: BuiltProgram,
  to: string,
): Promise<void> {
  await describeTypes(source);
  const version = "k8s.io/kubernetes/vendor/k8s.io/component-base/version.gitVersion";
  const flags = ["-p", "2", "-ldflags", `-s -w -X ${version}=${source.release}`];
  if (name === "e2e.test") {
    writeFileSync(join(source.folder, "test/e2e/generated/bindata.go"), noManifests);
    await go(source, ["test", "-c", ...flags, "-o", to, "./test/e2e"]);
  } else {
    await go(source, ["build", ...flags, "-o", to, places[name]]);
  }
}

async function describeTypes(source: KubernetesSource): Promise<void> {
  const made = "zz_generated.openapi";
  const { gopath } = source;
  if (existsSync(join(gopath, "src", descriptions, `${made}.go`))) return;
  const generator = join(gopath, "bin/openapi-gen");
  mkdirSync(join(gopath, "bin"), { recursive: true });
  const generatorPlace = "./vendor/k8s.io/kube-openapi/cmd/openapi-gen";
  await go(source, ["build", "-o", generator, generatorPlace]);
  await inSource(source, [
    ...[generator, "--go-header-file", "hack/boilerplate/boilerplate.generatego.txt"],
    ...["-i", (await describedPackages(source)).join(","), "-p", descriptions, "-O", made],
    ...["-o", join(gopath, "src"), "-r", join(gopath, "violations")],
  ]);
}

/** Packages with a type that asks to be described. */
async function describedPackages(source: KubernetesSource): Promise<string[]> {
  const asks = String.raw`^// *\+k8s:openapi-gen=`;
  const roots = ["pkg", "staging/src/k8s.io", "cmd"];
  const found = await inSource(source, ["grep", "-rlE", "--include=*.go", asks, ...roots]);
  const others = /testdata|_test\.go|zz_generated|sample-|code-generator|kube-openapi/;
  const packages = found
    .trim()
    .split("\n")
    .filter((path) => !others.test(path))
    .map((path) => path.slice(0, -basename(path).length - 1))
    .map((path) => `k8s.io/kubernetes/${path.replace(/^staging\/src\//, "vendor/")}`);
  return [...new Set(packages)].sort();
}

function go(source: KubernetesSource, words: readonly string[]): Promise<string> {
  return inSource(source, ["go", ...words]);
}

function inSource(source: KubernetesSource, command: readonly string[]): Promise<string> {
  const env = {
    ...{ GOPATH: source.gopath, GOCACHE: join(source.gopath, "../go-cache") },
    ...{ GO111MODULE: "off", GOFLAGS: "", CGO_ENABLED: "0" },
  };
  const there = ["sh", "-c", 'cd "$0" && exec "$@"', source.folder, ...command];
  return must(there, { env, waitMs: buildMaxMs });
}
