/**
 * The desk's answers, each with headers that keep a browser from running,
 * fetching, framing or telling anything that is not the desk's own.
 *
 * @module
 */
import type { Markup } from "./html.ts";

/** The desk's style and script are files of its own; nothing else is loaded. */
const POLICY = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join("; ");

const SECURITY: Readonly<Record<string, string>> = {
  "Content-Security-Policy": POLICY,
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Permissions-Policy":
    "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
};

/** A page. It is never kept: it holds evidence and a one-time token. */
export function page(
  body: Markup,
  { status = 200, headers = {} }: {
    status?: number;
    headers?: Readonly<Record<string, string>>;
  } = {},
): Response {
  return new Response(`<!DOCTYPE html>\n${body.text}`, {
    status,
    headers: {
      ...SECURITY,
      "Cache-Control": "no-store",
      "Content-Type": "text/html; charset=utf-8",
      ...headers,
    },
  });
}

/** A file of the desk's own. */
export function file(
  text: string,
  contentType: string,
  cacheControl = "no-cache",
): Response {
  return new Response(text, {
    headers: {
      ...SECURITY,
      "Cache-Control": cacheControl,
      "Content-Type": `${contentType}; charset=utf-8`,
    },
  });
}

/** Leads a browser on after a form was sent. @param path Of the desk itself. */
export function seeOther(
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(null, {
    status: 303,
    headers: { ...SECURITY, Location: path, ...headers },
  });
}

/** Events for a page that is open. */
export function events(stream: ReadableStream<Uint8Array>): Response {
  return new Response(stream, {
    headers: {
      ...SECURITY,
      "Cache-Control": "no-store",
      "Content-Type": "text/event-stream; charset=utf-8",
      // Or a proxy would hold events back.
      "X-Accel-Buffering": "no",
    },
  });
}
