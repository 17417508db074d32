/**
 * The desk: `handle` without a server, before a stand-in gateway.
 *
 * @module
 */
import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { plain, startGateway } from "../../deploy/standins/gateway.ts";
import { readConfig } from "../../lib/base/config.ts";
import { ConfigError } from "../../lib/base/errors.ts";
import { createLog } from "../../lib/base/log.ts";
import { type OpenDesk, openDesk } from "../../lib/desk/desk.ts";
import { checkExposure } from "../../lib/desk/settings.ts";
import { openOperator } from "../../lib/operate/operator.ts";
import { until } from "../support/until.ts";
import { SETTINGS } from "../../workers/desk.ts";

type Variables = Readonly<Record<string, string>>;

function configOf(variables: Variables = {}) {
  const all: Variables = {
    CORETEX_GATEWAY_URL: "http://127.0.0.1:1",
    CORETEX_API_KEY: "k",
    ...variables,
  };
  return readConfig(SETTINGS, (name) => all[name]);
}

/** Calls on a desk before a platform on which nothing waits. */
async function onDesk<T>(
  variables: Variables,
  use: (ask: (path: string, init?: RequestInit) => Promise<Response>) => T,
  waiting: () => Response | Promise<Response> = () =>
    Response.json({ items: [] }),
): Promise<Awaited<T>> {
  await using gateway = startGateway(({ path }) =>
    path.startsWith("/api/v1/approvals")
      ? waiting()
      : path.endsWith("/jobs/asked")
      ? Response.json({ id: "another", state: "RUNNING", context: null })
      : plain(404, "no")
  );
  const config = configOf(variables);
  const { signal } = new AbortController();
  await using operator = openOperator(
    { gateway: { url: gateway.url, apiKey: "k" }, redis: undefined },
    config,
    { signal },
  );
  const log = createLog({}, { write() {} });
  await using desk: OpenDesk = openDesk(config, operator, log);
  return await use((path, init = {}) => {
    const headers = new Headers({ Host: "127.0.0.1:8090" });
    new Headers(init.headers).forEach((value, name) =>
      headers.set(name, value)
    );
    const request = new Request(`http://worker.invalid${path}`, {
      ...init,
      headers,
    });
    return desk.handle(request, signal);
  });
}

const ANA = { Cookie: "desk-name=Ana%20Lima" };
const FORM = {
  "Content-Type": "application/x-www-form-urlencoded",
  "Sec-Fetch-Site": "same-origin",
};

Deno.test("the desk asks who you are, keeps it, and then says that nothing waits", async () => {
  await onDesk({}, async (ask) => {
    const first = await ask("/");
    assertEquals(first.status, 200);
    assertMatch(await first.text(), /Who are you\?/);
    const named = await ask("/name", {
      method: "POST",
      headers: FORM,
      body: "name=Ana+Lima&next=%2F",
    });
    assertEquals(named.status, 303);
    assertEquals(named.headers.get("Location"), "/");
    const cookie = named.headers.get("Set-Cookie") ?? "";
    assertMatch(
      cookie,
      /^desk-name=Ana%20Lima; Path=\/; .*; HttpOnly; SameSite=Lax$/,
    );
    const list = await ask("/", { headers: ANA });
    assertMatch(
      await list.text(),
      /You decide as <strong>Ana Lima<[^]*Nothing waits/,
    );
  });
});

Deno.test("what is not known is not said to be nothing", async () => {
  const slow = Promise.withResolvers<Response>();
  const titleOf = (html: string) => /<title>(.*?) · /.exec(html)?.[1];
  await onDesk({}, async (ask) => {
    const reading = await (await ask("/", { headers: ANA })).text();
    slow.resolve(plain(403, "no"));
    assertEquals(titleOf(reading), "Not known what waits");
    assertMatch(reading, /Reading what waits…/);
    await until("the trouble", async () => {
      const away = await (await ask("/", { headers: ANA })).text();
      assertEquals(titleOf(away), "Not known what waits");
      return away.includes("The platform cannot be asked");
    });
  }, () => slow.promise);
});

Deno.test("a record of another job than was asked for is not shown", async () => {
  await onDesk({}, async (ask) => {
    const answer = await ask("/posts/asked", { headers: ANA });
    assertEquals(answer.status, 404);
    // Its forms would lead to the other one.
    assertEquals((await answer.text()).includes("another"), false);
  });
});

Deno.test("asking for another name forgets none: no GET changes anything", async () => {
  await onDesk({}, async (ask) => {
    const answer = await ask("/name", { headers: ANA });
    assertEquals(answer.headers.get("Set-Cookie"), null);
    assertMatch(await answer.text(), /name="name" value="Ana Lima"/);
  });
});

