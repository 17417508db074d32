/**
 * Prints the hosts that a command may talk to, for `--allow-net` in deno.json:
 * this machine's loopback, and the platform that the environment names. With
 * the argument `files` it prints the files that the environment names instead,
 * each behind a comma, for `--allow-read`.
 *
 * @module
 */

const URLS = [
  ["NATS_URL", "4222"],
  ["REDIS_URL", "6379"],
  ["CORETEX_GATEWAY_URL", "80"],
  ["CORDUM_GATEWAY_URL", "80"],
] as const;

const hosts = new Set(["127.0.0.1"]);
for (const [name, usual] of URLS) {
  // What is no URL is told by the command itself, in its own words.
  const url = URL.parse(Deno.env.get(name) ?? "");
  if (url === null || url.hostname === "") continue;
  const port = url.port || (url.protocol === "https:" ? "443" : usual);
  hosts.add(`${url.hostname}:${port}`);
}
const address = Deno.env.get("REDIS_ADDR") ?? "";
if (/^[\w.-]+:\d+$/.test(address)) hosts.add(address);
const files = Object.entries(Deno.env.toObject())
  .filter(([name]) => /_FILE$|_TLS_(CA|CERT|KEY)$/.test(name))
  .map(([, path]) => path.trim()).filter((path) => path !== "");
// deno-lint-ignore no-console -- The shell that starts the command reads this.
console.log(
  Deno.args[0] === "files"
    ? files.map((path) => `,${path}`).join("")
    : [...hosts].join(","),
);
