/**
 * Asks PagerDuty about an incident of its own: its people, alerts, log and
 * notes, the changes that PagerDuty relates to it, and similar incidents.
 *
 * @see https://developer.pagerduty.com/api-reference/
 * @module
 */
import { optional as optionalSetting, secret, url } from "../../base/config.ts";
import {
  type JsonObject,
  objectOf,
  optional,
  stringOf,
} from "../../base/json.ts";
import { ageOf, counted } from "../../base/text.ts";
import {
  type Collector,
  type CollectorIo,
  type Finding,
  GapError,
} from "../collector.ts";
import { pathOf, secondsOf } from "../connection.ts";
import {
  describeChange,
  describeEnd,
  describeIncident,
  describeNote,
  ENTRIES_MAX,
  type KnownIncident,
  LISTED_MAX,
  toChange,
} from "../pagerduty/facts.ts";
import {
  type PagerDutyIncident,
  type PagerDutyNote,
  readAlert,
  readChange,
  readIncident,
  readLogEntry,
  readNote,
  readSimilar,
} from "../pagerduty/records.ts";
import { inParts, keptGap, type PartGap } from "../parts.ts";
import { hostOf, listOf } from "../setup.ts";
import { byTime, fromStart } from "../wording.ts";

const SETTINGS = {
  pagerdutyApiUrl: optionalSetting(url("PAGERDUTY_API_URL", {
    about:
      "PagerDuty's API; https://api.pagerduty.com unless set, https://api.eu.pagerduty.com in the EU",
  })),
  pagerdutyApiToken: optionalSetting(secret("PAGERDUTY_API_TOKEN", {
    about: "API key for PagerDuty",
  })),
};
type Io = CollectorIo<typeof SETTINGS>;

const API_URL = "https://api.pagerduty.com";
const PAGES_MAX = 5;
const PAGE = 100;
const SIMILAR_MAX = 5;
const NOTED_MAX = 3;

export const pagerduty = {
  name: "pagerduty",
  title: "PagerDuty",
  settings: SETTINGS,
  isOn: ({ pagerdutyApiToken }) => pagerdutyApiToken !== undefined,
  reach: ({ pagerdutyApiUrl, pagerdutyApiToken }) =>
    hostOf(pagerdutyApiUrl ?? (pagerdutyApiToken && API_URL), "PagerDuty"),
  connect: ({ pagerdutyApiToken, pagerdutyApiUrl }) => ({
    title: "PagerDuty",
    url: pagerdutyApiUrl ?? API_URL,
    headers: () => ({
      Authorization: `Token token=${pagerdutyApiToken}`,
      Accept: "application/vnd.pagerduty+json;version=2",
    }),
    resetMs: (headers) => secondsOf(headers.get("ratelimit-reset")),
  }),
  questions({ system, id }) {
    if (system !== "pagerduty") return "the incident is not PagerDuty's";
    if (!/^[A-Z\d]{4,40}$/i.test(id)) return "its id is not one of PagerDuty's";
    return [
      {
        id: "changes",
        what: "changes that PagerDuty relates to it",
        rank: 1,
        kind: "change",
      },
      {
        id: "past",
        what: "similar incidents in PagerDuty",
        rank: 3,
        kind: "history",
      },
      // One artifact, so the rank of its best part.
      {
        id: "incident",
        what: "people, alerts, log and notes in PagerDuty",
        rank: 4,
        kind: "people",
      },
    ];
  },
  ask({ id }, io) {
    if (id === "changes") return askChanges(io);
    return id === "past" ? askPast(io) : askIncident(io);
  },
  async check(io) {
    const { value } = await io.get("/incidents", { query: [["limit", "1"]] });
    const [last] = listOf(objectOf(value)?.["incidents"], "incidents");
    const page = URL.parse(stringOf(last?.["html_url"]));
    return { says: `PagerDuty ${page?.hostname ?? "without incidents"}` };
  },
} satisfies Collector<typeof SETTINGS>;

async function* askChanges(io: Io): AsyncGenerator<Finding> {
  const { id, startedAt } = io.subject;
  const path = pathOf`/incidents/${id}/related_change_events`;
  const body = await getOfPlan(path, PAGE, io);
  const all = listOf(body["change_events"], "changes").map(readChange)
    .toSorted(byTime);
  if (all.length === 0) {
    yield { nothing: "PagerDuty relates no change to it" };
    return;
  }
  const changes = all.slice(-LISTED_MAX);
  const since = all.filter(({ at = "" }) => at > startedAt).length;
  const last = all.findLast(({ at }) => at !== undefined && at <= startedAt);
  yield {
    piece: {
      title: `${counted(all.length, "change")} that PagerDuty relates to it`,
      value: changes,
    },
    facts: [
      ...last === undefined ? [] : [{
        name: "last change",
        value: `${describeChange(last)}, ${fromStart(last.at!, io.subject)}`,
      }],
      {
        name: "changes related by PagerDuty",
        value: `${all.length}, ${since} of them since the start`,
      },
    ],
    timeline: changes.slice(-ENTRIES_MAX).map((change) => ({
      at: change.at ?? "",
      text: `Change: ${describeChange(change)}${
        change.links.slice(0, 1).map(({ href }) => ` ${href}`).join("")
      }`,
      change: toChange(change),
    })),
  };
  if (body["more"] === true || all.length > LISTED_MAX) {
    const of = all.length > LISTED_MAX ? all.length : undefined;
    yield {
      gap: { what: "related changes", ...keptGap(changes.length, of) },
    };
  }
}

