/**
 * Who may import whom, read off the module graph that Deno itself builds.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../", import.meta.url).href;
const FOLDERS = ["lib", "workers", "scripts", "deploy"];
const ROOMS = [
  "sources",
  "intake",
  "evidence",
  "summary",
  "message",
  "post",
];

interface Graph {
  modules: {
    specifier: string;
    dependencies?: {
      code?: { specifier: string };
      type?: { specifier: string };
    }[];
  }[];
}

/** Every project file and the project files and packages that it imports. */
async function readImports(): Promise<Map<string, string[]>> {
  const roots: string[] = [];
  for (const folder of FOLDERS) await collect(folder, roots);
  const imports = new Map<string, string[]>();
  for (const root of roots) {
    if (imports.has(root)) continue;
    const { stdout, success } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", root],
      cwd: new URL(ROOT),
    }).output();
    assert(success, root);
    const graph: Graph = JSON.parse(new TextDecoder().decode(stdout));
    for (const { specifier, dependencies = [] } of graph.modules) {
      if (!specifier.startsWith(ROOT)) continue;
      const targets = dependencies.map(({ code, type }) =>
        code?.specifier ?? type?.specifier ?? ""
      );
      imports.set(short(specifier), targets.map(short));
    }
  }
  return imports;
}

async function collect(folder: string, into: string[]): Promise<void> {
  for await (const entry of Deno.readDir(new URL(folder, ROOT))) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) await collect(path, into);
    else if (path.endsWith(".ts")) into.push(path);
  }
}

function short(specifier: string): string {
  return specifier.startsWith(ROOT) ? specifier.slice(ROOT.length) : specifier;
}

/** The part that a file is of: a folder of lib, else the top folder. */
function roomOf(path: string): string {
  const [top = "", second = ""] = path.split("/");
  if (top !== "lib") return path.startsWith("deploy/jsr/") ? "library" : top;
  return path.split("/").length > 2 ? second : "lib";
}

const isProjectFile = (path: string) =>
  /^(lib|workers|scripts|deploy|pack|tests)\//.test(path);
const imports = await readImports();
const edges = [...imports].flatMap(([from, targets]) =>
  targets.map((to) => [from, to] as const)
);

function violations(isWrong: (from: string, to: string) => boolean): string[] {
  return edges.filter(([from, to]) => isWrong(from, to)).map(([from, to]) =>
    `${from} -> ${to}`
  );
}

Deno.test("the module graph is whole", () => {
  for (
    const file of [
      "workers/poster.ts",
      "lib/platform/worker.ts",
      "lib/post/record.ts",
      "deploy/devcore/devcore.ts",
    ]
  ) {
    assert(imports.has(file), file);
  }
  assert(edges.length > 150);
});

/** What a handler gets: the one file of the platform that rooms may know. */
const CONTEXT = "lib/platform/context.ts";

/**
 * What each part may import, beside itself and packages. `lib` are its files
 * that stand in no folder.
 */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  workers: ["lib", "base", "redact", "platform", "operate", "desk", ...ROOMS],
  lib: ["base", "redact", "pack"],
  base: [],
  redact: ["base"],
  platform: ["lib", "base", "redact"],
  sources: ["lib", "base", "redact"],
  intake: ["lib", "base", "redact", "sources"],
  evidence: ["lib", "base", "redact", "sources", "library"],
  summary: ["lib", "base", "redact", "message"],
  message: ["lib", "base", "redact", "sources"],
  post: ["lib", "base", "redact", "message"],
  operate: [
    "lib",
    "base",
    "redact",
    "platform",
    "message",
    "post",
    "library",
  ],
  desk: ["lib", "base", "redact", "operate", "message"],
};

Deno.test("each part imports only what its arrows lead to", () => {
  for (const [part, targets] of Object.entries(ARROWS)) {
    assert([...imports.keys()].some((file) => roomOf(file) === part), part);
    assertEquals(
      violations((from, to) =>
        roomOf(from) === part && isProjectFile(to) &&
        ![part, ...targets].includes(roomOf(to)) &&
        !(ROOMS.includes(part) && to === CONTEXT)
      ),
      [],
    );
  }
});

