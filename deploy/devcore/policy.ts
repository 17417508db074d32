/**
 * The stand-in's safety kernel: which rule decides a job, and the snapshot
 * that names the policy in force. Pure.
 *
 * As on the platform, the first match wins, no match allows, a single rule
 * anywhere switches off the tenant's topic lists, and one fragment that is not
 * YAML leaves the whole policy as it was. Whatever the platform ignores or
 * guesses (an unknown key, an unknown decision word), and whatever this pack
 * does not use, is refused by name when a fragment is installed.
 *
 * @module
 */
import { parse } from "@std/yaml";
import { byBytes, filled, need, sha256 } from "./common.ts";
import { decode, type Decoded, each } from "./shape.ts";

interface PolicyRequest {
  topic: string;
  jobId: string;
}

/** Limits as a rule writes them, without empty parts. */
export type RuleConstraints = Readonly<Record<string, unknown>>;

export interface Decision {
  decision: Word;
  reason: string;
  ruleId: string;
  snapshot: string;
  constraints: RuleConstraints | null;
  /** The job's id if a person has to decide, otherwise empty. */
  approvalRef: string;
}

/** The decision words of rules, and the decisions that they stand for. */
const WORDS = {
  allow: "ALLOW",
  allow_with_constraints: "ALLOW_WITH_CONSTRAINTS",
  deny: "DENY",
  require_approval: "REQUIRE_APPROVAL",
  throttle: "THROTTLE",
} as const;

export const DECISIONS: readonly string[] = Object.keys(WORDS);

type Word = typeof WORDS[keyof typeof WORDS];

/** What a policy may hold. */
export const POLICY = {
  ...each("string", "version", "default_tenant"),
  tenants: { default: each("[]string", "allow_topics", "deny_topics") },
  rules: [{
    ...each("string", "id", "decision", "reason"),
    match: each("[]string", "topics"),
    constraints: {
      budgets: each(
        "int64",
        "max_runtime_ms",
        "max_retries",
        "max_artifact_bytes",
      ),
      sandbox: { isolated: "bool", network_allowlist: "[]string" },
      redaction_level: "string",
    },
  }],
} as const;

type Document = Decoded<typeof POLICY>;
type Rule = Document["rules"][number];

