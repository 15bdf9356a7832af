import { expect, test } from "bun:test";
import { podOf } from "../../lib/cni/cni-input.ts";

test("a runtime of Kubernetes names the pod among words that are for others", () => {
  const words = "IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web-0;K8S_POD_UID=a=b";
  expect(podOf({ CNI_ARGS: words })).toEqual({ namespace: "shop", name: "web-0", uid: "a=b" });
  expect(podOf({ CNI_ARGS: "K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web-0" })).toEqual({
    ...{ namespace: "shop", name: "web-0" },
  });
  for (const other of [undefined, "", "K8S_POD_NAME=web-0", "K8S_POD_NAMESPACE=;K8S_POD_NAME=a"]) {
    expect(podOf({ CNI_ARGS: other })).toBeUndefined();
  }
});
