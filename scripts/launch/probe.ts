/**
 * Runs inside a worker, before it, and tries what the worker may not do.
 *
 * It is loaded with `--preload`, so that the worker's own file stays as it is.
 * What to try stands in the first argument; what came of it is written as one
 * line of JSON on standard error, as the worker writes its log.
 *
 * @module
 */

/** What to try, beside what is always tried. */
export interface ProbeOrder {
  /** `host:port`, each connected to. */
  hosts: string[];
  /** Variables, each read. */
  variables: string[];
}

/** What came of one try. */
export interface Try {
  tried: string;
  /** `allowed` is the one that should not be. */
  outcome: "refused" | "reads as undefined" | "allowed";
  /** What the runtime said. */
  said: string;
}

const TEXT_MAX = 200;

/** What nobody ever needs; not written as literals, which Deno would fetch. */
const MODULES = [
  "https://esm.sh/nothing-of-ours@1.0.0",
  "npm:is-odd@3.0.1",
  "jsr:@std/ulid@1.0.0",
];

async function tryAll({ hosts, variables }: ProbeOrder): Promise<Try[]> {
  const tries: Try[] = [];
  for (const host of hosts) {
    const { hostname, port } = new URL(`tcp://${host}`);
    tries.push(
      await attempt(`connect to ${host}`, async () => {
        (await Deno.connect({ hostname, port: Number(port) })).close();
      }),
    );
  }
  const [host] = hosts;
  tries.push(
    await attempt(`fetch from ${host}`, () => fetch(`http://${host}/`)),
  );
  for (const name of variables) {
    tries.push(
      await attempt(`read the variable ${name}`, () => Deno.env.get(name)),
    );
  }
  tries.push(
    await attempt("listen on a port", () => Deno.listen({ port: 0 })),
    await attempt("read a file", () => Deno.readTextFile("/etc/hosts")),
    await attempt("read its own folder", () => Deno.readTextFile("deno.json")),
    await attempt("write a file", () => Deno.writeTextFile("probe.txt", "x")),
    await attempt("start a process", () => new Deno.Command("true").output()),
    await attempt("load a library (FFI)", () => Deno.dlopen("libc.so.6", {})),
    await attempt("ask for the host's name", () => Deno.hostname()),
    await attempt("ask for its addresses", () => Deno.networkInterfaces()),
  );
  for (const specifier of MODULES) {
    tries.push(await attempt(`import ${specifier}`, () => import(specifier)));
  }
  return tries;
}

async function attempt(tried: string, action: () => unknown): Promise<Try> {
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

const tries = await tryAll(JSON.parse(Deno.args[0]!));
const line = JSON.stringify({ msg: "Probe", tries });
Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
