/**
 * The systemd units.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import {
  dropInOf,
  serviceEnvironment,
} from "../../scripts/launch/files/render.ts";
import { secretsOf } from "../../scripts/launch/files/secrets.ts";
import { WORKERS } from "../../scripts/launch/permissions.ts";
import { derive, parseUnit, read, valuesOf } from "../support/deploy.ts";

const unit = parseUnit(await read("deploy/systemd/incident-enricher@.service"));

Deno.test("systemd: the unit is hardened as far as V8 lets it be", () => {
  const expected: Record<string, string> = {
    DynamicUser: "yes",
    NoNewPrivileges: "yes",
    ProtectSystem: "strict",
    ProtectHome: "yes",
    PrivateTmp: "yes",
    PrivateDevices: "yes",
    ProtectProc: "invisible",
    ProtectClock: "yes",
    ProtectControlGroups: "yes",
    ProtectHostname: "yes",
    ProtectKernelLogs: "yes",
    ProtectKernelModules: "yes",
    ProtectKernelTunables: "yes",
    CapabilityBoundingSet: "",
    AmbientCapabilities: "",
    LockPersonality: "yes",
    RestrictNamespaces: "yes",
    RestrictRealtime: "yes",
    RestrictSUIDSGID: "yes",
    RestrictAddressFamilies: "AF_INET AF_INET6 AF_UNIX AF_NETLINK",
    SystemCallArchitectures: "native",
    SystemCallErrorNumber: "EPERM",
    MemoryMax: "512M",
    TasksMax: "64",
    UMask: "0077",
    TimeoutStopSec: "45",
    RestartPreventExitStatus: "2",
    EnvironmentFile: "/etc/incident-enricher/%i.env",
  };
  for (const [key, value] of Object.entries(expected)) {
    assertEquals(valuesOf(unit, key), [value], key);
  }
  assertEquals(valuesOf(unit, "SystemCallFilter")[0], "@system-service");
  // V8 writes code and then runs it.
  assertEquals(valuesOf(unit, "MemoryDenyWriteExecute"), []);
});

Deno.test("systemd: the unit starts nothing by itself, and holds no secret", () => {
  for (const key of ["ExecStart", "LoadCredential", "SetCredential"]) {
    assertEquals(valuesOf(unit, key), [], key);
  }
  assertEquals(valuesOf(unit, "Environment"), [
    "DENO_DIR=/nonexistent/deno DENO_NO_UPDATE_CHECK=1 NO_COLOR=1",
  ]);
});

Deno.test("systemd: each unit loads its worker's secrets, and no other's; only the key must be there", async () => {
  for (const worker of WORKERS) {
    const dropIn = parseUnit(await read(dropInOf(worker)));
    const secrets = secretsOf(worker);
    assertEquals(
      valuesOf(dropIn, "LoadCredential"),
      secrets.map(({ name }) =>
        `${name}:/etc/incident-enricher/${worker}/${name}`
      ),
    );
    // systemd ignores a default that is empty, and a unit without one fails.
    assertEquals(
      valuesOf(dropIn, "SetCredential"),
      secrets.filter(({ name }) => name !== "CORETEX_API_KEY")
        .map(({ name }) => `${name}:\\n`),
    );
    assertEquals(
      valuesOf(dropIn, "Environment"),
      secrets.map(({ name, variable }) =>
        `${variable}=/run/credentials/incident-enricher@${worker}.service/${name}`
      ),
    );
    assertEquals(
      valuesOf(dropIn, "UnsetEnvironment"),
      secrets.flatMap(({ values }) => values),
    );
  }
});

Deno.test("systemd: addresses are denied where the permissions are addresses", async () => {
  for (const worker of WORKERS) {
    const text = await read(dropInOf(worker));
    const dropIn = parseUnit(text);
    assertEquals(valuesOf(dropIn, "ExecStart")[0], "", worker);
    const hosts = derive(worker, serviceEnvironment(worker)).net.map((
      { host },
    ) => host.split(":")[0]!);
    const literal = hosts.every((host) => /^[\d.]+$/.test(host));
    assertEquals(
      valuesOf(dropIn, "IPAddressDeny"),
      literal ? ["any"] : [],
      worker,
    );
    assertEquals(
      valuesOf(dropIn, "IPAddressAllow"),
      literal ? [...new Set(hosts)] : [],
      worker,
    );
    assertEquals(literal, !["poster", "desk"].includes(worker));
    assertEquals(text.includes("# hooks.slack.com. Here"), !literal);
  }
});

Deno.test("systemd: binaries start with what is baked into them", async () => {
  const binary = parseUnit(await read("deploy/systemd/binary.conf"));
  assertEquals(valuesOf(binary, "ExecStart"), [
    "",
    "/opt/incident-enricher/%i",
  ]);
});
