/**
 * Headless Chromium over its DevTools protocol, as far as the tests need it.
 *
 * @module
 */
import { within } from "../../lib/base/time.ts";
import { until } from "./until.ts";

type Json = Record<string, unknown>;

/** Where Debian puts it. */
const PROGRAM = "chromium";
const START_MS = 30_000;
const CALL_MS = 20_000;
const LOAD_MS = 20_000;

/** How one tab looks. */
export interface TabOptions {
  width?: number;
  height?: number;
  dark?: boolean;
  /** Runs no script at all. */
  scriptless?: boolean;
}

/** Keys that a test presses. */
const KEYS: Readonly<Record<string, { code: number; text?: string }>> = {
  Tab: { code: 9 },
  Enter: { code: 13, text: "\r" },
  ArrowDown: { code: 40 },
  ArrowUp: { code: 38 },
};

/** One tab. */
export class Tab {
  /** All requests since it was opened. */
  readonly requests: string[] = [];
  /** Errors on its console, refused resources among them. */
  readonly errors: string[] = [];
  /** Dialogs that a script has opened. */
  readonly dialogs: string[] = [];

  constructor(
    readonly call: (method: string, params?: Json) => Promise<Json>,
  ) {}

  hear(method: string, params: Json): void {
    if (method === "Network.requestWillBeSent") {
      this.requests.push(String((params["request"] as Json)["url"]));
    } else if (method === "Page.javascriptDialogOpening") {
      this.dialogs.push(String(params["message"]));
      void this.call("Page.handleJavaScriptDialog", { accept: true });
    } else if (method === "Log.entryAdded") {
      const { level, text, url } = params["entry"] as Json;
      if (level === "error") this.errors.push(`${text} ${url ?? ""}`);
    } else if (method === "Runtime.exceptionThrown") {
      this.errors.push(JSON.stringify(params["exceptionDetails"]));
    }
  }

  /** Loads a page until it is there. */
  async goto(url: string): Promise<void> {
    await this.call("Page.navigate", { url });
    await this.until(
      `the page ${url}`,
      `location.href !== "about:blank" && document.readyState === "complete"`,
    );
  }

  /** Evaluates an expression in the page. */
  async eval<T = unknown>(expression: string): Promise<T> {
    const answer = await this.call("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    const { exceptionDetails, result } = answer as {
      exceptionDetails?: Json;
      result: { value: T };
    };
    if (exceptionDetails === undefined) return result.value;
    throw new Error(JSON.stringify(exceptionDetails));
  }

  /** Waits until an expression holds; pages may come and go meanwhile. */
  async until(what: string, expression: string): Promise<void> {
    await until(
      what,
      () => this.eval<boolean>(expression).catch(() => false),
      LOAD_MS,
    );
  }

  /** The page's text, as people see it. */
  text(): Promise<string> {
    return this.eval<string>("document.body.innerText");
  }

  /** Waits until the page says something. */
  async says(text: string): Promise<void> {
    await this.until(
      `the page to say "${text}"`,
      `document.body.innerText.includes(${JSON.stringify(text)})`,
    );
  }

  /** Presses a key of the keyboard. */
  async press(key: string): Promise<void> {
    const { code, text } = KEYS[key] ?? { code: key.charCodeAt(0), text: key };
    const event = { key, windowsVirtualKeyCode: code, code: key };
    await this.call("Input.dispatchKeyEvent", {
      ...{ type: text === undefined ? "rawKeyDown" : "keyDown", ...event },
      ...text !== undefined && { text },
    });
    await this.call("Input.dispatchKeyEvent", { type: "keyUp", ...event });
  }

  /** Presses Tab until this has the focus. */
  async tabTo(selector: string, max = 80): Promise<void> {
    const isThere = `document.activeElement?.matches(${
      JSON.stringify(selector)
    }) === true`;
    for (let count = 0; count < max; count++) {
      if (await this.eval<boolean>(isThere)) return;
      await this.press("Tab");
    }
    throw new Error(`Tab never reaches ${selector}`);
  }

  /** Types text where the focus is. */
  async type(text: string): Promise<void> {
    await this.call("Input.insertText", { text });
  }

  /** Clicks in the middle of an element. */
  async click(selector: string): Promise<void> {
    const [x, y] = await this.eval<[number, number]>(`(() => {
      const one = document.querySelector(${JSON.stringify(selector)});
      one.scrollIntoView({ block: "center", behavior: "instant" });
      const { x, y, width, height } = one.getBoundingClientRect();
      return [x + width / 2, y + height / 2];
    })()`);
    const at = { x, y, button: "left", clickCount: 1 };
    await this.call("Input.dispatchMouseEvent", {
      type: "mousePressed",
      ...at,
    });
    await this.call("Input.dispatchMouseEvent", {
      type: "mouseReleased",
      ...at,
    });
  }

  /** A picture of what is seen as PNG. @param height Of its upper part. */
  async picture(
    { height }: { height?: number | undefined } = {},
  ): Promise<Uint8Array> {
    const { data } = await this.call("Page.captureScreenshot", {
      format: "png",
      ...height !== undefined && {
        clip: {
          ...await this.eval<Json>("({ x: 0, y: scrollY, width: innerWidth })"),
          ...{ height, scale: 1 },
        },
      },
    });
    return Uint8Array.fromBase64(String(data));
  }
}

