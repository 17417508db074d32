import { assert, assertEquals, assertThrows } from "@std/assert";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { BusPacketSchema, file_cap } from "../../lib/platform/gen/cap_pb.ts";
import {
  type BusPacket,
  decodePacket,
  encodeHandshake,
  encodeHeartbeat,
  encodePacket,
  encodeProgress,
  encodeResult,
  JobStatus,
  PACKET_BYTES_MAX,
  PacketError,
} from "../../lib/platform/packet.ts";
import recorded from "../testdata/recorded/bus/packets.json" with {
  type: "json",
};

// The vectors of the platform's contract, in canonical field order.
const HEARTBEAT =
  "0a03772d311203772d311a060880e2cfaa062001622a0a03772d31250000484130013a04687474705a06656e7269636860046a0c0a06726567696f6e12026575";
const RESULT =
  "0a0474722d391203772d311a090881e2cfaa0610f40320015a2d0a0a72313a6665746368403110051a1672656469733a2f2f7265733a72313a666574636840312203772d31282a";
const CANCEL =
  "0a016a1211636f72657465782d7363686564756c657220018201190a016a1201781a11636f72657465782d7363686564756c6572";

const SENDER = { workerId: "w-1", nowMs: 1_700_000_000_000 };

Deno.test("decodePacket() reads the contract's heartbeat vector", () => {
  const packet = decodePacket(Uint8Array.fromHex(HEARTBEAT));
  assertEquals(packet.traceId, "w-1");
  assertEquals(packet.createdAt?.seconds, 1_700_000_000n);
  assert(packet.payload.case === "heartbeat");
  const {
    workerId,
    cpuLoad,
    activeJobs,
    capabilities,
    pool,
    maxParallelJobs,
    labels,
  } = packet.payload.value;
  assertEquals(
    {
      workerId,
      cpuLoad,
      activeJobs,
      capabilities,
      pool,
      maxParallelJobs,
      labels: { ...labels },
    },
    {
      workerId: "w-1",
      cpuLoad: 12.5,
      activeJobs: 1,
      capabilities: ["http"],
      pool: "enrich",
      maxParallelJobs: 4,
      labels: { region: "eu" },
    },
  );
});

Deno.test("encodeHeartbeat() writes the contract's heartbeat vector", () => {
  const bytes = encodeHeartbeat(SENDER, {
    cpuLoad: 12.5,
    activeJobs: 1,
    capabilities: ["http"],
    pool: "enrich",
    maxParallelJobs: 4,
    labels: { region: "eu" },
  });
  assertEquals(bytes.toHex(), HEARTBEAT);
});

Deno.test("decodePacket() and encodePacket() keep the contract's result vector", () => {
  const packet = decodePacket(Uint8Array.fromHex(RESULT));
  assert(packet.payload.case === "jobResult");
  const { jobId, status, resultPtr, workerId, executionMs } =
    packet.payload.value;
  assertEquals(
    { jobId, status, resultPtr, workerId, executionMs },
    {
      jobId: "r1:fetch@1",
      status: JobStatus.SUCCEEDED,
      resultPtr: "redis://res:r1:fetch@1",
      workerId: "w-1",
      executionMs: 42n,
    },
  );
  assertEquals(packet.createdAt?.nanos, 500);
  assertEquals(encodePacket(packet).toHex(), RESULT);
});

Deno.test("encodeResult() writes the contract's result vector, but for the nanoseconds", () => {
  const bytes = encodeResult(
    { workerId: "w-1", nowMs: 1_700_000_001_000 },
    { jobId: "r1:fetch@1", traceId: "tr-9", executionMs: 42 },
    { status: "succeeded", resultPtr: "redis://res:r1:fetch@1" },
  );
  assertEquals(
    bytes.toHex(),
    RESULT.replace("1a090881e2cfaa0610f403", "1a060881e2cfaa06"),
  );
});

Deno.test("decodePacket() and encodePacket() keep the contract's cancel vector", () => {
  const packet = decodePacket(Uint8Array.fromHex(CANCEL));
  assert(packet.payload.case === "jobCancel");
  const { jobId, reason, requestedBy } = packet.payload.value;
  assertEquals([jobId, reason, requestedBy], ["j", "x", "coretex-scheduler"]);
  assertEquals(packet.createdAt, undefined);
  assertEquals(encodePacket(packet).toHex(), CANCEL);
});