export interface Policy {
  rules: readonly Rule[];
  /** They decide as long as there is no rule, `deny` before `allow`. */
  lists: Readonly<Record<"deny" | "allow", readonly string[]>>;
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

export class Kernel {
  readonly #isCordum1: boolean;
  #policy: Policy = loadPolicy(BASE_POLICY, new Map());
  /** Those that were in force, the newest first. */
  readonly snapshots: string[] = [this.#policy.snapshot];

  constructor(isCordum1 = false) {
    this.#isCordum1 = isCordum1;
  }

  /**
   * Puts another policy in force.
   *
   * @throws {SyntaxError} If a fragment is not YAML; the policy then stays as
   * it was.
   */
  reload(fragments: ReadonlyMap<string, string>): void {
    this.#policy = loadPolicy(BASE_POLICY, fragments);
    if (this.#policy.snapshot === this.snapshots[0]) return;
    this.snapshots.unshift(this.#policy.snapshot);
    this.snapshots.splice(SNAPSHOTS_MAX);
  }

  decide(request: PolicyRequest): Decision {
    return decide(this.#policy, request, this.#isCordum1);
  }
}

/**
 * Merges the base policy and fragments into one.
 *
 * @param fragments Id to YAML text; merged in the order of the ids' bytes.
 * @throws {SyntaxError} If one of them is not YAML.
 * @throws {Refusal} If one of them is not a policy, or needs what devcore lacks.
 */
export function loadPolicy(
  base: string,
  fragments: ReadonlyMap<string, string>,
): Policy {
  const parts = [...fragments].filter(([, text]) => text.trim() !== "")
    .toSorted(([a], [b]) => byBytes(a, b));
  const documents = [base, ...parts.map(([, text]) => text)].map(readPolicy);
  const list = (name: "deny_topics" | "allow_topics") =>
    documents.flatMap(({ tenants }) => tenants.default[name]);
  const hashed = parts.map(([id, text]) => `${id}\0${text}`).join("");
  return {
    rules: documents.flatMap(({ rules }) => rules),
    lists: { deny: list("deny_topics"), allow: list("allow_topics") },
    snapshot: sha256(base) +
      (parts.length === 0 ? "" : `|cfg:${sha256(hashed)}`),
  };
}

/**
 * Reads one policy or fragment.
 *
 * @throws {SyntaxError} If it is not YAML.
 * @throws {Refusal} If it is not a policy, or needs what devcore lacks.
 */
export function readPolicy(text: string): Document {
  const document = decode(parse(text) ?? {}, POLICY, "policy");
  const { rules, tenants } = document;
  for (const { decision } of rules) {
    // The platform takes any other word, even a typo, to mean allow.
    const isKnown = Object.hasOwn(WORDS, decision);
    need(isKnown, `devcore does not implement the decision "${decision}"`);
  }
  const { allow_topics, deny_topics } = tenants.default;
  const matched = rules.flatMap(({ match }) => match.topics);
  for (const glob of [...allow_topics, ...deny_topics, ...matched]) {
    const isPlain = !/[?[\\]/.test(glob);
    need(isPlain, `devcore does not implement the pattern "${glob}"`);
  }
  return document;
}

export function decide(
  { rules, lists, snapshot }: Policy,
  { topic, jobId }: PolicyRequest,
  isCordum1 = false,
): Decision {
  const isJob = topic.startsWith("job.");
  const answer = (
    decision: Word,
    ruleId = "",
    reason = "",
    constraints: RuleConstraints | null = null,
  ): Decision => ({
    decision,
    ruleId,
    constraints,
    snapshot: isJob ? snapshot : "",
    approvalRef: decision === "REQUIRE_APPROVAL" ? jobId : "",
    // The platform drops the reason of a rule that allows.
    reason: decision.startsWith("ALLOW") ? "" : reason,
  });
  const isMatched = (glob: string) => globMatches(glob, topic);
  if (!isJob) return answer("DENY", "", "unsupported topic");
  if (rules.length === 0 && !isCordum1) {
    for (const kind of ["deny", "allow"] as const) {
      const at = lists[kind].findIndex(isMatched) + 1;
      if (at > 0) return answer(WORDS[kind], `legacy:default:${kind}:${at}`);
    }
    return answer("ALLOW");
  }
  const rule = rules.find(({ match: { topics } }) =>
    topics.length === 0 || topics.some(isMatched)
  );
  if (rule === undefined) {
    return isCordum1
      ? answer("DENY", "", "no matching rule — default policy: deny")
      : answer("ALLOW");
  }
  const constraints = toConstraints(rule.constraints);
  const word = WORDS[rule.decision as keyof typeof WORDS];
  const constrained = word === "ALLOW" && constraints !== null;
  return answer(
    constrained ? "ALLOW_WITH_CONSTRAINTS" : word,
    rule.id,
    rule.reason,
    constraints,
  );
}

/** The one wildcard that devcore knows, `*`, matches all but a slash. */
function globMatches(glob: string, text: string): boolean {
  const source = glob.split("*").map(RegExp.escape).join("[^/]*");
  return new RegExp(`^${source}$`).test(text);
}

/** If anything is set, the kernel returns all four parts. */
function toConstraints(given: Rule["constraints"]): RuleConstraints | null {
  const { budgets, sandbox, redaction_level } = given;
  const set = filled({
    budgets: filled(budgets),
    sandbox: filled({ ...sandbox, isolated: sandbox.isolated || undefined }),
    redaction_level,
  });
  if (Object.keys(set).length === 0) return null;
  return { budgets: {}, sandbox: {}, toolchain: {}, diff: {}, ...set };
}
