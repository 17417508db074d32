/**
 * What is known beside the claims: moments, gaps, look-ups, what redaction took.
 * Pure.
 *
 * @module
 */
import { foreignLine, quoted } from "../../base/foreign.ts";
import { shorten } from "../../base/text.ts";
import { type LookupState, toMoment } from "../../incident.ts";
import { titleOf } from "../../lookups.ts";
import { describeRemoved } from "../../removed.ts";
import { cites } from "./claims.ts";
import { html, type Markup } from "./markup.ts";
import type { PageView, Room } from "./view.ts";

/** Facts as the sources name them. */
export function factsSection({ bundle }: PageView, room: Room): Markup {
  const { facts = [] } = bundle.normalized_context ?? {};
  if (facts.length === 0) return html``;
  return html`
    <section>
      <h2>Facts</h2>
      <div class="scroll">
        <table>
    ${facts.map(({ name, value, evidence }) =>
      html`
        <tr>
          <th scope="row">${shorten(foreignLine(name), room.chars)}</th>
          <td>${shorten(foreignLine(value), room.chars)} ${cites(evidence)}</td>
        </tr>
      `
    )}</table>
      </div>
    </section>
  `;
}

/** What happened when, the oldest first. */
export function timelineSection({ bundle }: PageView, room: Room): Markup {
  const { timeline = [] } = bundle.normalized_context ?? {};
  if (timeline.length === 0) return html``;
  return html`
    <section>
      <h2>Timeline, in UTC</h2>
      <ol class="moments">
    ${timeline.map(({ at, text, kind, evidence }) =>
      html`
        <li${kind === "change"
          ? html`
            class="change"
          `
          : undefined}>${moment(at)}<span>${kind === "change"
          ? "Change: "
          : ""}${shorten(foreignLine(text), room.chars)} ${cites(
            evidence,
          )}</span></li>
      `
    )}</ol>
    </section>
  `;
}

/** A time as people and programs read it. */
export function moment(at: string): Markup {
  const known = toMoment(at);
  if (known === undefined) return html`<span>${quoted(at, 40)}</span>`;
  return html`<time datetime="${known}">${
    known.slice(0, 19).replace("T", " ")
  }</time>`;
}

/** What could not be collected. */
export function gapsSection({ bundle }: PageView, room: Room): Markup {
  const { gaps = [] } = bundle;
  if (gaps.length === 0) return html``;
  return html`
    <section>
      <h2>What is missing</h2>
      <ul class="plain">
    ${gaps.map(({ what, why, got, of }) =>
      html`
        <li>${quoted(
          `${what}: ${why}`,
          room.chars,
        )}${got === undefined || of === undefined
          ? ""
          : `, ${got} of ${of}`}</li>
      `
    )}</ul>
    </section>
  `;
}

const STATES: readonly (readonly [LookupState, string])[] = [
  ["found", "Asked and found"],
  ["nothing", "Asked, and there is nothing"],
  ["failed", "Could not be asked"],
  ["unconcerned", "Not asked: the incident names nothing to look up there"],
  ["off", "Not set up"],
];

/** What was looked up in other systems, by how it ended. */
export function lookupsSection({ bundle }: PageView, room: Room): Markup {
  const { lookups = [] } = bundle;
  if (lookups.length === 0) return html``;
  return html`
    <section>
    <h2>What was looked up</h2>
    ${STATES.map(([state, heading]) => {
      const items = lookups.filter((lookup) => lookup.state === state);
      if (state === "off" && items.length > 0) {
        const names = items.map(({ collector }) => titleOf(collector));
        return html`
          <h3>${heading}</h3>
          <p>${upper(names.join(", "))}.</p>
        `;
      }
      return items.length === 0 ? html`` : html`
        <h3>${heading}</h3>
        <ul class="plain">
        ${items.map(({ collector, question, why, evidence = [] }) =>
          html`
            <li>${upper(titleOf(collector))}${question === undefined
              ? ""
              : `: ${quoted(question, room.chars)}`}${why === undefined ||
                state === "off"
              ? ""
              : ` — ${quoted(why, room.chars)}`} ${evidence.length === 0
              ? undefined
              : cites(evidence)}</li>
          `
        )}</ul>
      `;
    })}</section>
  `;
}

function upper(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

/** What redaction removed, and where. */
export function removedSection({ bundle, level }: PageView): Markup {
  const ledger = bundle.normalized_context?.redacted ?? {};
  const said = describeRemoved(ledger, level);
  if (said === undefined) return html``;
  return html`
    <section>
      <h2>What redaction removed</h2>
      <p>${upper(said)}.</p>
      <ul class="plain">
    ${Object.entries(ledger).map(([name, { count, where }]) =>
      html`
        <li>${name}: ${count}${where.length === 0 || level === "full" // A name of a field is text, too.
          ? ""
          : `, in ${where.map((at) => quoted(at, 120)).join(", ")}`}</li>
      `
    )}</ul>
    </section>
  `;
}
