/**
 * A sender that redelivers as PagerDuty and Alertmanager do, over a network that
 * fails on request.
 *
 * @module
 */
import { messageOf } from "../../../../lib/base/errors.ts";
import { wait } from "../../../../lib/base/time.ts";
import { Ended, Reader } from "../../../support/relay.ts";
import type { Letter } from "./letters.ts";
import type { Replica } from "../replica.ts";
import type { IntakeStage, Network } from "./stage.ts";

/** How a sender proceeds, with minutes compressed. */
export interface Course {
  letter: Letter;
  startMs: number;
  /** Waits between the attempts, which say how many attempts there are. */
  waitsMs: readonly number[];
  /** The replica that each attempt goes to. */
  to: readonly (0 | 1)[];
  /** Whether the first attempt goes to both. */
  copies: boolean;
  /** What else is sent after it was accepted. */
  then: "nothing" | "again" | "again after a restart";
}

export interface Attempt {
  letter: Letter;
  replica: string;
  /** Counted from 1. */
  nth: number;
  /** Absent if there was no answer. */
  status?: number;
  answer?: Record<string, unknown>;
  /** Whether the answer reached the sender in time. */
  seen: boolean;
  /** From the end of the request to the end of the answer. */
  ms: number;
  /** Whether a fault may have cost the answer. */
  excused: boolean;
}

/** How long PagerDuty waits. */
export const ANSWER_MS_MAX = 5_000;
/** How late a busy machine may deliver an answer that was in time. */
export const ALLOWANCE_MS = 1_500;

type Replicas = readonly [Replica, Replica];

/** Sends a letter until it is accepted, dropped or given up. */
export async function deliver(
  course: Course,
  { replicas, stage, signal }: {
    replicas: Replicas;
    stage: IntakeStage;
    signal: AbortSignal;
  },
): Promise<Attempt[]> {
  const { letter, waitsMs, to, copies } = course;
  const attempts: Attempt[] = [];
  const send = async (nth: number, place: 0 | 1) => {
    const [draw] = stage.attempts.next();
    const network = draw?.();
    const places: (0 | 1)[] = [place];
    if (nth === 1 && copies) places.push(other(place));
    if (network?.does === "double") {
      places.push(network.to === "same" ? place : other(place));
    }
    const all = { letter, nth, network, stage, signal };
    const sent = await Promise.all(
      places.map((place) => exchange({ ...all, replica: replicas[place] })),
    );
    attempts.push(...sent);
    return sent.filter(({ seen }) => seen).map(({ status }) => status!);
  };
  await wait(course.startMs, signal);
  for (let nth = 1; nth <= waitsMs.length + 1; nth++) {
    if (nth > 1) await wait(waitsMs[nth - 2]!, signal);
    const statuses = await send(nth, to[nth - 1]!);
    if (statuses.some((status) => status < 300)) {
      const place = to[nth - 1]!;
      if (course.then === "again after a restart") {
        await replicas[place].kill();
        await replicas[place].start();
      }
      if (course.then !== "nothing") {
        await send(nth + 1, course.then === "again" ? other(place) : place);
      }
      return attempts;
    }
    if (statuses.some((status) => isDropped(letter, status))) return attempts;
  }
  return attempts;
}

function other(place: 0 | 1): 0 | 1 {
  return place === 0 ? 1 : 0;
}

/** Whether the sender gives up: Alertmanager does so on 429, too. */
function isDropped({ path }: Letter, status: number): boolean {
  return status < 500 && (status !== 429 || path.endsWith("alertmanager"));
}

interface Exchange {
  letter: Letter;
  nth: number;
  replica: Replica;
  network: Network | undefined;
  stage: IntakeStage;
  signal: AbortSignal;
}

/** One attempt, on a connection of its own. */
async function exchange(
  { letter, nth, replica, network, stage, signal }: Exchange,
): Promise<Attempt> {
  const { strikes, alive, id } = replica;
  const failing = network !== undefined && network.does !== "double" &&
    network.does !== "drip";
  let whole = performance.now();
  const end = (
    what: string,
    answer: Pick<Attempt, "status" | "answer"> = {},
  ): Attempt => {
    stage.note(`attempt ${nth} to ${id}: ${what}`);
    const ms = Math.round(performance.now() - whole);
    const got = answer.status !== undefined;
    const lost = network?.does === "lose answer" || ms > ANSWER_MS_MAX;
    const excused = failing || !alive || replica.strikes !== strikes;
    const basis = { letter, replica: id, nth, ms, excused };
    return { ...basis, ...answer, seen: got && !lost };
  };
  if (network?.does === "refuse") return end("the network refuses");
  if (replica.port === 0) return end("nobody listens");
  const connection = await Deno.connect({
    hostname: "127.0.0.1",
    port: replica.port,
  }).catch(messageOf);
  if (typeof connection === "string") return end(connection);
  const reader = new Reader(connection);
  const close = () => reader.close();
  let timer: ReturnType<typeof setTimeout> | undefined;
  signal.addEventListener("abort", close);
  try {
    await write(reader, letter, { network, stage, replica });
    whole = performance.now();
    timer = setTimeout(close, ANSWER_MS_MAX + ALLOWANCE_MS);
    const got = await readAnswer(reader);
    const done = end(`${got.status} ${JSON.stringify(got.answer)}`, got);
    await stage.reach("answered", replica);
    return done;
  } catch (error) {
    if (!(error instanceof Ended)) throw error;
    return end("no answer");
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", close);
    close();
  }
}

/** @throws {Ended} If the connection breaks, also where the network cuts it. */
async function write(
  connection: Reader,
  { path, headers, body }: Letter,
  { network, stage, replica }: Pick<Exchange, "network" | "stage" | "replica">,
): Promise<void> {
  const bytes = new TextEncoder().encode(body);
  const head = Object.entries({
    "Host": "ingester.example",
    ...headers,
    "Content-Length": `${bytes.length}`,
    "Connection": "close",
  }).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const all = new TextEncoder().encode(
    `POST ${path} HTTP/1.1\r\n${head}\r\n${body}`,
  );
  if (network?.does === "cut") {
    await connection.write(
      all.subarray(0, Math.floor(all.length * network.share)),
    );
    throw new Ended();
  }
  if (network?.does === "cut at") {
    stage.at(network.moment, () => connection.close());
  }
  const { pieces, gapMs } = network?.does === "drip"
    ? network
    : { pieces: 2, gapMs: 0 };
  const size = Math.ceil(all.length / pieces);
  for (let at = 0; at < all.length; at += size) {
    await connection.write(all.subarray(at, at + size));
    if (at === 0) await stage.reach("half sent", replica);
    if (gapMs > 0) await wait(gapMs, stage.signal);
  }
}

/** @throws {Ended} If it breaks off. */
async function readAnswer(
  connection: Reader,
): Promise<{ status: number; answer: Record<string, unknown> }> {
  const line = async () => new TextDecoder().decode(await connection.line());
  const status = Number((await line()).split(" ")[1]);
  let header = await line();
  let chunked = false;
  let length = 0;
  while (header.trim() !== "") {
    const [name = "", value = ""] = header.toLowerCase().split(":");
    if (name === "content-length") length = Number(value);
    if (name === "transfer-encoding") chunked = value.trim() === "chunked";
    header = await line();
  }
  // The ingester's bodies are short, so they come in one chunk.
  if (chunked) length = parseInt(await line(), 16);
  const text = new TextDecoder().decode(await connection.bytes(length));
  return { status, answer: JSON.parse(text) };
}
