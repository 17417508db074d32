/**
 * Devcore against exchanges that were recorded from the real platform, Cordum
 * of 2026-01-15: the same requests in the same order, the same answers.
 *
 * What a recording holds of values that differ from one time to the next is
 * written as a placeholder (`<time>`, `<hash>`, …), an id as `{id:…}`: it may be
 * any at first and must be the same ever after. Of what belonged to another
 * pack only keys and types are kept.
 *
 * @module
 */
import { isObject, type JsonObject } from "../../lib/base/json.ts";
import { assert, assertEquals } from "@std/assert";
import { parse } from "@std/yaml";
import { fetchEvidence, SETTINGS as FETCHER } from "../../workers/fetcher.ts";
import { post, SETTINGS as POSTER } from "../../workers/poster.ts";
import {
  SETTINGS as SUMMARIZER,
  summarizeEvidence,
} from "../../workers/summarizer.ts";
import type { DevcoreOptions } from "../../deploy/devcore/devcore.ts";
import { JobStatus } from "../../lib/platform/gen/cap_pb.ts";
import { serveJobs } from "../../lib/platform/worker.ts";
import { type PackFiles, readPackFolder } from "../../scripts/pack/pack.ts";
import { until } from "../support/until.ts";
import {
  type Answer,
  archive,
  packFiles,
  type PackPlan,
  type Result,
  type Sent,
  type Stage,
  startStage,
  type TestWorker,
  upload,
} from "../support/stage.ts";

const FOLDER = new URL("../testdata/recorded/http/", import.meta.url);

/** The recordings that are not replayed. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  "body-limits-and-timeouts": "limits of the platform's HTTP server, not ours",
  "cli-misc-summary": "the platform's own command line",
  "cli-pack-archive-dotslash": "the platform's own command line",
  "cli-pack-archive-folder": "the platform's own command line",
  "cli-pack-archive-tardot": "the platform's own command line",
  "cli-pack-bad-badpolicy": "the platform's own command line",
  "cli-pack-install": "the platform's own command line",
  "cli-pack-install-again": "the platform's own command line",
  "cli-pack-install-upgrade": "the platform's own command line",
  "cli-pack-show": "the platform's own command line",
  "cli-pack-summary": "the platform's own command line",
  "cli-pack-uninstall": "the platform's own command line",
  "cli-pack-uninstall-purge": "the platform's own command line",
  "cli-pack-verify": "the platform's own command line",
  "constraints-env": "a limit of jobs and one of tools are refused by name",
  "cordum-only-routes": "the marketplace and remediation, answered with 501",
  "memory": "GET /memory is answered with 501",
  "plain-nats-mode": "the platform without JetStream",
  "policy-bundles": "the bundle routes are answered with 501",
  "policy-evaluate": "the evaluation routes are answered with 501",
  "run-outputs": "steps with conditions and output paths are refused by name",
  "safety-kernel-down": "devcore's kernel is part of its process",
  "tenant-concurrency": "a limit of jobs is refused by name",
  "workflows": "POST /workflows is answered with 501",
};

/** The recordings that are; each test adds its own. */
const REPLAYED: string[] = [];

interface Recording {
  requests: RecordedRequest[];
}

interface RecordedRequest {
  note?: string;
  /** Method and path. */
  send: string;
  headers?: Record<string, string | null>;
  json?: unknown;
  text?: string;
  upload?: { part: string; file: string; fields: Record<string, string> };
  answer?: { status: number; headers?: Record<string, string>; body?: unknown };
  /** Why it is not compared. */
  left_out?: string;
}

async function readRecording(scenario: string): Promise<Recording> {
  return JSON.parse(
    await Deno.readTextFile(new URL(`${scenario}.json`, FOLDER)),
  );
}

/** A stage with what the recordings have named so far. */
interface Play extends Stage {
  names: Map<string, string>;
  leapsLeft: number;
}

/** What a test does before a request, by the request's place. */
type Cues = Readonly<Record<number, () => Promise<unknown> | unknown>>;

interface Script {
  before?: Cues;
  /** The archive of the upload at a place. */
  archive?: (at: number, note: string) => Promise<Uint8Array>;
}

const LEAP_MS = 200;
const LEAPS_MAX = 75; // Together half of the time after which workers are lost.
const NOT_SERVED = "devcore answers 501";

