/**
 * The desk in a real browser: by keyboard, without script, on a narrow screen,
 * with hostile texts, by two people, and as axe-core judges it.
 *
 * @module
 */
import axe from "axe-core";
import { assert, assertEquals } from "@std/assert";
import { startDevcore } from "../../../deploy/devcore/devcore.ts";
import type { JsonObject } from "../../../lib/base/json.ts";
import { WORKFLOW_ID } from "../../../lib/operate/pack.ts";
import { type Stand, startStand } from "../../../scripts/launch/stand.ts";
import { type Browser, startBrowser, type Tab } from "../../support/browser.ts";
import { hasChromium } from "../../support/chromium.ts";
import { type DeskRig, startDesk } from "../../support/desk.ts";

const ignore = !await hasChromium();
if (ignore) {
  // deno-lint-ignore no-console -- Whoever reads the results should know.
  console.log("The desk is not tested in a browser: there is no chromium");
}

interface Place {
  browser: Browser;
  stand: Stand;
  desk: DeskRig;
}

/** @returns The path of a post that waits. */
async function start(
  { stand }: Place,
  id: string,
  more: JsonObject = {},
): Promise<string> {
  const { gateway, signal } = stand.platform;
  const input = {
    incident_id: `mock:${id}`,
    title: `Disk full on ${id}`,
    severity: "critical",
    service: "db",
    ...more,
  };
  const key = crypto.randomUUID();
  const jobId = await stand.untilApproval(
    await gateway.startRun(WORKFLOW_ID, input, { key, signal }),
  );
  return `/posts/${encodeURIComponent(jobId)}`;
}

/** Says who one is, as on the first visit. */
async function enter(
  { browser, desk }: Place,
  name: string,
  options: Parameters<Browser["open"]>[0] = {},
): Promise<Tab> {
  const tab = await browser.open(options);
  await tab.goto(desk.url);
  await tab.eval("document.getElementById('name').focus()");
  await tab.type(name);
  await tab.press("Enter");
  await tab.until("the list", "!!document.querySelector('nav [aria-current]')");
  return tab;
}

/** @returns What axe-core finds serious, a line each. */
async function judge(tab: Tab): Promise<string[]> {
  await tab.eval(axe.source);
  return await tab.eval<string[]>(`axe.run(document, {
    resultTypes: ["violations"],
  }).then(({ violations }) => violations
    .filter(({ impact }) => ["serious", "critical"].includes(impact))
    .map(({ id, nodes }) => id + ": " + nodes.map(({ html }) => html).join(" | ")))`);
}

const OPEN_ALL =
  "for (const one of document.querySelectorAll('details')) one.open = true";

