/**
 * Prints the hosts that a command may talk to, for `--allow-net` in deno.json:
 * this machine's loopback, and what the environment names, as far as it may be
 * read here. With the argument `files` it prints the files that the environment
 * names instead, each behind a comma, for `--allow-read`; with `program` the
 * flag that lets `approvals` run its hook, or nothing.
 *
 * @module
 */

const URLS = [
  ["NATS_URL", "4222"],
  ["REDIS_URL", "6379"],
  ["CORETEX_GATEWAY_URL", "80"],
  ["CORDUM_GATEWAY_URL", "80"],
  ["APPROVALS_HOOK_URL", "80"],
] as const;

const hosts = new Set(["127.0.0.1"]);
for (const [name, usual] of URLS) {
  // What is no URL is told by the command itself, in its own words.
  const url = URL.parse(read(name));
  if (url === null || url.hostname === "") continue;
  const port = url.port || (url.protocol === "https:" ? "443" : usual);
  hosts.add(`${url.hostname}:${port}`);
}
const address = Deno.env.get("REDIS_ADDR") ?? "";
if (/^(?:\[[0-9a-f:]+\]|[\w.-]+):\d+$/i.test(address)) hosts.add(address);
const files = Object.entries(Deno.env.toObject())
  .filter(([name]) => /_FILE$|_TLS_(CA|CERT|KEY)$/.test(name))
  .map(([, path]) => path.trim()).filter((path) => path !== "");
// What could be more than one word or program is told by the command itself.
const program = Deno.env.get("APPROVALS_HOOK")?.trim() ?? "";
const run = /^[\w./@+-]+$/.test(program) ? `--allow-run=${program}` : "";
const printed = new Map([
  ["files", files.map((path) => `,${path}`).join("")],
  ["program", run],
]);
// deno-lint-ignore no-console -- The shell that starts the command reads this.
console.log(printed.get(Deno.args[0] ?? "") ?? [...hosts].join(","));

/** A variable, or the file that stands in for it where it is a secret. */
function read(name: string): string {
  const value = Deno.env.get(name)?.trim() ?? "";
  const path = Deno.env.get(`${name}_FILE`)?.trim() ?? "";
  if (value !== "" || path === "") return value;
  try {
    return Deno.readTextFileSync(path).trim();
  } catch {
    return ""; // The command itself says so.
  }
}
