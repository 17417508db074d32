/**
 * The stand-in's safety kernel: which rule decides a job, and the snapshot
 * that names the policy in force. Pure.
 *
 * As on the platform, the first match wins, no match allows, an unknown
 * decision word allows, unknown keys are ignored, one rule anywhere switches
 * the tenants' topic lists off, and one fragment that does not parse leaves the
 * whole policy as it was.
 *
 * @module
 */
import { parse } from "@std/yaml";
import { byBytes, isObject, type Json, sha256 } from "./common.ts";

/** What a decision is asked for. */
export interface PolicyRequest {
  tenant: string;
  topic: string;
  jobId: string;
  labels: Readonly<Record<string, string>>;
  capability: string;
  riskTags: readonly string[];
  requires: readonly string[];
  packId: string;
  actorId: string;
  actorType: string;
}

/** Limits as a rule writes them: snake_case, numbers, nothing empty. */
export type RuleConstraints = Readonly<Record<string, unknown>>;

/** The five answers. */
export type Word =
  | "ALLOW"
  | "DENY"
  | "REQUIRE_APPROVAL"
  | "THROTTLE"
  | "ALLOW_WITH_CONSTRAINTS";

/** What the policy says of a job. */
export interface Decision {
  decision: Word;
  reason: string;
  ruleId: string;
  snapshot: string;
  constraints: RuleConstraints | null;
  /** The job, if a person has to decide. */
  approvalRef: string;
}

interface Rule {
  id: string;
  lists: Readonly<Record<string, string[]>>;
  labels: readonly (readonly [string, string])[];
  secretsPresent: boolean | undefined;
  decision: Word;
  reason: string;
  constraints: RuleConstraints | null;
}

type Tenants = Record<string, { deny: string[]; allow: string[] }>;

/** A policy in force. */
export interface Policy {
  rules: readonly Rule[];
  tenants: Readonly<Tenants>;
  snapshot: string;
}

/** The policy file that the platform ships: no rules, one tenant. */
export const BASE_POLICY = `default_tenant: default
tenants:
  default:
    allow_topics: ["job.*"]
    deny_topics: ["sys.*"]
`;

const SNAPSHOTS_MAX = 10;

