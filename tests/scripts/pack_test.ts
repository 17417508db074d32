import { assert, assertEquals, assertRejects } from "@std/assert";
import { UntarStream } from "@std/tar";
import { parse } from "@std/yaml";
import {
  BASE_POLICY,
  decide,
  loadPolicy,
} from "../../deploy/devcore/policy.ts";
import { CommandError } from "../../scripts/terminal/command.ts";
import {
  bundlePack,
  type PackFiles,
  readPackFolder,
} from "../../scripts/pack/pack.ts";
import { findProblems } from "../../scripts/pack/rules.ts";

const FILES = await readPackFolder("pack");
const FRAGMENT = FILES.get("overlays/policy.fragment.yaml")!;

Deno.test("the pack has nothing that a platform would refuse or misread", () => {
  assertEquals(findProblems(FILES), []);
});

Deno.test("the pack holds data and nothing else", () => {
  assertEquals([...FILES.keys()], [
    "overlays/policy.fragment.yaml",
    "overlays/pools.patch.yaml",
    "overlays/timeouts.patch.yaml",
    "pack.yaml",
    "schemas/EvidenceBundle.json",
    "schemas/IncidentInput.json",
    "schemas/PostResult.json",
    "schemas/Summary.json",
    "workflows/incident_enrich.yaml",
  ]);
});

Deno.test("the pack is the one that the design names", () => {
  const { metadata, topics, resources, overlays } = parse(
    FILES.get("pack.yaml")!,
  ) as {
    metadata: { id: string; version: string };
    topics: {
      name: string;
      capability: string;
      riskTags: string[];
      requires: string[];
    }[];
    resources: { schemas: { id: string }[]; workflows: { id: string }[] };
    overlays: { config: { name: string }[]; policy: { name: string }[] };
  };
  assertEquals([metadata.id, metadata.version], ["incident-enricher", "0.4.0"]);
  assertEquals(topics, [
    {
      name: "job.incident-enricher.fetch",
      capability: "incident.fetch",
      riskTags: ["network"],
      requires: ["network:egress"],
    },
    {
      name: "job.incident-enricher.summarize",
      capability: "incident.summarize",
      riskTags: ["network"],
      requires: ["llm"],
    },
    {
      name: "job.incident-enricher.post",
      capability: "incident.post",
      riskTags: ["network", "write"],
      requires: ["slack:webhook"],
    },
  ]);
  assertEquals(resources.schemas.map(({ id }) => id), [
    "incident-enricher/IncidentInput",
    "incident-enricher/EvidenceBundle",
    "incident-enricher/Summary",
    "incident-enricher/PostResult",
  ]);
  assertEquals(resources.workflows.map(({ id }) => id), [
    "incident-enricher.enrich",
  ]);
  assertEquals(overlays.config.map(({ name }) => name), ["pools", "timeouts"]);
  assertEquals(overlays.policy.map(({ name }) => name), ["safety"]);
});

const POLICY = loadPolicy(
  BASE_POLICY,
  new Map([["incident-enricher/safety", FRAGMENT]]),
);
const REQUEST = {
  tenant: "default",
  jobId: "j",
  labels: {},
  capability: "",
  riskTags: [],
  requires: [],
  packId: "",
  actorId: "",
  actorType: "",
};

Deno.test("the fragment decides each of our topics, whatever else a job carries", () => {
  const of = (topic: string, more = {}) => {
    const { decision, ruleId } = decide(POLICY, { ...REQUEST, topic, ...more });
    return [decision, ruleId];
  };
  assertEquals(of("job.incident-enricher.fetch"), [
    "ALLOW",
    "incident-enricher-allow-fetch",
  ]);
  assertEquals(of("job.incident-enricher.summarize"), [
    "ALLOW",
    "incident-enricher-allow-summarize",
  ]);
  const held = ["REQUIRE_APPROVAL", "incident-enricher-require-approval-post"];
  for (
    const more of [{}, { tenant: "other" }, {
      labels: { approval_granted: "true" },
    }, {
      packId: "other",
      capability: "x",
      riskTags: ["y"],
    }]
  ) {
    assertEquals(of("job.incident-enricher.post", more), held);
  }
});

