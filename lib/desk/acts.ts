/**
 * What forms of the desk ask for. No other request changes anything.
 *
 * @module
 */
import { readBounded } from "../base/http.ts";
import { page, seeOther } from "./answer.ts";
import type { Desk } from "./parts.ts";
import { isOwnForm } from "./guard.ts";
import { pathOf } from "./pages/list.ts";
import { namePage } from "./pages/name.ts";
import { nameCookie, type Person, readName } from "./people.ts";
import { DeskRefusal, notFound } from "./refusal.ts";

/** A form has a reason of 500 characters, a token and little else. */
const FORM_BYTES_MAX = 16 * 1024;
const PIECES_MAX = 100;
const VERBS = { approve: "approved", reject: "rejected" } as const;

/** Answers a `POST`. @throws {DeskRefusal} */
export async function act(
  desk: Desk,
  request: Request,
  person: Exclude<Person, string> | "unknown",
): Promise<Response> {
  const { config, deciding, tally, source, followings } = desk;
  const { pathname } = new URL(request.url);
  if (!isOwnForm(request.headers, config)) throw foreignForm();
  const form = await readForm(request);
  if (pathname === "/name" && config.userHeader === undefined) {
    return takeName(form);
  }
  const [, id, verb] = /^\/posts\/([^/]{1,900})\/(approve|reject)$/
    .exec(pathname) ?? [];
  if (id === undefined) throw notFound();
  if (person === "unknown") throw nameless();
  const jobId = decode(id);
  const done = VERBS[verb as keyof typeof VERBS];
  await deciding.decide({ jobId, verb: done, person: person.name, form });
  tally.add(done);
  if (done === "approved") followings.start(jobId);
  source.refresh();
  return seeOther(`${pathOf(jobId)}#decide`);
}

function decode(id: string): string {
  try {
    return decodeURIComponent(id);
  } catch {
    throw notFound();
  }
}

function takeName(form: URLSearchParams): Response {
  const given = form.get("name") ?? "";
  const next = ownPath(form.get("next"));
  const name = readName(given);
  if (name !== undefined) {
    return seeOther(next, { "Set-Cookie": nameCookie(name) });
  }
  return page(namePage({ next, given, problem: true }), { status: 422 });
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
    const bytes = await readBounded(body, FORM_BYTES_MAX, PIECES_MAX);
    return new URLSearchParams(new TextDecoder().decode(bytes));
  } catch {
    throw new DeskRefusal(413, "The form is too long", AGAIN);
  }
}

const AGAIN = "Go back, load the page again, and fill it in once more.";

function foreignForm(): DeskRefusal {
  return new DeskRefusal(
    403,
    "The form did not come from a page of this desk",
    "Nothing was decided. Open the desk's own page and decide there.",
  );
}

function nameless(): DeskRefusal {
  return new DeskRefusal(
    403,
    "The desk does not know who you are",
    "Nothing was decided. Open the desk, say who you are, and read the post again.",
  );
}
