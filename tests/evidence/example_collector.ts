/** Asks a status page, as Statuspage serves it, what is wrong at a provider. */
import { optional, url } from "../../lib/base/config.ts";
import { objectOf } from "../../lib/base/json.ts";
import { counted } from "../../lib/base/text.ts";
import type { Collector, Finding } from "../../lib/evidence/collector.ts";
import { hostOf, listOf } from "../../lib/evidence/setup.ts";
import { byTime, wordsOf } from "../../lib/evidence/wording.ts";
import { toMoment } from "../../lib/incident.ts";

const SETTINGS = {
  statusPageUrl: optional(url("STATUS_PAGE_URL", {
    about: "a provider's status page, such as https://www.githubstatus.com",
  })),
};
const KEPT_MAX = 10;

export const statusPage = {
  name: "statuspage",
  title: "The status page",
  settings: SETTINGS,
  isOn: ({ statusPageUrl }) => statusPageUrl !== undefined,
  reach: ({ statusPageUrl }) => hostOf(statusPageUrl, "the status page"),
  connect: ({ statusPageUrl }) => ({
    title: "The status page",
    url: statusPageUrl!,
  }),
  questions: () => [
    { id: "open", what: "a provider's incidents", rank: 7, kind: "state" },
  ],
  async *ask(_, io): AsyncGenerator<Finding> {
    const { value } = await io.get("/api/v2/incidents/unresolved.json");
    const all = listOf(objectOf(value)?.["incidents"], "incidents")
      .map((given) => ({
        at: toMoment(given["created_at"]) ?? "",
        name: wordsOf(given["name"], 200) ?? "without a name",
        impact: wordsOf(given["impact"], 20) ?? "unknown",
      })).toSorted(byTime);
    if (all.length === 0) {
      yield { nothing: "the provider names no open incident" };
      return;
    }
    const kept = all.slice(-KEPT_MAX);
    const wordingOf = ({ name, impact }: typeof all[number]) =>
      `${name} (impact ${impact})`;
    yield {
      piece: { title: counted(all.length, "open incident"), value: kept },
      facts: [{ name: "provider", value: kept.map(wordingOf).join("; ") }],
      timeline: kept.map((one) => ({ at: one.at, text: wordingOf(one) })),
    };
    if (all.length === kept.length) return;
    const counts = { got: kept.length, of: all.length };
    const why = `at most ${KEPT_MAX} are kept`;
    yield { gap: { what: "older incidents", why, kind: "cut", ...counts } };
  },
  async check(io) {
    await io.get("/api/v2/status.json");
    return { says: "its status" };
  },
} satisfies Collector<typeof SETTINGS>;
