/**
 * Asks Grafana for annotations around the start, such as deployments and
 * maintenance, and for dashboards of the service.
 *
 * @see https://grafana.com/docs/grafana/latest/developers/http_api/annotations/
 * @module
 */
import { optional as optionalSetting, url } from "../../base/config.ts";
import {
  type JsonObject,
  objectOf,
  optional,
  stringOf,
  textOf,
} from "../../base/json.ts";
import { counted, shorten } from "../../base/text.ts";
import type { ChangeKind } from "../../collected.ts";
import type { EvidenceKind } from "../../incident.ts";
import {
  type Collector,
  type CollectorIo,
  type Finding,
  GapError,
  type Question,
} from "../collector.ts";
import { access, authority, hostOf, listOf } from "../setup.ts";
import { changeKindOf } from "../wording.ts";

const SETTINGS = {
  grafanaUrl: optionalSetting(url("GRAFANA_URL", {
    about: "Grafana to ask for annotations and dashboards",
  })),
  ...authority("grafana", "GRAFANA", "Grafana"),
};
type Io = CollectorIo<typeof SETTINGS>;

const BEFORE_MS = 2 * 3600_000;
const ANNOTATIONS_MAX = 100;
const DASHBOARDS_MAX = 5;
const TEXT_CHARS_MAX = 300;

export const grafana = {
  name: "grafana",
  title: "Grafana",
  settings: SETTINGS,
  isOn: ({ grafanaUrl }) => grafanaUrl !== undefined,
  reach: ({ grafanaUrl }) => hostOf(grafanaUrl, "Grafana"),
  connect: (config) => ({
    title: "Grafana",
    url: config.grafanaUrl!,
    ...access({ ca: config.grafanaCa, token: config.grafanaToken }),
  }),
  questions({ service }) {
    const annotations: Question = {
      id: "annotations",
      what: "annotations since 2 h before the start",
      rank: 1,
      kind: "change",
    };
    return service === undefined ? [annotations] : [annotations, {
      id: "dashboards",
      what: `dashboards of ${service}`,
      rank: 8,
      kind: "state",
    }];
  },
  ask: ({ id }, io) => id === "dashboards" ? askDashboards(io) : askNotes(io),
  async check(io) {
    // Reading needs a right that the health page does not ask for.
    await io.get("/api/annotations", { query: [["limit", "1"]] });
    const { value } = await io.get("/api/health");
    return { says: `Grafana ${stringOf(objectOf(value)?.["version"])}`.trim() };
  },
} satisfies Collector<typeof SETTINGS>;

interface Note {
  ms: number;
  text: string;
  tags: string[];
  kind: EvidenceKind;
  what?: ChangeKind;
  whole: JsonObject;
}

async function* askNotes(io: Io): AsyncGenerator<Finding> {
  const start = Date.parse(io.subject.startedAt);
  const { value } = await io.get("/api/annotations", {
    query: [
      ["from", String(start - BEFORE_MS)],
      ["to", String(io.now.getTime())],
      ["type", "annotation"],
      ["limit", String(ANNOTATIONS_MAX)],
    ],
  });
  const given = listOf(value, "annotations");
  const notes = given.flatMap(readNote).toSorted((a, b) =>
    a.ms - b.ms || (a.text < b.text ? -1 : 1)
  );
  if (notes.length === 0) {
    if (given.length > 0) {
      throw new GapError(
        "broken",
        "Grafana's annotations have no time or text",
      );
    }
    yield { nothing: "no annotation" };
    return;
  }
  const before = notes.filter(({ kind, ms }) =>
    kind === "change" && ms <= start
  );
  const last = before.at(-1);
  yield {
    piece: {
      title: `${counted(notes.length, "annotation")} in Grafana`,
      value: notes.map(({ whole }) => ({
        ...whole,
        ...optional("url", panelOf(whole, io)),
      })),
    },
    facts: last === undefined ? [] : [{
      name: "last change annotated",
      value: `${shorten(last.text, TEXT_CHARS_MAX)}, ${
        minutes(start - last.ms)
      } before the start`,
    }],
    timeline: notes.map(({ ms, text, tags, kind, what, whole }) => ({
      at: new Date(ms).toISOString(),
      text: `Annotated: ${shorten(text, TEXT_CHARS_MAX)}${
        tags.length === 0 ? "" : ` (${shorten(tags.join(", "), 80)})`
      }`,
      kind,
      ...what === undefined ? {} : {
        change: {
          what,
          says: shorten(text, TEXT_CHARS_MAX),
          ...optional("of", subjectIn([text, ...tags], io)),
          ...optional("url", panelOf(whole, io)),
        },
      },
    })),
  };
  if (given.length >= ANNOTATIONS_MAX) {
    yield {
      gap: {
        what: "annotations",
        why: `at most ${ANNOTATIONS_MAX} are read, the newest`,
        kind: "cut",
        got: notes.length,
      },
    };
  }
}