Deno.test("what others know of lib/redact is one file, and the documentation its tables", () => {
  assertEquals(
    violations((from, to) =>
      to.startsWith("lib/redact/") && !from.startsWith("lib/redact/") &&
      to !== "lib/redact/redaction.ts"
    ),
    ["forms", "shape"].map((name) =>
      `scripts/tables.ts -> lib/redact/${name}.ts`
    ),
  );
});

Deno.test("what rooms know of the platform is types", async () => {
  const text = await Deno.readTextFile(new URL(CONTEXT, ROOT));
  assertEquals(
    text.match(/^(?:export )?(?:import|export) (?!type|interface).*/gm),
    null,
  );
});

Deno.test("a worker imports lib and nothing else", () => {
  assertEquals(
    violations((from, to) =>
      from.startsWith("workers/") && !to.startsWith("lib/")
    ),
    [],
  );
});

Deno.test("every folder of lib has its arrows", () => {
  const folders = new Set(
    [...imports.keys()].filter((file) => file.startsWith("lib/")).map(roomOf),
  );
  assertEquals(folders.difference(new Set(Object.keys(ARROWS))), new Set());
});

Deno.test("only lib/schemas.ts reads the pack, and only its schemas", () => {
  assertEquals(
    [
      ...new Set(
        edges.filter(([from, to]) =>
          from.startsWith("lib/") && to.startsWith("pack/")
        ).map(([from]) => from),
      ),
    ],
    ["lib/schemas.ts"],
  );
  assertEquals(
    violations((from, to) =>
      from.startsWith("lib/") && to.startsWith("pack/") &&
      !to.startsWith("pack/schemas/")
    ),
    [],
  );
});

Deno.test("bus, store and gateway do not know each other; only the worker knows all three", () => {
  const parts = ["bus", "store", "gateway"].map((name) =>
    `lib/platform/${name}.ts`
  );
  assertEquals(
    violations((from, to) => parts.includes(from) && parts.includes(to)),
    [],
  );
  const knowsAll = [...imports].filter(([from, targets]) =>
    from.startsWith("lib/") && parts.every((part) => targets.includes(part))
  );
  assertEquals(knowsAll.map(([from]) => from), ["lib/platform/worker.ts"]);
});

/** Whole rooms, and files of others. Only `proof.ts` needs a module of Node's. */
const PURE =
  /^lib\/(?:(?:message|redact|sources|summary)\/(?!proof\.ts)|(?:incident|base\/(?:errors|json|text)|platform\/(?:constraints|context|packet)|post\/(?:age|approval|result))\.ts$)/;

