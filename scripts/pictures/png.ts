/**
 * Makes PNG files of screenshots small: a palette of the 256 most frequent
 * colours in place of 24 bits for each pixel.
 *
 * @see https://www.w3.org/TR/png-3/
 * @module
 */

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const COLORS_MAX = 256;
const HEAD_BYTES = 25;
/** Of colours, by their kind in the header: RGB and RGBA. */
const CHANNELS: Readonly<Record<number, number>> = { 2: 3, 6: 4 };
const PALETTE_KIND = 3;

/** Reduces an opaque picture of 8 bits a channel; any other is left as it is. */
export async function shrinkPng(png: Uint8Array<ArrayBuffer>) {
  const view = new DataView(png.buffer, png.byteOffset);
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  const channels = CHANNELS[png[HEAD_BYTES]!];
  if (png[HEAD_BYTES - 1] !== 8 || channels === undefined) return png;
  const data: Uint8Array<ArrayBuffer>[] = [];
  for (let at = SIGNATURE.length; at < png.length;) {
    const length = view.getUint32(at);
    const type = String.fromCharCode(...png.subarray(at + 4, at + 8));
    if (type === "IDAT") data.push(png.slice(at + 8, at + 8 + length));
    at += length + 12;
  }
  const rows = unfilter(
    await through(new DecompressionStream("deflate"), data),
    { stride: width * channels, height, channels },
  );
  const { indices, palette } = reduce(rows, channels);
  const lines = new Uint8Array((width + 1) * height);
  for (let y = 0; y < height; y++) {
    lines.set(
      indices.subarray(y * width, (y + 1) * width),
      y * (width + 1) + 1,
    );
  }
  const head = new Uint8Array(13);
  const headView = new DataView(head.buffer);
  headView.setUint32(0, width);
  headView.setUint32(4, height);
  head.set([8, PALETTE_KIND], 8);
  return join([
    new Uint8Array(SIGNATURE),
    chunk("IHDR", head),
    chunk("PLTE", palette),
    chunk("IDAT", await through(new CompressionStream("deflate"), [lines])),
    chunk("IEND", new Uint8Array()),
  ]);
}

async function through(
  stream: ReadableWritablePair<
    Uint8Array<ArrayBuffer>,
    Uint8Array<ArrayBuffer>
  >,
  parts: readonly Uint8Array<ArrayBuffer>[],
): Promise<Uint8Array<ArrayBuffer>> {
  const readable = ReadableStream.from(parts).pipeThrough(stream);
  return new Uint8Array(await new Response(readable).arrayBuffer());
}

interface Layout {
  /** Bytes of a row, without its filter's number. */
  stride: number;
  height: number;
  channels: number;
}

/** Undoes what each row's filter did. */
function unfilter(
  data: Uint8Array,
  { stride, height, channels }: Layout,
): Uint8Array {
  const rows = new Uint8Array(stride * height);
  for (let y = 0; y < height; y++) {
    const filter = data[y * (stride + 1)]!;
    const from = y * (stride + 1) + 1;
    const to = y * stride;
    for (let x = 0; x < stride; x++) {
      const left = x < channels ? 0 : rows[to + x - channels]!;
      const above = y === 0 ? 0 : rows[to + x - stride]!;
      const corner = x < channels || y === 0
        ? 0
        : rows[to + x - stride - channels]!;
      rows[to + x] = data[from + x]! + guess(filter, left, above, corner);
    }
  }
  return rows;
}

function guess(filter: number, left: number, above: number, corner: number) {
  switch (filter) {
    case 1:
      return left;
    case 2:
      return above;
    case 3:
      return (left + above) >> 1;
    case 4: {
      const whole = left + above - corner;
      const [a, b, c] = [left, above, corner].map((one) =>
        Math.abs(whole - one)
      ) as [number, number, number];
      return a <= b && a <= c ? left : b <= c ? above : corner;
    }
    default:
      return 0;
  }
}

/** Each pixel as the number of its colour, or of the nearest one that is kept. */
function reduce(
  rows: Uint8Array,
  channels: number,
): { indices: Uint8Array; palette: Uint8Array<ArrayBuffer> } {
  const pixels = new Uint32Array(rows.length / channels);
  const counts = new Map<number, number>();
  for (let at = 0; at < pixels.length; at++) {
    const from = at * channels;
    const color = rows[from]! << 16 | rows[from + 1]! << 8 | rows[from + 2]!;
    pixels[at] = color;
    counts.set(color, (counts.get(color) ?? 0) + 1);
  }
  const kept = [...counts].toSorted(([a, m], [b, n]) => n - m || a - b)
    .slice(0, COLORS_MAX).map(([color]) => color);
  const numbers = new Map(kept.map((color, at) => [color, at]));
  for (const color of counts.keys()) {
    if (!numbers.has(color)) numbers.set(color, nearest(color, kept));
  }
  return {
    indices: Uint8Array.from(pixels, (color) => numbers.get(color)!),
    palette: Uint8Array.from(
      kept.flatMap((color) => [color >> 16, color >> 8 & 255, color & 255]),
    ),
  };
}

function nearest(color: number, kept: readonly number[]): number {
  let best = 0;
  let least = Infinity;
  for (const [at, other] of kept.entries()) {
    const far = ((color >> 16) - (other >> 16)) ** 2 +
      ((color >> 8 & 255) - (other >> 8 & 255)) ** 2 +
      ((color & 255) - (other & 255)) ** 2;
    if (far < least) [best, least] = [at, far];
  }
  return best;
}

function chunk(type: string, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(data.length + 12);
  const view = new DataView(whole.buffer);
  view.setUint32(0, data.length);
  whole.set(new TextEncoder().encode(type), 4);
  whole.set(data, 8);
  view.setUint32(data.length + 8, crc(whole.subarray(4, data.length + 8)));
  return whole;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, at) => {
  let value = at;
  for (let bit = 0; bit < 8; bit++) {
    value = value & 1 ? 0xedb88320 ^ value >>> 1 : value >>> 1;
  }
  return value;
});

function crc(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) {
    value = CRC_TABLE[(value ^ byte) & 255]! ^ value >>> 8;
  }
  return (value ^ 0xffffffff) >>> 0;
}

function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(
    parts.reduce((sum, { length }) => sum + length, 0),
  );
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
