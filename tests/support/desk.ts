/**
 * A desk behind its real server, and a person who uses it without a browser.
 *
 * @module
 */
import { serveRequests } from "../../lib/base/service.ts";
import type { WatcherPace } from "../../lib/desk/settings.ts";
import { DESK, openService } from "../../workers/desk.ts";

type Variables = Readonly<Record<string, string>>;

/** What a page answered. */
export interface Shown {
  status: number;
  text: string;
  headers: Headers;
}

/** A running desk. */
export interface DeskRig extends AsyncDisposable {
  url: string;
  log: string[];
  /** Loads a page as somebody. */
  get(path: string, name?: string): Promise<Shown>;
  /** Sends the form of the page at `path` whose action ends with `verb`. */
  send(
    path: string,
    verb: string,
    options?: { name?: string; fields?: Variables; page?: string },
  ): Promise<Shown>;
}

/** Starts a desk on a free port. */
export async function startDesk(
  variables: Variables,
  pace: WatcherPace = {},
): Promise<DeskRig> {
  const stop = new AbortController();
  const log: string[] = [];
  const env: Variables = { DESK_ADDR: "127.0.0.1:0", ...variables };
  const listening = Promise.withResolvers<string>();
  const open: typeof DESK.open = (config, log) =>
    openService(config, log, pace);
  const served = serveRequests({ ...DESK, open }, {
    env: (name) => env[name],
    signal: stop.signal,
    write: (line) => log.push(line),
    onListen: listening.resolve,
  });
  served.catch(listening.reject);
  const url = await listening.promise;
  const ask = async (path: string, init: RequestInit): Promise<Shown> => {
    const response = await fetch(url + path, { redirect: "manual", ...init });
    const { status, headers } = response;
    return { status, headers, text: await response.text() };
  };
  const cookieOf = (name: string) =>
    name === "" ? "" : `desk-name=${encodeURIComponent(name)}`;
  const get = (path: string, name = "Ana") =>
    ask(path, { headers: { Cookie: cookieOf(name) } });
  return {
    url,
    log,
    get,
    async send(path, verb, { name = "Ana", fields = {}, page } = {}) {
      const html = page ?? (await get(path, name)).text;
      return await ask(`${path}/${verb}`, {
        method: "POST",
        headers: {
          "Content-Type": "application/x-www-form-urlencoded",
          "Sec-Fetch-Site": "same-origin",
          Cookie: cookieOf(name),
        },
        body: new URLSearchParams({ ...fieldsOf(html, verb), ...fields }),
      });
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await served;
    },
  };
}

/** What the page's form sends unseen. */
export function fieldsOf(html: string, verb: string): Variables {
  const [, form = ""] = new RegExp(`<form [^>]*/${verb}"[^>]*>([^]*?)</form>`)
    .exec(html) ?? [];
  return Object.fromEntries(
    [...form.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)">/g)]
      .map(([, name = "", value = ""]) => [name, value]),
  );
}
