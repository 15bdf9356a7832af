import { type Actions, basePolicy, label, oneOf, withPeers, withPorts } from "./base-policy.ts";

/** Objects that come, change and go. */
export const action: readonly [string, Actions][] = [
  [
    "creates and deletes a policy",
    () => [[basePolicy()], [{ do: "delete-policy", namespace: "x", name: "base" }]],
  ],
  [
    "creates and updates a policy",
    () => [[basePolicy()], [withPorts("ingress", { protocol: "UDP", port: "serve-81-udp" })]],
  ],
  [
    "creates and deletes a namespace with pods",
    () => [
      [basePolicy()],
      [
        { do: "put-namespace", namespace: "y-2", labels: { ns: "y" } },
        { do: "create-pod", pod: "y-2/a", labels: { pod: "a" } },
        { do: "create-pod", pod: "y-2/b", labels: { pod: "b" } },
      ],
      [{ do: "delete-namespace", namespace: "y-2" }],
    ],
  ],
  [
    "sets a label of a namespace and takes it back",
    () => [
      [withPeers("ingress", { namespaceSelector: label("new-ns", "qrs") })],
      [{ do: "put-namespace", namespace: "y", labels: { ns: "y", "new-ns": "qrs" } }],
      [{ do: "put-namespace", namespace: "y", labels: { ns: "y" } }],
    ],
  ],
  [
    "creates and deletes a pod",
    () => [
      [basePolicy()],
      [{ do: "create-pod", pod: "x/d", labels: { pod: "d" } }],
      [{ do: "delete-pod", pod: "x/d" }],
    ],
  ],
  [
    "sets a label of a pod and takes it back",
    () => [
      [
        withPeers("ingress", {
          podSelector: label("new-label", "abc"),
          namespaceSelector: oneOf("ns", "y", "z"),
        }),
      ],
      [{ do: "label-pod", pod: "y/b", labels: { pod: "b", "new-label": "abc" } }],
      [{ do: "label-pod", pod: "y/b", labels: { pod: "b" } }],
    ],
  ],
];