/** Sends a recording's requests in order and compares every answer. */
async function replay(
  play: Play,
  scenario: string,
  { before = {}, archive = () => archiveOf(PACK) }: Script = {},
): Promise<void> {
  const { requests } = await readRecording(scenario);
  for (const [at, request] of requests.entries()) {
    await before[at]?.();
    if (request.left_out === NOT_SERVED) await expectNotServed(play, request);
    if (request.answer === undefined) continue;
    const { send, note = "" } = request;
    const bytes = request.upload && await archive(at, note);
    const problems = await compare(play, request, bytes);
    assertEquals(problems, [], `${scenario} ${at} ${send} ${note}`);
  }
}

async function expectNotServed(
  { call, names }: Play,
  { send }: RecordedRequest,
): Promise<void> {
  const [method = ""] = send.split(" ");
  const { status, text } = await call(fillIn(send, names));
  assertEquals(status, 501, send);
  assert(
    text.startsWith(`devcore does not implement ${method} /api/v1/`),
    text,
  );
}

/**
 * Says how an answer differs; a read is repeated until it does not, each time
 * with devcore's clock a bit ahead, so that no wait of the platform's is sat out.
 */
async function compare(
  play: Play,
  request: RecordedRequest,
  bytes: Uint8Array | undefined,
): Promise<string[]> {
  let problems: string[] = [];
  const attempt = async () => {
    const names = new Map(play.names);
    const answer = await play.call(
      fillIn(request.send, names),
      toSent(request, bytes),
    );
    problems = differences(request.answer!, answer, names);
    if (problems.length > 0) {
      if (play.leapsLeft-- > 0) play.leap(LEAP_MS);
      return undefined;
    }
    play.names = names;
    return true;
  };
  const isRead = /^GET |\/verify$/.test(request.send);
  if (!isRead) await attempt();
  else await until(request.send, attempt).catch(() => {});
  return problems;
}

function toSent(request: RecordedRequest, bytes: Uint8Array | undefined): Sent {
  const { headers = {}, json, text } = request;
  const body = bytes === undefined ? text : upload(bytes, request.upload);
  return {
    headers,
    ...(json === undefined ? {} : { json }),
    ...(body === undefined ? {} : { body }),
  };
}

/** A path with its names filled in; what has none yet is unknown to devcore. */
function fillIn(text: string, names: ReadonlyMap<string, string>): string {
  const values = (name: string) => names.get(name) ?? "unknown";
  return text.replace(/\{(?:id|number):\w+\}/g, values);
}

const COMPARED_HEADERS = [
  "access-control-allow-origin",
  "allow",
  "content-type",
  "location",
  "vary",
  "x-content-type-options",
];

function differences(
  expected: NonNullable<RecordedRequest["answer"]>,
  actual: Answer,
  names: Map<string, string>,
): string[] {
  if (expected.status !== actual.status) {
    const got = `${actual.status} ${actual.text.trim()}`;
    return [`status: got ${got}, expected ${expected.status}`];
  }
  const given = expected.headers ?? {};
  const headers = COMPARED_HEADERS.flatMap((name) =>
    match(given[name] ?? null, actual.headers.get(name), name, names)
  );
  const { body } = expected;
  if (body === undefined) return headers;
  const shown = typeof body === "string" ? actual.text : actual.json;
  return [...headers, ...match(body, shown, "body", names)];
}

const SHAPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  "<string>": (value) => typeof value === "string",
  "<number>": (value) => typeof value === "number",
  "<microseconds>": (value) => Number.isInteger(value) && Number(value) > 1e15,
  "<object>": isObject,
};

/** Says where a value differs from what was recorded. */
function match(
  expected: unknown,
  actual: unknown,
  path: string,
  names: Map<string, string>,
): string[] {
  const differs = () => [
    `${path}: got ${JSON.stringify(actual)}, expected ${
      JSON.stringify(expected)
    }`,
  ];
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual)) return differs();
    const [first, each] = expected;
    if (first === "<each>") {
      return actual.length === 0
        ? differs()
        : actual.flatMap((item, at) =>
          match(each, item, `${path}.${at}`, names)
        );
    }
    if (actual.length !== expected.length) return differs();
    return expected.flatMap((item, at) =>
      match(item, actual[at], `${path}.${at}`, names)
    );
  }
  if (isObject(expected)) {
    if (!isObject(actual)) return differs();
    const { "<each>": each } = expected;
    const keys = Object.keys(actual);
    if (each !== undefined) {
      return keys.length === 0
        ? differs()
        : keys.flatMap((key) =>
          match(each, actual[key], `${path}.${key}`, names)
        );
    }
    const known = Object.keys(expected);
    const unlike = [
      ...known.filter((key) => !keys.includes(key)).map((key) =>
        `${path}.${key} is missing`
      ),
      ...keys.filter((key) => !known.includes(key)).map((key) =>
        `${path}.${key} is too much`
      ),
    ];
    if (unlike.length > 0) return unlike;
    return known.flatMap((key) =>
      match(expected[key], actual[key], `${path}.${key}`, names)
    );
  }
  if (typeof expected !== "string") {
    return expected === actual ? [] : differs();
  }
  const shape = SHAPES[expected];
  if (shape !== undefined) return shape(actual) ? [] : differs();
  const isNamed = expected.startsWith("{number:");
  const text = isNamed && typeof actual === "number" ? String(actual) : actual;
  if (typeof text !== "string") return differs();
  return matchText(expected, text, names) ? [] : differs();
}

