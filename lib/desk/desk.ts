/**
 * The approval desk: pages on which people read what will be posted, and decide.
 *
 * @module
 */
import { messageOf, OutsideError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { Tally } from "../base/tally.ts";
import { every } from "../base/time.ts";
import type { Operator } from "../operate/operator.ts";
import { Pieces } from "../operate/pieces.ts";
import { act } from "./acts.ts";
import { file, page } from "./answer.ts";
import { Deciding } from "./deciding.ts";
import { watchDepartures } from "./departures.ts";
import { Followings } from "./followings.ts";
import { isOwnHost } from "./guard.ts";
import { Live } from "./live.ts";
import { openNotifier } from "./notify.ts";
import { errorPage } from "./pages/error.ts";
import { SCRIPT_PATH, STYLE_PATH } from "./pages/layout.ts";
import { SCRIPT } from "./pages/script.ts";
import { STYLE } from "./pages/style.ts";
import { readPerson } from "./people.ts";
import { DecisionRate } from "./rate.ts";
import { DeskRefusal } from "./refusal.ts";
import type { Desk, DeskConfig } from "./parts.ts";
import { checkExposure, type WatcherPace } from "./settings.ts";
import { Tokens } from "./tokens.ts";
import { show } from "./views.ts";
import { openWatcher } from "./watcher.ts";

/** The desk, without the server and the connections that it needs. */
export interface OpenDesk extends AsyncDisposable {
  /** Watches what waits from now on, and tells people of it. */
  start(): void;
  /** What an operator should know. */
  warnings(): readonly string[];
  /** Answers one request. */
  handle(request: Request, gone: AbortSignal): Promise<Response>;
  /** Events since the start, by name. */
  counts(): Record<string, number>;
}

const ABOUT_MS = 60_000;

/** Opens the desk. @throws {ConfigError} If it could not be used safely. */
export function openDesk(
  config: DeskConfig,
  operator: Operator,
  log: Log,
  pace: WatcherPace = {},
): OpenDesk {
  checkExposure(config);
  const { platform } = operator;
  const tally = new Tally();
  const pieces = new Pieces(platform);
  const tokens = new Tokens();
  const notifier = openNotifier(config, platform, {
    log,
    count: (name) => tally.add(name),
  });
  const source = openWatcher(operator, log, {
    ...pace,
    onRows: (rows) => notifier.update(rows),
    undelivered: () => notifier.undelivered(),
  });
  const goesByKey = every(
    ABOUT_MS,
    () => platform.about().then(({ isCordum1 }) => isCordum1, () => false),
  );
  const desk: Desk = {
    ...{ config, log, tally, operator, source, pieces, tokens },
    deciding: new Deciding({
      ...{ operator, source, pieces, tokens, log, goesByKey },
      rate: new DecisionRate(),
    }),
    followings: new Followings(platform),
    live: new Live(),
    goesByKey,
  };
  const departures = watchDepartures(source, platform, {
    isOwn: async (jobId, record) =>
      await desk.deciding.of(jobId, record) !== undefined,
    log,
  });
  return {
    start() {
      source.start();
      source.onChange(departures.look);
      notifier.start();
    },
    warnings: () => notifier.undelivered(),
    handle: (request, gone) => handle(desk, request, gone),
    counts: () => tally.counts(),
    async [Symbol.asyncDispose]() {
      await notifier[Symbol.asyncDispose]();
      await source[Symbol.asyncDispose]();
    },
  };
}

async function handle(
  desk: Desk,
  request: Request,
  gone: AbortSignal,
): Promise<Response> {
  try {
    return await answer(desk, request, gone);
  } catch (error) {
    if (error instanceof DeskRefusal) return refuse(desk, request, error);
    if (!(error instanceof OutsideError)) throw error;
    return refuse(desk, request, unreachable(error));
  }
}

async function answer(
  desk: Desk,
  request: Request,
  gone: AbortSignal,
): Promise<Response> {
  const { headers, method, url } = request;
  const { pathname } = new URL(url);
  if (!isOwnHost(headers, desk.config)) throw foreignHost();
  const person = readPerson(headers, desk.config);
  if (person === "refused") throw unproven();
  if (method === "POST") return await act(desk, request, person);
  if (method !== "GET" && method !== "HEAD") {
    throw new DeskRefusal(405, "The desk does not do that", "Go back.", {
      Allow: "GET, HEAD, POST",
    });
  }
  if (pathname === STYLE_PATH) return file(STYLE, "text/css");
  if (pathname === SCRIPT_PATH) return file(SCRIPT, "text/javascript");
  return await show(desk, request, { person, gone });
}

function refuse(
  { tally, log, config }: Desk,
  { url, headers: given }: Request,
  { status, heading, message, headers }: DeskRefusal,
): Response {
  tally.add(`refused: ${status}`);
  log.warn("Refused a request", { status, error: heading });
  const person = readPerson(given, config);
  const [, id] = /^\/posts\/([^/]+)/.exec(new URL(url).pathname) ?? [];
  const back = id !== undefined && status !== 404
    ? { path: `/posts/${id}`, text: "Read the post again" }
    : { path: "/", text: "See what waits" };
  const who = typeof person === "string" ? undefined : person;
  const text = message;
  const shown = errorPage({ heading, text, person: who, back });
  return page(shown, { status, headers });
}

function unreachable(error: OutsideError): DeskRefusal {
  return new DeskRefusal(
    503,
    "The platform cannot be asked",
    `${messageOf(error)}. Load the page again in a moment.`,
    { "Retry-After": "5" },
  );
}

function foreignHost(): DeskRefusal {
  return new DeskRefusal(
    421,
    "The desk does not answer to that name",
    "Open it by the address in DESK_URL, or by 127.0.0.1 on its own machine.",
  );
}

function unproven(): DeskRefusal {
  return new DeskRefusal(
    403,
    "Nobody is signed in",
    "Come by the proxy in front of this desk. If you did, it does not name you in ASCII letters, or it does not prove itself: see docs/desk.md.",
  );
}