const STEPS: Readonly<Record<string, (place: Place) => Promise<void>>> = {
  async "a post is found, read and approved by keyboard alone"(place) {
    await start(place, "keys");
    const tab = await enter(place, "Ana Lima");
    await tab.says("Disk full on keys");
    await tab.tabTo("a.headline");
    await tab.press("Enter");
    await tab.says("The message, as Slack will show it");
    await tab.tabTo(".approve button");
    await tab.press("Enter");
    await tab.says("Posted as an artifact");
    await tab.says("Approved by Ana Lima");
    assertEquals(tab.errors, []);
  },

  async "the arrows lead through the list"(place) {
    const paths = [await start(place, "down-1"), await start(place, "down-2")];
    const tab = await enter(place, "Ana");
    await tab.says("Disk full on down-2");
    await tab.tabTo("a.headline");
    const at = () =>
      tab.eval<string>("document.activeElement.getAttribute('href')");
    assertEquals(await at(), paths[0]);
    await tab.press("ArrowDown");
    assertEquals(await at(), paths[1]);
    await tab.press("ArrowDown");
    assertEquals(await at(), paths[1]);
    await tab.press("ArrowUp");
    assertEquals(await at(), paths[0]);
    for (const path of paths) await rejectIn(place, path);
  },

  async "a post is rejected with a reason"(place) {
    const path = await start(place, "reject");
    const tab = await enter(place, "Ana");
    await tab.goto(place.desk.url + path);
    // A browser does not send the form without a reason.
    await tab.click("button.danger");
    assertEquals(await tab.eval("location.pathname"), path);
    await tab.click("#reason");
    await tab.type("a false alarm");
    await tab.click("button.danger");
    await tab.says("Nothing was posted. The reason: a false alarm");
    assertEquals(tab.errors, []);
  },

  async "a page that follows keeps what was typed, and shows a new message whole"(
    place,
  ) {
    const path = await start(place, "typed");
    const tab = await enter(place, "Ana");
    await tab.goto(place.desk.url + path);
    await tab.click("#reason");
    await tab.type("not ours");
    const token = () =>
      tab.eval<string>("document.querySelector('[name=token]').value");
    const refresh = "document.dispatchEvent(new Event('visibilitychange'))";
    const before = await token();
    await tab.eval(refresh);
    await tab.until(
      "another token",
      `document.querySelector('[name=token]').value !== "${before}"`,
    );
    assertEquals(
      await tab.eval("document.querySelector('#reason').value"),
      "not ours",
    );
    assertEquals(await tab.eval("document.activeElement.id"), "reason");
    // As if the page were of another message: a fresh form would be for one unread.
    await tab.eval(
      "document.getElementById('live').dataset.shows = 'other'; document.getElementById('message').textContent = 'Old'",
    );
    await tab.eval(refresh);
    await tab.until(
      "the whole page",
      "document.getElementById('message').textContent !== 'Old'",
    );
    await rejectIn(place, path);
  },

  async "of two people one decides, and the other's page says so by itself"(
    place,
  ) {
    const path = await start(place, "two");
    const ana = await enter(place, "Ana");
    const bo = await enter(place, "Bo");
    const late = await enter(place, "Cy", { scriptless: true });
    for (const tab of [ana, bo, late]) await tab.goto(place.desk.url + path);
    await ana.click(".approve button");
    await ana.says("Posted as an artifact");
    await bo.says("Approved by Ana");
    // All of the page says so, and leads to what came of it.
    await bo.says("The message that was decided on");
    assertEquals(await bo.eval("location.hash"), "#decide");
    assert(!(await bo.text()).includes("Approve as Bo"));
    // A page that cannot follow still has its form.
    await late.click(".approve button");
    await late.says("Somebody else decided it");
    await late.says("Ana approved it at this desk before you");
  },

  async "without a script, the list, the page and a decision work"(place) {
    const path = await start(place, "plain");
    const tab = await enter(place, "Ana", { scriptless: true });
    await tab.says("Disk full on plain");
    await tab.click("a.headline");
    await tab.says("The message, as Slack will show it");
    await tab.click(".approve button");
    // The page loads itself again until it is known.
    await tab.says("Posted as an artifact");
    assertEquals(await tab.eval("location.pathname"), path);
  },

  async "hostile texts run nothing and reach nobody"(place) {
    const steal = "http://127.0.0.1:1/steal";
    const bad = [
      `<script>alert(1);fetch('${steal}')</script>`,
      `<img src="${steal}" onerror="alert(2)">`,
      `"><iframe src="${steal}"></iframe>`,
      `</pre></textarea></title><svg onload=alert(3)>`,
      `' onmouseover='alert(4)`,
      "<javascript:alert(5)|click>",
      `<style>@import "${steal}"</style><base href="${steal}">`,
      `<meta http-equiv="refresh" content="0;url=${steal}">`,
    ];
    const path = await start(place, "hostile", {
      title: bad.slice(0, 3).join(" "),
      service: bad[3],
      source: { system: "mock", url: "https://evil.example/'alert(6)" },
      raw: { description: bad.join("\n"), list: bad, [bad[0]!]: bad[1] },
    });
    for (const scriptless of [false, true]) {
      const tab = await enter(place, "<b onclick=alert(7)>Eve", { scriptless });
      await tab.says("alert(1)");
      await tab.goto(place.desk.url + path);
      await tab.eval(OPEN_ALL);
      await tab.says("onmouseover");
      await tab.goto(`${place.desk.url}${path}/evidence/E1`);
      await tab.says("onmouseover");
      assertEquals(tab.dialogs, []);
      assertEquals(tab.errors, []);
      assertEquals(
        tab.requests.filter((url) => !url.startsWith(`${place.desk.url}/`)),
        [],
      );
    }
    await rejectIn(place, path);
  },

  async "at 360 pixels nothing has to be moved sideways"(place) {
    const path = await start(place, "narrow", {
      title: "x".repeat(400),
      raw: { long: "y".repeat(5_000), words: "one two ".repeat(300) },
    });
    const tab = await enter(place, "Ana".repeat(33), {
      ...{ width: 360, height: 740 },
    });
    for (const page of ["/", path, "/decided", "/nowhere", "/name"]) {
      await tab.goto(place.desk.url + page);
      await tab.eval(OPEN_ALL);
      const width = await tab.eval<number>(
        "document.documentElement.scrollWidth",
      );
      assert(width <= 360, `${page} is ${width} pixels wide`);
    }
    await rejectIn(place, path);
  },

  async "axe-core finds nothing serious"(place) {
    const path = await start(place, "axe");
    const done = await start(place, "axe-done");
    await rejectIn(place, done);
    const pages = ["/", path, done, "/decided", "/nowhere", "/name"];
    for (
      const options of [{}, { dark: true }, { width: 360, height: 740 }]
    ) {
      const tab = await enter(place, "Ana", options);
      for (const page of pages) {
        await tab.goto(place.desk.url + page);
        await tab.eval(OPEN_ALL);
        assertEquals(
          await judge(tab),
          [],
          `${page} ${JSON.stringify(options)}`,
        );
      }
    }
    await rejectIn(place, path);
  },
};

async function rejectIn({ desk }: Place, path: string): Promise<void> {
  const { status } = await desk.send(path, "reject", {
    fields: { reason: "done" },
  });
  assertEquals(status, 303);
}

Deno.test({
  name: "the desk in a browser",
  ignore,
  async fn(t) {
    await using core = await startDevcore({ reloadMs: 200 });
    await using stand = await startStand({ platformEnv: core.env });
    await using desk = await startDesk(core.env);
    await using browser = await startBrowser();
    const place = { stand, desk, browser };
    for (const [name, step] of Object.entries(STEPS)) {
      await t.step(name, () => step(place));
    }
  },
});