for (const [scenario, packets] of Object.entries(recorded)) {
  Deno.test(`decodePacket() and encodePacket() keep every byte of recording ${scenario}`, () => {
    for (const { subject, hex } of packets) {
      const packet = decodePacket(Uint8Array.fromHex(hex));
      assertEquals(encodePacket(packet).toHex(), hex, subject);
      assert(packet.payload.case !== undefined, subject);
      assertEquals(kindOn(subject), packet.payload.case, subject);
    }
  });
}

/** What each subject of the platform carries. */
function kindOn(subject: string): BusPacket["payload"]["case"] {
  if (subject === "sys.heartbeat") return "heartbeat";
  if (subject === "sys.job.progress") return "jobProgress";
  if (subject === "sys.job.cancel") return "jobCancel";
  if (subject === "sys.job.result" || subject === "sys.job.dlq") {
    return "jobResult";
  }
  return "jobRequest";
}

Deno.test("decodePacket() reads what a worker needs of a recorded dispatch", () => {
  const dispatch = recorded["02-run-fetch-summarize-post-approval-result"]
    .find(({ subject }) => subject === "worker.incident-enricher-poster.jobs")!;
  const { payload } = decodePacket(Uint8Array.fromHex(dispatch.hex));
  assert(payload.case === "jobRequest");
  const { jobId, topic, contextPtr, tenantId, labels, env, meta } =
    payload.value;
  assertEquals(topic, "job.incident-enricher.post");
  assertEquals(contextPtr, `redis://ctx:${jobId}`);
  assertEquals(tenantId, "default");
  assertEquals(labels["approval_granted"], "true");
  assertEquals(env["step_id"], "post");
  assertEquals(meta?.requires, ["slack:webhook"]);
});

Deno.test("decodePacket() keeps fields that this code does not know", () => {
  // Field 5 of the packet and field 17 of its job request, from newer versions.
  const unknown = "2a03616263" + "5205" + "8a01" + "0278" + "79";
  const packet = decodePacket(Uint8Array.fromHex(unknown));
  assertEquals(encodePacket(packet).toHex().length, unknown.length);
  const again = decodePacket(encodePacket(packet));
  assertEquals(encodePacket(again).toHex(), encodePacket(packet).toHex());
  assert(encodePacket(packet).toHex().includes("2a03616263"));
  assert(encodePacket(packet).toHex().includes("8a01027879"));
});

Deno.test("decodePacket() keeps a status of a newer version as its number", () => {
  const bytes = encodeResult(SENDER, {
    jobId: "j",
    traceId: "t",
    executionMs: 0,
  }, {
    status: "succeeded",
    resultPtr: "redis://res:j",
  });
  const packet = decodePacket(bytes);
  assert(packet.payload.case === "jobResult");
  packet.payload.value.status = 10 as JobStatus;
  const again = decodePacket(encodePacket(packet));
  assert(again.payload.case === "jobResult");
  assertEquals(again.payload.value.status as number, 10);
});

Deno.test("encodeResult() always writes worker id, terminal status and time", () => {
  const ends = [
    { status: "succeeded", resultPtr: "redis://res:j" },
    { status: "failed", code: "JOB_TIMEOUT", message: "too slow" },
  ] as const;
  for (const end of ends) {
    for (const executionMs of [-5, 0, 0.4, 1234.6]) {
      const packet = decodePacket(
        encodeResult(SENDER, { jobId: "j", traceId: "t", executionMs }, end),
      );
      assert(packet.payload.case === "jobResult");
      const { status, workerId, executionMs: written } = packet.payload.value;
      assertEquals(workerId, "w-1");
      assertEquals(packet.senderId, "w-1");
      assert(status === JobStatus.SUCCEEDED || status === JobStatus.FAILED);
      assertEquals(written, BigInt(Math.max(0, Math.round(executionMs))));
      assertEquals(packet.createdAt?.seconds, 1_700_000_000n);
      assertEquals(packet.protocolVersion, 1);
    }
  }
});

Deno.test("encodeResult() shortens a long error and numbers a known code", () => {
  const end = {
    status: "failed",
    code: "JOB_TIMEOUT",
    message: "x".repeat(5000),
  } as const;
  const packet = decodePacket(
    encodeResult(SENDER, { jobId: "j", traceId: "t", executionMs: 1 }, end),
  );
  assert(packet.payload.case === "jobResult");
  assertEquals(packet.payload.value.errorMessage.length, 1000);
  assertEquals(packet.payload.value.errorCode, "JOB_TIMEOUT");
  assertEquals(packet.payload.value.errorCodeEnum, 200);
});