Deno.test("pure files of lib do no I/O of their own", async () => {
  const pure = [...imports.keys()].filter((file) => PURE.test(file));
  assert(pure.length > 30, `${pure.length}`);
  for (const file of pure) {
    const text = await Deno.readTextFile(new URL(file, ROOT));
    assert(!/\bfetch\(|\bDeno\.(?!errors)|from "node:/.test(text), file);
  }
});

/** The files of lib that may use the runtime itself. */
const RUNTIME = ["config", "http", "log", "process", "runtime", "server"].map(
  (name) => `lib/base/${name}.ts`,
);

Deno.test("only a few base files use the runtime itself", async () => {
  const using: string[] = [];
  for (const file of imports.keys()) {
    if (!file.startsWith("lib/") || file.includes("/gen/")) continue;
    const text = await Deno.readTextFile(new URL(file, ROOT));
    const code = text.replace(/^\s*(?:\*|\/\/|\/\*\*).*$/gm, "");
    if (/\bDeno\./.test(code)) using.push(file);
  }
  assertEquals(using.toSorted(), RUNTIME);
});

Deno.test("lib/operate knows neither a terminal nor a process", async () => {
  const files = [...imports.keys()].filter((file) =>
    file.startsWith("lib/operate/")
  );
  assert(files.length > 5);
  for (const file of files) {
    const text = await Deno.readTextFile(new URL(file, ROOT));
    assert(!/\bconsole\.|\bconfirm\(|\bprompt\(/.test(text), file);
  }
});

/** Generated files may be longer. */
const LINES_MAX = 500;

Deno.test("no source file has become a place where everything meets", async () => {
  const files: string[] = [];
  for (const folder of [...FOLDERS, "tests/campaigns"]) {
    await collect(folder, files);
  }
  for (const file of files) {
    if (/\/gen\/|_test\.ts$/.test(file)) continue;
    const text = await Deno.readTextFile(new URL(file, ROOT));
    const lines = text.split("\n").length - 1;
    assert(lines <= LINES_MAX, `${file} has ${lines} lines`);
  }
});

Deno.test("a worker reads in two minutes", async () => {
  for (
    const worker of ["desk", "fetcher", "ingester", "poster", "summarizer"]
  ) {
    const text = await Deno.readTextFile(new URL(`workers/${worker}.ts`, ROOT));
    assert(text.split("\n").length <= 201, worker);
  }
});

Deno.test("there is no cycle", () => {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): string | undefined => {
    if (path.includes(file)) {
      return [...path.slice(path.indexOf(file)), file].join(" -> ");
    }
    if (done.has(file)) return undefined;
    path.push(file);
    for (const target of imports.get(file) ?? []) {
      const cycle = visit(target);
      if (cycle !== undefined) return cycle;
    }
    path.pop();
    done.add(file);
    return undefined;
  };
  for (const file of imports.keys()) assertEquals(visit(file), undefined);
});

Deno.test("scripts and deploy import no test, deploy no script and no worker", () => {
  assertEquals(
    violations((from, to) =>
      /^(scripts|deploy)\//.test(from) && to.startsWith("tests/")
    ),
    [],
  );
  assertEquals(
    violations((from, to) =>
      from.startsWith("deploy/") && /^(scripts|workers)\//.test(to)
    ),
    [],
  );
});

/** Each package and the files that may import it. */
const PACKAGES: Readonly<Record<string, RegExp>> = {
  "@bufbuild/protobuf":
    /^(lib\/platform\/(packet|gen\/cap_pb)|deploy\/devcore\/\w+)\.ts$/,
  "@lezer/common": /^lib\/evidence\/promql\.ts$/,
  "@prometheus-io/lezer-promql": /^lib\/evidence\/promql\.ts$/,
  "ajv": /^(lib\/schema_check|scripts\/pack\/rules|deploy\/devcore\/\w+)\.ts$/,
  "ajv-formats":
    /^(lib\/schema_check|scripts\/pack\/rules|deploy\/devcore\/\w+)\.ts$/,
  "fflate": /^scripts\/pack\/pack\.ts$/,
  "ioredis": /^lib\/platform\/store\.ts$/,
  "js-yaml": /^deploy\/jsr\/yaml\/mod\.ts$/,
  "modern-tar": /^deploy\/jsr\/tar\/mod\.ts$/,
  "nats": /^lib\/platform\/(bus|nats_sockets)\.ts$/,
  "undici": /^lib\/base\/secret_post\.ts$/,
};

Deno.test("a package is imported where it is argued for and nowhere else", () => {
  const seen = new Set<string>();
  for (const [from, to] of edges) {
    if (!/^(npm|jsr|https?):/.test(to)) continue;
    const name = /^npm:\/?((?:@[^/]+\/)?[^@/]+)@/.exec(to)?.[1] ?? to;
    seen.add(name);
    assert(PACKAGES[name]?.test(from), `${from} -> ${to}`);
  }
  assertEquals([...seen].toSorted(), Object.keys(PACKAGES).toSorted());
});
