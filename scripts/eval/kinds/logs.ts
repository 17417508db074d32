/**
 * Lines of logs, as our collector for logs groups them. Pure.
 *
 * @module
 */
import { isObject, type JsonObject, stringOf } from "../../../lib/base/json.ts";
import { counted } from "../../../lib/base/text.ts";
import type { FoundEntry, FoundFact } from "../../../lib/evidence/collector.ts";
import {
  groupLines,
  type LogLine,
} from "../../../lib/evidence/log_templates.ts";
import { wordsOf } from "../../../lib/evidence/wording.ts";
import { toMoment } from "../../../lib/incident.ts";
import {
  collectorOf,
  type Kind,
  type Looking,
  type Reader,
  type Reply,
} from "../kind.ts";

interface Line extends LogLine {
  /** By its own level, or by its words if it has none. */
  readonly isBad: boolean;
  /** Of a program that runs others: its lines are events. */
  readonly isPlatform: boolean;
}

const SHOWN = 4;
const EVENTS_SHOWN = 6;
const TEXT_CHARS_MAX = 260;
const BAD_LEVEL = /^(?:err(?:or)?|crit(?:ical)?|fatal|emerg\w*|alert)$/i;
const WARN_LEVEL = /^warn(?:ing)?$/i;
const BAD_WORDS =
  /\b(?:ERROR|FATAL|CRITICAL|PANIC|panic:|Exception|Traceback|failed|failure|refused|timed? ?out|cannot|unable|denied|OOM|killed)\b/;
const PLATFORM =
  /^(?:kube|cluster-autoscaler|coredns|scheduler|containerd|karpenter|argocd|flux)/;
/** What a platform's own line calls a change. */
const CHANGE =
  /\b(?:roll-?out (?:started|completed|finished)|rolled (?:out|back)|scaled (?:up|down|to)|deployed|upgraded|config\w* (?:changed|reloaded))\b/i;
/** A bad line that nothing repeats for so long is over. */
const QUIET_MS = 10 * 60_000;
/** A later line that says that it is over. */
const OVER =
  /\b(?:recovered|restored|resumed|reconnected|back to normal|succeeded|is healthy again)\b/i;

export const logReplies: Reader = (kinds, looking) => {
  const own = kinds.filter(({ value }) =>
    Array.isArray(value["logs"]) || typeof value["logs"] === "string" ||
    Array.isArray(value["lines"])
  );
  return { read: own, replies: own.map((kind) => toReply(kind, looking)) };
};

function toReply(kind: Kind, { now }: Looking): Reply {
  const { name, value } = kind;
  const lines = linesOf(value);
  const bad = groupLines(lines.filter(({ isBad }) => isBad));
  const over = lines.filter(({ isBad, text }) => !isBad && OVER.test(text));
  const recent = bad.filter(({ last }) =>
    now.getTime() - Number(last.slice(0, -6)) < QUIET_MS &&
    !over.some(({ at }) => at > last)
  );
  const facts: FoundFact[] = bad.toSorted((a, b) =>
    b.count - a.count || (a.first < b.first ? -1 : 1)
  ).slice(0, SHOWN).map((group): FoundFact => ({
    // As the collector for logs says it that could compare with nothing.
    name: "error",
    value: `${
      wordsOf(group.example, TEXT_CHARS_MAX) ?? ""
    } ×${group.count}, first ${momentOf(group.first).slice(11, 19)} UTC`,
    health: recent.includes(group) ? "ill" : "recovered",
  }));
  const timeline: FoundEntry[] = lines.filter(({ isPlatform }) => isPlatform)
    .slice(-EVENTS_SHOWN).map(({ at, text }) => ({
      at: momentOf(at),
      text: wordsOf(text, TEXT_CHARS_MAX) ?? "",
      kind: CHANGE.test(text) ? "change" as const : "state" as const,
    }));
  const where = name.replaceAll("_", " ");
  return {
    collector: collectorOf(kind, "logs"),
    question: {
      id: name.replace(/[^a-z0-9]+/gi, "-"),
      what: where,
      rank: 2,
      kind: "log",
    },
    findings: [
      lines.length === 0 ? { nothing: "no line" } : {
        piece: {
          title: `${counted(lines.length, "line")} of ${where}`,
          value: lines.map(({ at, text }) => ({ at: momentOf(at), text })),
        },
        facts,
        timeline,
      },
    ],
  };
}

function linesOf({ logs, lines = logs }: JsonObject): Line[] {
  const all = typeof lines === "string"
    ? lines.split("\n").filter((line) => line.trim() !== "").map(fromText)
    : (Array.isArray(lines) ? lines : []).map((one) =>
      isObject(one) ? fromObject(one) : fromText(stringOf(one))
    );
  // A line without a moment belongs to the one before it.
  let last = "0".repeat(19);
  return all.map((line) => {
    last = line.at === "" ? last : line.at;
    return { ...line, at: last };
  });
}

function fromObject(one: JsonObject): Line {
  const text = stringOf(one["message"] ?? one["line"] ?? one["text"]);
  const level = stringOf(one["status"] ?? one["level"] ?? one["severity"]);
  const from = stringOf(one["service"]);
  const inner = /^\[([\w-]+)\]/.exec(text)?.[1] ?? from;
  return {
    at: nanosOf(one["timestamp"] ?? one["at"] ?? one["time"]),
    text,
    isBad: BAD_LEVEL.test(level) ||
      (level === "" || WARN_LEVEL.test(level)) && BAD_WORDS.test(text),
    isPlatform: PLATFORM.test(inner),
  };
}

function fromText(line: string): Line {
  const [, at, level = "", rest] =
    /^(\S+T\S+)\s+(?:\[?([A-Z]{4,8})\]?\s+)?(.*)$/.exec(line) ?? [];
  const moment = nanosOf(at);
  const text = moment === "" ? line : rest ?? line;
  return {
    at: moment,
    text,
    isBad: BAD_LEVEL.test(level) || level === "" && BAD_WORDS.test(line) ||
      WARN_LEVEL.test(level) && BAD_WORDS.test(text),
    isPlatform: false,
  };
}

function nanosOf(at: unknown): string {
  const moment = toMoment(at);
  return moment === undefined
    ? ""
    : `${String(Date.parse(moment)).padStart(13, "0")}000000`;
}

function momentOf(ns: string): string {
  return new Date(Number(ns.slice(0, -6))).toISOString();
}