Deno.test("every answer forbids scripts of others, frames and referrers", async () => {
  await onDesk({}, async (ask) => {
    for (const path of ["/", "/desk.css", "/desk.js", "/nowhere"]) {
      const { headers } = await ask(path, { headers: ANA });
      assertMatch(
        headers.get("Content-Security-Policy") ?? "",
        /^default-src 'none'; style-src 'self'; script-src 'self';.*frame-ancestors 'none'/,
        path,
      );
      assertEquals(headers.get("Referrer-Policy"), "no-referrer", path);
      assertEquals(headers.get("X-Frame-Options"), "DENY", path);
      assertEquals(headers.get("X-Content-Type-Options"), "nosniff", path);
    }
  });
});

Deno.test("the desk answers to its own names only", async () => {
  await onDesk({ DESK_URL: "http://localhost:8090" }, async (ask) => {
    const statusOf = async (Host: string) =>
      (await ask("/", { headers: { ...ANA, Host } })).status;
    for (const own of ["127.0.0.1:8090", "localhost", "[::1]:1"]) {
      assertEquals(await statusOf(own), 200, own);
    }
    for (const foreign of ["evil.example", "127.0.0.1.evil.example", ""]) {
      assertEquals(await statusOf(foreign), 421, foreign);
    }
  });
});

Deno.test("a form of another site is refused", async () => {
  await onDesk({}, async (ask) => {
    const statusOf = async (headers: Variables) =>
      (await ask("/name", {
        method: "POST",
        headers: { "Content-Type": FORM["Content-Type"], ...headers },
        body: "name=Mallory",
      })).status;
    for (const site of ["cross-site", "same-site", "none"]) {
      assertEquals(await statusOf({ "Sec-Fetch-Site": site }), 403, site);
    }
    assertEquals(await statusOf({}), 403);
    assertEquals(await statusOf({ Origin: "null" }), 403);
    assertEquals(await statusOf({ Origin: "https://127.0.0.1:8090" }), 403);
    assertEquals(await statusOf({ Origin: "http://127.0.0.1:8090" }), 303);
  });
});

const PROXY = {
  DESK_URL: "https://desk.example.com",
  DESK_USER_HEADER: "X-Forwarded-Email",
  DESK_PROXY_SECRET: "0123456789abcdef",
};

Deno.test("behind a proxy, only who it vouches for gets in", async () => {
  await onDesk(PROXY, async (ask) => {
    const statusOf = async (headers: Variables) =>
      (await ask("/", { headers: { Host: "desk.example.com", ...headers } }))
        .status;
    const name = { "X-Forwarded-Email": "ana@example.com" };
    const secret = { "X-Desk-Proxy-Secret": PROXY.DESK_PROXY_SECRET };
    const basic = { Authorization: `Basic ${btoa(`ana:0123456789abcdef`)}` };
    assertEquals(await statusOf({ ...name, ...secret }), 200);
    assertEquals(await statusOf({ ...name, ...basic }), 200);
    assertEquals(await statusOf({ ...name, ...ANA }), 403);
    assertEquals(await statusOf(secret), 403);
    assertEquals(await statusOf({ ...name, "X-Desk-Proxy-Secret": "no" }), 403);
    assertEquals(
      await statusOf({ ...name, ...secret, Host: "127.0.0.1" }),
      421,
    );
    // A header that comes twice reaches the desk as one.
    const two = { "X-Forwarded-Email": "eve@example.com, ana@example.com" };
    assertEquals(await statusOf({ ...two, ...secret }), 403);
  });
});

Deno.test("behind a proxy, a page of its name without TLS sends no form", async () => {
  await onDesk(PROXY, async (ask) => {
    const statusOf = async (Origin: string) =>
      (await ask("/posts/r%3Apost/approve", {
        method: "POST",
        headers: {
          "Content-Type": FORM["Content-Type"],
          "X-Forwarded-Email": "ana@example.com",
          "X-Desk-Proxy-Secret": PROXY.DESK_PROXY_SECRET,
          Host: "desk.example.com",
          Origin,
        },
      })).status;
    assertEquals(await statusOf("http://desk.example.com"), 403);
    assertEquals(await statusOf("https://desk.example.com"), 404);
  });
});

Deno.test("a desk that anybody could use does not start", () => {
  const check = (variables: Variables) => () =>
    checkExposure(configOf(variables));
  assertThrows(check({ DESK_ADDR: "0.0.0.0:8090" }), ConfigError, "loopback");
  const served = { DESK_URL: "https://desk.example.com" };
  assertThrows(check(served), ConfigError, "this machine");
  check({ DESK_URL: "http://127.0.0.1:8090" })();
  const { DESK_URL: _, ...noUrl } = PROXY;
  assertThrows(check(noUrl), ConfigError, "DESK_URL");
  const { DESK_PROXY_SECRET: __, ...noSecret } = PROXY;
  assertThrows(check(noSecret), ConfigError, "together");
  assertThrows(check({ ...PROXY, DESK_PROXY_SECRET: "short" }), ConfigError);
  assertThrows(
    () => configOf({ DESK_URL: "http://desk.example.com" }),
    ConfigError,
  );
  check({ ...PROXY, DESK_ADDR: "0.0.0.0:8090" })();
});
