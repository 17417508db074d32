/**
 * Whom a worker may call, as the rules of its NetworkPolicy.
 *
 * @module
 */
import { hostnameOf, isAddress, portOf } from "../addresses.ts";
import type { HostGrant } from "../permissions.ts";

/** A worker's NetworkPolicy, from `egress:` on. */
export function renderEgress(peers: readonly HostGrant[]): string[] {
  return [
    "egress:",
    ...RESOLVER,
    ...peers.flatMap(({ host }) => {
      const isServer = API_SERVER.test(hostnameOf(host));
      return [
        "  - to:",
        ...isServer ? ANYWHERE : renderPeer(hostnameOf(host)),
        "    ports:",
        ...renderPort("TCP", portOf(host)),
        ...isServer ? renderPort("TCP", API_SERVER_PORT) : [],
      ];
    }),
  ];
}

function renderPort(protocol: "TCP" | "UDP", port: string): string[] {
  return [`      - protocol: ${protocol}`, `        port: ${port}`];
}

const RESOLVER: readonly string[] = [
  "  - to:",
  "      - namespaceSelector:",
  "          matchLabels:",
  "            kubernetes.io/metadata.name: kube-system",
  "        podSelector:",
  "          matchLabels:",
  "            k8s-app: kube-dns",
  "    ports:",
  ...renderPort("UDP", "53"),
  ...renderPort("TCP", "53"),
];

/** The Service of Kubernetes itself. */
const API_SERVER = /^kubernetes\.default\.svc(?:\.cluster\.local)?$/;
/** The usual port behind that Service: most policies see this one. */
const API_SERVER_PORT = "6443";
/** Behind it are no pods to select, and its own addresses are not known here. */
const ANYWHERE: readonly string[] = [
  "      - ipBlock:",
  "          cidr: 0.0.0.0/0",
];

/** Networks that are not outside: private, link-local and reserved ones. */
const INSIDE: readonly string[] = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "224.0.0.0/4",
  "240.0.0.0/4",
];

/**
 * A host in a NetworkPolicy's terms: a Service of the cluster by the pods behind
 * it, which carry its name as a label; an address as itself; any other name,
 * which a policy cannot resolve, as everything outside.
 */
function renderPeer(host: string): string[] {
  if (isAddress(host)) {
    const bits = host.includes(":") ? 128 : 32;
    const address = host.replace(/^\[|\]$/g, "");
    return ["      - ipBlock:", `          cidr: ${address}/${bits}`];
  }
  const [, service, namespace] =
    /^([^.]+)(?:\.([^.]+)\.svc(?:\.cluster\.local)?)?$/.exec(host) ?? [];
  if (service === undefined) {
    return [
      "      - ipBlock:",
      "          cidr: 0.0.0.0/0",
      "          except:",
      ...INSIDE.map((network) => `            - ${network}`),
    ];
  }
  const pods = [
    "podSelector:",
    "  matchLabels:",
    `    app.kubernetes.io/name: ${service}`,
    ...(namespace === undefined ? [] : [
      "namespaceSelector:",
      "  matchLabels:",
      `    kubernetes.io/metadata.name: ${namespace}`,
    ]),
  ];
  return pods.map((line, at) => `${at === 0 ? "      - " : "        "}${line}`);
}