/** The policy in force and the names of those before it. */
export class Kernel {
  #policy: Policy = loadPolicy(BASE_POLICY, new Map());
  /** The one in force first. */
  readonly snapshots: string[] = [this.#policy.snapshot];

  /**
   * Puts another policy in force.
   *
   * @throws {SyntaxError} If one of the fragments is no policy; the policy then
   * stays as it was.
   */
  reload(fragments: ReadonlyMap<string, string>): void {
    this.#policy = loadPolicy(BASE_POLICY, fragments);
    if (this.#policy.snapshot === this.snapshots[0]) return;
    this.snapshots.unshift(this.#policy.snapshot);
    this.snapshots.splice(SNAPSHOTS_MAX);
  }

  /** Decides a job. */
  decide(request: PolicyRequest): Decision {
    return decide(this.#policy, request);
  }
}

/**
 * Merges the base policy and fragments into one.
 *
 * @param fragments Id to YAML text; merged in the order of the ids' bytes.
 * @throws {SyntaxError} If any of them is not a policy.
 */
export function loadPolicy(
  base: string,
  fragments: ReadonlyMap<string, string>,
): Policy {
  const parts = [...fragments].filter(([, text]) => text.trim() !== "")
    .toSorted(([a], [b]) => byBytes(a, b));
  const documents = [base, ...parts.map(([, text]) => text)].map(readDocument);
  const tenants: Tenants = {};
  for (const document of documents) {
    for (const [name, { deny, allow }] of Object.entries(document.tenants)) {
      const known = tenants[name] ??= { deny: [], allow: [] };
      known.deny.push(...deny);
      known.allow.push(...allow);
    }
  }
  const { version } = documents[0]!;
  const own = (version === "" ? "" : `${version}:`) + sha256(base);
  const hashed = parts.map(([id, text]) => `${id}\0${text}`).join("");
  return {
    rules: documents.flatMap(({ rules }) => rules),
    tenants,
    snapshot: parts.length === 0 ? own : `${own}|cfg:${sha256(hashed)}`,
  };
}

/** Decides a job. */
export function decide(policy: Policy, request: PolicyRequest): Decision {
  const topic = request.topic.trim();
  const answer = (
    decision: Word,
    ruleId = "",
    reason = "",
    constraints: RuleConstraints | null = null,
  ) => ({
    decision,
    ruleId,
    constraints,
    approvalRef: decision === "REQUIRE_APPROVAL" ? request.jobId : "",
    snapshot: topic.startsWith("job.") ? policy.snapshot : "",
    // The platform drops the reason of a rule that allows.
    reason: decision.startsWith("ALLOW") ? "" : reason,
  });
  if (topic === "") return answer("DENY", "", "missing topic");
  if (!topic.startsWith("job.")) return answer("DENY", "", "unsupported topic");
  if (policy.rules.length === 0) {
    return answer(...decideByTenant(policy, request));
  }
  const rule = policy.rules.find((rule) => matches(rule, request));
  if (rule === undefined) return answer("ALLOW");
  const { id, decision, reason, constraints } = rule;
  const constrained = decision === "ALLOW" && constraints !== null;
  const word = constrained ? "ALLOW_WITH_CONSTRAINTS" : decision;
  return answer(word, id, reason, constraints);
}

function decideByTenant(
  { tenants }: Policy,
  { tenant, topic }: PolicyRequest,
): [Word, string?] {
  for (const kind of ["deny", "allow"] as const) {
    const globs = tenants[tenant]?.[kind] ?? [];
    const at = globs.findIndex((glob) => globMatches(glob, topic));
    if (at === -1) continue;
    const word = kind === "deny" ? "DENY" : "ALLOW";
    return [word, `legacy:${tenant}:${kind}:${at + 1}`];
  }
  return ["ALLOW"];
}

const WORDS: Readonly<Record<string, Word>> = {
  deny: "DENY",
  block: "DENY",
  require_approval: "REQUIRE_APPROVAL",
  "require-approval": "REQUIRE_APPROVAL",
  require_human: "REQUIRE_APPROVAL",
  throttle: "THROTTLE",
  allow_with_constraints: "ALLOW_WITH_CONSTRAINTS",
  "allow-with-constraints": "ALLOW_WITH_CONSTRAINTS",
};

type Matcher = (expected: string[], request: PolicyRequest) => boolean;

const MATCHERS: Readonly<Record<string, Matcher>> = {
  topics: (globs, { topic }) =>
    globs.some((glob) => globMatches(glob, topic.trim())),
  tenants: (names, { tenant }) => isIn(names, tenant),
  capabilities: (names, { capability }) => isIn(names, capability),
  pack_ids: (names, { packId }) => isIn(names, packId),
  actor_ids: (names, { actorId }) => isIn(names, actorId),
  actor_types: (names, { actorType }) => isIn(names, actorType),
  risk_tags: (tags, { riskTags }) => riskTags.some((tag) => isIn(tags, tag)),
  requires: (names, { requires }) =>
    names.every((name) => isIn(requires, name)),
};

/** `mcp` matches every job here: none has a label that would say otherwise. */
function matches(rule: Rule, request: PolicyRequest): boolean {
  const { labels } = request;
  const listed = Object.entries(rule.lists).every(([name, expected]) =>
    expected.length === 0 || MATCHERS[name]!(expected, request)
  );
  const labelled = rule.labels.length === 0 ||
    Object.keys(labels).length > 0 &&
      rule.labels.every(([name, value]) => (labels[name] ?? "") === value);
  const secrets = rule.secretsPresent;
  return listed && labelled &&
    (secrets === undefined || secrets === hasSecrets(request));
}

function hasSecrets({ labels, riskTags }: PolicyRequest): boolean {
  const label = labels["secrets_present"]?.trim() ?? "";
  return label === ""
    ? isIn(riskTags, "secrets")
    : /^(true|1|yes)$/i.test(label);
}

function isIn(names: readonly string[], value: string): boolean {
  const folded = value.trim().toLowerCase();
  return folded !== "" &&
    names.some((name) => name.trim().toLowerCase() === folded);
}

/** Shell globs: `*` and `?` stop at a slash and at nothing else. */
export function globMatches(glob: string, text: string): boolean {
  const parts = /\\([^])|(\[\^?(?:\\[^]|[^\]\\])+\])|(\*)|(\?)|(\[|\\)|([^])/gu;
  let source = "";
  for (const [part, escaped, set, any, one, bad] of glob.matchAll(parts)) {
    if (bad !== undefined) return false; // A bad pattern never matches.
    if (any !== undefined) source += "[^/]*";
    else if (one !== undefined) source += "[^/]";
    else source += set ?? RegExp.escape(escaped ?? part);
  }
  try {
    return new RegExp(`^${source}$`, "u").test(text);
  } catch {
    return false;
  }
}

function readDocument(
  text: string,
): { version: string; rules: Rule[]; tenants: Tenants } {
  const file = mapOf(parse(text), "a policy");
  const tenants = Object.entries(mapOf(file["tenants"], "tenants"));
  return {
    version: String(file["version"] ?? ""),
    rules: listOf(file["rules"], "rules").map(readRule),
    tenants: Object.fromEntries(tenants.map(([name, value]) => {
      const lists = mapOf(value, "a tenant");
      const deny = stringsOf(lists["deny_topics"], "deny_topics");
      return [name, {
        deny,
        allow: stringsOf(lists["allow_topics"], "allow_topics"),
      }];
    })),
  };
}

function readRule(value: unknown): Rule {
  const rule = mapOf(value, "a rule");
  const match = mapOf(rule["match"], "match");
  const lists = Object.keys(MATCHERS).map((name) =>
    [name, stringsOf(match[name], name)] as const
  );
  const labels = Object.entries(mapOf(match["labels"], "labels"));
  const secrets = match["secrets_present"] ?? undefined;
  if (secrets !== undefined && typeof secrets !== "boolean") {
    throw new SyntaxError("secrets_present must be true or false");
  }
  const word = String(rule["decision"] ?? "").trim().toLowerCase();
  return {
    id: String(rule["id"] ?? ""),
    lists: Object.fromEntries(lists),
    labels: labels.map(([name, value]) => [name, String(value ?? "")]),
    secretsPresent: secrets,
    // A typo allows.
    decision: WORDS[word] ?? "ALLOW",
    reason: String(rule["reason"] ?? ""),
    constraints: readConstraints(mapOf(rule["constraints"], "constraints")),
  };
}

const CONSTRAINTS: Readonly<Record<string, Readonly<Record<string, string>>>> =
  {
    budgets: {
      max_runtime_ms: "number",
      max_retries: "number",
      max_artifact_bytes: "number",
      max_concurrent_jobs: "number",
    },
    sandbox: {
      isolated: "boolean",
      network_allowlist: "list",
      fs_read_only: "list",
      fs_read_write: "list",
    },
    toolchain: { allowed_tools: "list", allowed_commands: "list" },
    diff: { max_files: "number", max_lines: "number", deny_path_globs: "list" },
  };

/** Once anything is set, the kernel gives all four parts. */
function readConstraints(given: Json): RuleConstraints | null {
  const parts = Object.entries(CONSTRAINTS).map(([name, fields]) => {
    const part = mapOf(given[name], name);
    const set = Object.entries(fields).map(([field, type]) =>
      [field, readLimit(part[field], type, field)] as const
    ).filter(([, limit]) => limit !== undefined);
    return [name, Object.fromEntries(set)] as const;
  });
  const level = String(given["redaction_level"] ?? "");
  const isSet = parts.some(([, part]) => Object.keys(part).length > 0);
  if (!isSet && level === "") return null;
  return {
    ...Object.fromEntries(parts),
    ...(level === "" ? {} : { redaction_level: level }),
  };
}

function readLimit(value: unknown, type: string, name: string): unknown {
  if (type === "list") {
    const list = stringsOf(value, name);
    return list.length === 0 ? undefined : list;
  }
  if (value === undefined || value === null) return undefined;
  const fits = typeof value === type &&
    (type === "boolean" || Number.isInteger(value));
  if (!fits) throw new SyntaxError(`${name} must be a ${type}`);
  return value || undefined;
}

function mapOf(value: unknown, name: string): Json {
  if (value === undefined || value === null) return {};
  if (isObject(value)) return value;
  throw new SyntaxError(`${name} must be a mapping`);
}

function listOf(value: unknown, name: string): unknown[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  throw new SyntaxError(`${name} must be a list`);
}

function stringsOf(value: unknown, name: string): string[] {
  return listOf(value, name).map((item) => {
    if (typeof item !== "object") return String(item);
    throw new SyntaxError(`${name} must be a list of words`);
  });
}
