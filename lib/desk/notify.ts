/**
 * Tells people of what the desk sees waiting.
 *
 * @module
 */
import type { Config } from "../base/config.ts";
import type { Log } from "../base/log.ts";
import { openChannels } from "../operate/notices/channels.ts";
import { noticeStore } from "../operate/notices/claims.ts";
import { Notices } from "../operate/notices/notices.ts";
import {
  checkNoticeUrls,
  type NoticeSettings,
} from "../operate/notices/settings.ts";
import type { Platform } from "../operate/platform.ts";
import type { WaitingRow } from "../operate/watch.ts";

/** Sends notices from its start on, until it is disposed of. */
export interface Notifier extends AsyncDisposable {
  start(): void;
  /** Takes what waits now. */
  update(rows: readonly WaitingRow[]): void;
  /** What could not be delivered, a sentence each. */
  undelivered(): string[];
}

/** @throws {ConfigError} If a webhook may not be used. */
export function openNotifier(
  config: Config<NoticeSettings> & { readonly deskUrl: string | undefined },
  platform: Platform,
  { log, count }: { log: Log; count: (name: string) => void },
): Notifier {
  checkNoticeUrls(config);
  const { deskUrl, remindMinutes } = config;
  const notices = new Notices({
    channels: openChannels(config),
    store: noticeStore(platform),
    deskUrl,
    remindMinutes,
    log,
    count,
  });
  const stop = new AbortController();
  let running: Promise<void> | undefined;
  return {
    start: () => void (running ??= notices.run(stop.signal)),
    update: (rows) => notices.update(rows),
    undelivered: () => notices.undelivered(),
    // What is on its way is settled, so that no other desk sends it again.
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}
