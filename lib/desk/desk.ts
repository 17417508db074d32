/**
 * The approval desk: pages on which people read what will be posted, and decide.
 *
 * @module
 */
import type { Address, Config } from "../base/config.ts";
import type { Log } from "../base/log.ts";
import { Tally } from "../base/tally.ts";
import { readBounded } from "../base/http.ts";
import type { Operator } from "../operate/operator.ts";
import { file, page, seeOther } from "./answer.ts";
import type { BoardSource } from "./board.ts";
import { isOwnForm, isOwnHost } from "./guard.ts";
import { errorPage } from "./pages/error.ts";
import { SCRIPT_PATH, STYLE_PATH } from "./pages/layout.ts";
import { listPage } from "./pages/list.ts";
import { namePage } from "./pages/name.ts";
import { SCRIPT } from "./pages/script.ts";
import { STYLE } from "./pages/style.ts";
import {
  nameCookie,
  NO_NAME_COOKIE,
  type Person,
  readName,
  readPerson,
} from "./people.ts";
import { DeskRefusal, notFound } from "./refusal.ts";
import { checkExposure, type DeskSettings } from "./settings.ts";
import { openWatcher } from "./watcher.ts";

/** Everything that the desk is told at its start. */
export type DeskConfig = Config<DeskSettings> & { readonly address: Address };

type Known = Exclude<Person, string>;

/** What one request is answered with. */
interface Desk {
  readonly config: DeskConfig;
  readonly log: Log;
  readonly operator: Operator;
  readonly source: BoardSource;
  readonly tally: Tally;
}

/** A form has a reason of 500 characters, a token and little else. */
const FORM_BYTES_MAX = 16 * 1024;

/** The desk, without the server and the connections that it needs. */
export interface OpenDesk extends AsyncDisposable {
  /** Watches what waits from now on; the first page that lists it does so, too. */
  start(): void;
  /** Answers one request. */
  handle(request: Request, gone: AbortSignal): Promise<Response>;
  /** Events since the start, by name. */
  counts(): Record<string, number>;
}

/** Opens the desk. @throws {ConfigError} If it could not be used safely. */
export function openDesk(
  config: DeskConfig,
  operator: Operator,
  log: Log,
): OpenDesk {
  checkExposure(config);
  const tally = new Tally();
  const source = openWatcher(operator, log);
  const desk: Desk = { config, log, operator, source, tally };
  return {
    start: () => source.start(),
    handle: (request, gone) => handle(desk, request, gone),
    counts: () => tally.counts(),
    [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
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
    if (!(error instanceof DeskRefusal)) throw error;
    const { status, heading, message, headers } = error;
    desk.tally.add(`refused: ${status}`);
    desk.log.warn("Refused a request", { status, error: heading });
    return page(errorPage({ heading, text: message }), { status, headers });
  }
}

async function answer(
  desk: Desk,
  request: Request,
  _gone: AbortSignal,
): Promise<Response> {
  const { config, source } = desk;
  const { headers, method } = request;
  const { pathname } = new URL(request.url);
  if (!isOwnHost(headers, config)) throw foreignHost();
  const person = readPerson(headers, config);
  if (person === "refused") throw unproven();
  if (method === "POST") return await act(desk, request, person);
  if (method !== "GET" && method !== "HEAD") throw wrongMethod("GET, HEAD");
  switch (pathname) {
    case STYLE_PATH:
      return file(STYLE, "text/css");
    case SCRIPT_PATH:
      return file(SCRIPT, "text/javascript");
    case "/name":
      return page(namePage({ next: "/", given: "", problem: false }), {
        headers: { "Set-Cookie": NO_NAME_COOKIE },
      });
  }
  if (person === "unknown") {
    return page(namePage({ next: pathname, given: "", problem: false }));
  }
  if (pathname === "/") return page(listPage(await source.board(), person));
  throw notFound();
}

/** What a form asks for. No other request changes anything. */
async function act(
  { config }: Desk,
  request: Request,
  _person: Known | "unknown",
): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (!isOwnForm(request.headers, config)) throw foreignForm();
  const form = await readForm(request);
  if (pathname === "/name" && config.userHeader === undefined) {
    const given = form.get("name") ?? "";
    const next = ownPath(form.get("next"));
    const name = readName(given);
    if (name !== undefined) {
      return seeOther(next, { "Set-Cookie": nameCookie(name) });
    }
    return page(namePage({ next, given, problem: true }), { status: 422 });
  }
  throw notFound();
}

/** A path that leads nowhere but to this desk. */
function ownPath(path: string | null): string {
  return path !== null && /^\/(?![/\\])[\w\-./:@%]*$/.test(path) ? path : "/";
}

async function readForm({ body, headers }: Request): Promise<URLSearchParams> {
  const type = headers.get("Content-Type") ?? "";
  if (!/^application\/x-www-form-urlencoded\b/i.test(type)) {
    throw new DeskRefusal(415, "That is no form of the desk", AGAIN);
  }
  try {
    const bytes = await readBounded(body, FORM_BYTES_MAX, 100);
    return new URLSearchParams(new TextDecoder().decode(bytes));
  } catch {
    throw new DeskRefusal(413, "The form is too long", AGAIN);
  }
}

const AGAIN = "Go back, load the page again, and fill it in once more.";

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
    "Come by the proxy in front of this desk. If you did, it does not name you, or it does not prove itself: see docs/desk.md.",
  );
}

function foreignForm(): DeskRefusal {
  return new DeskRefusal(
    403,
    "The form did not come from a page of this desk",
    "Nothing was decided. Open the desk's own page and decide there.",
  );
}

function wrongMethod(allow: string): DeskRefusal {
  return new DeskRefusal(405, "The desk does not do that", AGAIN, {
    Allow: allow,
  });
}