async function* askPast(io: Io): AsyncGenerator<Finding> {
  const { id, startedAt } = io.subject;
  const path = pathOf`/incidents/${id}/past_incidents`;
  const body = await getOfPlan(path, SIMILAR_MAX, io);
  const similar = listOf(body["past_incidents"], "incidents").map(readSimilar)
    .filter((one) => one.id !== id && one.id !== "")
    .toSorted((a, b) => b.score - a.score || byTime(b, a))
    .slice(0, SIMILAR_MAX);
  const [last] = similar.toSorted(byTime).slice(-1);
  if (last === undefined) {
    yield { nothing: "PagerDuty knows no similar incident" };
    return;
  }
  const notes = new Map<string, PagerDutyNote[]>();
  let ended: PagerDutyIncident | undefined;
  const name = ({ id, title = id, at }: typeof last) =>
    at === undefined
      ? title
      : `${title}, ${ageOf(Date.parse(startedAt) - Date.parse(at))} before`;
  const finding = (): Finding => ({
    piece: {
      title: "Similar incidents in PagerDuty",
      value: similar.map((one) => ({ ...one, notes: notes.get(one.id) })),
    },
    facts: [
      {
        name: "similar incidents",
        value: `${similar.length}, the last: ${name(last)}`,
      },
      ...ended?.status === undefined ? [] : [{
        name: "how the last one ended",
        value: describeEnd(ended),
      }],
      ...similar.flatMap((one) =>
        (notes.get(one.id) ?? []).slice(-1).map((note) => ({
          name: "last note of a similar incident",
          value: `${name(one)}: ${describeNote(note)}`,
        }))
      ),
    ],
  });
  yield finding();
  const noted = [last, ...similar.filter((one) => one !== last)];
  yield* inParts([
    {
      what: "how the last similar incident ended",
      async read() {
        const { value } = await io.get(pathOf`/incidents/${last.id}`);
        ended = readIncident(objectOf(objectOf(value)?.["incident"]) ?? {});
      },
    },
    ...noted.slice(0, NOTED_MAX).map((one) => ({
      what: `notes of the similar incident ${one.id}`,
      read: async () =>
        void notes.set(one.id, (await getNotes(one.id, io)).slice(-LISTED_MAX)),
    })),
  ], finding);
}

function askIncident(io: Io): AsyncGenerator<Finding> {
  const path = pathOf`/incidents/${io.subject.id}`;
  const known: KnownIncident = {};
  return inParts([
    {
      what: "the incident in PagerDuty",
      async read() {
        const { value } = await io.get(path);
        const incident = objectOf(objectOf(value)?.["incident"]);
        if (incident === undefined) {
          throw new GapError("broken", "the answer holds no incident");
        }
        known.incident = readIncident(incident);
      },
    },
    {
      what: "alerts of the incident",
      async read() {
        const all = await getPages(`${path}/alerts`, "alerts", io);
        known.alerts = all.items.map(readAlert).toSorted(byTime);
        return all.gap;
      },
    },
    {
      what: "log of the incident",
      async read() {
        const all = await getPages(`${path}/log_entries`, "log_entries", io);
        known.log = all.items.map(readLogEntry).toSorted(byTime);
        return all.gap;
      },
    },
    {
      what: "notes of the incident",
      async read() {
        known.notes = await getNotes(io.subject.id, io);
        const of = known.notes.length;
        return of > LISTED_MAX ? keptGap(LISTED_MAX, of) : undefined;
      },
    },
  ], () => describeIncident(known, io.subject));
}

async function getNotes(id: string, io: Io): Promise<PagerDutyNote[]> {
  const { value } = await io.get(pathOf`/incidents/${id}/notes`);
  return listOf(objectOf(value)?.["notes"], "notes").map(readNote)
    .filter(({ text }) => text !== "").toSorted(byTime);
}

/** All pages; what came before a page that failed stays. */
async function getPages(
  path: string,
  key: string,
  io: Io,
): Promise<{ items: JsonObject[]; gap?: PartGap }> {
  const items: JsonObject[] = [];
  let of: number | undefined;
  for (let page = 0; page < PAGES_MAX; page++) {
    let body: JsonObject;
    try {
      const { value } = await io.get(path, {
        query: [
          ...key === "log_entries" ? [["is_overview", "true"] as const] : [],
          ["limit", `${PAGE}`],
          ["offset", `${page * PAGE}`],
          ["total", "true"],
        ],
      });
      body = objectOf(value) ?? {};
      items.push(...listOf(body[key], key.replace("_", " ")));
    } catch (error) {
      if (page === 0 || !(error instanceof GapError)) throw error;
      const { message: why, kind } = error;
      return {
        items,
        gap: { why, kind, got: items.length, ...optional("of", of) },
      };
    }
    if (Number.isInteger(body["total"])) of = body["total"] as number;
    if (body["more"] !== true) {
      return items.length > LISTED_MAX
        ? { items, gap: keptGap(LISTED_MAX, items.length) }
        : { items };
    }
  }
  return { items, gap: keptGap(LISTED_MAX, of) };
}

/** Plans below a certain one lack these answers. */
async function getOfPlan(
  path: string,
  limit: number,
  io: Io,
): Promise<JsonObject> {
  try {
    const { value } = await io.get(path, { query: [["limit", `${limit}`]] });
    return objectOf(value) ?? {};
  } catch (error) {
    if (!(error instanceof GapError)) throw error;
    const { kind, status, message } = error;
    if (![402, 403, 404].includes(status)) throw error;
    const why = `${message}; the account's plan may lack it`;
    throw new GapError(kind, why, status);
  }
}