const PARTS: Readonly<Record<string, string>> = {
  "<hash>": "[0-9a-f]{64}",
  "<time>": String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z`,
  "<second>": String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`,
  "<text>": ".*",
};

function matchText(
  expected: string,
  actual: string,
  names: Map<string, string>,
): boolean {
  const named: string[] = [];
  const source = expected.split(/(<\w+>|\{(?:id|number):\w+\})/).map((part) => {
    const known = PARTS[part] ?? names.get(part);
    if (known !== undefined) return PARTS[part] ?? RegExp.escape(known);
    if (!/^\{(id|number):/.test(part)) return RegExp.escape(part);
    named.push(part);
    return part.startsWith("{id:") ? "([0-9a-f-]{36})" : String.raw`(\d+)`;
  }).join("");
  const found = new RegExp(`^${source}$`, "s").exec(actual);
  found?.slice(1).forEach((value, at) => names.set(named[at]!, value));
  return found !== null;
}

type Tell = (
  play: Play,
  scene: (scenario: string, script?: Script) => Promise<void>,
) => Promise<void>;

/** Replays scenarios, all those named, as the steps of one test. */
function stageTest(
  about: string,
  scenarios: readonly string[],
  tell: Tell,
  options: DevcoreOptions = {},
): void {
  REPLAYED.push(...scenarios);
  Deno.test(`devcore answers as recorded ${about}`, async (t) => {
    await using stage = await startStage(options);
    const names = new Map<string, string>();
    const play = { ...stage, names, leapsLeft: LEAPS_MAX };
    const told: string[] = [];
    await tell(play, async (scenario, script) => {
      told.push(scenario);
      await t.step({
        name: scenario,
        fn: () => replay(play, scenario, script),
        // Timers may outlive a scenario; the test looks for leaks at its end.
        sanitizeOps: false,
        sanitizeResources: false,
      });
    });
    assertEquals(told, scenarios);
  });
}

const PACK_FOLDER = new URL("../../pack", import.meta.url).pathname;
const FILES = await readPackFolder(PACK_FOLDER);
const WORKFLOW = "workflows/incident_enrich.yaml";

/**
 * The pack as the recordings had theirs: no placement label on a step, no
 * second attempt, a source and a destination that must be given.
 */
const PACK = changeJson(FILES, WORKFLOW, (workflow) => {
  const steps = workflow["steps"] as Record<string, JsonObject>;
  const schema = workflow["input_schema"] as JsonObject;
  for (const step of Object.values(steps)) {
    delete step["route_labels"];
    delete step["retry"];
    delete step["timeout_sec"];
  }
  schema["required"] = ["incident_id", "source", "destination"];
});

/** The same with one file changed, which is JSON then. */
function changeJson(
  files: PackFiles,
  path: string,
  change: (content: JsonObject) => void,
): Map<string, string> {
  const content = parse(files.get(path)!) as JsonObject;
  change(content);
  return new Map([...files, [path, JSON.stringify(content)]]);
}

function secondVersion(files: PackFiles): Map<string, string> {
  return changeJson(files, "pack.yaml", (manifest) => {
    (manifest["metadata"] as JsonObject)["version"] = "0.2.0";
  });
}

async function archiveOf(files: PackFiles): Promise<Uint8Array> {
  return await archive([...files]);
}

/** Workers of the pack that do nothing but answer what its schemas allow. */
async function startStubs({ work }: Play): Promise<TestWorker[]> {
  const pointer = "redis://art:00000000-0000-4000-8000-000000000000";
  const incident_id = "mock:1";
  const at = "2026-01-15T09:30:00Z";
  const values: Readonly<Record<string, JsonObject>> = {
    fetch: { incident_id, collected_at: at, evidence: [] },
    summarize: {
      incident_id,
      summary_md: "Nothing",
      highlights: [],
      action_items: [],
    },
    post: {
      incident_id,
      mode: "artifact",
      posted_at: at,
      artifact_ptr: pointer,
    },
  };
  const workers = [];
  for (const [step, name] of STUBS) {
    workers.push(
      await work({
        id: `incident-enricher-${name}`,
        pool: `incident-enricher-${step}`,
        parallel: 1,
        answer: () => ({ value: values[step] }),
      }),
    );
  }
  return workers;
}

const STUBS = [
  ["summarize", "summarizer"],
  ["post", "poster"],
  ["fetch", "fetcher"],
] as const;

/** Starts the pack's own three workers in this process. */
function startWorkers({ core }: Stage): AsyncDisposable {
  const stop = new AbortController();
  const { signal } = stop;
  const environment = {
    env: (name: string) => core.env[name],
    signal,
    write() {},
  };
  const topic = (step: string) => `job.incident-enricher.${step}`;
  const running = Promise.all([
    serveJobs({
      topic: topic("fetch"),
      settings: FETCHER,
      input: "IncidentInput",
      output: "EvidenceBundle",
      handle: fetchEvidence,
    }, environment),
    serveJobs({
      topic: topic("summarize"),
      settings: SUMMARIZER,
      input: "SummarizeInput",
      output: "Summary",
      handle: summarizeEvidence,
    }, environment),
    serveJobs({
      topic: topic("post"),
      settings: POSTER,
      input: "PostInput",
      output: "PostResult",
      handle: post,
    }, environment),
  ]);
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}

async function untilWorkers({ call }: Stage, count: number): Promise<void> {
  await until(`${count} workers to be heard`, async () => {
    const { json } = await call("GET /api/v1/workers");
    return (json as unknown[]).length === count;
  });
}

async function uninstall(
  { call }: Stage,
  body: JsonObject = {},
): Promise<void> {
  const path = "/api/v1/packs/incident-enricher/uninstall";
  assertEquals((await call(`POST ${path}`, { json: body })).status, 200);
}

/** Waits until no fragment is in force. */
async function untilPlainPolicy({ call }: Stage): Promise<void> {
  await until("the policy without fragments to be in force", async () => {
    const { json } = await call("GET /api/v1/policy/snapshots");
    return !(json as { snapshots: string[] }).snapshots[0]!.includes("|");
  });
}

stageTest(
  "of gates, artifacts and schemas",
  ["health-status-auth", "artifacts", "schemas"],
  async (play, scene) => {
    await scene("health-status-auth");
    await scene("artifacts");
    const required = ["ticket"];
    const properties = { ticket: { type: "string" } };
    const Ticket = { type: "object", required, properties };
    await play.install(packFiles({ id: "demo", schemas: { Ticket } }));
    await scene("schemas");
  },
);

stageTest(
  "without a key and above the rate limit",
  ["rate-limit-and-no-key-configured"],
  async (play, scene) => {
    await scene("rate-limit-and-no-key-configured", {
      before: {
        2: () => play.install(PACK),
        3: async () => {
          let status = 0;
          for (let left = 200; status !== 429 && left > 0; left--) {
            ({ status } = await play.call("GET /api/v1/status"));
          }
        },
      },
    });
  },
  // Time stands still, so that the bucket is not filled again.
  { apiKey: "", clock: () => 1_768_000_000_000 },
);

stageTest(
  "of installing and uninstalling",
  ["packs-http-install"],
  async ({ core }, scene) => {
    const first = await archiveOf(PACK);
    const second = await archiveOf(secondVersion(PACK));
    await scene("packs-http-install", {
      archive: (at) => Promise.resolve(at < 5 ? first : second),
      before: {
        // The platform's kernel looked only every 30 s.
        15: () => core.faults.freezePolicy = true,
      },
    });
  },
);

stageTest(
  "of packs that are refused",
  ["packs-http-install-errors"],
  async (_, scene) => {
    await scene("packs-http-install-errors", {
      archive: (_, note) => ODD_ARCHIVES[note]!(),
    });
  },
);

const MANIFEST = "pack.yaml";
const POOLS = "overlays/pools.patch.yaml";
const FRAGMENT = "overlays/policy.fragment.yaml";
const SUMMARY_SCHEMA = "schemas/Summary.json";

/** The pack with one value of a file set, or taken out. */
function changed(
  path: string,
  place: string,
  value?: unknown,
): () => Promise<Uint8Array> {
  return () =>
    archiveOf(changeJson(PACK, path, (content) => {
      const keys = place.split("/");
      const last = keys.pop()!;
      const holder = keys.reduce((at, key) => at[key] as JsonObject, content);
      if (value === undefined) delete holder[last];
      else holder[last] = value;
    }));
}

function rewritten(path: string, text: string): () => Promise<Uint8Array> {
  return () => archiveOf(new Map([...PACK, [path, text]]));
}

function without(path: string): () => Promise<Uint8Array> {
  return () => archiveOf(new Map([...PACK].filter(([name]) => name !== path)));
}

function renamed(
  prefix: string,
  ...more: (readonly [string, string | undefined])[]
): () => Promise<Uint8Array> {
  return () =>
    archive([
      ...more,
      ...[...PACK].map(([path, text]) => [prefix + path, text] as const),
    ]);
}

/** The archives of `packs-http-install-errors` by their notes. */
const ODD_ARCHIVES: Readonly<Record<string, () => Promise<Uint8Array>>> = {
  "entries with ./ prefix": renamed("./"),
  "one ./ entry": renamed("", ["./", undefined]),
  "single top folder": renamed("top/"),
  "top folder plus stray file": renamed("top/", ["stray", "x"]),
  "escaping entry": renamed("", ["../evil", "x"]),
  "absolute entry": renamed("", ["/abs", "x"]),
  "wrong extension": () => archiveOf(PACK),
  "not gzip": () => Promise.resolve(new TextEncoder().encode("not gzip")),
  "wrong part name": () => archiveOf(PACK),
  badyaml: rewritten(MANIFEST, "metadata: [a"),
  noid: changed(MANIFEST, "metadata/id"),
  badid: changed(MANIFEST, "metadata/id", "Bad_Id"),
  nover: changed(MANIFEST, "metadata/version"),
  badproto: changed(MANIFEST, "compatibility/protocolVersion", 2),
  noproto: changed(MANIFEST, "compatibility/protocolVersion"),
  badtopic: changed(MANIFEST, "topics/0/name", "job.other.fetch"),
  badschemaid: changed(MANIFEST, "resources/schemas/2/id", "other/Summary"),
  badwfid: changed(MANIFEST, "resources/workflows/0/id", "other.enrich"),
  missingfile: without(SUMMARY_SCHEMA),
  escape: changed(MANIFEST, "resources/schemas/0/path", "../../etc/passwd"),
  badsemver: changed(MANIFEST, "compatibility/minCoreVersion", "banana"),
  highcore: changed(MANIFEST, "compatibility/minCoreVersion", "99.0.0"),
  badkey: changed(MANIFEST, "overlays/config/0/key", "limits"),
  badpool: changed(POOLS, "pools/otherpool", {}),
  badpooltopic: changed(POOLS, "topics/job.other.fetch", "incident-enricher"),
  badpolicy: rewritten(FRAGMENT, "rules: [a"),
  badwf: changed(WORKFLOW, "steps/post/depends_on", "summarize"),
  strschema: changed(WORKFLOW, "steps/fetch/output_schema", "a/B"),
  nomanifest: without(MANIFEST),
  badstrategy: changed(MANIFEST, "overlays/config/0/strategy", "replace"),
  schemalist: rewritten(SUMMARY_SCHEMA, "[]"),
};

stageTest(
  "after a fragment that is no policy",
  ["policy-after-bad-fragment"],
  async (play, scene) => {
    await play.install(PACK);
    await uninstall(play);
    await untilPlainPolicy(play);
    const body = upload(await ODD_ARCHIVES["badpolicy"]!());
    const path = "/api/v1/packs/install?upgrade=1";
    assertEquals((await play.call(`POST ${path}`, { body })).status, 200);
    await scene("policy-after-bad-fragment");
  },
);

stageTest(
  "of an installed pack",
  [
    "packs-http-install-workflow-org",
    "packs-read-after-cli-install",
    "config",
    "dry-run",
    "workers",
  ],
  async (play, scene) => {
    await scene("packs-http-install-workflow-org", {
      archive: changed(WORKFLOW, "org_id"),
    });
    await play.install(secondVersion(PACK));
    await scene("packs-read-after-cli-install");
    await scene("config", {
      // What a limit of runs did there, a fault does here.
      before: { 20: () => play.core.faults.burnKeys = 1 },
    });
    await scene("dry-run");
    await startStubs(play);
    await scene("workers");
  },
);

stageTest(
  "of runs and approvals",
  [
    "run-happy-path",
    "run-start-errors",
    "approvals-errors",
    "approve-with-reason",
    "approve-after-policy-change",
    "runs-list-rerun-delete",
  ],
  async (play, scene) => {
    await play.install(PACK);
    await using _workers = startWorkers(play);
    await untilWorkers(play, 3);
    await scene("run-happy-path");
    await scene("run-start-errors");
    await scene("approvals-errors");
    await scene("approve-with-reason", {
      before: { 1: () => untilWaiting(play, "79301880") },
    });
    const rule = {
      id: "x1",
      match: { topics: ["job.zzz.*"] },
      decision: "deny",
    };
    await scene("approve-after-policy-change", {
      before: {
        3: async () => {
          await untilWaiting(play, "d0063fb0");
          await play.install(packFiles({ id: "zzz", rules: [rule] }));
        },
      },
    });
    await scene("runs-list-rerun-delete");
  },
);

/** Waits until the post of a run waits for approval. */
async function untilWaiting({ call, names }: Play, run: string): Promise<void> {
  const jobId = `${names.get(`{id:${run}}`)}:post@1`;
  await until("the post to wait for approval", async () => {
    const { text } = await call("GET /api/v1/approvals");
    return text.includes(jobId);
  });
}

stageTest(
  "when routing is there before policy",
  ["install-window-no-approval"],
  async (play, scene) => {
    const body = upload(await archiveOf(PACK));
    await play.call("POST /api/v1/packs/install", { body });
    await startStubs(play);
    await untilRouted(play);
    await scene("install-window-no-approval");
  },
  { faults: { freezePolicy: true } },
);

async function untilRouted({ store }: Stage): Promise<void> {
  const { signal } = new AbortController();
  await until("the pack's topics to be routed", async () => {
    const snapshot = await store.read("sys:workers:snapshot", 1e6, signal);
    return snapshot?.includes("job.incident-enricher.post");
  });
}

stageTest(
  "before, with and after a pack",
  ["routing-before-after-pack"],
  async (play, scene) => {
    await scene("routing-before-after-pack", {
      before: {
        4: async () => {
          const body = upload(await archiveOf(PACK));
          await play.call("POST /api/v1/packs/install", { body });
        },
        8: async () => {
          await startStubs(play);
          await untilRouted(play);
          await until("the policy to be in force", async () => {
            const { json } = await play.call("GET /api/v1/policy/snapshots");
            return (json as { snapshots: string[] }).snapshots.length === 2;
          });
        },
        10: async () => {
          await uninstall(play);
          await untilPlainPolicy(play);
        },
        15: () => uninstall(play, { purge: true }),
      },
    });
  },
  // Long enough for a run to start before it is over.
  { reloadMs: 500 },
);

const ASK = {
  id: "py-appr",
  match: { topics: ["job.py.a"] },
  decision: "require_approval",
  reason: "ask",
  constraints: { budgets: { max_artifact_bytes: 10 } },
};

/** The pack that the recordings' odd workflows are in. */
const PY: PackPlan = {
  id: "py",
  schemas: { Out: { type: "object", required: ["zzz"] } },
  topics: {
    ...Object.fromEntries(
      [
        "a",
        "b",
        "big",
        "esc",
        "fail",
        "gpu",
        "noworker2",
        "ok",
        "retry",
        "slow",
        "weird",
      ].map((name) => [name, "py"]),
    ),
    full: "py-full",
    lbl: "py-lbl",
    nobody: "py-nobody",
    off: "py-off",
  },
  pools: { py: [] },
  workflows: {
    ap: one("a", { retry: { max_retries: 1, initial_backoff_sec: 1 } }),
    c: one("ok", {
      timeout_sec: 120,
      meta: { pack_id: "py", capability: "py.ok", risk_tags: ["network"] },
    }),
    d: one("a"),
    fail: {
      ...one("fail"),
      b: { type: "worker", topic: "job.py.ok", depends_on: ["a"] },
    },
    full: one("full"),
    is: one("noworker2", { input_schema_id: "py/Out" }),
    lbl: one("lbl", { route_labels: { zone: "b" } }),
    mp: {
      ...one("big", { output_schema_id: "py/Out" }),
      b: {
        type: "worker",
        topic: "job.py.noworker2",
        depends_on: ["a"],
        input: { x: "${steps.a.output}", p: "${steps.a.result_ptr}" },
      },
    },
    nb: one("nobody", { timeout_sec: 2 }),
    nopool: { a: { type: "worker", topic: "job.unmapped.x" } },
    np: one("esc", { output_schema_id: "py/Out" }),
    off: one("off"),
    om: one("noworker2", { output_schema_id: "py/Missing" }),
    os: one("noworker2", {
      output_schema_id: "py/Out",
      retry: { max_retries: 2, initial_backoff_sec: 1 },
    }),
    req: one("gpu", { meta: { requires: ["gpu"] } }),
    retry: one("retry", {
      retry: { max_retries: 1, initial_backoff_sec: 1 },
      timeout_sec: 60,
      meta: {
        pack_id: "py",
        capability: "c",
        risk_tags: ["network"],
        actor_id: "svc",
        actor_type: "service",
        labels: { l: "v" },
        idempotency_key: "idk",
      },
      route_labels: { zone: "a" },
    }),
    sec: one("noworker2", { meta: { risk_tags: ["secrets"] } }),
    t: one("b"),
    tap: one("a", { timeout_sec: 2 }),
    tmo: one("slow", { timeout_sec: 2 }),
    w: one("weird"),
  },
  rules: [ASK],
};

/** A workflow of one step. */
function one(topic: string, more: JsonObject = {}): JsonObject {
  return { a: { type: "worker", topic: `job.py.${topic}`, ...more } };
}

/** A worker of the recordings' odd jobs; `answers` goes by a topic's end. */
async function startOddWorker(
  { work }: Play,
  answers: Record<string, () => Result | undefined>,
): Promise<TestWorker> {
  return await work({
    id: "py-3",
    pool: "py",
    parallel: 8,
    labels: { zone: "a" },
    answer: ({ topic }) => answers[topic.split(".")[2]!]?.(),
  });
}

stageTest(
  "of odd results",
  [
    "job-failed",
    "result-odd-statuses",
    "result-denied-duplicate-unknown",
    "progress-and-cancel",
    "step-retry",
    "schemas-in-runs",
    "jobs-submit-list",
  ],
  async (play, scene) => {
    await play.install(packFiles(PY));
    let weird: Result | undefined;
    let attempts = 0;
    let silent = false;
    const worker = await startOddWorker(play, {
      fail: () => ({
        status: JobStatus.FAILED,
        value: { lost: true },
        errorCode: "E_BOOM",
        errorMessage: "it broke",
      }),
      weird: () => weird,
      retry: () =>
        attempts++ === 0
          ? { status: JobStatus.FAILED, errorMessage: "first" }
          : { value: { ok: 1 } },
      noworker2: () =>
        silent ? undefined : { value: { n: 1, topic: "job.py.noworker2" } },
      big: () => ({ resultPtr: "redis://res:missing-key" }),
      esc: () => ({}),
    });
    await scene("job-failed");
    await scene("result-odd-statuses", {
      before: {
        1: () => weird = { status: JobStatus.UNSPECIFIED },
        5: () => weird = { status: JobStatus.RUNNING },
        9: () => weird = { status: JobStatus.PENDING },
      },
    });
    const jobOf = (id: string) => `${play.names.get(`{id:${id}}`)}:a@1`;
    const failed = { status: JobStatus.FAILED, errorCode: "E" };
    await scene("result-denied-duplicate-unknown", {
      before: {
        0: () => weird = { status: JobStatus.DENIED, errorMessage: "no" },
        3: () => worker.answer(jobOf("77bd1c05"), { value: { late: 1 } }),
        5: () => weird = { value: { v: 1 } },
        7: () => worker.answer(jobOf("8008cb80"), failed),
        10: () =>
          worker.answer("ghost-1", { ...failed, errorMessage: "ghost" }),
        11: () => worker.answer("ghost-2", {}),
      },
    });
    await scene("progress-and-cancel", {
      before: {
        0: () => weird = undefined,
        18: () =>
          worker.answer(jobOf("71336cc4"), { status: JobStatus.CANCELLED }),
      },
    });
    await scene("step-retry");
    await scene("schemas-in-runs");
    silent = true;
    const start = (name: string) =>
      play.call(`POST /api/v1/workflows/py.${name}/runs`, { json: {} });
    await scene("jobs-submit-list", {
      before: { 21: () => start("sec").then(() => start("om")) },
    });
  },
);

stageTest(
  "of jobs without a place",
  [
    "placement-failures",
    "approve-no-worker",
    "approve-reason-then-empty",
    "reject-with-retry",
    "deadline-timeout",
    "policy-outcomes",
  ],
  async (play, scene) => {
    await play.install(packFiles(PY));
    const worker = await startOddWorker(play, {
      a: () => ({ value: { n: 1, topic: "job.py.a" } }),
      ok: () => ({ value: { n: 1, topic: "job.py.ok" } }),
    });
    const full = await play.work({
      id: "py-full",
      pool: "py-full",
      parallel: 10,
    });
    await full.beat(9);
    await play.work({ id: "py-off", pool: "py-off", deaf: true });
    await play.work({ id: "py-lbl", pool: "py-lbl", labels: { zone: "a" } });
    await scene("placement-failures", { before: { 16: () => full.beat(8) } });
    await scene("approve-no-worker", {
      before: { 3: () => worker.beat(8), 6: () => worker.beat(0) },
    });
    await scene("approve-reason-then-empty", {
      before: {
        5: () =>
          play.work({
            id: "py-4",
            pool: "py",
            labels: { approval_reason: "because" },
            answer: () => ({ value: { n: 1, topic: "job.py.a" } }),
          }),
      },
    });
    await scene("reject-with-retry");
    const late = () => {
      const jobId = `${play.names.get("{id:6760d2bb}")}:a@1`;
      return worker.answer(jobId, { value: { late: 1 } });
    };
    await scene("deadline-timeout", { before: { 10: late } });
    const rules = [
      {
        match: { topics: ["job.py.a"] },
        decision: "deny",
        reason: "not <allowed>",
        id: "py-deny",
      },
      {
        match: { topics: ["job.py.b"] },
        decision: "throttle",
        reason: "slow",
        id: "py-thr",
      },
    ];
    await play.install(packFiles({ ...PY, version: "2.0.0", rules }));
    await scene("policy-outcomes");
  },
);

let now = 1_768_000_000_000;

stageTest(
  "when a worker falls silent",
  ["heartbeat-expiry"],
  async (play, scene) => {
    await play.install(packFiles(PY));
    const worker = await play.work({
      id: "py-off",
      pool: "py-off",
      parallel: 2,
    });
    worker.leave();
    await scene("heartbeat-expiry", {
      before: { 1: () => now += 1_000, 3: () => now += 31_000 },
    });
  },
  { clock: () => now },
);

Deno.test("devcore answers as recorded on Cordum 1.0", async () => {
  await using stage = await startStage({ profile: "cordum-1.0" });
  const play = { ...stage, names: new Map(), leapsLeft: LEAPS_MAX };
  const pack = changeJson(FILES, "pack.yaml", (manifest) => {
    (manifest["metadata"] as JsonObject)["version"] = "0.1.0";
  });
  const scenario = "../http-1.0/config-and-packs";
  const { requests } = await readRecording(scenario);
  const first = (note: string) =>
    requests.findIndex((request) => request.note === note);
  await replay(play, scenario, {
    before: {
      [first("installed")]: () => play.install(pack),
      [first("uninstalled")]: () =>
        play.call("POST /api/v1/packs/incident-enricher/uninstall"),
    },
  });
});

REPLAYED.push("concurrency");

Deno.test("devcore decides parallel starts and approvals once, as recorded", async () => {
  const { four_parallel_approves: recorded } = JSON.parse(
    await Deno.readTextFile(new URL("concurrency.json", FOLDER)),
  );
  await using stage = await startStage();
  await stage.install(packFiles(PY));
  const answer = () => ({ value: {} });
  const worker = await stage.work({ id: "py-3", pool: "py", answer });
  const start = async () => {
    const { json } = await stage.call("POST /api/v1/workflows/py.ap/runs", {
      headers: { "Idempotency-Key": "key-1" },
      json: {},
    });
    return (json as { run_id: string }).run_id;
  };
  const runs = new Set(await Promise.all(Array.from({ length: 12 }, start)));
  assertEquals(runs.size, 1);
  const jobId = `${[...runs][0]}:a@1`;
  const job = async () =>
    (await stage.call(`GET /api/v1/jobs/${jobId}`)).json as JsonObject;
  await until(
    "the job to wait",
    async () => (await job())["state"] === "APPROVAL_REQUIRED",
  );
  const approve = () => stage.call(`POST /api/v1/approvals/${jobId}/approve`);
  const answers = await Promise.all(Array.from({ length: 4 }, approve));
  const texts = answers.filter(({ status }) => status === 409)
    .map(({ text }) => text.trim());
  await until(
    "the job to end",
    async () => (await job())["state"] === recorded.job_state,
  );
  assertEquals({
    statuses: answers.map(({ status }) => status).toSorted(),
    texts: [...new Set(texts)],
    dispatches_to_worker: worker.jobs.length,
  }, {
    statuses: recorded.statuses,
    texts: recorded.texts,
    dispatches_to_worker: recorded.dispatches_to_worker,
  });
});

Deno.test("every recording is replayed or left out with a reason", async () => {
  const read = async (name: string) =>
    JSON.parse(await Deno.readTextFile(new URL(`${name}.json`, FOLDER)));
  const files = [];
  for await (const { name } of Deno.readDir(FOLDER)) {
    if (name !== "scenarios.json") files.push(name.replace(".json", ""));
  }
  assertEquals(files.toSorted(), REPLAYED.toSorted());
  assertEquals(
    [...REPLAYED, ...Object.keys(LEFT_OUT)].toSorted(),
    await read("scenarios"),
  );
});