/** The incident's service, where words or tags name it. */
function subjectIn(
  texts: readonly string[],
  { subject: { service, entry } }: Io,
): string | undefined {
  const words = new Set(texts.flatMap((text) => text.split(/[^\w.-]+/)));
  return [service, entry?.name].find((name) =>
    name !== undefined && words.has(name)
  );
}

function readNote(whole: JsonObject): Note[] {
  const ms = whole["time"];
  // Its text may be HTML.
  const plain = stringOf(whole["text"]).replace(/<[^<>]*>/g, " ");
  const text = textOf(plain.replace(/\s+/g, " "), 1000);
  if (typeof ms !== "number" || !(ms > 0 && ms < 1e14) || text === undefined) {
    return [];
  }
  const tags = (Array.isArray(whole["tags"]) ? whole["tags"] : [])
    .filter((tag) => typeof tag === "string").slice(0, 20);
  const { id, dashboardUID, panelId, timeEnd } = whole;
  const what = changeKindOf([text, ...tags].join(" "));
  return [{
    ms,
    text,
    tags,
    kind: what === undefined ? "state" : "change",
    ...optional("what", what),
    whole: { id, time: ms, timeEnd, dashboardUID, panelId, text, tags },
  }];
}

async function* askDashboards(io: Io): AsyncGenerator<Finding> {
  const { value } = await io.get("/api/search", {
    query: [
      ["query", io.subject.service],
      ["type", "dash-db"],
      ["limit", String(DASHBOARDS_MAX)],
    ],
  });
  const found = listOf(value, "dashboards").flatMap(({ title, url, uid }) => {
    const path = stringOf(url);
    const name = textOf(title, 200);
    return name === undefined || !/^\/[\w./-]+$/.test(path)
      ? []
      : [{ title: name, uid, url: originOf(io) + path }];
  });
  if (found.length === 0) {
    yield { nothing: "no dashboard is called like it, or none may be seen" };
    return;
  }
  yield {
    piece: { title: "Dashboards in Grafana", value: found },
    facts: found.map(({ title, url }) => ({
      name: "dashboard",
      value: `${title}: ${url}`,
    })),
  };
}

/** Where the panel is that somebody annotated, or its dashboard. */
function panelOf(
  { dashboardUID, panelId }: JsonObject,
  { config }: Io,
): string | undefined {
  const uid = stringOf(dashboardUID);
  if (!/^[\w-]{1,60}$/.test(uid)) return undefined;
  const isPanel = Number.isSafeInteger(panelId) && Number(panelId) > 0;
  return `${config.grafanaUrl}/d/${uid}${
    isPanel ? `?viewPanel=${panelId}` : ""
  }`;
}

/** Grafana's own paths hold the prefix that a proxy may add. */
function originOf({ config }: Io): string {
  return new URL(config.grafanaUrl!).origin;
}

function minutes(ms: number): string {
  return `${Math.round(ms / 60_000)} min`;
}
