/**
 * Whoever decides about posts, at a terminal or at the desk: the platform, the
 * records of posts, and the key to sign with.
 *
 * @module
 */
import { type Config, optional, secret, type Setting } from "../base/config.ts";
import { optional as present } from "../base/json.ts";
import type { Endpoint } from "../platform/endpoint.ts";
import { POST_MAX_AGE } from "../post/age.ts";
import { readSigningKey, type SigningKey } from "../post/keys.ts";
import { Platform, type PlatformAddress } from "./platform.ts";
import { openPosts, type Posts } from "./posts.ts";

const SECRET_KEY = secret("APPROVAL_SIGNING_KEY", {
  about: "private key to sign approvals with, as deno task keys makes it",
});

/** A text, as other secrets are, that is known to be a key. */
const SIGNING_KEY: Setting<string | undefined> = optional({
  ...SECRET_KEY,
  parse(text: string) {
    readSigningKey(text);
    return text;
  },
});

/** What deciding reads from the environment, besides the platform's address. */
export const OPERATOR_SETTINGS: {
  readonly postMaxAgeS: Setting<number>;
  readonly signingKey: Setting<string | undefined>;
} = {
  postMaxAgeS: POST_MAX_AGE,
  signingKey: SIGNING_KEY,
};

/** What deciding takes. */
export interface Operator {
  readonly platform: Platform;
  /** Opens the records of posts; `undefined` if Redis is not named. */
  readonly posts: () => Promise<Posts | undefined>;
  readonly postMaxAgeS: number;
  /** Signs what is approved; `undefined` if nothing is to be signed. */
  readonly signingKey: SigningKey | undefined;
}

/** Connects when something is first asked. @param principal Who decides. */
export function openOperator(
  address: PlatformAddress,
  { postMaxAgeS, signingKey }: Config<typeof OPERATOR_SETTINGS>,
  { signal, principal }: {
    signal: AbortSignal;
    principal?: string | undefined;
  },
): Operator & AsyncDisposable {
  const { redis } = address;
  const options = { signal, ...present("principal", principal) };
  const platform = new Platform(address, options);
  const posts = lazyPosts(redis, signal);
  return {
    platform,
    postMaxAgeS,
    signingKey: signingKey === undefined
      ? undefined
      : readSigningKey(signingKey),
    posts: posts.open,
    async [Symbol.asyncDispose]() {
      await posts[Symbol.asyncDispose]();
      await platform[Symbol.asyncDispose]();
    },
  };
}

interface LazyPosts extends AsyncDisposable {
  readonly open: Operator["posts"];
}

function lazyPosts(
  redis: Endpoint | undefined,
  signal: AbortSignal,
): LazyPosts {
  let opened: Promise<Posts> | undefined;
  return {
    async open() {
      if (redis === undefined) return undefined;
      opened ??= openPosts(redis, signal);
      try {
        return await opened;
      } catch (error) {
        opened = undefined; // Redis may be there the next time.
        throw error;
      }
    },
    async [Symbol.asyncDispose]() {
      const posts = await opened?.catch(() => undefined);
      await posts?.[Symbol.asyncDispose]();
    },
  };
}