Deno.test("encodeHandshake() names role, version and topics, and carries the token", () => {
  const packet = decodePacket(
    encodeHandshake({ ...SENDER, token: "t0ken" }, ["job.x.y"]),
  );
  assert(packet.payload.case === "handshake");
  const { componentId, role, supportedVersions, readyTopics } =
    packet.payload.value;
  assertEquals([componentId, role as number, supportedVersions, readyTopics], [
    "w-1",
    3,
    [1],
    ["job.x.y"],
  ]);
  assertEquals(packet.authToken, "t0ken");
});

Deno.test("encodeProgress() holds the percentage between 0 and 100", () => {
  for (
    const [given, written] of [[-1, 0], [0, 0], [33.4, 33], [100, 100], [
      250,
      100,
    ]]
  ) {
    const packet = decodePacket(
      encodeProgress(SENDER, { jobId: "j", traceId: "t" }, given!, "m"),
    );
    assert(packet.payload.case === "jobProgress");
    assertEquals(packet.payload.value.percent, written!);
  }
});

Deno.test("decodePacket() refuses what is no packet, with a clear error", () => {
  const cases: [string, Uint8Array][] = [
    ["a length of 4 GB", Uint8Array.fromHex("0afeffffff0f41")],
    ["a varint of 11 bytes", Uint8Array.fromHex("20ffffffffffffffffffff01")],
    ["text", new TextEncoder().encode('{"job_id":"1"}')],
    ["a truncated packet", Uint8Array.fromHex(HEARTBEAT).slice(0, 25)],
  ];
  for (const [name, bytes] of cases) {
    const error = assertThrows(
      () => decodePacket(bytes),
      PacketError,
      undefined,
      name,
    );
    assertEquals(
      error.message,
      `Cannot decode packet: ${bytes.length} bytes are not a BusPacket`,
      name,
    );
  }
});

Deno.test("decodePacket() refuses one byte more than its bound", () => {
  const withPayload = (length: number) => {
    const packet = fromBinary(BusPacketSchema, Uint8Array.fromHex(CANCEL));
    packet.signature = new Uint8Array(length);
    return toBinary(BusPacketSchema, packet);
  };
  const overhead = withPayload(PACKET_BYTES_MAX - 100).length -
    (PACKET_BYTES_MAX - 100);
  assertEquals(
    decodePacket(withPayload(PACKET_BYTES_MAX - overhead)).traceId,
    "j",
  );
  assertThrows(
    () => decodePacket(withPayload(PACKET_BYTES_MAX - overhead + 1)),
    PacketError,
    `got ${PACKET_BYTES_MAX + 1} bytes, expected at most ${PACKET_BYTES_MAX}`,
  );
});

Deno.test("decodePacket() survives 200,000 mutations of a packet", () => {
  const original = Uint8Array.fromHex(RESULT);
  let state = 42;
  const random = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state % below;
  };
  let refused = 0;
  for (let count = 0; count < 200_000; count++) {
    const bytes = original.slice(0, 1 + random(original.length));
    for (let flips = 0; flips <= random(4); flips++) {
      bytes[random(bytes.length)] = random(256);
    }
    try {
      decodePacket(bytes);
    } catch (error) {
      assert(error instanceof PacketError);
      refused++;
    }
  }
  assert(refused > 0 && refused < 200_000);
});

Deno.test("gen/cap_pb.ts is what cap.proto says", async () => {
  const proto = await Deno.readTextFile(
    new URL("../../lib/platform/cap.proto", import.meta.url),
  );
  const written = [
    ...proto.matchAll(/^\s+(?:repeated )?([\w.<>, ]+?) (\w+) = (\d+);/gm),
  ]
    .map(([, , name, number]) => `${name}=${number}`).toSorted();
  const generated = [
    ...file_cap.messages.flatMap(({ fields }) =>
      fields.map(({ name, number }) => `${name}=${number}`)
    ),
  ].toSorted();
  assertEquals(generated, written);
  const values = [...proto.matchAll(/^\s+([A-Z_]+) = (\d+);/gm)].map((
    [, name, number],
  ) => `${name}=${number}`);
  const enums = file_cap.enums.flatMap(({ values }) =>
    values.map(({ name, number }) => `${name}=${number}`)
  );
  assertEquals(enums.toSorted(), values.toSorted());
});
