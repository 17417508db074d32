/**
 * Prints the permission flags of one task: its set in deno.json and, because a
 * set expands no variables, the hosts, files and program that the environment
 * names. Only variables that the set itself may read count.
 *
 * @module
 */
import config from "../deno.json" with { type: "json" };
import { PROGRAM_PATTERN } from "../lib/operate/program.ts";
import { hostOf, isHost } from "./launch/addresses.ts";

/** A permission set of deno.json; `true` grants a whole kind. */
export interface PermissionSet {
  net?: readonly string[];
  read?: readonly string[] | true;
  write?: readonly string[] | true;
  env?: readonly string[];
  run?: readonly string[];
}

/** Variables whose URL names a host. */
const URLS: readonly string[] = [
  "NATS_URL",
  "REDIS_URL",
  "CORETEX_GATEWAY_URL",
  "CORDUM_GATEWAY_URL",
  "APPROVALS_HOOK_URL",
  "OPENAI_BASE_URL",
  "OLLAMA_URL",
  "ANTHROPIC_BASE_URL",
];
const FILE_VARIABLE_PATTERN = /_FILE$|_TLS_(CA|CERT|KEY)$/;
/** The shell splits at blanks, Deno at commas. */
const PATH_PATTERN = /^[^\s,]+$/;

/**
 * The flags that grant a set and what the environment names. What is no URL,
 * path or program grants nothing; the command itself reports it.
 */
export function grantFlags(
  set: PermissionSet,
  environment: Readonly<Record<string, string>>,
): string[] {
  const named = Object.entries(environment)
    .filter(([name]) => set.env?.some((pattern) => covers(pattern, name)))
    .map(([name, value]) => [name, value.trim()] as const);
  const hosts = named.flatMap(([name, value]) => {
    const isUrl = URLS.includes(name) && URL.canParse(value);
    const host = isUrl ? hostOf(value) : name === "REDIS_ADDR" ? value : "";
    return isHost(host) ? [host] : [];
  });
  const files = named.flatMap(([name, value]) =>
    FILE_VARIABLE_PATTERN.test(name) && PATH_PATTERN.test(value) ? [value] : []
  );
  const programs = named.flatMap(([name, value]) =>
    name === "APPROVALS_HOOK" && PROGRAM_PATTERN.test(value) ? [value] : []
  );
  const { net = [], read = [], write = [], env = [], run = [] } = set;
  return [
    toFlag("net", [...net, ...hosts]),
    toFlag("read", read === true ? true : [...read, ...files]),
    toFlag("write", write),
    toFlag("env", env),
    toFlag("run", [...run, ...programs]),
  ].flat();
}

/** Whether a variable is one that a pattern of a set means. */
export function covers(pattern: string, name: string): boolean {
  return pattern.endsWith("*")
    ? name.startsWith(pattern.slice(0, -1))
    : name === pattern;
}

function toFlag(kind: string, items: readonly string[] | true): string[] {
  if (items === true) return [`--allow-${kind}`];
  const list = [...new Set(items)].join(",");
  return list === "" ? [] : [`--allow-${kind}=${list}`];
}

if (import.meta.main) {
  const sets: Readonly<Record<string, PermissionSet>> = config
    .permissions as Record<string, PermissionSet>;
  const set = sets[Deno.args[0] ?? ""];
  if (set === undefined) throw new RangeError("No such permission set");
  const environment = Deno.env.toObject();
  // The hook's URL is a secret and may stand in a file. The task hands over
  // its content, so that this program needs to read no file.
  const hook = "APPROVALS_HOOK_URL";
  if (set.env?.some((pattern) => covers(pattern, `${hook}_FILE`))) {
    environment[hook] ||= await new Response(Deno.stdin.readable).text();
  }
  // deno-lint-ignore no-console -- The shell that starts the command reads it.
  console.log(grantFlags(set, environment).join(" "));
}