/** A running browser. */
export class Browser implements AsyncDisposable {
  readonly #socket: WebSocket;
  readonly #calls = new Map<number, PromiseWithResolvers<Json>>();
  readonly #tabs = new Map<string, Tab>();
  readonly #stop: () => Promise<void>;
  #last = 0;

  constructor(socket: WebSocket, stop: () => Promise<void>) {
    this.#socket = socket;
    this.#stop = stop;
    socket.onmessage = ({ data }) => this.#hear(JSON.parse(data));
    socket.onclose = () => {
      for (const { reject } of this.#calls.values()) {
        reject(new Error("The browser is gone"));
      }
    };
  }

  /** Opens a tab of a person of its own: with nobody else's cookies. */
  async open(
    { width = 1280, height = 900, dark = false, scriptless = false }:
      TabOptions = {},
  ): Promise<Tab> {
    const { browserContextId } = await this.#call(
      "Target.createBrowserContext",
    );
    const { targetId } = await this.#call("Target.createTarget", {
      url: "about:blank",
      browserContextId,
    });
    return await this.#attach(String(targetId), {
      ...{ width, height, dark, scriptless },
    });
  }

  async #attach(
    targetId: string,
    { width, height, dark, scriptless }: Required<TabOptions>,
  ): Promise<Tab> {
    const { sessionId } = await this.#call("Target.attachToTarget", {
      targetId,
      flatten: true,
    });
    const session = String(sessionId);
    const tab = new Tab((method, params) =>
      this.#call(method, params, session)
    );
    this.#tabs.set(session, tab);
    for (const domain of ["Page", "Runtime", "Network", "Log"]) {
      await tab.call(`${domain}.enable`);
    }
    await tab.call("Emulation.setDeviceMetricsOverride", {
      ...{ width, height, deviceScaleFactor: 1, mobile: false },
    });
    await tab.call("Emulation.setEmulatedMedia", {
      features: [
        { name: "prefers-color-scheme", value: dark ? "dark" : "light" },
        { name: "prefers-reduced-motion", value: "reduce" },
      ],
    });
    if (scriptless) {
      await tab.call("Emulation.setScriptExecutionDisabled", { value: true });
    }
    return tab;
  }

  async #call(
    method: string,
    params: Json = {},
    sessionId?: string,
  ): Promise<Json> {
    const id = ++this.#last;
    const call = Promise.withResolvers<Json>();
    this.#calls.set(id, call);
    this.#socket.send(
      JSON.stringify({ id, method, params, ...sessionId && { sessionId } }),
    );
    const late = setTimeout(
      () => call.reject(new Error(`${method} takes too long`)),
      CALL_MS,
    );
    try {
      return await call.promise;
    } finally {
      clearTimeout(late);
      this.#calls.delete(id);
    }
  }

  #hear(
    { id, method, params, result, error, sessionId }: {
      id?: number;
      method?: string;
      params?: Json;
      result?: Json;
      error?: { message: string };
      sessionId?: string;
    },
  ): void {
    if (id === undefined) {
      this.#tabs.get(sessionId ?? "")?.hear(method ?? "", params ?? {});
      return;
    }
    const call = this.#calls.get(id);
    if (error === undefined) call?.resolve(result ?? {});
    else call?.reject(new Error(error.message));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = Promise.withResolvers<void>();
    this.#socket.addEventListener("close", () => closed.resolve());
    await this.#call("Browser.close").catch(() => {});
    await within(2_000, closed.promise).catch(() => {});
    await this.#stop();
  }
}

const FLAGS = [
  ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"],
  ...["--no-first-run", "--disable-background-networking"],
  ...["--disable-component-update", "--disable-sync", "--hide-scrollbars"],
  ...["--disable-extensions", "--disable-default-apps", "--mute-audio"],
  ...[
    "--disable-dev-shm-usage",
    "--remote-debugging-port=0",
    "--remote-allow-origins=*",
  ],
];

/** Starts a browser with nothing in it. */
export async function startBrowser(): Promise<Browser> {
  const folder = await Deno.makeTempDir({ dir: "/tmp", prefix: "browser-" });
  const process = new Deno.Command(PROGRAM, {
    args: [...FLAGS, `--user-data-dir=${folder}`, "about:blank"],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const stop = async () => {
    const killing = setTimeout(() => process.kill("SIGKILL"), 3_000);
    await process.status;
    clearTimeout(killing);
    await Deno.remove(folder, { recursive: true }).catch(() => {});
  };
  try {
    const address = await until("Chromium to listen", async () => {
      const file = `${folder}/DevToolsActivePort`;
      const text = await Deno.readTextFile(file).catch(() => "");
      const [port, path] = text.split("\n");
      return path ? `ws://127.0.0.1:${port}${path}` : undefined;
    }, START_MS);
    const socket = new WebSocket(address);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = () => reject(new Error("Cannot talk to Chromium"));
    });
    return new Browser(socket, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}
