/**
 * Tries, inside a worker and before it starts, what the worker may not do.
 *
 * Loaded with `--preload`, so that the worker's own file is unchanged. The first
 * argument says what to try; the outcome goes to standard error as one line of
 * JSON, in the form of the worker's log.
 *
 * @module
 */

/** What to try in addition to what is always tried. */
export interface ProbeOrder {
  /** `host:port`, each connected to. */
  hosts: string[];
  /** Variables, each read. */
  variables: string[];
  /** Files and folders, each read. */
  files?: string[];
}

/** The outcome of one attempt. */
export interface Try {
  tried: string;
  /** `allowed` is the one that should not be. */
  outcome: "refused" | "reads as undefined" | "allowed";
  /** What the runtime said. */
  said: string;
}

const TEXT_MAX = 200;

/** Modules that no worker imports. Deno would fetch literal specifiers. */
const MODULES = [
  "https://esm.sh/nothing-of-ours@1.0.0",
  "npm:is-odd@3.0.1",
  "jsr:@std/ulid@1.0.0",
];

type Attempt = readonly [tried: string, action: () => unknown];

function attemptsOf({ hosts, variables, files = [] }: ProbeOrder): Attempt[] {
  const connect = async (host: string) => {
    const { hostname, port } = new URL(`tcp://${host}`);
    (await Deno.connect({ hostname, port: Number(port) })).close();
  };
  const [host] = hosts;
  return [
    ...hosts.map((
      host,
    ): Attempt => [`connect to ${host}`, () => connect(host)]),
    [`fetch from ${host}`, () => fetch(`http://${host}/`)],
    ...variables.map((name): Attempt => [
      `read the variable ${name}`,
      () => Deno.env.get(name),
    ]),
    ...files.flatMap((path): Attempt[] => [
      [`read ${path}`, () => Deno.readTextFile(path)],
      [`list ${path}`, () => Array.fromAsync(Deno.readDir(path))],
    ]),
    ["listen on a port", () => Deno.listen({ port: 0 })],
    ["read a file", () => Deno.readTextFile("/etc/hosts")],
    ["read its own folder", () => Deno.readTextFile("deno.json")],
    ["write a file", () => Deno.writeTextFile("probe.txt", "x")],
    ["start a process", () => new Deno.Command("true").output()],
    ["load a library (FFI)", () => Deno.dlopen("libc.so.6", {})],
    ["ask for the host's name", () => Deno.hostname()],
    ["ask for its addresses", () => Deno.networkInterfaces()],
    ...MODULES.map((name): Attempt => [`import ${name}`, () => import(name)]),
  ];
}

async function attempt([tried, action]: Attempt): Promise<Try> {
  try {
    const value = await action();
    return value === undefined && tried.startsWith("read the variable")
      ? { tried, outcome: "reads as undefined", said: "" }
      : { tried, outcome: "allowed", said: "" };
  } catch (error) {
    const { name, message } = error as Error;
    const said = `${name}: ${message.replaceAll(/\s+/g, " ")}`;
    // Anything else would have failed for another reason, and proves nothing.
    const refused = name === "NotCapable" || said.includes("--cached-only");
    return {
      tried,
      outcome: refused ? "refused" : "allowed",
      said: said.slice(0, TEXT_MAX),
    };
  }
}

const tries: Try[] = [];
for (const one of attemptsOf(JSON.parse(Deno.args[0]!))) {
  tries.push(await attempt(one));
}
const line = JSON.stringify({ msg: "Probe", tries });
Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