Deno.test("the fragment's rules match no other pack's topic", () => {
  const others = [
    "job.default",
    "job.incident-enricher",
    "job.incident-enricher.",
    "job.incident-enricher.post.now",
    "job.incident-enricher.posts",
    "job.incident-enricher2.post",
    "job.incident-enricher-pro.post",
    "job.other.post",
    "job.*",
    "job.incident-enricher.*",
    "Job.incident-enricher.post",
    "",
  ];
  for (const topic of others) {
    assertEquals(decide(POLICY, { ...REQUEST, topic }).ruleId, "", topic);
  }
});

Deno.test("the fragment's rule says why, and bears no limit that blocks a platform", () => {
  const { reason, constraints } = decide(POLICY, {
    ...REQUEST,
    topic: "job.incident-enricher.post",
  });
  assertEquals(reason, "Posting externally requires explicit approval");
  assertEquals(constraints, null);
});

const changed = (
  path: string,
  from: string | RegExp,
  to: string,
): PackFiles => {
  const text = FILES.get(path)!;
  const after = text.replace(from, to);
  assert(after !== text, `${from} is not in ${path}`);
  return new Map([...FILES, [path, after]]);
};

const WORKFLOW = "workflows/incident_enrich.yaml";
const MANIFEST = "pack.yaml";
const POOLS = "overlays/pools.patch.yaml";
const TIMEOUTS = "overlays/timeouts.patch.yaml";
const SAFETY = "overlays/policy.fragment.yaml";

