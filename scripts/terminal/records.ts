/**
 * The records of posts as people read them.
 *
 * @module
 */
import { objectOf } from "../../lib/base/json.ts";
import { ageOf, printable } from "../../lib/base/text.ts";
import { hostOf, type Post } from "../../lib/operate/posts.ts";
import type { CommandContext } from "./command.ts";
import { heading, table } from "./format.ts";

/** Two lines per record, at most 100 columns wide unless an id is very long. */
export function listPosts(
  posts: readonly Post[],
  context: CommandContext,
): string[] {
  if (posts.length === 0) return [];
  const [header = "", ...rows] = table([
    ["STATE", "AGE", "DESTINATION", "INCIDENT"],
    ...posts.map((post) => [
      post.state,
      ageOf(Date.now() - Date.parse(post.at)),
      printable(hostOf(post), 28),
      printable(post.incident_id, 220),
    ]),
  ]);
  const pairs = rows.map((row, at) => {
    const { severities } = posts[at]!;
    const facts = [severities.join(" then "), jobOf(posts[at]!)];
    return [row, `          ${facts.filter(Boolean).join(", ")}`];
  });
  return [heading(header, context), ...pairs.flat()];
}

/** Everything that is known of a post. */
export function describeRecord(post: Post): string[] {
  const destination = printable(post.destination);
  return [
    `${printable(post.incident_id, 220)}  ${post.state}`,
    `  destination  ${destination} (${printable(hostOf(post))})`,
    `  tenant       ${printable(post.tenant)}`,
    ...severityLine(post),
    `  last job     ${jobOf(post)}`,
    ...post.events.flatMap(describeEvent).map((line) => `  ${line}`),
    ...post.state === "in doubt"
      ? [
        "Check whether the message is there, then run posts mark or posts free",
      ]
      : [],
  ];
}

/** Which severities were posted, and which is not settled. */
function severityLine({ severities, state }: Post): string[] {
  if (severities.length === 0) return [];
  const words = severities.map((severity, at) => {
    const isOpen = state !== "posted" && at === severities.length - 1;
    return `${severity} (${isOpen ? state : "posted"})`;
  });
  return [`  severity     ${words.join(", then ")}`];
}

function jobOf({ job_id, run_id }: Post): string {
  if (job_id === "") return "no job is known";
  const step = job_id.startsWith(`${run_id}:`)
    ? job_id.slice(run_id.length + 1)
    : job_id;
  const run = printable(run_id, 60) || "unknown";
  return `run ${run}, job ${printable(step, 100)}`;
}

/** The event's time and type first, then everything else it holds. */
function describeEvent(event: unknown): string[] {
  if (event === null || typeof event !== "object") {
    return [`unreadable   ${printable(String(event))}`];
  }
  const { type, at, result, ...rest } = event as Record<string, unknown>;
  const facts = Object.entries({ ...rest, ...objectOf(result) });
  return [
    `${printable(String(at ?? "no time"), 30)}  ${printable(String(type), 30)}`,
    ...facts.map(([name, value]) => {
      const text = typeof value === "string" ? value : JSON.stringify(value);
      return `    ${printable(name, 20).padEnd(14)}  ${printable(text, 500)}`;
    }),
  ];
}
