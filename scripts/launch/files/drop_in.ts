/**
 * The text of a service's drop-in, which gives it its permissions.
 *
 * @module
 */
import { hostnameOf, isAddress } from "../addresses.ts";
import { type Permissions, splitNet, type WorkerName } from "../permissions.ts";
import { secretsOf, serviceFolder } from "./secrets.ts";

/** Renders the drop-in of one instance, which is generated as a whole. */
export function renderDropIn(
  worker: WorkerName,
  { flags, net }: Permissions,
): string {
  const words = [
    "/usr/local/bin/deno",
    "run",
    ...flags,
    `/opt/incident-enricher/${worker}.js`,
  ].map(escapeForSystemd);
  return [
    `# Secrets and permissions of the ${worker}. Written by: deno task flags service`,
    "[Service]",
    ...renderCredentials(worker),
    "ExecStart=",
    `ExecStart=${words.join(" \\\n  ")}`,
    ...renderAddresses(net),
    "",
  ].join("\n");
}

/**
 * The worker's secrets, from files that only root can read, and none of them from
 * the environment.
 *
 * A default is what lets a unit start without a file, and only a default that is
 * not empty counts as one: so it is a line break, which a worker trims. The paths
 * are spelled out because `%d` is not known to systemd before 250, and because
 * the flags need them.
 */
function renderCredentials(worker: WorkerName): string[] {
  const secrets = secretsOf(worker);
  return [
    ...secrets.flatMap(({ name, variable, required }) => [
      `LoadCredential=${name}:/etc/incident-enricher/${worker}/${name}`,
      ...(required ? [] : [`SetCredential=${name}:\\n`]),
      `Environment=${variable}=${serviceFolder(worker)}/${name}`,
    ]),
    "# A value in the environment would override the file.",
    ...secrets.flatMap(({ values }) => values)
      .map((name) => `UnsetEnvironment=${name}`),
  ];
}

/** The unit's firewall, if the permissions name addresses only. */
function renderAddresses(net: Permissions["net"]): string[] {
  const { listens, peers } = splitNet(net);
  const namesOf = (grants: Permissions["net"]) => [
    ...new Set(grants.map(({ host }) => hostnameOf(host))),
  ];
  const named = namesOf(peers).filter((host) =>
    host !== "localhost" && !isAddress(host)
  );
  if (named.length > 0) {
    return [
      "# No IPAddressDeny=: it knows addresses only, and none is fixed for",
      `# ${named.join(", ")}. Here --allow-net alone says whom to reach.`,
    ];
  }
  const hosts = namesOf([...listens, ...peers]);
  if (hosts.includes("0.0.0.0") || hosts.includes("[::]")) {
    return [
      "# No IPAddressDeny=: it listens on every address, for callers from any.",
    ];
  }
  return [
    "IPAddressDeny=any",
    ...hosts.map((host) => `IPAddressAllow=${host.replace(/^\[|\]$/g, "")}`),
  ];
}

/** `%` and `$` would be replaced, and what has blanks would be two words. */
function escapeForSystemd(word: string): string {
  const escaped = word.replaceAll("%", "%%").replaceAll("$", "$$$$");
  return /[\s"'\\]/.test(escaped) ? JSON.stringify(escaped) : escaped;
}