/** What a platform would refuse, drop or misread, and what is said of it. */
const REFUSED: [string, PackFiles, string][] = [
  [
    "`after` for `depends_on`",
    changed(WORKFLOW, "depends_on: [fetch]", "after: [fetch]"),
    `${WORKFLOW} step summarize: unknown key "after"`,
  ],
  [
    "a schema by name where the object belongs",
    changed(
      WORKFLOW,
      "output_schema_id: incident-enricher/Summary",
      "output_schema: incident-enricher/Summary",
    ),
    `${WORKFLOW} step summarize: unknown key "output_schema"`,
  ],
  [
    "a schema id that is not in the pack",
    changed(WORKFLOW, "incident-enricher/Summary", "incident-enricher/Sumary"),
    `${WORKFLOW} step summarize output_schema_id: "incident-enricher/Sumary" is not a schema`,
  ],
  [
    "a dependency on nothing",
    changed(WORKFLOW, "[summarize]", "[sumarize]"),
    `${WORKFLOW} step post: depends on "sumarize", which is not a step`,
  ],
  [
    "a cycle",
    changed(
      WORKFLOW,
      "topic: job.incident-enricher.fetch\n",
      "topic: job.incident-enricher.fetch\n    depends_on: [post]\n",
    ),
    `${WORKFLOW} step fetch: depends on itself`,
  ],
  [
    "an input of a step that may not be done",
    changed(WORKFLOW, "depends_on: [summarize]", "depends_on: [fetch]"),
    `${WORKFLOW} step post: input "\${steps.summarize.output}" leads nowhere`,
  ],
  [
    "an expression in an input",
    changed(WORKFLOW, "${input}", "${length(input)}"),
    `${WORKFLOW} step post: input "\${length(input)}" must be one plain path`,
  ],
  [
    "an unquoted version",
    changed(WORKFLOW, 'version: "0.4.0"', "version: 1"),
    `${WORKFLOW}: version must be a quoted string`,
  ],
  [
    "no org",
    changed(WORKFLOW, "org_id: default\n", ""),
    `${WORKFLOW}: org_id must be default`,
  ],
  [
    "a workflow id that the manifest does not know",
    changed(
      WORKFLOW,
      "id: incident-enricher.enrich",
      "id: incident-enricher.enrichment",
    ),
    `${WORKFLOW}: id must be incident-enricher.enrich`,
  ],
  [
    "a topic that the manifest does not know",
    changed(
      WORKFLOW,
      "topic: job.incident-enricher.post",
      "topic: job.incident-enricher.posts",
    ),
    `${WORKFLOW} step post: topic "job.incident-enricher.posts" is not in pack.yaml`,
  ],
  [
    "a step whose requirements differ from its topic's",
    changed(WORKFLOW, 'requires: ["slack:webhook"]', 'requires: ["llm"]'),
    `${WORKFLOW} step post meta.requires: must be ["slack:webhook"]`,
  ],
  [
    "an actor, who would be the approver",
    changed(
      WORKFLOW,
      "capability: incident.post",
      "capability: incident.post\n      actor_id: bot",
    ),
    `${WORKFLOW} step post meta: unknown key "actor_id"`,
  ],
  [
    "a time-out on the post",
    changed(
      WORKFLOW,
      "output_schema_id: incident-enricher/PostResult",
      "output_schema_id: incident-enricher/PostResult\n    timeout_sec: 20",
    ),
    `${WORKFLOW} step post: timeout_sec would run while a person thinks`,
  ],
  [
    "a retry on the post",
    changed(
      WORKFLOW,
      "output_schema_id: incident-enricher/PostResult",
      "output_schema_id: incident-enricher/PostResult\n    retry:\n      max_retries: 1",
    ),
    `${WORKFLOW} step post: retry would ask the person again`,
  ],
  [
    "no label that keeps an approval alive",
    changed(WORKFLOW, / {4}route_labels:\n.*\n/, ""),
    `${WORKFLOW} step post: route_labels must hold`,
  ],
  [
    "a fractional time-out",
    changed(WORKFLOW, "timeout_sec: 30", "timeout_sec: 30.5"),
    `${WORKFLOW} step fetch timeout_sec: must be a whole number`,
  ],
  [
    "another type of step",
    changed(WORKFLOW, "type: worker", "type: approval"),
    `${WORKFLOW} step fetch: type must be worker`,
  ],
  [
    "`topic` for `topics` in a rule",
    changed(
      SAFETY,
      'topics: ["job.incident-enricher.post"]',
      'topic: "job.incident-enricher.post"',
    ),
    `${SAFETY} rule incident-enricher-require-approval-post match: unknown key "topic"`,
  ],
  [
    "a decision word that means allow",
    changed(SAFETY, "require_approval", "approval_required"),
    `${SAFETY} rule incident-enricher-require-approval-post: decision "approval_required" is unknown, which means allow`,
  ],
  [
    "a rule that matches other packs",
    changed(SAFETY, '["job.incident-enricher.post"]', '["job.*"]'),
    `${SAFETY} rule incident-enricher-require-approval-post: topic "job.*" is not exactly one of this pack's`,
  ],
  [
    "a topic without a rule",
    changed(
      SAFETY,
      '["job.incident-enricher.fetch"]',
      '["job.incident-enricher.summarize"]',
    ),
    `${SAFETY}: topic job.incident-enricher.fetch has no rule`,
  ],
  [
    "a policy version that is no text",
    changed(SAFETY, 'version: "1"', "version: 1"),
    `${SAFETY} version: must be a quoted string`,
  ],
  [
    "an unknown key in the fragment",
    changed(
      SAFETY,
      "default_tenant: default",
      "default_tenant: default\nlimits: {}",
    ),
    `${SAFETY}: unknown key "limits"`,
  ],
  [
    "a constraint that blocks for ever",
    changed(
      SAFETY,
      "decision: require_approval",
      "decision: require_approval\n    constraints: { budgets: { max_concurrent_jobs: 1 } }",
    ),
    `${SAFETY} rule incident-enricher-require-approval-post: unknown key "constraints"`,
  ],
  [
    "a fragment that is no YAML",
    changed(SAFETY, "rules:", "rules: ["),
    `${SAFETY}: cannot be parsed`,
  ],
  [
    "a versioned fragment key",
    changed(MANIFEST, "- name: safety", "- name: safety-v1"),
    "pack.yaml policy overlay safety-v1: the name must be plain words without a version",
  ],
  [
    "a pool of another pack",
    changed(POOLS, "  incident-enricher-post:\n", "  shared-post:\n"),
    `${POOLS} pool shared-post: must start with incident-enricher`,
  ],
  [
    "a topic of another pack in the overlay",
    changed(POOLS, "job.incident-enricher.post:", "job.other.post:"),
    `${POOLS} topic job.other.post: is not in pack.yaml`,
  ],
  [
    "a topic without a pool",
    changed(POOLS, /.*job\.incident-enricher\.post:.*\n/, ""),
    `${POOLS}: topic job.incident-enricher.post has no pool`,
  ],
  [
    "a pool that does not offer what its topic requires",
    changed(POOLS, '["slack:webhook"]', '["llm"]'),
    `${POOLS} topic job.incident-enricher.post: its pool does not offer slack:webhook`,
  ],
  [
    "a time-out that is text",
    changed(TIMEOUTS, "timeout_seconds: 30", 'timeout_seconds: "30"'),
    `${TIMEOUTS} topic job.incident-enricher.fetch timeout_seconds: must be a whole number`,
  ],
  [
    "an overlay without a scope id",
    changed(MANIFEST, "      scope_id: default\n", ""),
    "pack.yaml config overlay pools: scope must be system, scope_id default",
  ],
  [
    "an overlay without a name",
    changed(MANIFEST, "- name: pools\n      scope", "- scope"),
    "without a name it is never undone",
  ],
  [
    "a topic outside the pack's names",
    changed(
      MANIFEST,
      "- name: job.incident-enricher.post",
      "- name: job.other.post",
    ),
    "pack.yaml topic job.other.post: must start with job.incident-enricher.",
  ],
  [
    "a schema outside the pack's names",
    changed(MANIFEST, "id: incident-enricher/Summary", "id: other/Summary"),
    "pack.yaml schema other/Summary: must start with incident-enricher/",
  ],
  [
    "a file that is missing",
    changed(MANIFEST, "schemas/Summary.json", "schemas/Other.json"),
    "schemas/Other.json: is missing",
  ],
  [
    "a path that leaves the pack",
    changed(MANIFEST, "schemas/Summary.json", "../Summary.json"),
    'path "../Summary.json" must be a plain relative path',
  ],
  [
    "a file that the manifest does not name",
    new Map([...FILES, ["notes.yaml", "a: 1"]]),
    "notes.yaml: is not named in pack.yaml",
  ],
  [
    "a protocol version in quotes",
    changed(MANIFEST, "protocolVersion: 1", 'protocolVersion: "1"'),
    "protocolVersion must be the number 1",
  ],
  [
    "a core version that is none",
    changed(MANIFEST, "minCoreVersion: 0.6.0", "minCoreVersion: banana"),
    "minCoreVersion must be a version",
  ],
  [
    "a simulation that expects otherwise",
    changed(
      MANIFEST,
      "expectDecision: REQUIRE_APPROVAL",
      "expectDecision: ALLOW",
    ),
    "pack.yaml simulation require_approval_post: expects ALLOW, the fragment says REQUIRE_APPROVAL",
  ],
  [
    "a schema that is none",
    changed("schemas/Summary.json", '"type": "object"', '"type": "objekt"'),
    "schemas/Summary.json: is not a JSON Schema",
  ],
  [
    "a schema whose $schema switches formats off",
    changed(
      "schemas/Summary.json",
      '"title": "Summary"',
      '"title": "Summary", "$schema": "https://json-schema.org/draft/2020-12/schema"',
    ),
    "schemas/Summary.json: must not have $schema",
  ],
  [
    "a pattern that the platforms cannot read",
    changed("schemas/Summary.json", '"^[0-9a-f]{64}$"', '"^(?=[0-9a-f]).*$"'),
    "is not portable",
  ],
  [
    "a workflow without steps",
    changed(WORKFLOW, /steps:\n[^]*\n\n# Equal/, "steps: {}\n# Equal"),
    `${WORKFLOW}: a workflow without steps succeeds at once`,
  ],
  [
    "a step id that a path cannot name",
    changed(WORKFLOW, "  fetch:\n", "  Fetch it:\n"),
    `${WORKFLOW} step Fetch it: the id must match ^[a-z][a-z0-9_-]*$`,
  ],
  [
    "a label that is no text",
    changed(WORKFLOW, '"_content.payload_json": "{}"', "gpu: true"),
    `${WORKFLOW} step post route_labels: must be a mapping of strings`,
  ],
  [
    "a topic that is declared twice",
    changed(MANIFEST, "incident-enricher.summarize", "incident-enricher.fetch"),
    "pack.yaml topic job.incident-enricher.fetch: is declared twice",
  ],
  [
    "a key that no platform reads in a simulation",
    changed(MANIFEST, "tenantId: default", "tenant: default"),
    'pack.yaml simulation allow_fetch request: unknown key "tenant"',
  ],
  [
    "no simulations",
    changed(MANIFEST, /tests:[^]*/, ""),
    "pack.yaml tests: needs policySimulations",
  ],
  [
    "a rule without topics, which matches every job",
    changed(SAFETY, '["job.incident-enricher.fetch"]', "[]"),
    `${SAFETY} rule incident-enricher-allow-fetch match: without topics it decides for every pack`,
  ],
  [
    "a null, which a merge patch takes for a deletion",
    changed(TIMEOUTS, "timeout_seconds: 30", "timeout_seconds: null"),
    `${TIMEOUTS} topic job.incident-enricher.fetch timeout_seconds: must be a whole number`,
  ],
  [
    "a manifest that is no mapping",
    new Map([...FILES, ["pack.yaml", "- 1"]]),
    "pack.yaml: must be a mapping",
  ],
  [
    "no manifest",
    new Map([...FILES].filter(([path]) => path !== "pack.yaml")),
    "pack.yaml: is missing",
  ],
];

for (const [what, files, expected] of REFUSED) {
  Deno.test(`findProblems() refuses ${what}`, () => {
    const found = findProblems(files);
    assert(
      found.some((problem) => problem.includes(expected)),
      found.join("\n") || "nothing was found",
    );
  });
}

Deno.test("bundlePack() says every problem and writes nothing", async () => {
  const files = changed(WORKFLOW, "depends_on: [fetch]", "after: [fetch]");
  const error = await assertRejects(
    () => bundlePack(files),
    CommandError,
    "The pack cannot be bundled:\n  ",
  );
  assert(error.message.split("\n").length >= 3);
});

Deno.test("bundlePack() gives the same bytes for the same files, in whatever order they come", async () => {
  const first = await bundlePack(FILES);
  const again = await bundlePack(await readPackFolder("pack"));
  assertEquals(first.sha256, again.sha256);
  assertEquals(first.name, "incident-enricher-0.4.0.tgz");
});

Deno.test("bundlePack() writes plain entries without times, owners or a bare folder", async () => {
  const { bytes } = await bundlePack(FILES);
  assertEquals([...bytes.slice(4, 8)], [0, 0, 0, 0], "the compressor's time");
  const tar = new Uint8Array(
    await new Response(
      new Blob([bytes as BlobPart]).stream().pipeThrough(
        new DecompressionStream("gzip"),
      ),
    ).arrayBuffer(),
  );
  const found = new Map<string, string>();
  for await (
    const { path, readable } of new Blob([tar]).stream().pipeThrough(
      new UntarStream(),
    )
  ) {
    found.set(
      path,
      readable === undefined ? "" : await new Response(readable).text(),
    );
  }
  assertEquals([...found], [...FILES]);
  const field = (at: number, length: number) =>
    new TextDecoder().decode(tar.subarray(at, at + length)).replace(
      /[\0 ]+$/,
      "",
    );
  assertEquals(
    [field(100, 8), field(108, 8), field(116, 8), field(136, 12)].map(Number),
    [644, 0, 0, 0],
  );
  assertEquals([field(265, 32), field(297, 32)], ["", ""]);
});
