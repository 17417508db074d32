/**
 * Who may import whom, read off the module graph that Deno itself builds.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../", import.meta.url).href;
const ROOMS = ["intake", "evidence", "summary", "post"];
const BASE = "lib";

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
  for (const folder of ["lib", "workers", "scripts", "deploy"]) {
    await collect(folder, roots);
  }
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

/** The room of a file: a folder of lib, `lib` for the base files, else the top folder. */
function roomOf(path: string): string {
  const [top = "", second = ""] = path.split("/");
  if (top !== "lib") return path.startsWith("deploy/jsr/") ? "library" : top;
  return path.split("/").length > 2 ? second : BASE;
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

Deno.test("a worker imports lib and nothing else", () => {
  assertEquals(
    violations((from, to) =>
      from.startsWith("workers/") && !to.startsWith("lib/")
    ),
    [],
  );
});

Deno.test("lib knows no worker, script, stand-in or test", () => {
  const outside = ["workers", "scripts", "deploy", "tests"];
  assertEquals(
    violations((from, to) =>
      from.startsWith("lib/") && outside.includes(roomOf(to))
    ),
    [],
  );
});

Deno.test("rooms know neither each other nor the platform", () => {
  assertEquals(
    violations((from, to) => {
      const room = roomOf(from);
      return ROOMS.includes(room) && isProjectFile(to) &&
        ![room, BASE].includes(roomOf(to));
    }),
    [],
  );
});

Deno.test("the platform knows no room, the base files know neither", () => {
  const isRoom = (to: string) =>
    to.startsWith("lib/") && ROOMS.includes(roomOf(to));
  assertEquals(
    violations((from, to) => roomOf(from) === "platform" && isRoom(to)),
    [],
  );
  assertEquals(
    violations((from, to) =>
      roomOf(from) === BASE && (isRoom(to) || roomOf(to) === "platform")
    ),
    [],
  );
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

Deno.test("pure files of lib do no I/O of their own", async () => {
  const pure = [
    "lib/incident.ts",
    "lib/errors.ts",
    "lib/message.ts",
    "lib/platform/packet.ts",
    "lib/platform/constraints.ts",
    "lib/evidence/alertmanager.ts",
    "lib/evidence/fields.ts",
    "lib/evidence/mock.ts",
    "lib/evidence/pagerduty.ts",
    "lib/summary/builtin.ts",
    "lib/summary/citations.ts",
    "lib/intake/alertmanager.ts",
    "lib/intake/fields.ts",
    "lib/intake/mock.ts",
    "lib/intake/pagerduty.ts",
    "lib/intake/severity.ts",
    "lib/post/age.ts",
    "lib/post/approval.ts",
    "lib/post/result.ts",
  ];
  for (const file of pure) {
    const text = await Deno.readTextFile(new URL(file, ROOT));
    assert(!/\bfetch\(|\bDeno\.(?!errors)|from "node:/.test(text), file);
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
  "ajv":
    /^(lib\/schemas|scripts\/support\/pack_rules|deploy\/devcore\/\w+)\.ts$/,
  "ajv-formats":
    /^(lib\/schemas|scripts\/support\/pack_rules|deploy\/devcore\/\w+)\.ts$/,
  "fflate": /^scripts\/support\/pack\.ts$/,
  "ioredis": /^lib\/platform\/store\.ts$/,
  "js-yaml": /^deploy\/jsr\/yaml\/mod\.ts$/,
  "modern-tar": /^deploy\/jsr\/tar\/mod\.ts$/,
  "nats": /^lib\/platform\/(bus|nats_sockets)\.ts$/,
  "undici": /^lib\/post\/slack\.ts$/,
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
